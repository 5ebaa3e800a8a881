"""When a source is asked again. Pure decisions over its last run.

A source is asked when its interval has come round, and when a day of its own closes, by its own clock. Of a source
that announces a batch at once the batch is asked for from then on until it is there: often at first, less often while
it is late, and after a day as seldom as always, since that evening was a holiday.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from domain.papers import FetchStatus
from scrapers.source import Calendar, Source, Visit
from storage.runs import RunRecord

_ANY_DAY = date(2026, 1, 5)  # a Monday
AGAIN = timedelta(minutes=15)  # after which a source that could not be reached is asked again
_LATE = timedelta(minutes=30)  # after which a batch that is late is asked for again
_SOON = timedelta(hours=2)  # after its hour: for so long a batch that is not there yet is looked for more often
_HOLIDAY = timedelta(days=1)  # after its hour: a batch that is not there by then was none
#: Asking more often would not help.
_SHUT = frozenset({FetchStatus.BLOCKED, FetchStatus.LAYOUT_CHANGED, FetchStatus.THROTTLED})
_SOONER: Mapping[FetchStatus, timedelta] = {
    FetchStatus.FAILED: AGAIN,
    FetchStatus.STALE: _LATE,
    FetchStatus.BLOCKED: timedelta(hours=1),  # it answers, but not with its page
    FetchStatus.LAYOUT_CHANGED: timedelta(hours=1),
    FetchStatus.THROTTLED: timedelta(hours=1),  # where no time is on record
}


class Timed(Protocol):
    """What of a source says when it is asked."""

    @property
    def every(self) -> timedelta:
        """How long an answer is fresh at the longest."""
        ...

    @property
    def calendar(self) -> Calendar:
        """When it lists."""
        ...


def is_due(last: RunRecord | None, source: Timed, now: datetime) -> bool:
    """Whether a source is to be asked again after its last run; one that failed is asked again sooner.

    A site that asked for patience is asked again when that is over. A run of the future was a clock that was ahead.
    """
    if last is None or last.finished_at > now:
        return True
    return now >= next_due(last, source)


def next_due(last: RunRecord, source: Timed) -> datetime:
    """Return when a source is asked again after its last run."""
    if (until := patience(last)) is not None:
        return until
    interval = _interval(last, source)
    again = datetime.fromtimestamp(step(last.finished_at, interval), UTC) + max(interval, timedelta(seconds=1))
    # From its beginning on: what closed while a run went on was asked for too soon.
    began = last.started_at or last.finished_at
    return min(again, source.calendar.next_closing(began)) if source.calendar.is_dated else again


def _interval(last: RunRecord, source: Timed) -> timedelta:
    """Return how long the answer of a source's last run is fresh, as long as no day of the source closes."""
    status, calendar = FetchStatus(last.status), source.calendar
    if not calendar.is_dated or calendar.settles is None or status in _SHUT:
        return min(source.every, _SOONER.get(status, source.every))
    day = calendar.closed(last.finished_at)
    late_by = last.finished_at - calendar.closes(day)
    if status is FetchStatus.FAILED:
        return min(source.every, AGAIN)
    is_stale = status is FetchStatus.STALE
    if late_by >= _HOLIDAY or (not is_stale and _showed(last, day)):
        return source.every
    return min(source.every, AGAIN if late_by < _SOON and not is_stale else _LATE)


def _showed(last: RunRecord, day: date) -> bool:
    """Whether a source's last run was shown the listing of a day, or a later one."""
    shown = last.counts.get("shown")
    return shown is not None and date.fromisoformat(str(shown)) >= day


def patience(last: RunRecord) -> datetime | None:
    """Return until when the site of a source's last run asked to be left alone; None where it asked nothing."""
    retry_at = last.counts.get("retry_at")
    if FetchStatus(last.status) is not FetchStatus.THROTTLED or retry_at is None:
        return None
    return datetime.fromisoformat(str(retry_at))


def step(moment: datetime, interval: timedelta) -> int:
    """Return the beginning, in seconds since 1970, of the interval that an instant falls into."""
    seconds = max(1, int(interval.total_seconds()))
    return int(moment.timestamp()) // seconds * seconds


def addresses(source: Source) -> tuple[str, ...]:
    """Return what a source would ask for on one and the same day."""
    visit = Visit(day=_ANY_DAY, newest=_ANY_DAY, since=_ANY_DAY)
    return tuple(request.url for request in source.requests(visit))


def asks(source: Source) -> str:
    """Return what tells a source's settings from others."""
    return " ".join(addresses(source))
