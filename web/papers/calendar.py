"""Days, weeks and months of the archive as addresses name them. Values in, values out; None for what is no such day."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


def day_of(said: str) -> date | None:
    """Return the day of "2026-11-20"."""
    try:
        return date.fromisoformat(said) if _DAY.fullmatch(said) else None
    except ValueError:
        return None


def week_of(said: str) -> tuple[date, date] | None:
    """Return the Monday and the Sunday of "2026-W47"."""
    named = _WEEK.fullmatch(said)
    try:
        monday = date.fromisocalendar(int(named[1]), int(named[2]), 1) if named else None
        return (monday, monday + timedelta(days=6)) if monday else None
    except (ValueError, OverflowError):
        return None


def month_of(said: str) -> tuple[date, date] | None:
    """Return the first and the last day of "2026-11"."""
    named = _MONTH.fullmatch(said)
    try:
        first = date(int(named[1]), int(named[2]), 1) if named else None
    except ValueError:
        return None
    return (first, first.replace(day=monthrange(first.year, first.month)[1])) if first else None


def months(oldest: date, newest: date, year: int) -> Iterator[date]:
    """Give the first days of a year's months that lie between the archive's ends."""
    for month in range(1, 13):
        first = date(year, month, 1)
        if (oldest.year, oldest.month) <= (year, month) <= (newest.year, newest.month):
            yield first
