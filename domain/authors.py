"""Whether an author who is asked for is an author who is listed: by the name alone, for nothing else is known.

    "He, Kaiming"  "Kaiming He"  "HE Kaiming"   ──names──►  kaiming he
    "K. M. He"     "KM He"       "He KM"        ──names──►  k m he

Two people of one name cannot be told apart here, and one who changed their name is two. What is told is how far the
names agree: `SURE` where a given name is written out on both sides and the same, `BY_INITIAL` where one side has only
its first letter. A middle name or initial may be missing, but must not speak against the other's: Michael I. Jordan is
not Michael B. Jordan.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

from domain.fts5 import TEX_SIGN, searchable

_LONGEST = 200  # characters of a name that are read
_ACCENT = re.compile("[\u0300-\u036f]")
#: Letters that Unicode does not take for a letter and an accent.
_FOLDED = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "þ": "th", "æ": "ae", "œ": "oe"}
_FOLDING = str.maketrans(
    {"ı": "i", "ß": "ss", "ẞ": "SS"} | _FOLDED | {letter.upper(): plain.upper() for letter, plain in _FOLDED.items()}
)
_BESIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")  # "(MIT)"
#: The hyphen of Kai-Ming, the apostrophe of O'Brien: what stands on both sides is one name.
_JOINS = re.compile(r"(?<=[^\W\d_])['’ʼ`´‐‑-](?=[^\W\d_])")
_NAME = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile("[aeiouy]")
_YOUNGER, _NUMBERED = frozenset({"jr", "sr"}), frozenset({"ii", "iii", "iv"})
#: Small words of family names: they may be missing on one side.
_PARTICLES = frozenset(
    {"al", "da", "das", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "la", "las", "le", "los", "op"}
    | {"ten", "ter", "van", "vom", "von", "zu", "zum", "zur"}
)
#: Family names of two letters: in capitals beside another name, as in "HE Kaiming", they are no initials.
_SHORT_FAMILIES = frozenset(
    {"ai", "an", "ao", "ba", "bi", "bo", "bu", "do", "du", "fu", "ga", "ge", "gu", "ha", "he", "ho", "hu", "im", "ji"}
    | {"ke", "ko", "le", "li", "lo", "lu", "ly", "ma", "mi", "mo", "na", "ng", "ni", "no", "oh", "ou", "pu", "qi", "qu"}
    | {"ro", "so", "su", "to", "tu", "vo", "vu", "wu", "xi", "xu", "ye", "yi", "yo", "yu", "ze", "zu"}
)
#: The "e" of Mueller, which stands for the dots of Müller; only in names so long that Yuen is not taken for Yun.
_DOTS = re.compile(r"(?<=[^aeiouy][aou])e(?=[^aeiouy])")
_LONG_ENOUGH = 6  # letters


class Likeness(IntEnum):
    """How far two names agree."""

    NONE = 0
    BY_INITIAL = 1  # as far as can be seen: one side has only an initial
    SURE = 2  # a given name and the family name are the same; those of a namesake are too


def names(text: str) -> tuple[str, ...]:
    """Return an author's names, as typed or as listed: given names first, the family name last; () where there is none.

    Lower case, without accents, hyphens and dots; an initial is one letter. The names with spaces between are read as
    the same names.
    """
    text = text[:_LONGEST]
    if TEX_SIGN.search(text):
        text = searchable(text)
    found = _once(text)
    # A comma or capitals tell the order once; after that, it may be seen that a name is a suffix.
    while (again := _once(" ".join(found))) != found:
        found = again
    return found


def likeness(asked: Sequence[str], listed: str) -> Likeness:
    """Return how far the names that are asked for, as `names` gives them, agree with an author as listed.

    One name alone agrees with every author who has it, as a given or as a family name.
    """
    theirs = _listed(listed)
    if not asked or not theirs:
        return Likeness.NONE
    if len(asked) == 1:
        has_it = is_whole(asked[0]) and (asked[0] in theirs or _is_same_family(asked[0], theirs[-1]))
        return Likeness.SURE if has_it else Likeness.NONE
    if asked[0] in _PARTICLES and theirs[-len(asked) :] == tuple(asked):
        return Likeness.SURE  # "van der Berg" is a family name alone
    mine, theirs = without_particles(asked), without_particles(theirs)
    if all(map(is_whole, (*mine, *theirs))) and "".join(mine) in _orders(theirs):
        return Likeness.SURE
    if not _is_same_family(mine[-1], theirs[-1]):
        return Likeness.NONE
    apart = tuple(letters for name in mine[:-1] for letters in (name if _may_be_initials(name) else (name,)))
    return _given(mine[:-1], theirs[:-1]) or _given(apart, theirs[:-1])


def is_whole(name: str) -> bool:
    """Whether it is more than an initial: "he", "李", not "k"."""
    return len(name) > 1 or name.upper() == name


@lru_cache(maxsize=50_000)
def _listed(text: str) -> tuple[str, ...]:
    return names(text)


def _once(text: str) -> tuple[str, ...]:
    if not text.isascii():
        text = _ACCENT.sub("", unicodedata.normalize("NFKD", text)).translate(_FOLDING)
        text = unicodedata.normalize("NFC", text)
    before, _, after = _BESIDE.sub(" ", text).partition(",")
    told_by_case = text.upper() != text
    family = _read(_unsuffixed(_NAME.findall(_JOINS.sub("", before)), least=1), told_by_case=told_by_case)
    given = _read(_unsuffixed(_NAME.findall(_JOINS.sub("", after)), least=0), told_by_case=told_by_case)
    found = [*given, *family]
    # The "K M" of "He K M" and of PubMed's "He KM" stand after the family name.
    ends = max((place for place, name in enumerate(found, 1) if is_whole(name)), default=0)
    return (*found[ends:], *found[:ends])


def _unsuffixed(parts: list[str], *, least: int) -> list[str]:
    """Return the parts without Jr. and III at the end: "Ivanov IV" has initials."""
    while len(parts) > least:
        last = parts[-1].lower()
        if last not in _YOUNGER and not (last in _NUMBERED and (least == 0 or len(parts) > 2)):
            break
        parts = parts[:-1]
    return parts


def _read(parts: list[str], *, told_by_case: bool) -> list[str]:
    """Return the names in lower case, and what can only be initials letter by letter."""
    found: list[str] = []
    for part in parts:
        name = part.lower()
        two_capitals = told_by_case and len(name) == 2 and name not in _SHORT_FAMILIES
        found += name if part.isupper() and (two_capitals or _may_be_initials(name)) else [name]
    return found


def _may_be_initials(name: str) -> bool:
    return 2 <= len(name) <= 3 and name.isascii() and name not in _SHORT_FAMILIES and not _VOWEL.search(name)


def without_particles(found: Sequence[str]) -> tuple[str, ...]:
    """Return names without the small words between the first and the last."""
    return (*found[:1], *(name for name in found[1:-1] if name not in _PARTICLES), *found[1:][-1:])


def _orders(found: Sequence[str]) -> set[str]:
    """Return the letters of names in their order, and with the first or the last name at the other end."""
    return {"".join(order) for order in (found, (*found[1:], *found[:1]), (*found[-1:], *found[:-1]))}


def _is_same_family(one: str, other: str) -> bool:
    if one == other:
        return True
    return max(len(one), len(other)) >= _LONG_ENOUGH and _DOTS.sub("", one) == _DOTS.sub("", other)


def _given(mine: Sequence[str], theirs: Sequence[str]) -> Likeness:
    """Return how far given names agree, one after the other: "Kai Ming" is "Kaiming", and "K." any of them."""
    agreed = Likeness.SURE if mine and theirs else Likeness.NONE
    is_first = True
    while mine and theirs:
        one, other = mine[0], theirs[0]
        if is_whole(one) and is_whole(other):
            taken, given = (_made_of(other, mine), 1) if len(one) < len(other) else (1, _made_of(one, theirs))
            if not taken or not given:
                return Likeness.NONE
        elif one[0] == other[0]:
            taken = given = 1
            if is_first:
                agreed = Likeness.BY_INITIAL
        else:
            return Likeness.NONE
        mine, theirs, is_first = mine[taken:], theirs[given:], False
    return agreed


def _made_of(name: str, parts: Sequence[str]) -> int:
    """Return how many of the parts, from the first on, make up the name; 0 for none."""
    return next((count for count in range(1, len(parts) + 1) if "".join(parts[:count]) == name), 0)
