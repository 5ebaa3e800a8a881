"""The door: commands, settings, wiring, demo."""
