"""A whole installation over a relay on this machine, in time that the test moves: houses are opened as commands do."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from domain.clock import FixedClock
from domain.deliveries import DeliveryCounts
from domain.papers import FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Schedule
from paperround.cli import run
from paperround.settings import load
from paperround.wiring import House
from storage.ledger import balances
from storage.tables import DELIVERY

_WAIT = ("planned", "deferred", "uncertain")


class Haste(threading.Event):
    """A stop on which nobody waits long: the clock moves on by what would have been waited."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None or timeout <= 0.1:  # for another thread, which takes true time
            return super().wait(timeout)
        self._clock.set(self._clock.now() + timedelta(seconds=timeout))
        return super().wait(0.01)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A letter that came with its dot."""

    recipient: str
    sender: str
    data: bytes  #: without the dots that were stuffed
    at: datetime  #: by the test's clock

    @property
    def parsed(self) -> Message:
        return message_from_bytes(self.data)


Answer = bytes | Callable[["Talk"], None]


class Talk(socketserver.StreamRequestHandler):
    """The relay's end of one connection."""

    timeout = 20
    server: "_Server"

    def handle(self) -> None:
        with suppress(OSError, ssl.SSLError):
            self._talk()

    def say(self, answer: bytes) -> None:
        self.wfile.write(answer + b"\r\n")

    def hang_up(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Say nothing until the other end goes."""
        while self.connection.recv(4096):
            pass
        raise ConnectionAbortedError

    def _talk(self) -> None:
        relay = self.server.relay
        relay.connections += 1
        self.say(b"220 mail.test")
        sender = recipient = ""
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"EHLO":
                self.say(b"250-mail.test\r\n250-AUTH PLAIN\r\n250 PIPELINING")
            elif word == b"AUTH":
                relay.log_ins.append(relay.clock.now())
                self.say(b"235 2.7.0 welcome" if relay.password in line_of(line) else relay.refuses_log_in)
            elif word == b"MAIL":
                sender = between(line)
                self.say(b"250 2.1.0 ok")
            elif word == b"RCPT":
                recipient = between(line)
                relay.tried.append((relay.clock.now(), recipient))
                said = relay.at_rcpt(recipient)
                recipient = recipient if said.startswith(b"250") else ""
                self.say(said)
            elif word == b"DATA" and not recipient:
                self.say(b"554 5.5.1 no valid recipients")
            elif word == b"DATA":
                self.say(b"354 go on")
                data = self._letter()
                if data is None:
                    return
                relay.arrived.append(Arrived(recipient, sender, data, relay.clock.now()))
                answer = relay.after_dot(recipient)
                if isinstance(answer, bytes):
                    self.say(answer)
                else:
                    answer(self)
            else:
                self.say(b"221 bye" if word == b"QUIT" else b"250 2.0.0 ok")

    def _letter(self) -> bytes | None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return None
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    relay: "LoopbackRelay"

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        context = self.relay.tls
        if context is None:
            return sock, address
        sock.settimeout(5)
        try:
            return context.wrap_socket(sock, server_side=True), address
        except OSError:
            sock.close()
            raise

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go away as some tests want them to."""


def between(line: bytes) -> str:
    return line.split(b"<")[1].split(b">")[0].decode()


def line_of(line: bytes) -> bytes:
    from base64 import b64decode

    return b64decode(line.split()[2]).split(b"\0")[2]


class LoopbackRelay:
    """Speaks SMTP on one port of this machine, takes every letter unless it is told otherwise, and remembers."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.at_rcpt: Callable[[str], bytes] = lambda _: b"250 2.1.5 ok"
        self.after_dot: Callable[[str], Answer] = lambda _: b"250 2.0.0 queued"
        self.password = b""
        self.refuses_log_in = b"535 5.7.8 wrong password"
        self.tls: ssl.SSLContext | None = None
        self.tried: list[tuple[datetime, str]] = []
        self.log_ins: list[datetime] = []
        self.arrived: list[Arrived] = []
        self.connections = 0
        self.port = 0
        self._server: _Server | None = None
        self.open()

    def open(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), Talk)
        self._server.relay = self
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Refuse every connection from now on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def letters_of(self, name: str) -> list[Arrived]:
        return [each for each in self.arrived if each.recipient.startswith(name)]


class Ran:
    """What one command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Town:
    """Readers, papers, an archive and a relay. `mail` holds further settings of [mail], which a test may change."""

    def __init__(self, folder: Path, url: str, relay: LoopbackRelay, clock: Any, capfd: Any) -> None:
        self.folder, self.url, self.relay, self.clock, self._capfd = folder, url, relay, clock, capfd
        self.mail: dict[str, object] = {
            "transport": "smtp", "host": "127.0.0.1", "port": relay.port, "tls": "none", "connections": 2,
            "from": "Paperround <p@lab.example>", "postal_address": "1 Tide Street",
        }  # fmt: skip
        self.more = ""
        self.transport: Any = None
        self.stop: threading.Event = Haste(clock)
        self.days = 0
        self._house: House | None = None

    def settings(self) -> Path:
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.mail.items()]
        file = self.folder / "paperround.toml"
        file.write_text("\n".join([f'[database]\nurl = "{self.url}"', self.more, "[mail]", *lines, ""]))
        return file

    @property
    def house(self) -> House:
        if self._house is None:
            chosen = load(self.settings(), {}, self.folder)
            self._house = House(chosen, stop=self.stop, clock=self.clock, transport=self.transport)
        return self._house

    def again(self, **mail: object) -> House:
        """Open the house anew, as another process would, with these settings changed."""
        self.end()
        self.mail |= mail
        return self.house

    def end(self) -> None:
        if self._house is not None:
            self._house.__exit__(None, None, None)
            self._house = None

    def readers(self, *addresses: str) -> None:
        for each in addresses:
            self.house.desk.subscribe(each, ["tides"], Schedule(hour=0), vouched=True, shared=False)

    def publish(self) -> int:
        """Find a paper, and write a letter to whoever is due; return how many."""
        self.days += 1
        paper = ListedPaper(f"Tides of kind {self.days}", 1, Identifiers(arxiv=f"2611.8{self.days:04}"))
        now = self.clock.now()
        self.house.archive.add(Listing("other", now.date(), (paper,), FetchStatus.OK), now)
        self.house.matcher.match(now)
        return self.house.publisher.publish(now).issues

    def deliver(self) -> DeliveryCounts:
        counts = self.house.deliverer.deliver()
        self.is_sound()
        return counts

    def passes(self, every: timedelta, most: int, until: Callable[[], bool] | None = None) -> int:
        """Make a pass again and again, as a worker does, until nothing is open; return how many.

        The clock goes on by `every`, and where no letter is due by then, to when the next one is.
        """
        is_done = until or (lambda: not self.open_letters())
        for number in range(1, most + 1):
            self.deliver()
            if is_done():
                return number
            self.later(every)
            with self.house.database.reading() as connection:
                soonest = select(func.min(DELIVERY.c.not_before)).where(DELIVERY.c.state.in_(_WAIT))
                next_one = connection.execute(soonest).scalar()
            self.clock.set(max(self.clock.now(), next_one or self.clock.now()))
        raise AssertionError(f"still open after {most} passes: {self.states()}")

    def later(self, span: timedelta) -> None:
        self.clock.set(self.clock.now() + span)

    def records(self) -> dict[str, Any]:
        """Return each reader's newest delivery, by the left part of the address."""
        return {each.recipient.partition("@")[0]: each for each in reversed(self.house.outbox.records())}

    def states(self) -> dict[str, int]:
        found = [each.state for each in self.house.outbox.records()]
        return {each: found.count(each) for each in sorted(set(found))}

    def attempts(self) -> set[int]:
        return {each.attempts for each in self.house.outbox.records()}

    def open_letters(self) -> int:
        return sum(
            number for state, number in self.states().items() if state in {"planned", "deferred", "leased", "sending"}
        )

    def is_sound(self) -> None:
        """Every publish adds up, and nobody holds anything any more."""
        with self.house.database.reading() as connection:
            assert [each.sentence for each in balances(connection) if each.sentence] == []
            held = connection.execute(text("SELECT count(*) FROM delivery WHERE worker <> ''")).scalar_one()
        assert held == 0

    def lanes(self) -> dict[str, Any]:
        return {each["lane"]: each for each in self.command("deliveries", "lanes", "--json").json["lanes"]}

    def command(self, *arguments: str) -> Ran:
        self._capfd.readouterr()
        code = run(["--config", str(self.settings()), *arguments])
        out, err = self._capfd.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)


@pytest.fixture
def clock() -> FixedClock:
    # Not behind the machine's clock, by which commands go.
    return FixedClock(datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1))


@pytest.fixture
def relay(clock: FixedClock) -> Iterator[LoopbackRelay]:
    opened = LoopbackRelay(clock)
    yield opened
    opened.close()


@pytest.fixture
def town(tmp_path: Path, url: str, relay: LoopbackRelay, clock: FixedClock, capfd: Any) -> Iterator[Town]:
    made = Town(tmp_path, url, relay, clock, capfd)
    yield made
    made.end()


@pytest.fixture
def names() -> Callable[[str, int, str], Sequence[str]]:
    return lambda start, number, domain: [f"{start}{each}@{domain}" for each in range(number)]
