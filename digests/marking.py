"""The matched words of a title or abstract, made visible: in a page with <mark>, in plain text with stars.

A word ends where the index ends it (domain/fts5.py), so the C of "C++" is no C. An address is never marked: it would no
longer be one when it is copied.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from digests.readable import readable
from domain.unicode61 import IN_TOKEN

_ADDRESS = r"https?://\S+"
_STYLE = ' style="background:#fdf0b5;color:#16212b"'
_MOST = 40  # words and phrases to look for in one text


def marked_page(text: str, words: Sequence[str]) -> Markup:
    """Return `text` escaped, each of `words` marked wherever it stands as a whole word."""
    pieces = _split(text, words)
    return Markup("").join(
        Markup(f"<mark{_STYLE}>{{}}</mark>").format(piece)  # noqa: S704 the style is ours
        if position % 2
        else escape(piece)
        for position, piece in enumerate(pieces)
    )


def unstyled(marked: Markup) -> Markup:
    """Return what `marked_page` gave, its marks left to a style sheet; escaped text cannot hold their style."""
    return Markup(str(marked).replace(f"<mark{_STYLE}>", "<mark>"))  # noqa: S704 escaped already


def marked_text(text: str, words: Sequence[str]) -> str:
    """Return `text` with stars around each of `words` that stands as a whole word."""
    return "".join(f"*{piece}*" if position % 2 else piece for position, piece in enumerate(_split(text, words)))


def seen(text: str, words: Sequence[str]) -> frozenset[str]:
    """Return those of `words` that are marked in `text`, in lower case."""
    return frozenset(piece.lower() for piece in _split(text, words)[1::2])


def _split(text: str, words: Sequence[str]) -> list[str]:
    """Return the text in pieces, every second one a marked word; longer words win over those inside them."""
    shown = sorted({readable(word) for word in words[:_MOST]} - {""}, key=lambda word: (-len(word), word))
    if not shown:
        return [text]
    pattern = "|".join(re.escape(word) for word in shown)
    pieces, end = [], 0
    for found in re.finditer(rf"{_ADDRESS}|(?<!{IN_TOKEN})({pattern})(?!{IN_TOKEN})", text, flags=re.IGNORECASE):
        if found[1]:
            pieces += [text[end : found.start()], found[1]]
            end = found.end()
    return [*pieces, text[end:]]
