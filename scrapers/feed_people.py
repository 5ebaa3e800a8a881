"""Names of authors as feeds write them: one element each, or all in one text, "First Last" or "Last, First"."""

import re
from collections.abc import Sequence

_INITIALS = re.compile(r"(?:[^\W\d_]\.?[-‐ ]?){1,5}(?:Jr\.?|Sr\.?|I{2,3}|IV)?")
_AND = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)
_LEAD = re.compile(r"(?:by|authors?(?:\(s\))?:)\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"\S{1,200}@\S{1,200}")
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|PhD|MD)\.?")
_LONGEST = 300  # characters of a name; collaborations have 150


def names_in(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names in texts with white space collapsed, each once, as "First Last"; one text may hold them all."""
    if len(texts) == 1:
        found = _split(_LEAD.sub("", texts[0], count=1) if _LEAD.match(texts[0]) else texts[0])
    else:
        found = [turned(text) for text in texts]
    return tuple(dict.fromkeys(name for name in found if name and len(name) <= _LONGEST and not _ADDRESS.search(name)))


def turned(name: str) -> str:
    """Return "Ada B. Moss" for "Moss, Ada B."; a name without a comma, or with several, as it is."""
    last, comma, first = (part.strip() for part in name.strip(" ,;").partition(","))
    if not comma or not first or "," in first or _SUFFIX.fullmatch(first):
        return name.strip(" ,;")
    return f"{first} {last}"


def _split(text: str) -> list[str]:
    if ";" in text:
        return [turned(part) for part in text.split(";")]
    parts = [part.strip() for part in _AND.sub(", ", text).split(",")]
    parts = [part for part in parts if part]
    if len(parts) > 1 and len(parts) % 2 == 0 and all(_INITIALS.fullmatch(part) for part in parts[1::2]):
        return [f"{first} {last}" for last, first in zip(parts[::2], parts[1::2], strict=True)]
    # "Moss, Ada" is one name; "Ada Moss, Bo Reed" are two.
    if len(parts) == 2 and " " not in parts[0] and not _AND.search(text):
        return [turned(text)]
    return parts
