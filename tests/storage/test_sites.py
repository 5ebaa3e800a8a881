"""The ledger that all processes of an installation share, and what sites see of it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from domain.errors import Throttled
from scrapers.pace import FEEDS, PAGES, Ledger, MemoryLedger, Pace, Standing
from storage.database import Database
from storage.sites import Sites
from storage.tables import SITE

SITE_NAME = "papers.example"


@pytest.fixture
def ledger(engine: str, request: pytest.FixtureRequest) -> Ledger:
    return MemoryLedger() if engine == "memory" else Sites(request.getfixturevalue("database"))


everywhere = pytest.mark.engines("sqlite", "memory", "postgresql")


def test_a_standing_has_the_columns_of_the_table() -> None:
    assert {field.name for field in fields(Standing)} == {column.name for column in SITE.columns} - {"name"}


@everywhere
def test_what_was_decided_is_what_is_known(ledger: Ledger) -> None:
    assert ledger.look(SITE_NAME) is None
    first = asdict(Standing(started={PAGES: 1.5}, busy_until=2.25, holder="é", strikes=3, robots="User-agent: *\n"))
    second = asdict(Standing(started={PAGES: 1.5, FEEDS: 1_700_000_000.123456}, held_until=9.5))
    seen = []
    for wanted in (first, second):
        ledger.change(SITE_NAME, lambda known, wanted=wanted: seen.append(known) or wanted)
        assert ledger.look(SITE_NAME) == wanted
    assert seen == [None, first]
    assert ledger.look("other.example") is None


@everywhere
def test_what_could_not_be_decided_changes_nothing(ledger: Ledger) -> None:
    known = asdict(Standing(strikes=1))
    ledger.change(SITE_NAME, lambda _: known)

    def refuse(_: object) -> dict[str, object]:
        raise Throttled("later")

    with pytest.raises(Throttled):
        ledger.change(SITE_NAME, refuse)
    assert ledger.look(SITE_NAME) == known


@everywhere
def test_no_change_is_lost_among_threads(ledger: Ledger) -> None:
    ledger.change(SITE_NAME, lambda _: asdict(Standing()))

    def count() -> None:
        for _ in range(25):
            ledger.change(SITE_NAME, lambda known: {**known, "strikes": known["strikes"] + 1})

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.look(SITE_NAME)["strikes"] == 75


def test_a_hold_and_robots_txt_outlive_the_process(url: str) -> None:
    for round_ in range(2):
        with Database(url) as database:
            pace = Pace(ledger=Sites(database), clock=lambda: 1_000.0, sleep=lambda _: None)
            if round_ == 0:
                pace.hold(SITE_NAME, None)
                pace.keep_robots("https://papers.example", "User-agent: *", 60.0)
                continue
            with pytest.raises(Throttled, match="left alone"), pace.turn(SITE_NAME, PAGES, 0, lease=1):
                pass
            assert pace.robots("https://papers.example") == ("User-agent: *", 60.0)


ASKING = """
import sys, time
from datetime import UTC, datetime
from domain.papers import PageRequest
from scrapers.fetch import Fetcher
from scrapers.pace import Pace
from storage.database import Database
from storage.sites import Sites

url, page, times, seconds, lane = sys.argv[1:]
with Database(url) as database:
    pace = Pace(ledger=Sites(database), clock=time.time, sleep=time.sleep)
    options = dict(contact="", version="0", pace=pace, sleep=time.sleep, now=lambda: datetime.now(UTC))
    with Fetcher(**options) as fetcher:
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(int(times)):
            fetcher.get(PageRequest(page, pace=float(seconds), is_page=lane == "page"))
"""


@pytest.fixture
def visits() -> Iterator[tuple[str, list[tuple[str, float, float]]]]:
    """Serve a site that keeps the path, the beginning and the end of each visit."""
    seen: list[tuple[str, float, float]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            begun = time.monotonic()
            time.sleep(0.03)
            seen.append((self.path, begun, time.monotonic()))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def start(url: str) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    Database(url).close()
    running: list[subprocess.Popen[str]] = []

    def started(page: str, times: int, seconds: float, lane: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", ASKING, url, page, str(times), str(seconds), lane]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def test_processes_share_a_pace_and_never_ask_at_once(
    visits: tuple[str, list[tuple[str, float, float]]], start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    root, seen = visits
    processes = [start(f"{root}/{lane}", 4, 0.25, lane) for lane in ("page", "page", "feed")]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.wait(timeout=30) == 0
    seen.sort(key=lambda visit: visit[1])
    begun = {path: [start for at, start, _ in seen if at == path] for path, _, _ in seen}
    assert {path: len(starts) for path, starts in begun.items() if path != "/robots.txt"} == {"/page": 8, "/feed": 4}
    assert len(begun["/robots.txt"]) in {1, 2}, "both may find it missing"
    for (_, _, ended), (_, next_begun, _) in pairwise(seen):
        assert next_begun >= ended, "one connection a site"
    # Over many requests, since each reaches the site late by what it takes to connect on a busy machine.
    for starts in (begun["/page"], begun["/feed"], [start for _, start, _ in seen]):
        assert starts[-1] - starts[0] >= 0.25 * (len(starts) - 1) - 0.1


def test_a_killed_process_keeps_its_turn_no_longer_than_its_lease(url: str) -> None:
    now = [1_700_000_000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with Database(url) as one, Database(url) as another:
        killed = Pace(ledger=Sites(one), clock=lambda: now[0], sleep=sleep).turn(SITE_NAME, PAGES, 0, lease=40)
        killed.__enter__()
        with Pace(ledger=Sites(another), clock=lambda: now[0], sleep=sleep).turn(SITE_NAME, PAGES, 0, lease=40):
            assert now[0] == pytest.approx(1_700_000_040, abs=0.2)
        killed.__exit__(None, None, None)  # or the garbage collector would do it, when the database is closed
