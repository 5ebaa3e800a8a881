"""The shared words of Paperround: frozen values, pure rules, the standard library only."""
