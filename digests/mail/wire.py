"""SMTP's lines over a socket: every reply bounded in size and in time, nothing heard out of turn, few system calls.

    dial → a socket, encrypted at once for "implicit" → Wire: ask (a line out, a reply in), pour (octets out), encrypt

smtplib bounds a line, but neither how many lines a reply has nor how long it may trickle, and it reads ahead: what an
attacker sends in clear text behind the answer to STARTTLS must end the conversation, not be lost or, worse, heard.
A socket of ours blocks, and the kernel keeps its time limit: with Python's own limit each read and write would be two
system calls, and two chances for another thread to take the interpreter (docs/decisions/0021).

Everything here raises OSError, of which WireError and ssl's errors are kinds; smtp.py says what it means for a letter.
"""

import ipaddress
import re
import select
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_LONGEST_REPLY = 65_536  # octets; a line has at most 512 and a reply a handful of lines (RFC 5321 section 4.5.3.1.5)
_LONGEST_TEXT = 500  # characters of a reply that are kept
_SHORTEST_SECRET = 4  # octets; a shorter one stands in any words
_CODE = re.compile(rb"[2-5][0-9]{2}(?=[ \r\n-])")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\S)")  # RFC 2034 section 4: the first word of the reply


class WireError(OSError):
    """The relay ended the conversation or says what is not SMTP; its text tells, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay said."""

    code: int
    lines: tuple[bytes, ...]  #: as they came, without code and line end: not fit to be shown

    def __str__(self) -> str:
        """Code and text, as a person reads them."""
        return f"{self.code} {self.text}".rstrip()

    def without(self, secrets: Sequence[bytes]) -> "Reply":
        """Return it with a mark for every word that holds a secret, or eight octets or more of one."""
        return Reply(
            self.code, tuple(b" ".join(_hidden(word, secrets) for word in line.split()) for line in self.lines)
        )

    @property
    def text(self) -> str:
        """All lines as one, printable, at most 500 characters."""
        return printable(b" ".join(self.lines))

    @property
    def kind(self) -> int:
        """The first digit of the code."""
        return self.code // 100

    @property
    def enhanced(self) -> str | None:
        """The enhanced status (RFC 3463), such as "4.7.1", if it agrees with the code."""
        found = _ENHANCED.match(printable(self.lines[0]))
        return found[1] if found and int(found[1][0]) == self.kind else None


def dial(host: str, port: int, *, patience: float, context: ssl.SSLContext | None) -> socket.socket:
    """Return a connected socket, encrypted from the first octet if there is a context.

    Raises OSError, or ValueError for a host name that no resolver can be asked for.
    """
    sock = socket.create_connection((host, port), timeout=patience)
    try:
        # The dot is a small packet of its own: it must not wait for the acknowledgement of the body.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(sock, server_hostname=host) if context else sock
    except BaseException:
        sock.close()
        raise


