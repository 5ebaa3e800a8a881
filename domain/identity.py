"""One work or two? The verdict over two records (relevance.md, "Identity of a paper"), and where to look for them.

    record ──fingerprint──► Fingerprint ──traits──► a few numbers; records that share one may be one work
                                 └───────verdict(one, other)───► same, different or unsure

A fingerprint is what the rules read of a record, worked out once. No record is compared with all others: the archive
keeps the traits of each, and hands in those that share one. The verdict never guesses: what is not sure is `UNSURE`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from domain.likeness import ratio
from domain.papers import Identifiers
from domain.titles import keyed, saying, title_key

_ENOUGH_TITLE = 24  # characters of a key under which equal titles alone prove nothing ("Editorial")
_ENOUGH_ABSTRACT = 40  # letters under which an abstract is a phrase that many share ("No abstract available.")
_OPENING = 300  # letters of an abstract that are compared first
# The rule says 60, but two letters of one title that answer one finding reach just that ("Letter: Serum
# alpha-fetoprotein in cystic fibrosis", collection cf); unrelated abstracts stay under 50, duplicates over 70.
_SAME_OPENING = 60.5
_ALIKE_TITLE, _ALIKER_TITLE, _ALIKE_ABSTRACT = 80, 85, 90

# Long enough that few papers share one by chance: 477 pairs among the 35,725 shared records.
_HEAD = 64  # letters of an abstract's beginning
_PIECE = re.compile(r"in(?=(.{40}))")  # 40 letters after each "in": an edit elsewhere does not move them


class Verdict(Enum):
    """Whether two records are the same work."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the rules read of a record."""

    ids: Identifiers
    key: str  #: what the title says; "" only for a blank title
    marks: tuple[str, ...]  #: the title's numerals, and its kind of notice (domain/titles.py)
    saying: str  #: the letters of the authors' own abstract, 4,000 at most; "" where there is none or hardly any
    surname: str  #: of the first author; "" where no author is known
    record: bytes  #: digest of the whole record; b"" where an id is known, for then the id tells

    @property
    def opening(self) -> str:
        """The first 300 letters of the abstract."""
        return self.saying[:_OPENING]


def fingerprint(ids: Identifiers, title: str, abstract: str, authors: Sequence[str]) -> Fingerprint:
    """Return what the rules read of a record.

    `abstract` is the authors' own, or "": a machine's summary proves nothing.
    """
    key, marks = keyed(title)
    said = saying(abstract)
    return Fingerprint(
        ids,
        key,
        marks,
        said if len(said) >= _ENOUGH_ABSTRACT else "",
        _surname(authors[0]) if authors else "",
        b"" if ids.arxiv or ids.doi or ids.openreview else _digest(b"record", "\0".join((key, said, *authors)), 16),
    )


def verdict(one: Fingerprint, other: Fingerprint) -> Verdict:
    """Return whether two records are one work; the order of the two does not matter."""
    by_ids = _by_ids(one.ids, other.ids)
    if by_ids is not None:
        return by_ids
    if one.record and one.record == other.record:
        return Verdict.SAME
    if one.key and one.key == other.key:
        return _of_one_title(one, other)
    return Verdict.SAME if _retitled(one, other) else Verdict.DIFFERENT


def traits(one: Fingerprint) -> tuple[int, ...]:
    """Return one to four signed 64-bit numbers, of which two records that may be one work share at least one.

    Equal titles share the first. Equal abstracts share their beginning, whatever their titles, and edited ones mostly
    one of two pieces whose place depends on their words alone: of those that follow an "in", the first and the last in
    alphabetical order. A record without id and abstract is found again as the whole that it is. So no pair is lost
    where only the newest papers of a title that thousands have ("Editorial") are looked at. The numbers are stored: a
    change of what they are made of needs a migration.
    """
    found = [_trait(b"title", one.key)] if one.key else []
    said = one.saying
    if said:
        pieces = _PIECE.findall(said)
        found.append(_trait(b"head", said[:_HEAD]))
        if pieces:
            found += [_trait(b"piece", min(pieces)), _trait(b"piece", max(pieces))]
    elif one.record:
        found.append(int.from_bytes(one.record[:8], "big", signed=True))
    return tuple(dict.fromkeys(found))


def _by_ids(one: Identifiers, other: Identifiers) -> Verdict | None:
    """Return what the ids say, None for nothing.

    Two arXiv ids are two papers, whatever else is shared: a wrong DOI must not swallow a paper. One arXiv id is one
    paper, though it was submitted twice to OpenReview. Two DOIs say nothing: a preprint and its article have one each.
    """
    for mine, theirs in ((one.arxiv, other.arxiv), (one.openreview, other.openreview)):
        if mine and theirs:
            return Verdict.SAME if mine == theirs else Verdict.DIFFERENT
    return Verdict.SAME if one.doi and one.doi == other.doi else None


def _of_one_title(one: Fingerprint, other: Fingerprint) -> Verdict:
    """Rule 3: equal titles need a second witness."""
    both = bool(one.saying and other.saying)
    if both and ratio(one.opening, other.opening, at_least=_SAME_OPENING):
        return Verdict.SAME
    known = bool(one.surname and other.surname)
    agreed = one.surname == other.surname if known else not both
    return Verdict.SAME if agreed and len(one.key) >= _ENOUGH_TITLE else Verdict.UNSURE


def _retitled(one: Fingerprint, other: Fingerprint) -> bool:
    """Rule 4: titles that differ a little, and abstracts that hardly do; cheap questions first."""
    if one.marks != other.marks or not (one.key and other.key and one.saying and other.saying):
        return False
    alike = ratio(one.key, other.key, at_least=_ALIKE_TITLE)
    if not alike:
        return False
    if one.opening == other.opening and len(one.opening) == _OPENING:
        return True
    return alike >= _ALIKER_TITLE and bool(ratio(one.saying, other.saying, at_least=_ALIKE_ABSTRACT))


def _surname(author: str) -> str:
    words = author.partition(",")[0].split()  # "Moss, Ada" is "Ada Moss"
    return title_key(words[-1]) if words else ""


def _digest(kind: bytes, text: str, size: int) -> bytes:
    return blake2b(kind + b"\0" + text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _trait(kind: bytes, text: str) -> int:
    return int.from_bytes(_digest(kind, text, 8), "big", signed=True)
