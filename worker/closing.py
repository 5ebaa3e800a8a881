"""When the sources of a reader have closed their day, for those whose letter leaves as soon as that is so.

    a reader's local day, up to their latest hour → the listing days that close in it, of the sources that count
    → were they read whole after they had closed? → the slot is open; else at the latest hour, whatever is missing

Pure decisions, apart from what the archive is asked: which listing days were read, once a publish. A slot's opening, as
planning compares it with letters and looks, is the instant of the last closing: it is the same at every look, however
often a source is read again. Between that instant and the opening itself nothing else is due, so that a look which
found nothing since then was at this slot.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.facts import is_source
from domain.issues import Slot
from domain.subscriptions import Subscriber, zone_of
from domain.topics import And, Node, Or, Query
from domain.topics import Source as Demand
from scrapers.source import Source
from storage.sources import Days

BROKEN = timedelta(days=7)  # a source of which no day was read whole for so long holds no letter
_ONE_SLOT = timedelta(days=8)  # how long ago the local day of a weekly slot that is still asked about can have begun
_WAIT = timedelta(minutes=2)  # after which one who waits for a source is looked at again
_PATIENCE = 8  # who has waited long is looked at more seldom: each wait is so much of the time since the closing


@dataclass(frozen=True, slots=True)
class Closed:
    """How the sources of a reader stand to one day of theirs."""

    at: datetime  #: when the last of their listing days closes (UTC); the latest hour where none does before it
    is_read: bool  #: each of them closed and was read whole since


class Closings(Protocol):
    """What planning asks of sources."""

    def of(self, subscriber: Subscriber, latest: datetime) -> Closed:
        """Return how the sources of a reader stand to the local day whose latest hour is the instant `latest`."""
        ...


class Unknown:
    """What there is to say where nobody knows of sources: letters leave at the latest hour."""

    def of(self, subscriber: Subscriber, latest: datetime) -> Closed:
        """Return that nothing was read of a day that closed at its beginning."""
        return Closed(_midnight(latest, zone_of(subscriber.schedule.zone)), is_read=False)


UNKNOWN: Closings = Unknown()


def opened_slot(subscriber: Subscriber, now: datetime, closings: Closings) -> tuple[Slot, datetime] | None:
    """Return the slot of a reader that opened last, and when (UTC); None while the present one waits for a source.

    A slot that nobody served before the sources closed their next day is let go: its papers are in the next letter.
    """
    schedule = subscriber.schedule
    if not schedule.ready:
        return schedule.due_slot(now)
    latest = schedule.opens(now)
    closed = closings.of(subscriber, latest)
    if now >= latest or (closed.is_read and now >= closed.at):
        return schedule.slot(now), min(closed.at, latest)
    if now >= closed.at:
        return None
    slot, before = schedule.due_slot(now)
    return slot, closings.of(subscriber, before).at


def is_open(subscriber: Subscriber, now: datetime, closings: Closings) -> bool:
    """Whether the slot that an instant falls into has opened."""
    latest = subscriber.schedule.opens(now)
    if now >= latest or not subscriber.schedule.ready:
        return now >= latest
    closed = closings.of(subscriber, latest)
    return closed.is_read and now >= closed.at


def next_opening(subscriber: Subscriber, now: datetime, closings: Closings) -> datetime:
    """Return before when no slot of a reader opens that is not open yet (UTC)."""
    schedule = subscriber.schedule
    latest = schedule.next_opening(now)
    if not schedule.ready:
        return latest
    if latest == schedule.opens(now) and is_open(subscriber, now, closings):
        latest = schedule.next_opening(latest)
    at = closings.of(subscriber, latest).at
    return at if now < at else min(latest, now + max(_WAIT, (now - at) / _PATIENCE))


class SourceClosings:
    """How the configured sources stand, as the archive knew it when it was first asked; for one publish."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        days: Callable[[Sequence[str], datetime], Mapping[str, Days]],
        parsed: Callable[[str], Query],
        now: datetime,
    ) -> None:
        """`days` tells which days of sources were asked for since an instant; `parsed` reads a query as typed."""
        self._dated = {each.name: each.calendar for each in sources if each.calendar.is_dated}
        self._days = days
        self._parsed = parsed
        self._now = now
        self._known: dict[tuple[datetime, str, frozenset[str]], Closed] = {}

    def of(self, subscriber: Subscriber, latest: datetime) -> Closed:
        """Return how the sources of a reader stand to a local day; the same for all who ask alike."""
        key = (latest, subscriber.schedule.zone, self._names(subscriber))
        if key not in self._known:
            self._known[key] = self._closed(*key)
        return self._known[key]

    def _closed(self, latest: datetime, zone: str, names: frozenset[str]) -> Closed:
        begin = _midnight(latest, zone_of(zone))
        working = [name for name in sorted(names) if self._works(name, begin)]
        found = [(name, day, at) for name in working for day, at in self._closing(name, begin, latest)]
        if not found:
            return Closed(latest, is_read=False)
        reads = [(self._read[name].get(day), at) for name, day, at in found]
        whole = all(read is not None and read.whole and at <= read.asked_at <= self._now for read, at in reads)
        return Closed(max(at for _, _, at in found), is_read=whole)

    def _closing(self, name: str, begin: datetime, end: datetime) -> Iterable[tuple[date, datetime]]:
        """Yield the listing days of a source that close from one instant up to another, and when."""
        calendar = self._dated[name]
        for day in calendar.days(begin.date() - timedelta(days=2), end.date() + timedelta(days=2)):
            if begin <= (at := calendar.closes(day)) < end:
                yield day, at

    def _works(self, name: str, begin: datetime) -> bool:
        """Whether a source could be read since a week before a local day began."""
        return any(read.whole and read.asked_at >= begin - BROKEN for read in self._read.get(name, {}).values())

    @cached_property
    def _read(self) -> Mapping[str, Days]:
        """The days that were asked for lately."""
        return self._days(sorted(self._dated), self._now - BROKEN - _ONE_SLOT)

    def _names(self, subscriber: Subscriber) -> frozenset[str]:
        """Return the sources that count for a reader: those that the topics demand where each does, else all."""
        demands = [demanded(self._parsed(each.query).tree) for each in subscriber.subscriptions]
        names = frozenset(self._dated)
        if not demands or None in demands:
            return names
        wanted = {one for demand in demands for one in demand or ()}
        return frozenset(name for name in names if any(is_source(one, name) for one in wanted))


def demanded(tree: Node) -> frozenset[str] | None:
    """Return the sources on one of which every paper of a topic stands, as they were typed; None where any may do."""
    match tree:
        case Demand(name):
            return frozenset({name})
        case And(parts):
            found = [names for part in parts if (names := demanded(part)) is not None]
            return frozenset().union(*found) if found else None
        case Or(parts):
            either = [demanded(part) for part in parts]
            return None if None in either else frozenset(one for names in either for one in names or ())
    return None


def _midnight(latest: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning (UTC) of the local day that an instant falls into."""
    return datetime.combine(latest.astimezone(zone).date(), time(), zone).astimezone(UTC)
