"""The socket's patience: how many may be connected, and how long one may take to say what it wants.

What cannot be read as HTTP never reaches the guard; it is answered here in one line, with headers as strict as those
of a page. uvicorn ends a connection that idles after an answer; one that has never asked anything, or asks an octet at
a time, would be kept for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 1_000  # far below the files that a process may have open, far above a site of people
SLOWEST_HEAD = 20.0  # seconds for the head of a request, from the connection or from its first octet on
LARGEST_EVENT = 65_536  # octets of a head that is not whole yet; what the guard refuses calmly is smaller


class Patience(H11Protocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for a request, unless too many are connected."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._say("503 Service Unavailable", "Please try again in a minute.", "Retry-After: 60\r\n")
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that goes on and on is as slow as its first octet."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_answering:
            self._wait_no_more()
        elif self._waiting is None and not self.transport.is_closing():
            self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next request as uvicorn does."""
        self._wait_no_more()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; within an answer there is nothing to say."""
        if self._is_answering:
            self.transport.close()
        else:
            self._say("400 Bad Request", msg)

    @property
    def _is_answering(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # there is no cycle before the first request

    def _say(self, status: str, sentence: str, more: str = "") -> None:
        self.transport.write(
            f"HTTP/1.1 {status}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n"
            f"Cache-Control: no-store\r\nContent-Length: {len(sentence) + 1}\r\nConnection: close\r\n\r\n"
            f"{sentence}\n".encode("ascii")
        )
        self.transport.close()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(SLOWEST_HEAD, self.timeout_keep_alive_handler)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
