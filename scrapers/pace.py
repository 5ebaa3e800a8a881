"""Pace: no site is asked by two at once, faster than it allows, or while it wants to be left alone.

A site is a host and its port; all of arXiv is one (sources.md 3.5). Its record, a `Standing`, is kept in a `Ledger`
that every process of the installation shares. Before a request, `Pace.turn` looks at it and waits; once nobody is
asking, the lane has rested and no hold is in force, it writes down that it begins, in one transaction with a last look.
After the request it writes down that it ended. Who is killed in between holds the turn until somebody sees that they
are dead, or else until its lease is over.

The rules are functions over `Standing`; a ledger only keeps what they say. Instants are wall-clock seconds, since
processes share no other clock. A clock that was set back shows in a record written in the future: all that is known
is then moved back by as much, so nobody waits longer than the pace, or than the hold that was asked for.
"""

import math
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from domain.errors import StorageError, Throttled

#: The two lanes of a site: pages made for people, and what is made for programs.
PAGES, FEEDS = "page", "feed"
PATIENCE = timedelta(seconds=30)  # a hold that ends within it is waited for; a longer one is for a later round
ARXIV = "arxiv.org"  # the site, whichever of its hosts

BETWEEN_LANES = 3.0  # seconds; arXiv's terms, and nobody wants more across lanes
_LOOK_AGAIN = 0.1  # seconds; a busy site may become free at any moment
_STEP = 5.0  # seconds; the longest sleep between two looks
_BUSY_LIMIT = 120.0  # seconds; who waits longer, beside the pace, comes back in a later round
_LONGEST_HOLD = timedelta(hours=24)
_SHORTEST_HOLD = timedelta(seconds=1)
_FIRST_STRIKE = timedelta(minutes=5)
_FIRST_STRIKE_ARXIV = timedelta(minutes=15)  # "back off for hours, not seconds" (sources.md 3.3)
_LONGEST_STRIKE = timedelta(hours=6)
_DIVIDER = "#"  # between a holder's process and the turn it holds
_WRITTEN = "written"  # beside the lanes: the instant of the record itself

_PORTS = {"http": 80, "https": 443}

Known = Mapping[str, Any]


def site_of(url: str) -> str:
    """Return the site that an address belongs to: host and port, the port left out where it is the scheme's own.

    All of arXiv is one site (its terms, sources.md 3.5). What is no address is a site of its own.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    if host == ARXIV or host.endswith(f".{ARXIV}"):
        return ARXIV
    host = f"[{host}]" if ":" in host else host
    return host if port in {None, _PORTS.get(parts.scheme)} else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a site wants to be asked; the columns of storage's table `site`, instants in seconds since 1970."""

    started: Mapping[str, float] = field(default_factory=dict)  #: by lane: when the last request began
    busy_until: float = 0.0  #: somebody is asking, until then at the latest
    holder: str = ""  #: who
    held_until: float = 0.0  #: the site asked for patience until then
    strikes: int = 0  #: how often in a row it did without saying for how long
    robots: str = ""  #: what robots.txt said, in the record of an origin such as "https://arxiv.org"
    robots_until: float = 0.0  #: how long that is good; 0 where it was never read


class Ledger(Protocol):
    """Where the standing of every site is kept, for all processes of the installation; a method is a transaction."""

    def look(self, site: str) -> Known | None:
        """Return the fields of a site's standing by name; None for a site never written down."""
        ...

    def change(self, site: str, decide: Callable[[Known | None], Known]) -> None:
        """Hand what is known of a site to `decide`, and keep what it returns; nobody else writes in between."""
        ...


class MemoryLedger:
    """A ledger of one process, for single runs and tests; safe among threads."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._lock = threading.Lock()

    def look(self, site: str) -> Known | None:
        """Return the fields of a site's standing by name; None for a site never written down."""
        return self._known.get(site)

    def change(self, site: str, decide: Callable[[Known | None], Known]) -> None:
        """Hand what is known of a site to `decide`, and keep what it returns."""
        with self._lock:
            self._known[site] = decide(self._known.get(site))


@dataclass(frozen=True, slots=True)
class _Turn:
    site: str
    lane: str
    seconds: float
    lease: float
    holder: str


