"""The archive in the browser: search, papers, days, trending, and what crawlers are told."""
