"""A shared topic over the last days: how many papers answered it each day, and the newest of them.

    counts of all the days → as few of the newest days as hold enough papers → these papers, the newest day first

So a topic that selects very many costs as little as one that selects few. Only what answers the topic counts here;
papers that are merely related do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Protocol

from domain.papers import Paper
from domain.topics import Query, Tier, Why

_AT_ONCE = 500  # papers ranked where a day has more


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


@dataclass(frozen=True, slots=True)
class Newest:
    """A topic's last days."""

    last: date  #: the archive's newest day
    per_day: tuple[int, ...]  #: of every day, the oldest first, the last one `last`
    papers: tuple[Chosen, ...]  #: the newest day first, of a day the best first

    @property
    def first(self) -> date:
        """The oldest of the days."""
        return self.last - timedelta(days=len(self.per_day) - 1)

    @property
    def total(self) -> int:
        """How many papers answer."""
        return sum(self.per_day)

    @property
    def by_day(self) -> dict[date, int]:
        """The days that have papers, and how many, the oldest first."""
        return {self.first + timedelta(days=nth): papers for nth, papers in enumerate(self.per_day) if papers}


def newest(look_back: LookBack, query: Query, days: int, limit: int) -> Newest | None:
    """Return the last days of a topic with up to `limit` papers; None for an empty archive."""
    found = look_back(query, days, limit, related=False)
    last = found.newest
    if last is None:
        return None
    backwards = [found.per_day.get(last - timedelta(days=ago), 0) for ago in range(days)]
    papers = found.papers
    if found.total > limit:
        needed = next(ago for ago, total in enumerate(accumulate(backwards)) if total >= limit)
        papers = _of_days(look_back, query, backwards[: needed + 1])
    in_order = sorted(papers, key=lambda each: each.paper.listed, reverse=True)  # stable: of a day the best first
    return Newest(last, tuple(reversed(backwards)), tuple(in_order[:limit]))


def _of_days(look_back: LookBack, query: Query, backwards: Sequence[int]) -> Sequence[Chosen]:
    """Return all papers of the newest days, of the oldest of them perhaps only the best."""
    total, days = sum(backwards), len(backwards)
    papers = look_back(query, days, min(total, _AT_ONCE), related=False).papers
    if total <= _AT_ONCE or days == 1:
        return papers
    newer = look_back(query, days - 1, _AT_ONCE, related=False).papers
    known = {each.paper.id for each in newer}
    return [*newer, *(each for each in papers if each.paper.id not in known)]
