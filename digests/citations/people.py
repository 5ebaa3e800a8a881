"""Names as bibliographies want them: "Last, First" where that is certain, else as they were written.

Certain is a name written with a comma, one of two words, and one whose middle words are initials; small words such as
"van" belong to the last name. "Maria Garcia Lopez" may be read in two ways and stays; so do names of one word and those
of groups, which must never be turned round or parted at their "and".
"""

import re
from dataclasses import dataclass

from digests.readable import clean
from domain.papers import Paper

_GROUP = re.compile(
    r"\b(?:collaborations?|consortium|teams?|groups?|projects?|committee|society|institut\w*|universit\w*|laborator\w*"
    r"|network|initiative|investigators?|working|organi[sz]ation|agency|foundation|department|inc|ltd|llc|gmbh"
    r"|on behalf)\b|^the\s|\s(?:for|of|the|and|und)\s|[&\d@/()]",
    re.IGNORECASE,
)
_PARTICLES = frozenset(
    ("van", "von", "vom", "de", "del", "della", "der", "den", "dem", "di", "da", "do", "dos", "das", "du", "la", "le",
     "ten", "ter", "te", "zu", "zur", "zum", "bin", "ibn", "al", "el", "af", "av")
)  # fmt: skip
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|II|III|IV")
_INITIALS = re.compile(r"(?:[^\W\d_]\.?-?){1,3}")
_OTHERS = re.compile(r"(?:^|[\s,]+)(?:and )?(?:et\.? al\.?|others)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """A name for a bibliography; without `first` it is one name that is not to be taken apart."""

    last: str
    first: str = ""
    suffix: str = ""  #: "Jr."
    is_natural: bool = False  #: a person's name that is left in the order "First Last": `last` holds all of it


def people(names: tuple[str, ...]) -> tuple[Person, ...]:
    """Return the authors of a paper; "et al." and what is empty are no authors."""
    return tuple(_person(name) for name in map(_cleaned, names) if name)


def are_cut(paper: Paper) -> bool:
    """Whether a paper has more authors than are named."""
    return paper.author_count > len(paper.authors) or any(_OTHERS.search(clean(name)) for name in paper.authors)


def surname(name: str) -> str:
    """Return the word that an author is filed under."""
    found = _person(_cleaned(name))
    return found.last.split()[-1] if found.is_natural else found.last


def _cleaned(name: str) -> str:
    """Return a name on one line, without TeX's narrow blank, in which a reader of lists would see a comma."""
    return _OTHERS.sub("", clean(name.replace("\\,", " ")))


def _person(name: str) -> Person:
    before, comma, after = (part.strip() for part in name.partition(","))
    if _GROUP.search(name) or "," in after or (comma and not (before and after)):
        return Person(last=name)
    if comma and not _SUFFIX.fullmatch(after):
        return Person(last=before, first=after)
    words = before.split()
    suffix = after or (words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else "")
    if len(words) < 2 or words[-1] in _PARTICLES:
        return Person(last=name)
    begin = next((at for at, word in enumerate(words) if at and word in _PARTICLES), len(words) - 1)
    if not _is_certain(words[:begin], words[begin:]):
        return Person(last=name, is_natural=not comma)
    return Person(last=" ".join(words[begin:]), first=" ".join(words[:begin]), suffix=suffix)


def _is_certain(first: list[str], last: list[str]) -> bool:
    """Whether only one word can be the last name, and it is none of "Okafor C", an initial that was put last."""
    named = [word for word in last if word not in _PARTICLES]
    put_last = _INITIALS.fullmatch(last[-1]) and not _INITIALS.fullmatch(first[0])
    return len(named) == 1 and not put_last and all(_INITIALS.fullmatch(word) for word in first[1:])
