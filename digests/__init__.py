"""Matches to letters, letters to mailboxes."""
