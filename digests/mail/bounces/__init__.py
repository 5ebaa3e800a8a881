"""What comes back of letters: read, told apart, and never believed without proof."""
