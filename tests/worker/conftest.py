"""Toy sources and a site without a socket; real sources over a loopback site, in time that nobody waits for."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from time import sleep, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.clock import FixedClock
from domain.errors import CollectError, LayoutChanged, NotThere
from domain.papers import AbstractKind, Announcement, FetchStatus, Identifiers, ListedPaper, Listing, PageRequest
from scrapers.pace import MemoryLedger, Pace
from scrapers.source import Calendar, Page, Visit
from storage.archive import Archive
from storage.fetches import Fetches
from storage.runs import Runs
from storage.sources import Sources
from worker.collect import Collector
from worker.reading import Reader
from worker.reports import SourceReport

NEW_YORK = ZoneInfo("America/New_York")
WORKING_DAYS = Calendar(weekdays=frozenset(range(5)), still_filling=1, look_back=90)


@dataclass(frozen=True, slots=True)
class Toy:
    """A source whose page is "DAY [then PAGE]" and then a line a paper: "ID [bare]"; "broken" is a changed layout."""

    name: str = "toy"
    calendar: Calendar = WORKING_DAYS
    every: timedelta = timedelta(hours=1)
    kind: str = "toy"
    label: str = "Toy"
    root: str = "https://toy.example"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        newest = "new" if visit.day == visit.newest else f"day/{visit.day}"
        return (PageRequest(f"{self.root}/{newest}"),)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        stale = isinstance(seen, Listing) and (seen.status is FetchStatus.STALE or seen.day > visit.day)
        return (PageRequest(f"{self.root}/other/{visit.day}"),) if stale or isinstance(seen, LayoutChanged) else ()

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        return PageRequest(f"{self.root}/paper/{ids.arxiv}")

    def repeats(self, listing: Listing, announced_before: frozenset[str]) -> bool:
        return bool(listing.papers) and all(paper.ids.arxiv in announced_before for paper in listing.papers)

    def parse(self, page: Page, visit: Visit) -> Listing:  # noqa: ARG002 - a toy page says its own day
        first, *lines = page.text().splitlines()
        first, _, following = first.partition(" then ")
        if first == "broken":
            raise LayoutChanged("the page is not as it was")
        papers = []
        for rank, line in enumerate(lines, 1):
            identifier, _, rest = line.partition(" ")
            papers.append(
                ListedPaper(
                    title=f"Tides of {identifier}",
                    rank=rank,
                    ids=Identifiers(arxiv=identifier),
                    abstract="" if rest == "bare" else f"What moves in {identifier}, told at length.",
                    abstract_kind=AbstractKind.NONE if rest == "bare" else AbstractKind.AUTHORS,
                    announcement=Announcement.NEW,
                )
            )
        return Listing(
            source=self.name,
            day=date.fromisoformat(first),
            papers=tuple(papers),
            status=FetchStatus.OK if papers else FetchStatus.OK_EMPTY,
            next=PageRequest(f"{self.root}/{following}") if following else None,
        )


@dataclass
class Pages:
    """A fetcher over a mapping from path to text, error, or None for "not modified"; it keeps what was asked.

    A day that it does not know has no papers; any other page is not there.
    """

    clock: FixedClock
    pages: dict[str, str | Exception | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dies_at: int = 0  #: the request that a kill comes before; 0 for none

    def get(self, request: PageRequest, validators: object = None) -> Page:  # noqa: ARG002 - the toy site has none
        path = request.url.split("/", 3)[3]
        self.asked.append(path)
        if len(self.asked) == self.dies_at:
            raise KeyboardInterrupt
        nothing = path.removeprefix("day/") if path.startswith("day/") else NotThere(f"{request.url} answered 404")
        answer = self.pages.get(path, nothing)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return Page(request.url, 304, {}, b"", self.clock.now())
        return Page(request.url, 200, {}, answer.encode(), self.clock.now())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 19, 9, tzinfo=UTC))  # a Thursday


@pytest.fixture
def pages(clock: FixedClock) -> Pages:
    return Pages(clock)


@pytest.fixture
def toy() -> Callable[..., Toy]:
    def make(**values: Any) -> Toy:
        return Toy(**values)

    return make


@pytest.fixture
def undated() -> Calendar:
    return Calendar(is_dated=False)


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    from storage.database import Database

    with Database("sqlite://" if engine == "sqlite" else request.getfixturevalue("url")) as opened:
        yield opened


# -- real sources over a loopback site, in time that passes as fast as it is waited for --------------------------------


class Haste(threading.Event):
    """A stop on which nobody waits: the test's clock moves on by what would have been waited."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None or timeout <= 0.1:  # for somebody else's turn, which takes true time
            return super().wait(timeout)
        with self._lock:
            self._clock.set(self._clock.now() + timedelta(seconds=timeout))
        return self.is_set()


