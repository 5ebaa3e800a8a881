"""web: requests a second and p95 of home, search, paper and issue pages, beside a bare Starlette page in the same run.

Three servers run in processes of their own, with the same settings: the site over an archive of that many papers, the
same without a memory of its pages, and an application that answers by as many octets as the site's page has, and does
nothing else. They are asked in turn, round after round, over kept connections on loopback; rate and p95 of a row are of
its round with the best rate. `from memory` is a page that is on the shelf; `made anew` is that of the second server.
The client is threads of this process, on the same machine: `the client's ceiling` is its rate against the bare page,
and a row that comes near it says more of the client than of the site. An answer with another status than 200 ends the
run.

Memory is what the server holds in RAM after a tenth of the requests, and after all of them: the same few pages, papers
by the thousand, and searches that nobody repeats. What home weighs is every octet that a browser gets that was never
there: page, style sheet, script and picture, with their headers, packed.

`web [PAPERS]` takes their number, 100,000 by default; `--database FILE` keeps the archive for another run. A page that
the site does not have is said and left out.
"""

import re
import socket
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy import select

from benchmarks.corpus import RECORDS, fill, records
from benchmarks.figures import Figure
from benchmarks.served import NOW, Served, served, settings
from domain.clock import FixedClock
from domain.subscriptions import Schedule, SubscriberState
from paperround.wiring import House
from storage.subscribers import Signup, WishedTopic
from storage.tables import ISSUE
from topics.query import parse

