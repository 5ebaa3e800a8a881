"""Looking into the archive with Datasette, on a copy that holds only what may be shown."""
