"""The database: every paper once, every reader, every letter on its way."""
