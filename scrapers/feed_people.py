"""Names of authors as feeds write them: one element each, or all in one text, "First Last" or "Last, First"."""

import re
from collections.abc import Sequence

_INITIALS = re.compile(r"(?:[^\W\d_]\.?[-‐ ]?){1,5}(?:Jr\.?|Sr\.?|I{2,3}|IV)?")
_AND = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)
_LEAD = re.compile(r"(?:by|authors?(?:\(s\))?:)\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"\S{1,200}@\S{1,200}")
_LONGEST = 300  # characters of a name; collaborations have 150
# Of a name, behind a comma: what belongs to it, and what a feed adds to it.
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|II|III|IV")
_DEGREE = re.compile(r"Ph\.? ?D\.?|M\.?D\.?|M\.? ?Sc\.?|D\.? ?Phil\.?")


def names_in(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the names in texts with white space collapsed, as "First Last"; one text may hold them all.

    Two people of one name are two.
    """
    texts = _once(texts)
    if len(texts) == 1:
        found = _split(_LEAD.sub("", texts[0], count=1) if _LEAD.match(texts[0]) else texts[0])
    else:
        found = [turned(text) for text in texts]
    return tuple(name for name in found if name and len(name) <= _LONGEST and not _ADDRESS.search(name))


def turned(name: str) -> str:
    """Return "Ada B. Moss" for "Moss, Ada B.", and "John Smith Jr." for "Smith, John, Jr."; any other name as it is."""
    said = name.strip(" ,;")
    people = _people([part.strip() for part in said.split(",")])
    return _in_order(people) if len(people) <= 2 else said


def _once(texts: Sequence[str]) -> Sequence[str]:
    """Return the first half of a list that is said twice, as by `author` and by `dc:creator`."""
    half, odd = divmod(len(texts), 2)
    return texts if odd or texts[:half] != texts[half:] else texts[:half]


def _split(text: str) -> list[str]:
    if ";" in text:
        return [turned(part) for part in text.split(";")]
    parts = [part.strip() for part in _AND.sub(", ", text).split(",")]
    parts = [part for part in parts if part]
    people = _people(parts)
    for pairs in ([(part, "") for part in parts], people):
        if _are_pairs(pairs):
            return [_in_order(pairs[at : at + 2]) for at in range(0, len(pairs), 2)]
    # "Moss, Ada" is one name; "Ada Moss, Bo Reed" are two.
    if len(people) == 2 and " " not in people[0][0] and not _AND.search(text):
        return [_in_order(people)]
    return [_in_order([person]) for person in people]


def _people(parts: Sequence[str]) -> list[tuple[str, str]]:
    """Return each part with the suffix that follows it, "" for none; degrees are left out."""
    people: list[tuple[str, str]] = []
    for part in filter(None, parts):
        # "Smith, MD" is M. D. Smith: a degree follows a whole name.
        is_whole = bool(people) and (" " in people[-1][0] or len(people) > 1)
        if people and _SUFFIX.fullmatch(part):
            people[-1] = (people[-1][0], part)
        elif not is_whole or not _DEGREE.fullmatch(part):
            people.append((part, ""))
    return people


def _are_pairs(people: Sequence[tuple[str, str]]) -> bool:
    """Whether "Moss, A., Reed, B. C." is said: a name and initials in turn."""
    initials = [name for name, _ in people[1::2]]
    if len(people) < 2 or len(people) % 2 or not all(map(_INITIALS.fullmatch, initials)):
        return False
    return not all(_SUFFIX.fullmatch(name) or _DEGREE.fullmatch(name) for name in initials)


def _in_order(people: Sequence[tuple[str, str]]) -> str:
    """Return one name of "Last" and "First", or of the whole; a suffix of either goes to its end."""
    return " ".join(filter(None, [*(name for name, _ in reversed(people)), *(suffix for _, suffix in people)]))
