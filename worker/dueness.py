"""When a source is asked again. Pure decisions over its last run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from domain.papers import FetchStatus
from scrapers.source import Source, Visit
from storage.runs import RunRecord

_ANY_DAY = date(2026, 1, 5)  # a Monday
AGAIN = timedelta(minutes=15)  # after which a source that could not be reached is asked again
_SOONER: Mapping[FetchStatus, timedelta] = {
    FetchStatus.FAILED: AGAIN,
    FetchStatus.STALE: timedelta(minutes=30),  # its new batch is late
    FetchStatus.BLOCKED: timedelta(hours=1),  # it answers, but not with its page
    FetchStatus.LAYOUT_CHANGED: timedelta(hours=1),
}


def is_due(last: RunRecord | None, every: timedelta, now: datetime) -> bool:
    """Whether a source's interval has come round since its last run; one that failed is asked again sooner.

    A site that asked for patience is asked again when that is over. A run of the future was a clock that was ahead.
    """
    if last is None or last.finished_at > now:
        return True
    return now >= next_due(last, every)


def next_due(last: RunRecord, every: timedelta) -> datetime:
    """Return when a source is asked again after its last run."""
    if (until := patience(last)) is not None:
        return until
    status = FetchStatus(last.status)
    interval = min(every, _SOONER.get(status, every))
    return datetime.fromtimestamp(step(last.finished_at, interval), UTC) + max(interval, timedelta(seconds=1))


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
