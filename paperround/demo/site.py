"""The demo's own listing site, on the loopback.

The pages lie in `pages/`: three listing days of papers that do not exist, in the markup of a Hugging Face Daily Papers
page (sources.md 1.2 and 1.3). `read_pages` takes them from the package, `DemoSite` serves them over real HTTP, so that
the demo goes through the same fetcher, conditional requests included, as any other day.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

#: The listing days that have a page, oldest first.
DAYS = (date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20))

_PATH = "/papers/date/"
#: How long a client may keep silent before its connection is closed; bounds how long leaving can take.
_PATIENCE_SECONDS = 5.0


def read_pages() -> dict[date, bytes]:
    """Return the page of each of `DAYS`, UTF-8 HTML."""
    folder = files("paperround.demo") / "pages"
    return {day: (folder / f"date-{day.isoformat()}.html").read_bytes() for day in DAYS}


class DemoSite:
    """Serves `pages` at /papers/date/<day> while the `with` block lasts; 404 for anything else.

    Every page carries a strong ETag, and a request whose If-None-Match names it is answered 304 without a body
    (RFC 9110 section 13.1.2).
    """

    def __init__(self, pages: Mapping[date, bytes]) -> None:
        self._pages = {f"{_PATH}{day.isoformat()}": body for day, body in pages.items()}
        self._server: _Server | None = None
        self._thread: Thread | None = None
        #: How many answers were given, by HTTP status; kept after the site has closed.
        self.answers: Counter[int] = Counter()

    @property
    def url(self) -> str:
        """The site's root without a final slash; raises RuntimeError outside the `with` block."""
        if self._server is None:
            raise RuntimeError("the demo's site is not open")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> int:
        """How many requests were answered so far."""
        return self.answers.total()

    def __enter__(self) -> Self:
        """Bind a free port and begin to answer; raises OSError if the loopback cannot be bound."""
        self._server = _Server(self._pages, self.answers)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="demo-site", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and wait until the answers under way have left."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    # Threads are joined on closing, so that none outlives the `with` block with an open socket.
    daemon_threads = False

    def __init__(self, pages: Mapping[str, bytes], answers: Counter[int]) -> None:
        self.pages = pages
        self._answers = answers
        self._counting = Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def count(self, status: HTTPStatus) -> None:
        with self._counting:
            self._answers[status.value] += 1


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "paperround-demo"
    sys_version = ""
    timeout = _PATIENCE_SECONDS

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body = self.server.pages.get(path)
        if body is None:
            self._answer(HTTPStatus.NOT_FOUND, b"There is no such page.\n", "text/plain; charset=utf-8")
            return
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        known = _is_known(etag, self.headers.get("If-None-Match", ""))
        status, body = (HTTPStatus.NOT_MODIFIED, b"") if known else (HTTPStatus.OK, body)
        self._answer(status, body, "text/html; charset=utf-8", etag)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the demo's own lines are the report."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, etag: str = "") -> None:
        # Counted first: a client that has its answer in hand must find it counted.
        self.server.count(status)
        self.send_response(status)
        if etag:
            self.send_header("ETag", etag)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        # One request a connection: nothing is left open when the site closes.
        self.send_header("Connection", "close")
        with suppress(ConnectionError):  # the client may have gone; that is its own affair
            self.end_headers()
            self.wfile.write(body)


def _is_known(etag: str, if_none_match: str) -> bool:
    # Weak comparison, as If-None-Match asks for: W/ is disregarded.
    named = {candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")}
    return bool(named & {etag, "*"})
