"""Requests under way, each with an eye on its socket: whom it was connected to, and how long it takes.

The client's own timeouts begin anew with every byte, so a host that sends one a second would hold us for days. What
takes too long is ended by shutting its socket, and so is everything under way when the program is asked to stop.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import httpx

from domain.errors import CollectError, TooSlow, Unreachable
from scrapers.addresses import Reach

#: What the HTTP client raises.
FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError, UnicodeError)


class UnderWay:
    """The requests of one fetcher, of all threads; `seconds` is the longest that each may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # A signal may interrupt the thread that holds it, and call abandon there.
        self._lock = threading.RLock()
        self._watches: set[Watch] = set()
        self._abandoned = False

    @contextmanager
    def watch(self, url: str, reach: Reach | None) -> "Iterator[Watch]":
        """Watch a request; raises TooSlow where it was ended, and at once where all were abandoned."""
        watch = Watch(self._seconds, url, reach)
        with watch:
            with self._lock:
                self._watches.add(watch)
                if self._abandoned:
                    watch.abandon()
            try:
                watch.look()
                yield watch
            finally:
                with self._lock:
                    self._watches.discard(watch)

    def abandon(self) -> None:
        """End every request under way, and every later one before it begins."""
        with self._lock:
            self._abandoned = True
            watches = tuple(self._watches)
        for watch in watches:
            watch.abandon()


class Watch:
    """Looks whom a request was connected to, and ends one that takes longer than `seconds` by shutting its socket.

    Watching begins when the socket is there: name resolution ends by the resolver's own timeout.
    """

    def __init__(self, seconds: float, url: str, reach: Reach | None) -> None:
        self._url = url
        self._reach = reach
        self._silence = f"it took longer than {seconds:g} s"
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []
        self._passed = False

    def see(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of every socket that the client opens (its `trace` extension)."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            opened = getattr(info.get("return_value"), "get_extra_info", lambda _: None)("socket")
            if isinstance(opened, socket.socket):
                self._sockets.append(opened)
                if self._passed:
                    self._end()
                if event.endswith(".connect_tcp.complete"):
                    self._look_at_peer(opened)

    def _look_at_peer(self, opened: socket.socket) -> None:
        """Close what is connected to a place where we do not go; nothing was sent yet."""
        try:
            if self._reach is not None:
                self._reach.meet(str(opened.getpeername()[0]), self._url)
        except (OSError, CollectError) as error:
            opened.close()
            raise error if isinstance(error, CollectError) else httpx.ConnectError(str(error)) from error

    def abandon(self) -> None:
        """End the request because we were asked to stop; another thread may call it."""
        self._silence = "it was abandoned, since we were asked to stop"
        self._end()

    def look(self) -> None:
        """Raise TooSlow for a request that was ended before it began."""
        if self._passed:
            raise TooSlow(self._message, self._silence)

    @property
    def _message(self) -> str:
        return f"{self._url} did not answer: {self._silence}"

    def _end(self) -> None:
        self._passed = True
        for opened in tuple(self._sockets):
            with suppress(OSError):  # already closed: the request is over
                # The plain socket's shutdown: that of a TLS socket would pull its state from under the reader.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # A body without a length ends quietly when its socket is shut, a packed one as if it were damaged.
        if self._passed and (value is None or isinstance(value, (*FOREIGN, Unreachable))):
            raise TooSlow(self._message, self._silence) from value
