"""What was counted, drawn: figures in, SVG out; no script, no clock, no web framework."""
