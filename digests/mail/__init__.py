"""Messages as they stand on the wire."""
