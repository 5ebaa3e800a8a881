"""The full-text index of the archive: the same words on either database."""
