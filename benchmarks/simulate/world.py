"""What the simulation runs in: a clock that jumps over idleness, and papers that are listed when sources list them."""

from __future__ import annotations

import time
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from benchmarks.corpus import records
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ARXIV, DAILY = "arxiv:cs.CL", "huggingface-daily"
PAST = 7  # days of papers that are there before the readers are
A_DAY = 300  # papers of a weekday; a fifth of them are of Hugging Face, the others one batch of arXiv
_HOURS = (3, 9, 15, 21)  # UTC, at which a share of that day is seen
_NEW_YORK = ZoneInfo("America/New_York")


class VirtualClock:
    """Stands still while nothing is done, runs with the CPU of what is done, and is set ahead to the next event."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant
        self._mark: float | None = None

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        spent = 0.0 if self._mark is None else time.process_time() - self._mark
        return self._instant + timedelta(seconds=spent)

    def jump(self, instant: datetime) -> None:
        """Go to that instant, never back."""
        self._instant = max(self._instant, instant)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let time pass for as long as this lasts, a second for each second of CPU that the process takes."""
        self._mark = time.process_time()
        try:
            yield
        finally:
            self._instant, self._mark = self.now(), None


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing, and when it is to be seen."""

    at: datetime  #: aware UTC
    listing: Listing


class Papers:
    """The listings of some days, from records of the corpus; `seen` says how many papers there were at an instant."""

    def __init__(self, first: date, days: int, a_day: int = A_DAY) -> None:
        real = records()
        votes = [each for each in real if each.get("upvotes") is not None]
        others = [each for each in real if each.get("upvotes") is None]
        self._first, self._days, self._a_day = first, days, a_day
        self._number = 0
        self._drawn = {DAILY: 0, ARXIV: 0}
        self._pools = {DAILY: votes, ARXIV: others}

    @cached_property
    def listings(self) -> Sequence[Listed]:
        """Return them in order of time, those of the days before the first among them."""
        made = [
            each for place in range(-PAST, self._days + 1) for each in self._of_day(self._first + timedelta(days=place))
        ]
        return sorted(made, key=lambda each: each.at)

    def next(self, now: datetime) -> datetime | None:
        """Return when the next listing after `now` is to be seen."""
        place = bisect_right([each.at for each in self.listings], now)
        return self.listings[place].at if place < len(self.listings) else None

    def _of_day(self, day: date) -> Iterator[Listed]:
        if day.weekday() in {6, 0, 1, 2, 3}:  # arXiv mails Sunday to Thursday, in the evening of New York
            at = datetime(day.year, day.month, day.day, 20, 30, tzinfo=_NEW_YORK).astimezone(UTC)
            yield Listed(at, self._listing(ARXIV, day + timedelta(days=1), self._a_day * 4 // 5))
        for hour in _HOURS:
            at = datetime(day.year, day.month, day.day, hour, 10, tzinfo=UTC)
            yield Listed(at, self._listing(DAILY, day, self._a_day // 5 // len(_HOURS)))

    def _listing(self, source: str, day: date, count: int) -> Listing:
        return Listing(
            source=source,
            day=day,
            papers=tuple(self._paper(source, day, rank) for rank in range(1, count + 1)),
            status=FetchStatus.OK,
        )

    def _paper(self, source: str, day: date, rank: int) -> ListedPaper:
        pool = self._pools[source]
        record: dict[str, Any] = pool[self._drawn[source] % len(pool)]
        again, self._drawn[source] = self._drawn[source] // len(pool), self._drawn[source] + 1
        self._number += 1
        return ListedPaper(
            # Years of days go round the corpus more than once: a paper of the second round is another one.
            title=record["title"] + (f", part {again + 1}" if again else ""),
            rank=rank,
            ids=Identifiers(doi=f"10.5555/simulated.{self._number}"),
            abstract=record["abstract"],
            abstract_kind=AbstractKind.AUTHORS,
            authors=tuple(record["authors"]),
            author_count=len(record["authors"]),
            published=day,
            categories=tuple(record.get("categories") or ()),
            upvotes=record.get("upvotes"),
        )
