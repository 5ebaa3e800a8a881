"""What a reader wants more of and less of, as values: papers they saved or did not like, and what is learned of them.

A reader's *likings* are the papers; the *profile* is what their words have in common, and nothing but words and
weights: so it can be shown, edited and taken away (docs/learning.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Liking(StrEnum):
    """What a reader said of a paper; the values stand in archives and in links, so none is ever changed."""

    MORE = "more"  # saved: more like this
    LESS = "less"  # less like this


#: The place of what a whole library brought.
BROUGHT = "import"


class Edit(StrEnum):
    """What a reader did to a word of their profile."""

    IN = "in"  # wanted, whatever was saved
    OUT = "out"  # never learned from, whatever was saved


@dataclass(frozen=True, slots=True)
class Saved:
    """One paper that a reader saved, or wants less of."""

    number: int  #: the record's own
    liking: Liking
    key: str  #: the paper's when it was saved; of one that the archive has not, its strongest id or its title's hash
    paper_id: int | None  #: None where the archive has no such paper: then the words are the reader's own copy
    title: str
    abstract: str
    authors: tuple[str, ...]
    published: date | None
    at: datetime
    place: str  #: where it was said: "/feedback", "/preferences", "command", "import"


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a profile."""

    stem: str  #: as FTS5 cuts it
    word: str  #: as it is written most often in what was saved, or as the reader typed it
    weight: float  #: above 0; the heaviest come first
    saved: int  #: the number of the saved paper that it comes from most; 0 where the reader typed it


@dataclass(frozen=True, slots=True)
class Taste:
    """What papers have in common, as a weighted query: the profile's half of what is wanted, or of what is not."""

    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A word that a reader put in or left out."""

    word: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class Profile:
    """What was learned of one reader."""

    more: Taste = Taste()
    less: Taste = Taste()
    edits: Mapping[str, Edited] = field(default_factory=dict)  #: by stem
    saved: int = 0  #: papers that it was learned from
    disliked: int = 0
    learned_at: datetime | None = None  #: None where nothing was learned yet
    is_stale: bool = False  #: something was saved, taken back or edited since

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: no paper is like it, and none is set aside."""
        return not self.more.terms and not self.less.terms


NO_PROFILE = Profile()
