"""Pages to papers: names URLs, fetches politely, reads what came."""
