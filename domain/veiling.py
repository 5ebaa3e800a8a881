"""Text from outside without what is a reader's own: addresses, and the tokens of their links.

Whole words go, so that neither half of an address stays. Linear in the text's length, whatever stands in it.
"""

import re

_QUOTED = re.compile(r'"[^"\n]{1,64}"@')  # a local part in quotes may hold spaces
_WORD = re.compile(r"\S+")
_TOKEN = re.compile(r"/(confirm|preferences|account|address|unsubscribe)/[^\s?#/\"'<>]+")


def veiled_text(text: str) -> str:
    """Return a text in which every word that holds an address, and every token in a path, is "…"."""
    if "@" in text or "%40" in text:
        text = _WORD.sub(lambda word: "…" if "@" in word[0] or "%40" in word[0] else word[0], _QUOTED.sub("@", text))
    return _TOKEN.sub(r"/\1/…", text) if "/" in text else text
