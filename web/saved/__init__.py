"""What a reader saved, and what was learned from it: seen, changed and taken away on their own page."""
