"""Lateness and silence: what is unusual about a source although nothing failed. Pure decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.papers import FetchStatus
from scrapers.source import Calendar, Visit
from storage.fetches import DayCount
from worker.reports import SourceReport

GRACE = timedelta(hours=2)  # after the hour at which a listing is due
WEEKS = 8  # of the past that tell what is usual
_ENOUGH = 3  # such weekdays before anything is called usual
_LONG = timedelta(days=10)  # without a new paper, after which one should look
_ADVICE = {
    FetchStatus.OK: "",
    FetchStatus.OK_EMPTY: "",
    FetchStatus.NOT_MODIFIED: "",
    FetchStatus.STALE: "nothing: it is asked again every half hour until the new batch is there",
    FetchStatus.PARTIAL: "what was read is kept; if it stays so, look for a newer version",
    FetchStatus.THROTTLED: "nothing: it is asked again when the site allows",
    FetchStatus.BLOCKED: "what robots.txt forbids stays so; against a bot check set collect.contact, or use a mirror",
    FetchStatus.LAYOUT_CHANGED: (
        "mend its url if that is the wrong page; else look for a newer version, then replay what collect kept of it"
    ),
    FetchStatus.FAILED: "nothing at first: it is asked again within 15 minutes; if it stays so, look at the site",
}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def lateness(calendar: Calendar, visit: Visit, shown: date, now: datetime) -> str:
    """Return "" or the sentence that the newest listing is overdue where the page shows that of the day `shown`.

    Only a source that names its weekdays can be late: elsewhere an older page is how a day without papers looks.
    """
    if not calendar.is_dated or calendar.lists_daily:
        return ""
    if visit.day != visit.newest or shown >= visit.day or now < _due(calendar, visit.day) + GRACE:
        return ""
    # On the days that have no listing the newest is the last before them, and it came long ago.
    return (
        f"it still shows the listing of {_day(shown)}; that of {_day(visit.day)} is late, "
        "or that day is a holiday there"
    )


def _due(calendar: Calendar, day: date) -> datetime:
    """Return the instant at which a day's listing is to appear."""
    midnight = datetime.combine(day, time(), ZoneInfo(calendar.zone)).astimezone(UTC)
    return midnight - calendar.ahead


def silence(counts: Sequence[DayCount], day: date, *, is_dated: bool, read_after: datetime | None) -> str:
    """Return "" or the warning that nothing came on a day although each such weekday before it brought papers.

    `counts` are the source's days of the last WEEKS weeks; `read_after` is when the source was last read in full, None
    for never: a day that nobody asked about is not silent. For a source without days the new papers of a visit count.
    """
    brought = {each.day: each.listed if is_dated else each.new for each in counts}
    if read_after is None or read_after.date() <= day or brought.get(day):
        return ""
    asked = [brought[before] for n in range(1, WEEKS + 1) if (before := day - timedelta(weeks=n)) in brought]
    if len(asked) < _ENOUGH or not all(asked):
        return ""
    return (
        f"nothing came on {_day(day)}, although each of the last {len(asked)} {_WEEKDAYS[day.weekday()]}s brought "
        f"{min(asked)} papers or more: a holiday, or the site changed"
    )


@dataclass(frozen=True, slots=True)
class Health:
    """What the past of a source says of its present."""

    last_new: datetime | None  #: when it last brought a paper that the archive did not know; aware UTC
    last_new_day: date | None  #: the listing day of that paper
    unusual: str  #: the warning; "" for nothing unusual
    advice: str  #: what to do; "" for nothing


def health(report: SourceReport, last_new: tuple[datetime, date] | None, unusual: str, now: datetime) -> Health:
    """Return what to make of a source that was just looked at."""
    at, day = last_new or (None, None)
    advice = _ADVICE[report.status]
    if not advice and unusual:
        advice = "look at the page in a browser; if it shows papers, replay the kept pages and report it"
    elif not advice and at is not None and now - at > _LONG:
        advice = f"it has brought nothing new for {(now - at).days} days: see whether it still lists papers"
    return Health(last_new=at, last_new_day=day, unusual=unusual, advice=advice)


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.isoformat()}"
