"""What the demo brings along: a small site with invented papers, a mailbox, and two readers."""