class HastyLedger(MemoryLedger):
    """A ledger whose records grow older with the test's clock as well as with true time, so every rule holds."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock
        self._start = clock.now()

    def time(self) -> float:
        """Return the present instant as the pace sees it, in seconds."""
        return time() + self._ahead()

    def look(self, site: str) -> Mapping[str, Any] | None:
        known = super().look(site)
        return _moved(known, -self._ahead()) if known else None

    def change(self, site: str, decide: Callable[[Mapping[str, Any] | None], Mapping[str, Any]]) -> None:
        ahead = self._ahead()
        super().change(site, lambda known: _moved(decide(_moved(known, -ahead) if known else None), ahead))

    def _ahead(self) -> float:
        return (self._clock.now() - self._start).total_seconds()


def _moved(known: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    started = {lane: instant + seconds for lane, instant in known["started"].items()}
    instants = {name: known[name] and known[name] + seconds for name in ("busy_until", "held_until", "robots_until")}
    return {**known, **instants, "started": started}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the loopback site got."""

    at: float  #: seconds, as the pace sees them
    path: str  #: with the query; the whole address where the site is used as a proxy
    headers: dict[str, str]  #: keys in lower case
    status: int  #: of the answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the loopback site says."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0  #: true time that it takes


class Loopback:
    """A site on this machine: answers by path, ETags, and a log."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.answers: dict[str, Answer] = {}
        self.first: dict[str, list[Answer]] = {}  # given before, once each
        self.log: list[Asked] = []
        self.most_at_once = 0
        self._now = now
        self._at_once = 0
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def put(self, path: str, body: str | bytes = b"", status: int = 200, **headers: str) -> None:
        """Answer `path` so from now on; underscores in the names of headers are hyphens."""
        self.answers[path] = _answer(body, status, headers)

    def once(self, path: str, body: str | bytes = b"", status: int = 200, seconds: float = 0.0, **headers: str) -> None:
        """Answer `path` so one time, before anything else that it answers."""
        answer = replace(_answer(body, status, headers), seconds=seconds)
        self.first.setdefault(path, []).append(answer)

    def asked(self, beginning: str = "/") -> list[str]:
        """Return the paths that were asked for, in order, robots.txt left out."""
        return [each.path for each in self.log if each.path.startswith(beginning) and each.path != "/robots.txt"]

    def gaps(self, beginning: str = "/") -> list[float]:
        """Return the seconds between each two such requests."""
        return [later.at - each.at for each, later in pairwise(e for e in self.log if e.path.startswith(beginning))]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, headers = handler.path, {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            at = self._now()
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            queue = self.first.get(path)
            answer = queue.pop(0) if queue else self.answers.get(path, Answer(status=404))
        etag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
        if answer.status == 200 and headers.get("if-none-match") == etag:
            answer = Answer(status=304)
        sleep(answer.seconds)
        with self._lock:
            self._at_once -= 1  # before the answer, after which the next may come
            self.log.append(Asked(at, path, headers, answer.status))
        handler.send_response(answer.status)
        for name, value in {"Etag": etag, "Content-Length": str(len(answer.body)), **answer.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        with suppress(OSError):  # the client hung up
            handler.wfile.write(answer.body)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _answer(body: str | bytes, status: int, headers: Mapping[str, str]) -> Answer:
    packed = body.encode() if isinstance(body, str) else body
    return Answer(packed, status, {name.replace("_", "-"): value for name, value in headers.items()})


class Markup:
    """Pages in the markup of the sites, of invented papers (sources.md 1.2, 3.1, 3.2)."""

    @staticmethod
    def arxiv_list(day: date, *ids: str) -> str:
        """Return /list/<category>/new of a day."""
        head = f"<h3>Showing new listings for {day:%A}, {day.day} {day:%B} {day.year}</h3>"
        papers = f"<div class='paging'>Total of {len(ids)} entries</div>{_entries(ids)}"
        return _arxiv(head + (papers if ids else "<p>No updates today.</p>"))

    @staticmethod
    def arxiv_catchup(day: date, *ids: str) -> str:
        """Return /catchup/<category>/<day>."""
        said = f"{day:%a, %d %b %Y}"
        head = f"<h1>Catchup results for Computation and Language on {said}</h1><div>Total of {len(ids)} entries</div>"
        return _arxiv(head + (_entries(ids) if ids else f"<div><p>No updates for {said}</p></div>"))

    @staticmethod
    def arxiv_feed(day: date, *ids: str) -> str:
        """Return /rss/cs.CL as it is built at midnight in New York."""
        midnight = f"{day:%a, %d %b %Y} 00:00:00 {datetime.combine(day, datetime.min.time(), NEW_YORK):%z}"
        items = "".join(
            f"<item><title>Tides of {each}</title><link>https://arxiv.org/abs/{each}</link>"
            f"<description>arXiv:{each}v1 Announce Type: new \nAbstract: What moves in {each}.</description>"
            f'<guid isPermaLink="false">oai:arXiv.org:{each}v1</guid><category>cs.CL</category>'
            f"<pubDate>{midnight}</pubDate><arxiv:announce_type>new</arxiv:announce_type>"
            "<dc:creator>Mira Example</dc:creator></item>"
            for each in ids
        )
        return (
            "<?xml version='1.0' encoding='UTF-8'?>"
            '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'version="2.0">'
            "<channel><title>cs.CL updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL</link>"
            "<description>cs.CL updates on the arXiv.org e-print archive.</description>"
            f"<pubDate>{midnight}</pubDate><skipDays><day>Saturday</day><day>Sunday</day></skipDays>"
            f"{items}</channel></rss>"
        )

    @staticmethod
    def huggingface(*ids: str, **props: object) -> str:
        """Return a page of papers; `props` are further data of it, such as dateString."""
        items = [_card(each, str(props.get("dateString", ""))) for each in ids]
        blob = escape(json.dumps({"dailyPapers": items, "periodType": "day", "query": {}, **props}))
        return f'<html><body><main><div data-target="DailyPapers" data-props="{blob}"></div></main></body></html>'

    @staticmethod
    def huggingface_search(query: str, *ids: str) -> str:
        """Return the page of a search."""
        found = [_card(each, "") for each in ids]
        return Markup.huggingface(searchResults=found, query={"q": query})

    @staticmethod
    def huggingface_answer(day: date, *ids: str) -> str:
        """Return the API's answer for a day."""
        return json.dumps([_card(each, day.isoformat()) for each in ids])


