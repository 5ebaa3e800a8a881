"""The socket's patience: how many may be connected, how long one may take to say what it wants, and to take it.

    connected → a whole head within 20 s → answered → taken, at least 16 KiB of what is left each 20 s → the next

What cannot be read as HTTP never reaches the guard; it is answered here in one line, with headers as strict as those
of a page. uvicorn ends a connection that idles after an answer; one that has never asked anything, asks an octet at a
time, or never reads what it asked for, would be kept for ever. Who has not taken an answer is given no other.
"""

import asyncio
from typing import Any, Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from web.clients import Clients, network_of

MOST_CONNECTIONS = 1_000  # far below the files that a process may have open, far above a site of people
MOST_OF_ONE_CLIENT = 100  # connections; browsers keep six
SLOWEST_HEAD = 20.0  # seconds for the head of a request, from the connection or from its first octet on
SLOWEST_TAKING = 20.0  # seconds in which some of an answer, or all that is left of it, has to be taken
LEAST_TAKEN = 16_384  # octets: a telephone at the edge of its network takes more
LARGEST_EVENT = 65_536  # octets of a head that is not whole yet; what the guard refuses calmly is smaller


class Peers(Protocol):
    """Who is at the other end of a socket."""

    def is_proxy(self, peer: str) -> bool:
        """Return whether many may ask through one address."""
        ...


def patience(peers: Peers) -> type["Patience"]:
    """Return the connections of a site with these proxies in front."""
    return type("Patience", (Patience,), {"peers": peers})


class Patience(H11Protocol):
    """One connection."""

    peers: Peers = Clients()
    _waiting: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None
    _is_next_due = False  # an answer is made and not yet taken

    def connection_made(self, transport: Any) -> None:
        """Wait for a request, unless too many are connected."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that we are told whenever something is left, and when nothing is
        if len(self.connections) > MOST_CONNECTIONS or self._is_one_too_many():
            self._say("503 Service Unavailable", "Please try again in a minute.", "Retry-After: 60\r\n")
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until what is left was taken, as long as it is being taken."""
        super().pause_writing()
        if self._taking is None:
            self._take(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on: everything was taken."""
        self._taken()
        super().resume_writing()
        if self._is_next_due:
            self._is_next_due = False
            super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that goes on and on is as slow as its first octet."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_answering:
            self._wait_no_more()
        elif self._waiting is None and not self._is_next_due and not self.transport.is_closing():
            self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next request as uvicorn does, once this answer was taken: a request that waits has no slot."""
        self._wait_no_more()
        if self.flow.write_paused and not self.transport.is_closing():
            self._is_next_due = True
        else:
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

    def _take(self, left: int) -> None:
        self._taking = self.loop.call_later(SLOWEST_TAKING, self._look, left)

    def _look(self, before: int) -> None:
        """End a connection that takes nothing; to close it would wait for what is left."""
        left = self.transport.get_write_buffer_size()
        if left > before - LEAST_TAKEN:
            self.transport.abort()
        else:
            self._take(left)

    def _taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _is_one_too_many(self) -> bool:
        """Return whether this client has its share; proxies speak for many, and so may whoever is on this machine."""
        peer = _peer(self)
        if not peer or self.peers.is_proxy(peer):
            return False
        network = network_of(peer)
        return sum(network_of(_peer(each)) == network for each in self.connections) > MOST_OF_ONE_CLIENT


def _peer(connection: Any) -> str:
    return connection.client[0] if connection.client else ""
