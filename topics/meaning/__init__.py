"""The meaning behind the words: a sentence model on the CPU, where `paperround[semantic]` is installed.

Nothing here imports what may not be installed before it is used.
"""
