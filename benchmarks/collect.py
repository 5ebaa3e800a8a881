"""How long it takes to read 50 sources that each keep a pace of their own, beside the longest of those paces.

50 loopback sites, each a port of its own and so a site of its own → real fetcher, real SQLite file → every source
reads three daily pages → the time on the wall beside what the slowest source must wait by its pace alone. Time on the
wall for once, since waiting is what is measured. Then the memory that a second and a third round add.
"""

from __future__ import annotations

import resource
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.parse import daily_page
from domain.clock import FixedClock
from domain.papers import Listing, PageRequest
from scrapers.fetch import Fetcher
from scrapers.huggingface import DailySource
from scrapers.pace import MemoryLedger, Pace
from scrapers.source import Calendar, Page, Visit
from storage.archive import Archive
from storage.database import Database
from storage.fetches import Fetches
from storage.runs import Runs
from storage.sources import Sources
from worker.collect import Collector
from worker.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCES = 50
DAYS = [date(2026, 3, day) for day in (2, 3, 4)]
LONGEST = 3.0  # seconds
WAITS = len(DAYS)


@dataclass(frozen=True, slots=True)
class PacedSource:
    """A daily source that keeps a given pace."""

    inner: DailySource
    pace: float
    name: str
    kind: str = "huggingface-daily"
    label: str = "bench"
    every: timedelta = timedelta(hours=1)
    calendar: Calendar = field(default_factory=Calendar)

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the day's page."""
        return (PageRequest(f"{self.inner.url}/papers/date/{visit.day}", pace=self.pace),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read it."""
        return self.inner.parse(page, visit)


def run(options: list[str]) -> list[Figure]:
    """Measure; takes no options."""
    if options:
        message = f"collect takes no options, not {' '.join(options)}"
        raise SystemExit(message)
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        sites = [stack.enter_context(_site(number)) for number in range(SOURCES)]
        sources = [
            PacedSource(
                DailySource(f"source-{n}", url, timedelta(hours=1)),
                pace=LONGEST * (n + 1) / SOURCES,
                name=f"source-{n}",
            )
            for n, url in enumerate(sites)
        ]
        database = stack.enter_context(Database(f"sqlite:///{Path(folder)}/archive.db"))
        collector = _collector(sources, database, stack)
        wall, memory = [], []
        for _ in range(3):
            start = time.perf_counter()
            reports = collector.collect(days=DAYS)
            wall.append(time.perf_counter() - start)
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            assert all(each.status.is_good and each.pages == len(DAYS) for each in reports)
    shortest = LONGEST * WAITS
    name = f"the waits of the slowest pace, {LONGEST:g} s"
    return [
        Figure(f"{SOURCES} sources, {len(DAYS)} pages each, the first round", wall[0], "s wall", shortest, name),
        Figure("the third round, all met again", wall[2], "s wall", shortest, name),
        Figure("most memory after the third round", memory[2], "MB", memory[0], "after the first"),
    ]


def _collector(sources: list[PacedSource], database: Database, stack: ExitStack) -> Collector:
    clock = FixedClock(datetime(2026, 3, 4, 12, tzinfo=UTC))
    stop = threading.Event()
    pace = Pace(ledger=MemoryLedger(), clock=time.time, sleep=time.sleep)
    fetcher = stack.enter_context(
        Fetcher(
            contact="",
            version="bench",
            pace=pace,
            sleep=time.sleep,
            now=clock.now,
        )
    )
    archive, states, fetches = Archive(database), Sources(database), Fetches(database)
    reader = Reader(
        fetcher=fetcher, archive=archive, sources=states, fetches=fetches, patience=pace, clock=clock, keep=2
    )
    return Collector(
        sources=sources,
        reader=reader,
        archive=archive,
        states=states,
        fetches=fetches,
        runs=Runs(database),
        clock=clock,
        owner="bench",
        stop=stop,
    )


@contextmanager
def _site(number: int) -> Iterator[str]:
    """Serve daily pages of 30 cards, each site's and day's own papers."""
    pages = {str(day): daily_page(30, day=day, seed=number * len(DAYS) + n).encode() for n, day in enumerate(DAYS)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            day = self.path.rpartition("/")[2]
            if day not in pages:
                self.send_error(404)
                return
            body = pages[day]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
