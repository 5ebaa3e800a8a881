"""A reader's own pages: what they may change, and what needs a fresh link."""
