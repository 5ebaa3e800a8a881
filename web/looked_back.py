"""What pages ask of a look back over the archive: what a query would have brought, and why each paper is there."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from domain.papers import Paper
from domain.topics import Query, Tier, Why


class Chosen(Protocol):
    """A paper that a look back found."""

    @property
    def paper(self) -> Paper:
        """The paper."""
        ...

    @property
    def score(self) -> float:
        """How well it answers; higher is better."""
        ...

    @property
    def tier(self) -> Tier:
        """Whether it answers, or is related."""
        ...

    @property
    def why(self) -> Why:
        """Why it is there."""
        ...


class KeptOut(Protocol):
    """What an exclusion of a query keeps out."""

    @property
    def term(self) -> str:
        """The exclusion."""
        ...

    @property
    def fewer(self) -> int:
        """How many papers."""
        ...


class Telling(Protocol):
    """A word that the papers found have oftener than others."""

    @property
    def word(self) -> str:
        """The word."""
        ...

    @property
    def papers(self) -> int:
        """How many have it."""
        ...


class LookedBack(Protocol):
    """What a query would have selected."""

    @property
    def newest(self) -> date | None:
        """The last of the days, the archive's newest; None for an empty archive."""
        ...

    @property
    def per_day(self) -> Mapping[date, int]:
        """Papers by listing day; a day that has none is missing."""
        ...

    @property
    def total(self) -> int:
        """All papers, shown or not."""
        ...

    @property
    def exact(self) -> int:
        """Those that answer."""
        ...

    @property
    def related(self) -> int:
        """Those that only have part of what is wanted."""
        ...

    @property
    def papers(self) -> Sequence[Chosen]:
        """The best, no more than were asked for."""
        ...

    @property
    def excluded(self) -> Sequence[KeptOut]:
        """What each exclusion keeps out."""
        ...

    @property
    def terms(self) -> Sequence[Telling]:
        """Words to consider."""
        ...


class LookBack(Protocol):
    """Looks back over the archive."""

    def __call__(self, query: Query, days: int, limit: int | None = None, *, related: bool | None = None) -> LookedBack:
        """Return what matched in the last days before the archive's newest; a `limit` changes no number."""
        ...