def _card(identifier: str, day: str) -> dict[str, Any]:
    title = f"Tides of {identifier}"
    paper: dict[str, Any] = {
        "id": identifier,
        "title": title,
        "summary": f"What moves in {identifier}, told at length.",
        "authors": [{"name": "Mira Okafor"}],
        "publishedAt": f"20{identifier[:2]}-{identifier[2:4]}-01T00:00:00.000Z",
        "upvotes": 3,
    }
    if day:
        paper["submittedOnDailyAt"] = f"{day}T00:00:00.000Z"
    return {"title": title, "summary": paper["summary"], "paper": paper}


def _entries(ids: Sequence[str]) -> str:
    terms = "".join(
        f'<dt><a name=\'item{number}\'>[{number}]</a> <a href ="/abs/{each}" title="Abstract" id="{each}">'
        f"arXiv:{each}</a></dt><dd><div class='meta'>"
        f"<div class='list-title mathjax'><span class='descriptor'>Title:</span> Tides of {each}</div>"
        "<div class='list-authors'><a href=\"/search\">Mira Example</a></div>"
        "<div class='list-subjects'><span class='descriptor'>Subjects:</span> "
        '<span class="primary-subject">Computation and Language (cs.CL)</span></div>'
        f"<p class='mathjax'>What moves in {each}.</p></div></dd>"
        for number, each in enumerate(ids, 1)
    )
    return f"<dl id='articles'><h3>New submissions (showing {len(ids)} of {len(ids)} entries)</h3>{terms}</dl>"


