"""A visit with everything handed in, a relay and a name server on loopback that say what a test wants."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from digests.mail.message import Identity
from digests.mail.smtp import Timeouts
from digests.render import Frame, Renderer
from domain.errors import DatabaseMissing
from paperround.doctor.resolving import Zone
from paperround.doctor.visit import Visit
from paperround.doctor.web import WebAnswer
from paperround.settings import build

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
Answer = bytes | Callable[[socket.socket], None]


class Stopped:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


class Key:
    """What the doctor needs of a private key."""

    bits = 2048
    record = "v=DKIM1; k=rsa; p=MIIBIjANBgkq"


class Told:
    """A web that answers from a table."""

    def __init__(self, answers: dict[tuple[str, str], WebAnswer]) -> None:
        self.answers = answers

    def ask(self, url: str, method: str = "GET") -> WebAnswer:
        return self.answers.get((method, url), WebAnswer())


@pytest.fixture
def web() -> Callable[[dict[tuple[str, str], WebAnswer]], Told]:
    return Told


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def visit(tmp_path: Path) -> Callable[..., Visit]:
    """Make a visit of a laboratory that sends through a relay; `settings` are sections over its own."""

    def make(settings: dict[str, Any] | None = None, **values: Any) -> Visit:
        sections: dict[str, Any] = {
            "mail": {
                "transport": "smtp",
                "from": "Papers <papers@lab.example>",
                "host": "relay.lab.example",
                "postal_address": "1 Lab Street",
            }
        }
        for name, content in (settings or {}).items():
            sections[name] = {**sections.get(name, {}), **content} if isinstance(content, dict) else content
        # What signs letters is laid over the checked settings: the tests that want a key hand one in.
        signing = {name: sections["mail"].pop(name) for name in list(sections["mail"]) if name.startswith("dkim_")}
        built = build(sections, tmp_path)
        built = built.model_copy(update={"mail": built.mail.model_copy(update=signing)})
        given: dict[str, Any] = {
            "settings": built,
            "file": None,
            "folder": tmp_path,
            "clock": Stopped(),
            "database": DatabaseMissing("there is no archive yet"),
            "sources": ("hf",),
            "identity": Identity(built.mail.sender, secret="a secret"),
            "renderer": Renderer(Frame(linked=bool(built.web.base_url))),
            "resolver": Zone({}),
            "web": Told({}),
            "read_key": lambda _: Key(),
            "context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # trusts nobody, and is made at once
            "timeouts": Timeouts(connect=0.5, command=0.5, dot=0.5),
        }
        return Visit(**{**given, **values})

    return make


# -- a relay -----------------------------------------------------------------------------------------------------------


class LoopbackRelay:
    """Speaks SMTP on a port of its own, one thread a connection; good unless a verb has another answer."""

    def __init__(
        self, answers: dict[str, Answer] | None = None, *, offers: str = "PIPELINING,SMTPUTF8,8BITMIME",
        tls: ssl.SSLContext | None = None, implicit: bool = False,
    ) -> None:  # fmt: skip
        self.answers = answers or {}
        self.offers = offers.split(",")
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self._tls, self._implicit = tls, implicit
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in self._sockets:
            sock.close()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        try:
            if self._implicit and self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            self._talk(sock)
        except (OSError, ValueError):
            pass  # the client has gone, as some tests want it to
        finally:
            sock.close()

    def _talk(self, sock: socket.socket) -> None:
        self._answer(sock, "greeting", b"220 mail.test\r\n")
        file = sock.makefile("rb")
        self._sockets.append(sock)
        while line := file.readline():
            self.commands.append(line.decode().rstrip())
            verb = line.split(maxsplit=1)[0].decode().upper()
            hello = "".join(f"250-{each}\r\n" for each in self.offers)
            usual = {
                "EHLO": f"250-mail.test\r\n{hello}250 HELP\r\n".encode(),
                "STARTTLS": b"220 go\r\n",
                "QUIT": b"221 bye\r\n",
                "DATA": b"354 go\r\n",
                "AUTH": b"235 2.7.0 welcome\r\n",
            }
            said = self._answer(sock, verb, usual.get(verb, b"250 2.1.0 ok\r\n"))
            if verb == "STARTTLS" and self._tls and said[:3] == b"220":
                file.close()
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
                file = sock.makefile("rb")
            elif verb == "DATA" and said[:3] == b"354":
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += file.readline() or b"\r\n.\r\n"
                self.messages.append(body[:-3])
                self._answer(sock, ".", b"250 2.0.0 queued as 4F2\r\n")
            elif verb == "QUIT":
                break
        file.close()

    def _answer(self, sock: socket.socket, verb: str, usual: bytes) -> bytes:
        answer = self.answers.get(verb, usual)
        if isinstance(answer, bytes):
            sock.sendall(answer)
            return answer
        answer(sock)
        return b""


@pytest.fixture
def relay() -> Iterator[Callable[..., LoopbackRelay]]:
    """Start relays that are stopped with the test."""
    started: list[LoopbackRelay] = []

    def start(answers: dict[str, Answer] | None = None, **values: Any) -> LoopbackRelay:
        started.append(LoopbackRelay(answers, **values).__enter__())
        return started[-1]

    yield start
    for each in started:
        each.__exit__()


@pytest.fixture
def served(tmp_path: Path) -> Callable[..., tuple[ssl.SSLContext, ssl.SSLContext]]:
    """Make a certificate; give the server's context and one that trusts it."""

    def make(*, name: str = "127.0.0.1", since: int = -30, days: int = 300) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
        today = datetime.now(UTC)
        known = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(today + timedelta(days=since))
            .not_valid_after(today + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([known]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "relay.pem"
        pem = made.public_bytes(serialization.Encoding.PEM)
        form = serialization.PrivateFormat.PKCS8
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()) + pem)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(file)
        return server, ssl.create_default_context(cadata=pem.decode())

    return make


# -- a name server -----------------------------------------------------------------------------------------------------


class NameServer:
    """Answers over UDP from a table: (name, kind) → texts of records, or the name of a failure."""

    def __init__(self, table: dict[tuple[str, str], list[str] | str]) -> None:
        self.table = table
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            packet, whom = self._socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            question = query.question[0]
            name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
            self.asked.append((name, kind))
            said = self.table.get((name, kind), [])
            if said == "silence":
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if isinstance(said, str):
                answer.set_rcode(dns.rcode.from_text(said))
            elif said:
                answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, said))
            self._socket.sendto(answer.to_wire(), whom)


@pytest.fixture
def nameserver() -> Iterator[Callable[..., NameServer]]:
    started: list[NameServer] = []

    def start(table: dict[tuple[str, str], list[str] | str]) -> NameServer:
        started.append(NameServer(table).__enter__())
        return started[-1]

    yield start
    for each in started:
        each.__exit__()
