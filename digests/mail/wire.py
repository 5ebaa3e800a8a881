"""smtplib's client on a socket of our own: every reply bounded in size and in time, nothing heard out of turn.

    dial → a socket, encrypted at once for "implicit" → Wire: ask (a line out, a reply in), pour (octets out), encrypt

smtplib bounds a line, but neither how many lines a reply has nor how long it may trickle, and it reads ahead: what an
attacker sends in clear text behind the answer to STARTTLS must end the conversation, not be lost or, worse, heard.
Everything here raises OSError, of which smtplib's and ssl's errors are kinds; smtp.py says what it means for a letter.
"""

import ipaddress
import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

_LONGEST_REPLY = 65_536  # octets; a line has at most 512 and a reply a handful of lines (RFC 5321 section 4.5.3.1.5)
_LONGEST_TEXT = 500  # characters of a reply that are kept
_CODE = re.compile(rb"[2-5][0-9]{2}(?=[ \r\n-])")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\S)")  # RFC 2034 section 4: the first word of the reply


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay said."""

    code: int
    text: str  #: one line, printable, at most 500 characters

    def __str__(self) -> str:
        """Code and text, as a person reads them."""
        return f"{self.code} {self.text}".rstrip()

    @property
    def kind(self) -> int:
        """The first digit of the code."""
        return self.code // 100

    @property
    def enhanced(self) -> str | None:
        """The enhanced status (RFC 3463), such as "4.7.1", if it agrees with the code."""
        found = _ENHANCED.match(self.text)
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


class Wire(smtplib.SMTP):
    """A client over a socket that is open already; `name` is what we say we are, `patience` in seconds."""

    def __init__(self, sock: socket.socket, name: str, patience: float) -> None:
        super().__init__(local_hostname=name or _literal(sock))
        self.sock: socket.socket | None = sock
        self._patience = patience
        self._heard = bytearray()

    @property
    def is_loopback(self) -> bool:
        """Whether the relay is this machine."""
        peer = self._socket().getpeername()[0].partition("%")[0]
        return ipaddress.ip_address(peer).is_loopback

    def ask(self, line: bytes, patience: float | None = None) -> Reply:
        """Send one line and return the reply to it."""
        self.pour(line)
        return self.hear(patience)

    def pour(self, data: bytes) -> None:
        """Send octets as they are; an answer that nobody asked for is the end: it would pass for the next one."""
        if self._heard:
            raise smtplib.SMTPException("it spoke out of turn")
        sock = self._socket()
        sock.settimeout(self._patience)
        sock.sendall(data)

    def send(self, s: str | bytes) -> None:  # type: ignore[override]  # smtplib itself sends nothing else
        """Send what smtplib's own commands say."""
        self.pour(s.encode("ascii") if isinstance(s, str) else bytes(s))

    def hear(self, patience: float | None = None) -> Reply:
        """Return the next whole reply; raises TimeoutError once `patience` seconds are gone."""
        code, lines = self._reply(self._patience if patience is None else patience)
        return Reply(code, printable(b" ".join(lines)))

    def getreply(self) -> tuple[int, bytes]:
        """Return a reply for smtplib's own commands: EHLO reads its keywords line by line."""
        code, lines = self._reply(self._patience)
        return code, b"\n".join(lines)

    def encrypt(self, context: ssl.SSLContext, host: str, patience: float) -> None:
        """Go over to TLS; what was said before is forgotten (RFC 3207 section 4.2)."""
        if self._heard:
            raise smtplib.SMTPException("it sent clear text behind its answer to STARTTLS, as an attacker would")
        sock = self._socket()
        sock.settimeout(patience)
        self.sock = context.wrap_socket(sock, server_hostname=host)
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def _socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self.sock

    def _reply(self, patience: float) -> tuple[int, list[bytes]]:
        # The machine's own clock: it bounds how long a read may block and decides nothing.
        deadline = time.monotonic() + patience
        lines: list[bytes] = []
        room = _LONGEST_REPLY
        while True:
            line = self._line(deadline, room)
            room -= len(line)
            code = _CODE.match(line)
            if code is None:
                raise smtplib.SMTPException(f"its answer is not SMTP: {printable(line)[:60]!r}")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(code[0]), lines

    def _line(self, deadline: float, room: int) -> bytes:
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) >= room:
                raise smtplib.SMTPException(f"its answer is longer than {_LONGEST_REPLY:,} bytes")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock = self._socket()
            sock.settimeout(left)
            more = sock.recv(8192)
            if not more:
                raise smtplib.SMTPServerDisconnected("it closed the connection")
            self._heard += more
        if end >= room:
            raise smtplib.SMTPException(f"its answer is longer than {_LONGEST_REPLY:,} bytes")
        line = bytes(self._heard[: end + 1])
        del self._heard[: end + 1]
        return line


def printable(text: bytes) -> str:
    """Return what a relay said as one line that a terminal can show: the words of others are not trusted."""
    decoded = text.decode("utf-8", "replace")[:_LONGEST_TEXT]
    return " ".join("".join(each if each.isprintable() else " " for each in decoded).split())


def _literal(sock: socket.socket) -> str:
    """Our end's address, for a host that has no name (RFC 5321 section 4.1.3)."""
    own = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
    return f"[{own}]" if own.version == 4 else f"[IPv6:{own}]"
