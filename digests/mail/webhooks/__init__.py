"""What mail providers post to us about letters: one module a provider, and the table of them."""