_HOME_LIMIT = 60.0  # KB
_PAPER = "/papers/doi:10.5555/bench.{}"
_ASSET = re.compile(rb'(?:href|src)="(/[^"]+\.(?:css|js|svg)[^"]*)"')
_PACKED = "Accept-Encoding: gzip\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def run(options: list[str]) -> list[Figure]:
    arguments = ArgumentParser(prog="web", description=__doc__)
    arguments.add_argument("papers", type=int, nargs="?", default=100_000)
    arguments.add_argument("--records", type=Path, default=RECORDS, help="real records, as JSON Lines in gzip")
    arguments.add_argument("--database", type=Path, help="an SQLite file to keep")
    arguments.add_argument("--seconds", type=float, default=2.0, help="of a round, for each page and way")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=4)
    arguments.add_argument("--requests", type=int, default=100_000, help="for what memory does; 0 leaves it out")
    given = arguments.parse_args(options)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        file = given.database or Path(folder) / "archive.db"
        issue = _filled(file, given.records, given.papers)
        ours, bare = stack.enter_context(served(file)), stack.enter_context(served())
        anew = stack.enter_context(served(file, caching=False))
        pages = {
            "home": "/",
            "search": f"/papers?q={quote('neural OR learning')}",
            "paper": _PAPER.format(given.papers // 2),
            "issue": f"/issues/{issue}",
        }
        figures = []
        for name, path in pages.items():
            figures += _beside_bare(name, path, ours, anew, bare, given)
        figures += _weight(ours)
        if given.requests:
            figures += _memory(ours, list(pages.values()), given.papers, given.requests, given.connections)
    return figures


def _filled(file: Path, real: Path, papers: int) -> str:
    """Store papers, and freeze a letter of them for one reader; return its public id."""
    with House(settings(file), clock=FixedClock(NOW)) as house:
        if house.archive.newest_day() is None:
            fill(house.archive, records(real), papers)
        topics = [WishedTopic(name, parse(name)) for name in ("learning", "neural", "graph OR model")]
        signup = Signup(
            email="reader@lab.example",
            address_key="reader@lab.example",
            public_id="00000000000000be",
            topics=topics,
            schedule=Schedule(hour=7, zone="UTC"),
            state=SubscriberState.CONFIRMED,
            shared=False,
            consent=[],
        )
        house.subscribers.subscribe(signup, NOW)
        house.matcher.match(NOW)
        house.publisher.publish(NOW)
        with house.database.reading() as connection:
            return str(connection.execute(select(ISSUE.c.public_id).limit(1)).scalar() or "none")


# -- requests a second -------------------------------------------------------------------------------------------------


@dataclass
class _Round:
    """What one way took, in the round with the best rate."""

    a_second: float = 0.0
    p95: float = float("inf")

    def take(self, took: Sequence[float], seconds: float) -> None:
        """Take a round's times of single requests, in seconds."""
        if len(took) / seconds > self.a_second:
            self.a_second = len(took) / seconds
            self.p95 = sorted(took)[len(took) * 95 // 100] * 1e3


def _beside_bare(  # noqa: PLR0917 three servers are asked for one page
    name: str, path: str, ours: Served, anew: Served, bare: Served, given: Namespace
) -> Iterator[Figure]:
    with closing(_Connection(ours)) as first:
        status, head, body = first.ask(path, _PACKED)
    if status != 200:
        print(f"web: {name} is left out: {path} answers {status}", file=sys.stderr)
        return
    is_kept = b"cache-control: public" in head.lower()
    ways = {
        "made anew": (anew, path, _PACKED),
        **({"from memory": (ours, path, _PACKED)} if is_kept else {}),
        "bare": (bare, f"/{len(body)}", _PACKED),
    }
    best = {way: _Round() for way in ways}
    for _ in range(given.rounds):
        for way, asked in ways.items():
            best[way].take(_asked(*asked, given.seconds, given.connections), given.seconds)
    reference = f"bare Starlette, {len(body):,} octets"
    for way in ways:
        if way != "bare":
            yield Figure(f"{name}, {way}", best[way].a_second, "requests/s", best["bare"].a_second, reference)
            yield Figure(f"{name}, {way}, p95", best[way].p95, "ms", best["bare"].p95, reference)
    connections = f"bare page, {given.connections} connections"
    yield Figure(f"{name}, the client's ceiling", best["bare"].a_second, "requests/s", None, connections)


def _asked(server: Served, path: str, headers: str, seconds: float, connections: int) -> list[float]:
    """Ask one page again and again over so many connections; return what each answer took, in seconds."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    def ask() -> None:
        with closing(_Connection(server)) as connection:
            while (begun := time.perf_counter()) < end:
                connection.page(path, headers)
                took.append(time.perf_counter() - begun)

    _at_once([ask] * connections)
    return took


# -- memory, and what home weighs --------------------------------------------------------------------------------------


def _memory(ours: Served, paths: Sequence[str], papers: int, requests: int, connections: int) -> Iterator[Figure]:
    """Ask for the same few pages, for papers by the thousand and for searches that nobody repeats, in turn."""
    numbers = iter(range(requests * 2))
    lock = threading.Lock()

    def path(kind: int) -> str:
        with lock:
            number = next(numbers)
        ways = (*paths, _PAPER.format(number * 7919 % papers), _search(number))
        return ways[kind % len(ways)]

    def ask(many: int) -> None:
        with closing(_Connection(ours)) as connection:
            for kind in islice(cycle(range(len(paths) + 2)), many):
                connection.page(path(kind), _PACKED)

    each = max(1, requests // 10 // connections)
    _at_once([lambda: ask(each)] * connections)
    before = ours.megabytes
    _at_once([lambda: ask(each * 9)] * connections)
    yield Figure(
        f"memory after {each * 10 * connections:,} requests", ours.megabytes, "MB", before, "after a tenth of them"
    )


def _search(number: int) -> str:
    """Return the address of a search that differs from every other, for some of the papers."""
    return f"/papers?q={quote(f'neural network learning -x{number}')}"


def _weight(ours: Served) -> Iterator[Figure]:
    with closing(_Connection(ours)) as connection:
        _, body = connection.page("/", "")
        packed_head, packed = connection.page("/", _PACKED)
        octets = len(packed_head) + len(packed)
        for path in sorted(set(_ASSET.findall(body))):
            head, asset = connection.page(path.decode("ascii"), _PACKED)
            octets += len(head) + len(asset)
    yield Figure("home with all that it loads, packed", octets / 1e3, "KB", _HOME_LIMIT, "the limit")


# -- a client that does as little as possible --------------------------------------------------------------------------


@dataclass
class _Connection:
    """One kept connection; it is opened again where the server closed it."""

    server: Served
    _socket: socket.socket | None = field(default=None, init=False)

    def ask(self, path: str, headers: str) -> tuple[int, bytes, bytes]:
        """Return status, head and body."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n{headers}\r\n".encode("ascii"))
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += self._some()
        head, _, body = heard.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += self._some()
        if b"connection: close" in head.lower():
            self.close()
        return int(head.split(None, 2)[1]), head, body

    def page(self, path: str, headers: str) -> tuple[bytes, bytes]:
        """Return head and body of a page that must be there."""
        status, head, body = self.ask(path, headers)
        assert status == 200, f"{path} answers {status}"
        return head, body

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _some(self) -> bytes:
        assert self._socket is not None
        some = self._socket.recv(1 << 18)
        assert some, "the server hung up"
        return some


def _at_once(acts: Sequence[Callable[[], None]]) -> None:
    """Do all of them side by side; what one of them raises ends the run."""
    with ThreadPoolExecutor(len(acts)) as threads:
        for done in [threads.submit(act) for act in acts]:
            done.result()
