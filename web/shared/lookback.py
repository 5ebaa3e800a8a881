"""A shared topic over the last days: how many papers answered it each day, and the newest of them.

    counts of all the days → as few of the newest days as hold enough papers → these papers, the newest day first

So a topic that selects very many costs as little as one that selects few. Only what answers the topic counts here;
papers that are merely related do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from domain.topics import Query
from web.looked_back import Chosen, LookBack

_AT_ONCE = 500  # papers ranked where a day has more


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
