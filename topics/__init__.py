"""Papers × topics: what readers ask, and what answers it."""
