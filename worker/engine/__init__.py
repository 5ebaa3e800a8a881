"""Work that many processes share, handed out by Procrastinate over one PostgreSQL."""
