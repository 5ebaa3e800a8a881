"""How much room a text takes, without a font at hand: never too little for the system fonts of the site.

The figures are those of DejaVu Sans, the widest of them, in hundredths of the font's size. A glyph of a script that is
wider yet is clipped where it stands (drawing.py), so that no text from outside ever runs into another.
"""

import unicodedata

#: Font sizes in px (looks.md): details, a panel's title, a figure's heading.
SMALL, TITLE, HEAD = 14, 18, 22

_NARROW = frozenset(" .,:;|!'’()[]fijlrtI-·")
_BROAD = frozenset("mwMWQO@%&…—")


def width(text: str, size: float) -> float:
    """Return the px that a line of text takes at most."""
    return sum(map(_hundredths, text)) * size / 100


def _hundredths(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 105
    if character in _NARROW:
        return 42
    if character in _BROAD:
        return 102
    return 79 if character.isupper() or character > "\u02ff" else 65


def fitted(text: str, room: float, size: float) -> str:
    """Return a text that takes at most `room` px, cut and ended with "…" where it is longer."""
    if width(text, size) <= room:
        return text
    taken = width("…", size)
    kept = ""
    for character in text:
        taken += width(character, size)
        if taken > room:
            break
        kept += character
    return f"{kept.rstrip()}…"


def wrapped(text: str, room: float, size: float) -> list[str]:
    """Return a text as lines of at most `room` px, broken at blanks; a longer word is cut."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(fitted(word, room, size))
    return lines
