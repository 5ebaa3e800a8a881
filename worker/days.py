"""Which listing days of a source are due, and which of what they bring is backlog. Pure decisions over its state."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from domain.papers import FetchStatus
from scrapers.source import Calendar
from storage.sources import DayRead, SourceState
from worker.reports import SourceReport

#: After how long a day that could not be read is asked for again, by how often that was tried; the last for ever after.
_BACK_OFF = (timedelta(), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
_LONGEST_LOAD = timedelta(days=7)  # a search whose first reading never ends well brings news all the same


def due_days(calendar: Calendar, state: SourceState, newest: date, now: datetime) -> list[date]:
    """Return the listing days to read, oldest first.

    They are the newest few always, since a listing fills through its day and is corrected after it (sources.md 1.5),
    and those from the cursor on that were not read after they had filled, a bad one less and less often. Without a
    cursor they begin with the first load.
    """
    return [
        day
        for day in open_days(calendar, state, newest)
        if day in _window(calendar, newest, calendar.still_filling) or _is_due(calendar, day, state.days, now)
    ]


def open_days(calendar: Calendar, state: SourceState, newest: date) -> list[date]:
    """Return the days in which there may be a gap, as far back as the source can be asked.

    They go from those that still filled at the cursor on; without a cursor from the first load on.
    """
    if state.cursor is None:
        count, since = calendar.first_load, min(state.begun or newest, newest)
    else:
        count, since = calendar.still_filling, min(state.cursor, newest)
    first = _window(calendar, since, count)[0]
    return calendar.days(max(first, newest - timedelta(days=calendar.look_back)), newest)


def is_backlog(calendar: Calendar, state: SourceState, day: date, newest: date) -> bool:
    """Whether a listing of that day is no news: it is of the source's first run, or was complete before it.

    The first page of a source without days is backlog, with all the pages that follow it.
    """
    if state.begun is None:
        return False
    if not calendar.is_dated:
        return not state.loaded and newest - state.begun < _LONGEST_LOAD
    # What a day that still filled brings after the first run is news; a day that was over brings none.
    return day <= state.begun if not state.loaded else day < _window(calendar, state.begun, calendar.still_filling)[0]


def is_whole(calendar: Calendar, day: date, read: Sequence[SourceReport]) -> bool:
    """Whether a day was read in full: no page of it failed, and where weekdays are named it is that day's listing."""
    if not all(part.status.is_good for part in read):
        return False
    return calendar.lists_daily or not calendar.is_dated or any(part.day == day and part.pages for part in read)


def ends_load(calendar: Calendar, read: Sequence[SourceReport]) -> bool:
    """Whether a first run is over: some page could be read and, of a source without days, all of them."""
    some = {FetchStatus.PARTIAL, FetchStatus.STALE}
    fine = [part.status.is_good or part.status in some for part in read if part.pages or not part.status.is_good]
    return any(fine) if calendar.is_dated else bool(fine) and all(fine)


def reached(
    calendar: Calendar, state: SourceState, came: Mapping[date, Sequence[SourceReport]], newest: date
) -> date | None:
    """Return the day up to which there is no gap, after some days were read; None where nothing can be said.

    It is never beyond what was shown: a clock that is ahead asks for days that have not come.
    """
    whole = {day for day, read in state.days.items() if read.whole} | set(came)
    whole -= {day for day, read in came.items() if not is_whole(calendar, day, read)}
    gapless: date | None = None
    for day in open_days(calendar, state, newest) if calendar.is_dated else came:
        if day not in whole:
            break
        gapless = day
    shown = _shown([part for read in came.values() for part in read])
    return min(gapless, shown) if gapless and shown else None


def _shown(read: Sequence[SourceReport]) -> date | None:
    """Return the newest day of which a page was read."""
    return max((part.day for part in read if part.day and part.pages and part.status.is_good), default=None)


def _is_due(calendar: Calendar, day: date, days: Mapping[date, DayRead], now: datetime) -> bool:
    read = days.get(day)
    if read is None or read.asked_at > now:  # a clock that was ahead
        return True
    if read.whole:
        # Once more when it has filled.
        return day in _window(calendar, calendar.newest(read.asked_at), calendar.still_filling)
    return now >= read.asked_at + _BACK_OFF[min(read.tries - 1, len(_BACK_OFF) - 1)]


def _window(calendar: Calendar, newest: date, count: int) -> list[date]:
    """Return the days up to the newest that hold the last `count` usual listing days."""
    days = calendar.days(newest - timedelta(days=2 * count + 7), newest)
    usual = [day for day in days if day.weekday() in calendar.usual]
    return [day for day in days if day >= usual[-count]]
