"""Read-only views with human names: what may be shown of an archive to anybody who may look into it."""