class Pace:
    """Gives out the turns, and keeps what sites ask for.

    `clock` tells wall-clock seconds, such as time.time. `sleep` takes seconds and may raise to abandon the wait.
    `owner` is this process's name; `is_alive` tells of another's whether it still runs, None where nobody can know.
    Methods raise StorageError where the ledger cannot be used.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        owner: str = "",
        is_alive: Callable[[str], bool | None] = lambda _: None,
    ) -> None:
        self._owner = owner
        self._is_alive = is_alive
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def turn(self, site: str, lane: str, seconds: float, *, lease: float) -> Iterator[None]:
        """Hold a site's only turn, waiting for it first.

        `seconds` lie between the starts of two requests in one lane, at least three for arXiv; across lanes the same,
        at most three. A turn that is not given back ends after `lease` seconds.

        Raises:
            Throttled: the site asked for more patience than a call has (then at once), or was busy for two minutes.

        """
        if site == ARXIV:  # its terms hold for whoever a redirect or a feed's address brings there
            seconds = max(seconds, BETWEEN_LANES)
        turn = _Turn(site, lane, seconds, lease, f"{self._owner}{_DIVIDER}{secrets.token_hex(8)}")
        self._await(turn)
        try:
            yield
        finally:
            # The answer is worth more than the turn, which ends with its lease in any case.
            with suppress(StorageError):
                self._write(site, lambda known, _: _given_back(known, turn))

    def hold(self, site: str, asked: timedelta | None) -> Throttled:
        """Leave a site alone as long as it asked, up to a day; where it did not say, longer with every strike in a row.

        Return the error to raise, whose `retry_after` says how long that is. A longer hold in force stays.
        """

        def held(known: Standing, now: float) -> Standing:
            strikes = known.strikes + (asked is None)
            patience = _strike(site, strikes) if asked is None else min(max(asked, _SHORTEST_HOLD), _LONGEST_HOLD)
            return replace(known, strikes=strikes, held_until=max(known.held_until, now + patience.total_seconds()))

        return _patience(site, self._write(site, held).held_until, self._clock())

    def welcome(self, site: str) -> None:
        """Forget a site's strikes: it gave a good answer, which is worth more than this."""
        with suppress(StorageError):
            if self._standing(site).strikes:
                self._write(site, lambda known, _: replace(known, strikes=0))

    def robots(self, origin: str) -> tuple[str, float] | None:
        """Return what robots.txt of an origin said, and for how many seconds that is still good; None if never read.

        The seconds are 0 or less for an expired copy.
        """
        known = self._standing(origin)
        return (known.robots, known.robots_until - self._clock()) if known.robots_until else None

    def keep_robots(self, origin: str, text: str, seconds: float) -> None:
        """Keep what robots.txt of an origin says, as good for so many seconds."""
        self._write(origin, lambda known, now: replace(known, robots=text, robots_until=now + seconds))

    def _await(self, turn: _Turn) -> None:
        waited = 0.0
        while (left := self._take(turn)) > 0:
            if waited > _BUSY_LIMIT + turn.seconds:
                raise Throttled(f"{turn.site} was busy with other requests for {waited:.0f} s; it was not asked")
            step = min(left, _STEP)
            self._sleep(step)
            waited += step

    def _take(self, turn: _Turn) -> float:
        """Take the turn and return 0, or return the seconds after which to look again."""
        now = self._clock()
        known = self._standing(turn.site)
        left = _left(self._without_the_dead(known), turn, now)
        if left > 0 and _settled(known, now) is known:
            return left  # merely waiting writes nothing

        def begun(known: Standing, now: float) -> Standing:
            nonlocal left
            left = _left(self._without_the_dead(known), turn, now)
            return known if left > 0 else _begun(known, turn, now)

        self._write(turn.site, begun)
        return left

    def _without_the_dead(self, known: Standing) -> Standing:
        """Return the record without a holder whose process is known to have ended."""
        process = known.holder.partition(_DIVIDER)[0]
        return replace(known, busy_until=0.0) if process and self._is_alive(process) is False else known

    def _standing(self, site: str) -> Standing:
        return Standing(**(self._ledger.look(site) or {}))

    def _write(self, site: str, step: Callable[[Standing, float], Standing]) -> Standing:
        """Take one step from what is known, and return what is known then."""
        after = Standing()

        def decide(known: Known | None) -> Known:
            nonlocal after
            now = self._clock()  # only now: another process may have had the ledger for a while
            after = step(_settled(Standing(**(known or {})), now), now)
            after = replace(after, started={**after.started, _WRITTEN: now})
            return asdict(after)

        self._ledger.change(site, decide)
        return after


def _settled(known: Standing, now: float) -> Standing:
    """Return the same record if it is of the past, else moved back to now: the clock was set back."""
    ahead = max(known.started.values(), default=now) - now
    if ahead <= 0:
        return known
    return replace(
        known,
        started={lane: instant - ahead for lane, instant in known.started.items()},
        busy_until=known.busy_until - ahead,
        held_until=known.held_until - ahead,
        robots_until=known.robots_until and known.robots_until - ahead,
    )


def _left(known: Standing, turn: _Turn, now: float) -> float:
    """Return the seconds until it is worth looking again, 0 if the turn is free; raises Throttled for a long hold."""
    known = _settled(known, now)
    held = known.held_until - now
    if held > PATIENCE.total_seconds():
        raise _patience(turn.site, known.held_until, now)
    starts = {lane: instant for lane, instant in known.started.items() if lane != _WRITTEN}
    in_lane = starts.get(turn.lane, -math.inf) + turn.seconds - now
    in_any = max(starts.values(), default=-math.inf) + min(turn.seconds, BETWEEN_LANES) - now
    busy = min(known.busy_until - now, _LOOK_AGAIN)
    return max(0.0, held, in_lane, in_any, busy)


def _begun(known: Standing, turn: _Turn, now: float) -> Standing:
    started = {**known.started, turn.lane: now}
    return replace(known, started=started, busy_until=now + turn.lease, holder=turn.holder)


def _given_back(known: Standing, turn: _Turn) -> Standing:
    """Return the record without the turn, if nobody took it over after its lease."""
    return replace(known, busy_until=0.0, holder="") if known.holder == turn.holder else known


def _strike(site: str, strikes: int) -> timedelta:
    first = _FIRST_STRIKE_ARXIV if site == ARXIV else _FIRST_STRIKE
    doubled: int = 2 ** min(strikes - 1, 10)
    return min(first * doubled, _LONGEST_STRIKE)


def _patience(site: str, until: float, now: float) -> Throttled:
    instant = datetime.fromtimestamp(until, UTC)
    left = timedelta(seconds=max(0.0, until - now))
    return Throttled(f"{site} asked for patience and is left alone until {instant:%Y-%m-%d %H:%M:%S} UTC", left)
