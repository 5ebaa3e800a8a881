"""The matched words of a title or abstract, made visible: in a page with <mark>, in plain text with stars.

A word ends where the index ends it (domain/fts5.py), so the C of "C++" is no C. An address is never marked: it would no
longer be one when it is copied.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markupsafe import Markup, escape

from digests.readable import readable
from domain.unicode61 import IN_TOKEN

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_IN_TOKEN = re.compile(IN_TOKEN)
_STYLE = ' style="background:#fdf0b5;color:#16212b"'
_KEPT = 4_000  # words, and sets of them; the same topics mark the same ones in many texts
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
    """Return the text in pieces, every second one a marked word; where two begin in one place the longer one wins."""
    found = sorted(
        ((begin, -end) for word in _shown(tuple(words[:_MOST])) for begin, end in _places(text, word)),
    )
    if not found:
        return [text]
    addresses = [each.span() for each in _ADDRESS.finditer(text)]
    pieces: list[str] = []
    done = 0
    for begin, negative in found:
        end = -negative
        if begin < done or any(first <= begin < last for first, last in addresses):
            continue
        pieces += [text[done:begin], text[begin:end]]
        done = end
    return [*pieces, text[done:]]


def _places(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where a word stands, as a whole word; also where one begins inside another."""
    begin = 0
    while found := _pattern(word).search(text, begin):
        first, last = found.span()
        if not (first and _IN_TOKEN.match(text, first - 1)) and not _IN_TOKEN.match(text, last):
            yield first, last
        begin = first + 1


@lru_cache(maxsize=_KEPT)
def _shown(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return these words as they are shown, each once."""
    return tuple(dict.fromkeys(word for word in map(readable, words) if word))


@lru_cache(maxsize=_KEPT)
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(re.escape(word), re.IGNORECASE)
