"""Ways out: each takes a whole message and says what became of it."""
