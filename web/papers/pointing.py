"""Where in a query something went wrong, as two lines: the query, and a caret under the place."""

import unicodedata
from dataclasses import dataclass

_BEFORE, _AFTER = 40, 24  # characters shown on either side


@dataclass(frozen=True, slots=True)
class Pointed:
    """A piece of a query on one line, and blanks up to its caret."""

    text: str
    caret: str


def pointed(query: str, column: int) -> Pointed:
    """Return the piece of a query around a column, which counts characters from 1."""
    line = "".join(" " if not character.isprintable() else character for character in query)
    place = min(max(column - 1, 0), len(line))
    begin, end = max(place - _BEFORE, 0), place + _AFTER
    before = f"{'…' if begin else ''}{line[begin:place]}"
    after = f"{line[place:end]}{'…' if end < len(line) else ''}"
    return Pointed(before + after, " " * sum(map(_width, before)) + "^")


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