class Wire:
    """A client over a socket that is open already; `patience` in seconds, for a reply and for all of what is sent."""

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self._sock: socket.socket | None = sock
        self._patience = patience
        self._heard = b""
        self._limit = 0.0  # seconds that one read or write may take now
        self._poll = select.poll()
        self._adopt(sock)

    @property
    def is_open(self) -> bool:
        """Whether anything can still be said."""
        return self._sock is not None

    @property
    def is_loopback(self) -> bool:
        """Whether the relay is this machine."""
        peer = self._socket().getpeername()[0].partition("%")[0]
        return ipaddress.ip_address(peer).is_loopback

    @property
    def literal(self) -> str:
        """Our end's address, for a host that has no name (RFC 5321 section 4.1.3)."""
        own = ipaddress.ip_address(self._socket().getsockname()[0].partition("%")[0])
        return f"[{own}]" if own.version == 4 else f"[IPv6:{own}]"

    @property
    def certificate_ends(self) -> datetime | None:
        """When the other end's certificate expires, aware UTC; None without TLS."""
        sock = self._sock
        told = (sock.getpeercert() or {}).get("notAfter") if isinstance(sock, ssl.SSLSocket) else None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC) if isinstance(told, str) else None

    def ask(self, line: bytes, patience: float | None = None) -> Reply:
        """Send one line and return the reply to it."""
        self.pour(line)
        return self.hear(patience)

    def pour(self, data: bytes) -> None:
        """Send octets as they are; an answer that nobody asked for is the end: it would pass for the next one.

        Raises TimeoutError if the relay has not taken all of it after `patience` seconds.
        """
        if self._heard:
            raise WireError("it spoke out of turn")
        sock = self._socket()
        if self._limit != self._patience:
            self._allow(self._patience)
        started = time.monotonic()  # the machine's own clock: it bounds a wait and decides nothing
        left: bytes | memoryview = data
        while True:
            sent = self._sent(sock, left)
            if sent == len(left):
                return
            left = memoryview(left)[sent:]
            self._allow(started + self._patience - time.monotonic())

    def hear(self, patience: float | None = None) -> Reply:
        """Return the next whole reply; raises TimeoutError once `patience` seconds are gone."""
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        lines: list[bytes] = []
        room = _LONGEST_REPLY
        while True:
            line = self._line(deadline, room)
            room -= len(line)
            code = _CODE.match(line)
            if code is None:
                raise WireError(f"its answer is not SMTP: {printable(line)[:60]!r}")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return Reply(int(code[0]), tuple(lines))

    def has_spoken(self) -> bool:
        """Whether the relay has said what nobody asked for; does not wait. Raises WireError if it has closed."""
        sock = self._socket()
        waiting = isinstance(sock, ssl.SSLSocket) and sock.pending()
        if not self._heard and (waiting or self._poll.poll(0)):
            sock.settimeout(0)
            try:
                more = sock.recv(8192)
            except (BlockingIOError, ssl.SSLWantReadError):  # what came was TLS's own, such as a ticket
                more = None
            finally:
                self._adopt(sock)
            if more == b"":
                raise WireError("it closed the connection")
            self._heard = more or b""
        return bool(self._heard)

    def encrypt(self, context: ssl.SSLContext, host: str, patience: float) -> None:
        """Go over to TLS; what was said before is to be forgotten (RFC 3207 section 4.2)."""
        if self._heard:
            raise WireError("it sent clear text behind its answer to STARTTLS, as an attacker would")
        sock = self._socket()
        self._poll.unregister(sock)
        sock.settimeout(patience)
        self._sock = context.wrap_socket(sock, server_hostname=host)
        self._adopt(self._sock)

    def close(self) -> None:
        """Close at once, without a word; never raises."""
        sock, self._sock = self._sock, None
        self._heard = b""
        if sock is not None:
            sock.close()

    def _adopt(self, sock: socket.socket) -> None:
        if not isinstance(sock, ssl.SSLSocket):
            sock.settimeout(None)  # the kernel keeps the limit, see _allow
        self._allow(self._patience)
        self._poll.register(sock, select.POLLIN)  # a second time it changes nothing

    def _socket(self) -> socket.socket:
        if self._sock is None:
            raise WireError("the connection is closed")
        return self._sock

    def _line(self, deadline: float, room: int) -> bytes:
        while (end := self._heard.find(b"\n", 0, room)) < 0:
            if len(self._heard) >= room:
                raise WireError(f"its answer is longer than {_LONGEST_REPLY:,} bytes")
            self._heard += self._received(deadline)
        line, self._heard = self._heard[: end + 1], self._heard[end + 1 :]
        return line

    def _received(self, deadline: float) -> bytes:
        sock = self._socket()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # Usually there is as much time as the kernel was told before, and nothing has to be said to it.
            if left < self._limit - 0.05 or self._limit < min(left, self._patience) - 0.05:
                self._allow(min(left, self._patience))
            try:
                more = sock.recv(8192)
            except (BlockingIOError, TimeoutError):
                continue  # the deadline decides
            if not more:
                raise WireError("it closed the connection")
            return more

    @staticmethod
    def _sent(sock: socket.socket, data: bytes | memoryview) -> int:
        try:
            return sock.send(data)
        except BlockingIOError as error:
            raise TimeoutError from error

    def _allow(self, seconds: float) -> None:
        """Bound every single read and write from now on; raises TimeoutError if there is no time left."""
        if seconds <= 0:
            raise TimeoutError
        sock = self._socket()
        if isinstance(sock, ssl.SSLSocket):
            sock.settimeout(seconds)  # an SSL socket tries before it waits, and knows no limit of the kernel's
        else:
            whole, micro = divmod(int(seconds * 1_000_000) or 1, 1_000_000)
            limit = struct.pack("@ll", whole, micro)  # struct timeval
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._limit = seconds


def _hidden(word: bytes, secrets: Sequence[bytes]) -> bytes:
    said = word.lower()
    known = (each.lower() for each in secrets if len(each) >= _SHORTEST_SECRET)
    told = any(each in said or (len(said) >= 2 * _SHORTEST_SECRET and said in each) for each in known)
    return b"***" if told else word


def printable(text: bytes) -> str:
    """Return what a relay said as one line that a terminal can show: the words of others are not trusted."""
    decoded = text[: 4 * _LONGEST_TEXT].decode("utf-8", "replace")[:_LONGEST_TEXT]
    if not decoded.isprintable():
        decoded = "".join(each if each.isprintable() else " " for each in decoded)
    return " ".join(decoded.split())
