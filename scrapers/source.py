"""What a source is: it names the pages to ask for, and reads what came; it opens no socket.

A day goes in, requests come out; fetch.py brings each page; a page goes in, a listing comes out.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from domain.errors import CollectError
from domain.papers import Identifiers, Listing, PageRequest, Validators
from scrapers.charsets import decoded

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_META_WITHIN = 4096  # bytes; browsers look at 1,024, some pages need more
_FORTNIGHT = timedelta(days=14)
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Page:
    """The raw bytes of one answer."""

    url: str  #: where it came from after redirects; "file" or a path for a saved page
    status: int  #: HTTP status; 304 has an empty body
    headers: Mapping[str, str]  #: keys in lower case
    body: bytes  #: after decompression
    fetched_at: datetime  #: aware UTC
    seconds: float = 0.0  #: that the answer took, redirects included and waiting for a turn left out

    def text(self) -> str:
        """Return the body as text: strict UTF-8 first, then the charset of the header, then that of the meta tag.

        Never a detector: those read UTF-8 as Thai (sources.md section 5, row 19). Bytes that fit nothing become U+FFFD.
        """
        declared = [found[1].decode() for found in [_META_CHARSET.search(self.body[:_META_WITHIN])] if found]
        return decoded(self.body, self.headers.get("content-type", ""), declared)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a source lists, and how far back it can be asked."""

    is_dated: bool = True  #: it has a listing for each day; else its one listing is of the day of the visit
    zone: str = "UTC"  #: whose days these are
    ahead: timedelta = timedelta()  #: how long before midnight, there, the new day's listing appears
    weekdays: frozenset[int] = frozenset(range(7))  #: the days that can have a listing; Monday is 0
    usual: frozenset[int] = frozenset(
        range(7)
    )  #: those of them that as a rule have one; the next two numbers count these
    still_filling: int = 3  #: newest listing days that are read again, since they may still change
    look_back: int = 31  #: days that are refilled after an outage
    first_load: int = 14  #: listing days that the first run reads
    #: Of a source that announces a whole batch at once: how long after the new listing appears it is looked for. None:
    #: a listing fills until its day is over.
    settles: timedelta | None = None

    @property
    def lists_daily(self) -> bool:
        """Whether any day may have a listing: then an older page is how a day without papers looks."""
        return len(self.weekdays) == 7

    def today(self, now: datetime) -> date:
        """Return the date that a listing of an instant would bear."""
        return (now + self.ahead).astimezone(ZoneInfo(self.zone)).date()

    def newest(self, now: datetime) -> date:
        """Return the newest listing day there can be at an instant."""
        day = self.today(now)
        return next(day - timedelta(days=n) for n in range(7) if (day - timedelta(days=n)).weekday() in self.weekdays)

    def closes(self, day: date) -> datetime:
        """Return the instant (UTC) at which a day's listing is to be whole, by the clocks on the walls there."""
        # Taken off in the zone itself, which is wall time: 20:30 stays 20:30 on the day that the clocks change.
        ahead = self.ahead - self.settles if self.settles is not None else self.ahead - timedelta(days=1)
        return (datetime.combine(day, time(), ZoneInfo(self.zone)) - ahead).astimezone(UTC)

    def closed(self, now: datetime) -> date:
        """Return the newest listing day that is to be whole by an instant."""
        newest = self.newest(now)
        return next(day for day in reversed(self.days(newest - _FORTNIGHT, newest)) if self.closes(day) <= now)

    def next_closing(self, now: datetime) -> datetime:
        """Return the first instant (UTC) after another at which a listing day is to be whole."""
        day = self.closed(now)
        return next(closing for each in self.days(day, day + _FORTNIGHT) if (closing := self.closes(each)) > now)

    def days(self, first: date, last: date) -> list[date]:
        """Return the listing days from the first to the last, both included."""
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in span if day.weekday() in self.weekdays]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a source is asked for."""

    day: date  #: the listing day; of a source without days, that of the visit
    newest: date  #: the newest listing day there can be
    since: date  #: of a source without days: what is older than this was read before, so no page beyond is followed


class Source(Protocol):
    """A place that publishes listings."""

    @property
    def name(self) -> str:
        """What the operator calls it; unique among the configured sources."""
        ...

    @property
    def kind(self) -> str:
        """A key of scrapers.registry.KINDS."""
        ...

    @property
    def label(self) -> str:
        """What readers call it, such as "Hugging Face Daily Papers"."""
        ...

    @property
    def every(self) -> timedelta:
        """How long the scheduler lets an answer be fresh."""
        ...

    @property
    def calendar(self) -> Calendar:
        """When it lists."""
        ...

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the pages that hold the listing, in the order to ask for them."""
        ...

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a page that was asked for on behalf of a visit; pure.

        The listing's day is the page's own where it says one, else the visit's; `Listing.next` is asked for next.

        Raises:
            Blocked: an answer, but not the page.
            Throttled: an answer that asks for patience.
            LayoutChanged: the page, but it cannot be trusted; nothing of it may be kept.
            PermanentCollectError: the answer says that the question was wrong.

        """
        ...


@runtime_checkable
class HasAlternatives(Protocol):
    """A source that holds the same listing in another place too."""

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the pages to ask where the first way gave `seen`; none where that is good, or nothing would help."""
        ...


@runtime_checkable
class HasPaperPages(Protocol):
    """A source with a page for each paper, which can tell what its listings leave out."""

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None if it has none. `parse` reads it as a listing of that one paper."""
        ...


@runtime_checkable
class ServesBatches(Protocol):
    """A source that serves one batch a day, and may serve an old one under a new date (sources.md 5, row 13)."""

    def repeats(self, listing: Listing, announced_before: frozenset[str]) -> bool:
        """Whether a listing is an earlier batch; `announced_before` are those of its arXiv ids that were new before."""
        ...


def courtesy(url: str, seconds: float) -> float:
    """Return the pace for a site that sets none: `seconds`, and 0 for this machine, which need not be spared."""
    return 0.0 if is_loopback(urlsplit(url).hostname or "") else seconds


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def validators_of(page: Page, asked: str) -> Validators:
    """Return what a conditional GET of the address `asked` needs the next time; empty texts where nothing usable came.

    A value that could not stand in a request header again (RFC 9110 section 5.5) is left out.
    """
    etag, modified = (page.headers.get(name, "") for name in ("etag", "last-modified"))
    return Validators(
        url=asked,
        given_by="" if page.url == asked else page.url,
        etag=etag if _HEADER_VALUE.fullmatch(etag) else "",
        last_modified=modified if _HEADER_VALUE.fullmatch(modified) else "",
    )
