"""One work or two? The verdict over two records (relevance.md, "Identity of a paper"), and where to look for them.

    record ──fingerprint──► Fingerprint ──traits──► a few numbers; records that share one may be one work
                                 └───────verdict(one, other)───► same, different or unsure

A fingerprint is what the rules read of a record, worked out once. No record is compared with all others: the archive
keeps the traits of each, and hands in those that share one. The verdict never guesses: what is not sure is `UNSURE`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import blake2b

from domain.likeness import ratio
from domain.papers import AbstractKind, Identifiers, ListedPaper, Paper
from domain.titles import keyed, saying, title_key

_ENOUGH_TITLE = 24  # characters of a key under which equal titles alone prove nothing ("Editorial")
_ENOUGH_ABSTRACT = 40  # letters under which an abstract is a phrase that many share ("No abstract available.")
_OPENING = 300  # letters of an abstract that are compared first
# The rule says 60, but two letters of one title that answer one finding reach just that; others of one title stay under
# 54, duplicates over 70.
_SAME_OPENING = 60.5
_TELLING_OPENING = 120  # letters of a whole abstract that is shorter than that, and equal
_FAR_TITLE = 50  # titles less alike have nothing to do with one another
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
    saying: str  #: the letters of the authors' own abstract, 2,000 at most; "" where there is none or hardly any
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


def fingerprint_of(paper: Paper | ListedPaper) -> Fingerprint:
    """Return what the rules read of a paper, kept or listed."""
    own = paper.abstract if paper.abstract_kind is AbstractKind.AUTHORS else ""
    return fingerprint(paper.ids, paper.title, own, paper.authors)


def verdict(one: Fingerprint, other: Fingerprint) -> Verdict:
    """Return whether two records are one work; the order of the two does not matter."""
    by_ids = _by_ids(one.ids, other.ids)
    if by_ids is not None:
        return by_ids
    if one.record and one.record == other.record:
        return Verdict.SAME
    rivals = _of_one_publisher(one.ids.doi, other.ids.doi)
    if one.key and one.key == other.key:
        return Verdict.UNSURE if rivals else _of_one_title(one, other)
    return Verdict.SAME if not rivals and _retitled(one, other) else Verdict.DIFFERENT


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


def clashing(one: Identifiers, other: Identifiers) -> bool:
    """Whether two records name different papers whatever else they share: two arXiv ids, or two of OpenReview."""
    return _by_ids(replace(one, doi=None), replace(other, doi=None)) is Verdict.DIFFERENT


def contradicting(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether what two records say speaks against an id that they share, and nothing of it for it.

    A DOI is typed in by people; one wrong figure must not make two papers one. Titles that have nothing to do with one
    another are not enough, for a preprint may be printed under another; the first authors, or else the abstracts, have
    to differ too.
    """
    if ratio(one.key, other.key, at_least=_FAR_TITLE):
        return False
    abstracts = bool(one.saying and other.saying)
    if abstracts and _same_opening(one, other):
        return False
    if one.surname and other.surname:
        return one.surname != other.surname
    return abstracts


def _by_ids(one: Identifiers, other: Identifiers) -> Verdict | None:
    """Return what the ids say, None for nothing.

    Two arXiv ids are two papers, whatever else is shared: a wrong DOI must not swallow a paper. One arXiv id is one
    paper, though it was submitted twice to OpenReview. Two DOIs say nothing: a preprint and its article have one each.
    """
    for mine, theirs in ((one.arxiv, other.arxiv), (one.openreview, other.openreview)):
        if mine and theirs:
            return Verdict.SAME if mine == theirs else Verdict.DIFFERENT
    return Verdict.SAME if one.doi and one.doi == other.doi else None


def _of_one_publisher(one: str | None, other: str | None) -> bool:
    """Whether two DOIs were given by one publisher, who seldom gives one work two: this week's Editorial is another."""
    return bool(one and other) and str(one).partition("/")[0] == str(other).partition("/")[0]


def _of_one_title(one: Fingerprint, other: Fingerprint) -> Verdict:
    """Rule 3: equal titles need a second witness."""
    both = bool(one.saying and other.saying)
    known = bool(one.surname and other.surname)
    agreed = one.surname == other.surname if known else None
    telling = len(one.key) >= _ENOUGH_TITLE
    # Under "Editorial" different people begin alike.
    alike = _same_opening(one, other) if telling or agreed is not False else _same_words(one, other)
    if both and alike:
        return Verdict.SAME
    return Verdict.SAME if telling and (agreed or (agreed is None and not both)) else Verdict.UNSURE


def _same_opening(one: Fingerprint, other: Fingerprint) -> bool:
    return bool(ratio(one.opening, other.opening, at_least=_SAME_OPENING))


def _same_words(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two abstracts begin with the same words and figures, but for slips."""
    figures = ["".join(filter(str.isdigit, each.opening)) for each in (one, other)]
    return figures[0] == figures[1] and bool(ratio(one.opening, other.opening, at_least=_ALIKE_ABSTRACT))


def _retitled(one: Fingerprint, other: Fingerprint) -> bool:
    """Rule 4: titles that differ a little, and abstracts that hardly do; cheap questions first."""
    if one.marks != other.marks or not (one.key and other.key and one.saying and other.saying):
        return False
    alike = ratio(one.key, other.key, at_least=_ALIKE_TITLE)
    if not alike:
        return False
    if one.opening == other.opening and len(one.opening) >= _TELLING_OPENING:
        return True
    return alike >= _ALIKER_TITLE and bool(ratio(one.saying, other.saying, at_least=_ALIKE_ABSTRACT))


def _surname(author: str) -> str:
    words = author.partition(",")[0].split()  # "Moss, Ada" is "Ada Moss"
    return title_key(words[-1]) if words else ""


def _digest(kind: bytes, text: str, size: int) -> bytes:
    return blake2b(kind + b"\0" + text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _trait(kind: bytes, text: str) -> int:
    return int.from_bytes(_digest(kind, text, 8), "big", signed=True)
