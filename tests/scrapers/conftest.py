"""A real loopback site, and a fetcher whose hours pass only when it sleeps."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scrapers.fetch import Fetcher
from scrapers.pace import MemoryLedger, Pace

Route = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A loopback site: `routes` by path, `asked` in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.routes: dict[str, Route] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def answer(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        """Answer `path` with a fixed page; underscores in header names are hyphens."""

        def route(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.routes[path] = route

    def once(self, path: str, status: int, **headers: str) -> None:
        """Answer like this the first time, and with the page "at last" from then on."""
        self.answer(path, status=status, **headers)
        first = self.routes[path]

        def route(handler: BaseHTTPRequestHandler) -> None:
            self.answer(path, b"at last")
            first(handler)

        self.routes[path] = route

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def serve() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            route = site.routes.get(self.path)
            if route is None:
                self.send_error(404)
            else:
                with suppress(OSError):  # the client hung up, which some tests are about
                    route(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture
def other_site() -> Iterator[Site]:
    with serve() as site:
        yield site


class Hours:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.began = datetime(2026, 3, 4, 9, 0, tzinfo=UTC).timestamp()
        self.seconds = self.began
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def pace(hours: Hours, ledger: MemoryLedger) -> Pace:
    return Pace(ledger=ledger, clock=hours.clock, sleep=hours.sleep)


@pytest.fixture
def make(hours: Hours) -> Callable[..., Fetcher]:
    """Return what makes a fetcher of a pace and of options."""

    def made(pace: Pace, **options: Any) -> Fetcher:
        return Fetcher(contact="", version="0", pace=pace, sleep=hours.sleep, now=hours.now, **options)

    return made


@pytest.fixture
def fetcher(make: Callable[..., Fetcher], pace: Pace) -> Iterator[Fetcher]:
    with make(pace) as made:
        yield made
