"""Topics that somebody shows to whoever has the address: a page and a feed each, and nothing about who shares."""