def _arxiv(content: str) -> str:
    return f"<!DOCTYPE html><html><body><div id='content'><div id='dlpage'>{content}</div></div></body></html>"


@pytest.fixture
def ledger(clock: FixedClock) -> HastyLedger:
    return HastyLedger(clock)


@pytest.fixture
def loopback(ledger: HastyLedger) -> Iterator[Loopback]:
    site = Loopback(ledger.time)
    yield site
    site.close()


@pytest.fixture
def markup() -> type[Markup]:
    return Markup


@pytest.fixture
def transport() -> Any:
    from digests.transports.memory import MemoryTransport

    return MemoryTransport()


@pytest.fixture
def house_of(tmp_path: Path, clock: FixedClock, ledger: HastyLedger, transport: Any) -> Iterator[Callable[..., Any]]:
    """Open a house with these sources; nobody waits in it, and its clock moves on all the same."""
    from paperround.settings import build
    from paperround.wiring import House

    with ExitStack() as opened:

        def make(*sources: dict[str, Any], **sections: dict[str, Any]) -> House:
            values = {
                "database": {"url": "sqlite:///archive.db"},
                "mail": {"from": "Paperround <p@lab.example>"},
                "source": list(sources),
                **sections,
            }
            house = House(build(values, tmp_path), clock=clock, transport=transport, stop=Haste(clock), ledger=ledger)
            return opened.enter_context(house)

        yield make


@pytest.fixture
def archive(database) -> Archive:
    return Archive(database)


@pytest.fixture
def states(database) -> Sources:
    return Sources(database)


@pytest.fixture
def fetches(database) -> Fetches:
    return Fetches(database)


@pytest.fixture
def collector(database, archive, states, fetches, pages, clock) -> Callable[..., Collector]:
    def make(*sources: Any) -> Collector:
        return Collector(
            sources=sources,
            reader=Reader(
                fetcher=pages,
                archive=archive,
                sources=states,
                fetches=fetches,
                patience=Pace(ledger=MemoryLedger(), clock=lambda: 0.0, sleep=lambda _: None),
                clock=clock,
                keep=5,
            ),
            archive=archive,
            states=states,
            fetches=fetches,
            runs=Runs(database),
            clock=clock,
            owner="somewhere/1//test",
            stop=threading.Event(),
        )

    return make


@pytest.fixture
def due(collector, clock) -> Callable[..., SourceReport]:
    """Let the scheduler come round once for one source."""

    def come_round(source: Any, *, later: timedelta = timedelta()) -> SourceReport:
        clock.set(clock.now() + later)
        ((report,), complete) = collector(source).collect_due(threading.Event())
        assert complete
        return report

    return come_round
