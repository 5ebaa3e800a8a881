"""Relays that mean harm, or fail in the midst: each a script for real sockets, which hears and says octet by octet.

A script gets one connection, says what it likes and ends. test_smtp.py has the relay that answers verb by verb; here
the order itself is what matters.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from digests.mail.smtp import Relay, Timeouts
from digests.transports.smtp import SmtpConnection, SmtpTransport
from domain.deliveries import Message
from domain.issues import LetterKind

QUICK = Timeouts(connect=5, command=5, dot=5)


class Talk:
    """The relay's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unread = b""
        self.gone = False

    def say(self, *lines: bytes) -> None:
        self.sock.sendall(b"".join(line + b"\r\n" for line in lines))

    def hear(self) -> bytes:
        """Return the next line; b"" once the client has gone."""
        while b"\r\n" not in self.unread:
            more = self.sock.recv(65_536)
            if not more:
                self.gone = True
                return b""
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\r\n")
        return line

    def greet(self, *offers: bytes) -> None:
        self.say(b"220 mail.test")
        assert self.hear().startswith(b"EHLO ")
        self.say(b"250-mail.test", *(b"250-" + each for each in offers), b"250 HELP")

    def group(self) -> list[bytes]:
        return [self.hear() for _ in range(3)]

    def letter(self) -> bytes:
        """Return what comes up to the dot."""
        lines = []
        while (line := self.hear()) != b".":
            if self.gone:
                raise ConnectionAbortedError
            lines.append(line)
        return b"".join(line + b"\r\n" for line in lines)

    def encrypt(self, context: ssl.SSLContext) -> None:
        assert self.unread == b""
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def serve(self) -> None:
        """Be a good relay from here on, whose answers go out when nothing more has been said."""
        while line := self.hear():
            if line == b"DATA":
                self.say(b"354 go")
                self.letter()
            self.say(b"221 bye" if line == b"QUIT" else b"250 2.0.0 ok")


Script = Callable[[Talk], None]


class Stage:
    """Plays the scripts, one a connection, and the last one for all that follow."""

    def __init__(self, scripts: tuple[Script, ...], tls: list[ssl.SSLContext]) -> None:
        self._scripts, self._tls = list(scripts), tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.wrong: list[AssertionError] = []
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(10)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # many short answers, one after the other
            self._open.append(sock)
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            context = self._tls[min(self.connections, len(self._tls) - 1)] if self._tls else None
            self.connections += 1
            self._threads.append(threading.Thread(target=self._play, args=(sock, script, context)))
            self._threads[-1].start()

    def _play(self, sock: socket.socket, script: Script, context: ssl.SSLContext | None) -> None:
        talk = Talk(sock)
        try:
            if context:
                talk.encrypt(context)
            script(talk)
        except AssertionError as error:
            self.wrong.append(error)
        except OSError:
            pass  # the client has gone, as some tests want it to
        finally:
            talk.sock.close()

    def end(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(5)
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        for error in self.wrong:
            raise error


@contextmanager
def _playing(
    *scripts: Script, timeouts: Timeouts = QUICK, tls: list[ssl.SSLContext] | None = None,
    context: ssl.SSLContext | None = None, mode: Literal["none", "starttls", "implicit"] = "none",
) -> Iterator[tuple[Stage, SmtpConnection]]:  # fmt: skip
    stage = Stage(scripts, tls or [])
    try:
        relay = Relay("127.0.0.1", stage.port, mode, ehlo_name="us.example")
        with SmtpTransport(relay, timeouts, context).connect() as mail:
            yield stage, mail
    finally:
        stage.end()


@pytest.fixture
def playing() -> Callable[..., Any]:
    """What plays scripts, and gives the stage and a connection to it."""
    return _playing


@pytest.fixture
def good() -> Script:
    """A relay that takes everything, by PIPELINING."""

    def script(talk: Talk) -> None:
        talk.greet(b"PIPELINING")
        talk.serve()

    return script


@pytest.fixture
def letter() -> Callable[..., Message]:
    """A letter with lines that begin with dots."""

    def made(
        recipient: str = "ann@lab.example", *, data: bytes = b"Subject: x\r\n\r\none\r\n.\r\n..two\r\n"
    ) -> Message:
        return Message("issue:1f", LetterKind.DIGEST, "digests@example.org", recipient, "<1f@example.org>", data)

    return made


class Identities:
    """An authority of this run, and certificates of it or of nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        root = self._certificate(self._name, self._key, "authority.example", authority=True)
        (folder / "authority.pem").write_bytes(root.public_bytes(Encoding.PEM))
        self.trusted = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        self._served = 0

    def served(self, host: str, *, days: int = 2, own: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if own else self._key
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]) if own else self._name
        made = self._certificate(issuer, key, host, signer=signer, days=days)
        self._served += 1
        file = self._folder / f"{self._served}.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, host: str, *,
        signer: ec.EllipticCurvePrivateKey | None = None, days: int = 2, authority: bool = False,
    ) -> x509.Certificate:  # fmt: skip
        now = datetime.now(UTC)
        is_address = host.replace(".", "").isdigit()
        name = x509.IPAddress(ipaddress.ip_address(host)) if is_address else x509.DNSName(host)
        return (
            x509.CertificateBuilder()
            .subject_name(issuer if authority else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(signer or key, hashes.SHA256())
        )


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return Identities(tmp_path_factory.mktemp("identity"))
