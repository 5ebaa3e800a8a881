"""SMTP against a relay that says and does whatever a test wants of it, over loopback.

The relay below is good by default; a test gives it other answers by verb ("." is the final dot). It makes this file
long, and stands here because what it does and what is expected of us should be read together.
"""

import base64
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from digests.mail.failures import wrapped
from digests.mail.smtp import Relay, Timeouts
from digests.mail.wire import WireError
from digests.transports.smtp import SmtpConnection, SmtpTransport
from domain.deliveries import Message
from domain.errors import (
    BeyondTheRelay,
    DeliveryError,
    NotConnected,
    PermanentDeliveryError,
    TransientDeliveryError,
    UncertainDelivery,
)
from domain.issues import LetterKind

Answer = bytes | Callable[[socket.socket], None]
DATA = b"Subject: three papers\r\n\r\n.a line that begins with a dot\r\n..two\r\nthe end\r\n"
QUICK = Timeouts(connect=2, command=2, dot=2)
HASTY = Timeouts(connect=0.3, command=0.3, dot=0.3)


def yes() -> bool:
    return True


def no() -> bool:
    return False


def letter(recipient: str = "ann@lab.example", *, data: bytes = DATA, sender: str = "digests@example.org") -> Message:
    return Message("issue:1f", LetterKind.DIGEST, sender, recipient, "<1f@example.org>", data)


class LoopbackRelay:
    """Speaks SMTP on a port of its own, one thread a connection, and remembers everything."""

    def __init__(
        self, answers: dict[str, Answer | list[Answer]] | None = None, *, offers: str = "8BITMIME",
        tls: ssl.SSLContext | None = None, implicit: bool = False, host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self.answers = answers or {}
        self.offers = offers.split(",")
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0
        self.stop = threading.Event()
        self._tls, self._implicit = tls, implicit
        self._listener = socket.create_server((host, 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in self._sockets:
            sock.close()
        self._listener.close()

    def hang_up(self) -> None:
        for sock in self._sockets:
            sock.shutdown(socket.SHUT_RDWR)

    def say(self, line: bytes) -> None:
        """Say something unasked; without a wait for acknowledgements it has arrived here when this returns."""
        self._sockets[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[-1].sendall(line)

    def _accept(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
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
        while line := file.readline():
            self.commands.append(line.decode().rstrip().replace("ehlo", "EHLO"))
            verb = line.split(maxsplit=1)[0].decode().upper()
            lines = [f"250-{each}\r\n" for each in self.offers]
            hello = f"250-mail.test\r\n{''.join(lines)}250 HELP\r\n".encode()
            usual = {"EHLO": hello, "STARTTLS": b"220 go\r\n", "QUIT": b"221 bye\r\n", "DATA": b"354 go\r\n"}
            sent = self._answer(sock, verb, usual.get(verb, b"250 2.1.0 ok\r\n"))
            if verb == "STARTTLS" and self._tls and sent[:3] == b"220":
                file.close()
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
                file = sock.makefile("rb")
            elif verb == "DATA" and sent[:3] == b"354":
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    more = file.readline()
                    if not more:
                        file.close()
                        return
                    body += more
                self.messages.append(body[:-3])
                self._answer(sock, ".", b"250 2.0.0 queued as 4F2\r\n")
            elif verb == "QUIT":
                break
        file.close()

    def _answer(self, sock: socket.socket, verb: str, usual: bytes) -> bytes:
        answer = self.answers.get(verb, usual)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else usual
        if isinstance(answer, bytes):
            sock.sendall(answer)
            return answer
        answer(sock)
        return b""


def close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def stall(sock: socket.socket) -> None:
    """Say nothing until the client goes."""
    while sock.recv(4096):
        pass
    raise ConnectionAbortedError


def connection(
    relay: LoopbackRelay, timeouts: Timeouts = QUICK, *, context: ssl.SSLContext | None = None, **settings: Any
) -> SmtpConnection:
    settings = {"host": "127.0.0.1", "port": relay.port, "tls": "none"} | settings
    return SmtpTransport(Relay(**settings), timeouts, context).connect()


# -- what a good relay gets --------------------------------------------------------------------------------------------


def test_one_connection_carries_many_letters_whole() -> None:
    with LoopbackRelay() as relay:
        with connection(relay, ehlo_name="digests.example.org") as mail:
            answers = [mail.send(letter(), yes) for _ in range(3)]
        assert [(each.code, each.enhanced, each.reply) for each in answers if each] == [
            (250, "2.0.0", "250 2.0.0 queued as 4F2")
        ] * 3
        assert relay.connections == 1
        assert relay.messages == [DATA.replace(b"\r\n.", b"\r\n..")] * 3
        one = ["MAIL FROM:<digests@example.org>", "RCPT TO:<ann@lab.example>", "DATA"]
        assert relay.commands == ["EHLO digests.example.org", *one * 3, "QUIT"]


def test_without_a_name_we_say_our_address() -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        mail.send(letter(), yes)
        assert relay.commands[0] == "EHLO [127.0.0.1]"


def test_nothing_is_opened_before_the_first_letter() -> None:
    with LoopbackRelay() as relay:
        with connection(relay):
            pass
        assert relay.connections == 0


def test_the_mark_is_asked_for_when_only_the_dot_is_missing() -> None:
    seen: list[tuple[str, int]] = []
    with LoopbackRelay() as relay, connection(relay) as mail:

        def mark() -> bool:
            seen.append((relay.commands[-1], len(relay.messages)))
            return True

        mail.send(letter(), mark)
        assert seen == [("DATA", 0)]
        assert len(relay.messages) == 1


def test_a_letter_nobody_wants_any_more_is_cut_before_its_dot() -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        assert mail.send(letter(), no) is None
        assert relay.messages == []
        assert mail.send(letter("bob@lab.example"), yes)
        assert (len(relay.messages), relay.connections) == (1, 2)


def test_when_the_mark_cannot_be_stored_nothing_leaves() -> None:
    def broken() -> bool:
        raise RuntimeError("the disk is full")

    with LoopbackRelay() as relay, connection(relay) as mail:
        with pytest.raises(RuntimeError, match="disk is full"):
            mail.send(letter(), broken)
        assert mail.send(letter(), yes)
        assert (len(relay.messages), relay.connections) == (1, 2)


def test_a_connection_that_the_relay_left_meanwhile_is_replaced_at_no_cost() -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        mail.send(letter(), yes)
        relay.hang_up()
        assert mail.send(letter(), yes)
        assert (len(relay.messages), relay.connections) == (2, 2)


@pytest.mark.parametrize("late", ["550 5.1.1 late", "451 4.7.0 Timeout waiting for client input", "250 ok"])
def test_what_a_relay_says_between_two_letters_is_no_answer_to_the_next(late: str) -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        mail.send(letter(), yes)
        relay.say(f"{late}\r\n".encode())
        assert mail.send(letter("bob@lab.example"), yes)
        assert (len(relay.messages), relay.connections) == (2, 2)


def test_a_relay_that_takes_few_letters_a_connection_is_called_again() -> None:
    with (
        LoopbackRelay({"MAIL": [b"250 ok\r\n", b"421 4.7.0 enough for one call\r\n"]}) as relay,
        connection(relay) as mail,
    ):
        assert mail.send(letter(), yes)
        assert mail.send(letter(), yes)
        assert (len(relay.messages), relay.connections) == (2, 2)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("reply", "kind", "enhanced"),
    [
        (b"451 4.7.1 try later\r\n", TransientDeliveryError, "4.7.1"),
        (b"450-4.2.0 a reply\r\n450 of two lines\r\n", TransientDeliveryError, "4.2.0"),
        (b"550 5.1.1 no such user\r\n", PermanentDeliveryError, "5.1.1"),
        (b"552 too big\r\n", PermanentDeliveryError, None),
        (b"550 2.0.0 contradicts itself\r\n", PermanentDeliveryError, None),
        (b"554\r\n", PermanentDeliveryError, None),
    ],
)
def test_a_refusal_ends_one_letter_and_not_the_connection(
    verb: str, reply: bytes, kind: type[DeliveryError], enhanced: str | None
) -> None:
    with LoopbackRelay({verb: [reply]}) as relay, connection(relay) as mail:
        with pytest.raises(kind) as caught:
            mail.send(letter(), yes)
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.enhanced) == (int(reply[:3]), enhanced)
        before = len(relay.messages)
        assert mail.send(letter("bob@lab.example"), yes)
        assert len(relay.messages) == before + 1
        assert relay.connections == 1
        assert ("RSET" in relay.commands) == (verb in {"RCPT", "DATA"})


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
def test_a_relay_that_closes_down_is_left(verb: str) -> None:
    with LoopbackRelay({verb: [b"421 4.3.2 closing down\r\n"]}) as relay, connection(relay) as mail:
        with pytest.raises(TransientDeliveryError, match="closing down") as caught:
            mail.send(letter(), yes)
        assert caught.value.code == 421
        assert mail.send(letter(), yes)
        assert relay.connections == 2


def test_a_relay_that_will_not_be_reset_is_left() -> None:
    with LoopbackRelay({"RCPT": [b"550 no\r\n"], "RSET": close}) as relay, connection(relay) as mail:
        with pytest.raises(PermanentDeliveryError):
            mail.send(letter(), yes)
        assert mail.send(letter(), yes)
        assert relay.connections == 2


def test_a_relay_that_wants_a_log_in_costs_the_reader_nothing() -> None:
    with (
        LoopbackRelay({"MAIL": b"530 5.7.0 authentication required\r\n"}) as relay,
        connection(relay) as mail,
        pytest.raises(NotConnected, match="authentication required"),
    ):
        mail.send(letter(), yes)


# -- before the dot ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    "trouble",
    [
        close,
        stall,
        b"hello there\r\n",
        b"\r\n",
        b"999 what\r\n",
        b"354 go on\r\n250 and on\r\n",
        b"250" + b"-" * 70_000,
    ],
)
def test_what_breaks_before_the_dot_is_surely_not_sent(verb: str, trouble: Answer) -> None:
    with LoopbackRelay({verb: [trouble]}) as relay, connection(relay, HASTY) as mail:
        with pytest.raises(TransientDeliveryError) as caught:
            mail.send(letter(), yes)
        assert type(caught.value) is TransientDeliveryError
        assert relay.messages == []
        relay.answers = {}
        assert mail.send(letter(), yes)
        assert len(relay.messages) == 1


# -- after the dot -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [close, stall, b"250-half an answer\r\n", b"what\r\n", b"354 go on\r\n", b"250" + b"x" * 70_000]
)
def test_without_a_clear_answer_after_the_dot_the_letter_is_uncertain_and_never_sent_again_in_the_call(
    trouble: Answer,
) -> None:
    with LoopbackRelay({".": [trouble]}) as relay, connection(relay, HASTY) as mail:
        with pytest.raises(UncertainDelivery):
            mail.send(letter(), yes)
        assert len(relay.messages) == 1
        assert mail.send(letter("bob@lab.example"), yes)
        assert relay.connections == 2


def test_a_late_answer_is_never_counted_for_the_next_letter() -> None:
    late = threading.Event()

    def answer_late(sock: socket.socket) -> None:
        late.wait(5)
        sock.sendall(b"250 2.0.0 late\r\n")

    with (
        LoopbackRelay({".": [answer_late], "RCPT": [b"250 ok\r\n", b"550 5.1.1 no such user\r\n"]}) as relay,
        connection(relay, HASTY) as mail,
    ):
        with pytest.raises(UncertainDelivery):
            mail.send(letter(), yes)
        late.set()
        with pytest.raises(PermanentDeliveryError):
            mail.send(letter("bob@lab.example"), yes)


# -- what a relay can take ---------------------------------------------------------------------------------------------


def test_a_letter_over_the_relays_size_is_refused_before_it_is_sent() -> None:
    with LoopbackRelay(offers="SIZE 50") as relay, connection(relay) as mail:
        with pytest.raises(PermanentDeliveryError, match="takes 50"):
            mail.send(letter(), yes)
        assert len(relay.commands) == 1
        assert mail.send(letter(data=b"Subject: short\r\n\r\nshort\r\n"), yes)


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE lots", "SIZE " + "9" * 5000])
def test_a_size_that_is_no_limit_is_none(size: str) -> None:
    with LoopbackRelay(offers=size) as relay, connection(relay) as mail:
        assert mail.send(letter(), yes)
        assert f"MAIL FROM:<digests@example.org> SIZE={len(DATA)}" in relay.commands


def test_an_idn_domain_goes_out_as_an_a_label_to_any_relay() -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        mail.send(letter("ann@bücher.example"), yes)
        assert "RCPT TO:<ann@xn--bcher-kva.example>" in relay.commands


def test_a_name_that_is_not_ascii_needs_smtputf8() -> None:
    with (
        LoopbackRelay() as relay,
        connection(relay) as mail,
        pytest.raises(BeyondTheRelay, match="SMTPUTF8"),
    ):
        mail.send(letter("björn@lab.example"), yes)
    with LoopbackRelay(offers="SMTPUTF8,8BITMIME") as relay, connection(relay) as mail:
        mail.send(letter("björn@lab.example", data="Subject: für Björn\r\n\r\nx\r\n".encode()), yes)
        assert "MAIL FROM:<digests@example.org> SMTPUTF8 BODY=8BITMIME" in relay.commands
        assert "RCPT TO:<björn@lab.example>" in relay.commands


def test_raw_octets_need_8bitmime() -> None:
    with (
        LoopbackRelay(offers="HELP") as relay,
        connection(relay) as mail,
        pytest.raises(PermanentDeliveryError, match="not ASCII"),
    ):
        mail.send(letter(data="Subject: ü\r\n\r\n".encode()), yes)


def test_an_old_relay_that_knows_helo_only_is_served() -> None:
    with LoopbackRelay({"EHLO": b"502 what\r\n"}) as relay, connection(relay) as mail:
        assert mail.send(letter(), yes)


@pytest.mark.parametrize(
    "bad",
    [
        "ann@lab.example>\r\nRCPT TO:<eve@lab.example",
        "ann@lab.example\n",
        "ann\0@lab.example",
        "<ann@lab.example>",
        "ann",
        "",
    ],
)
def test_an_address_that_would_break_a_command_never_reaches_the_wire(bad: str) -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        with pytest.raises(PermanentDeliveryError):
            mail.send(letter(bad), yes)
        if bad:  # an empty sender is legal, an empty recipient is not
            with pytest.raises(PermanentDeliveryError):
                mail.send(letter(sender=bad), yes)
        assert relay.commands == []


def test_an_empty_sender_asks_for_no_bounces() -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        mail.send(letter(sender=""), yes)
        assert "MAIL FROM:<>" in relay.commands


@pytest.mark.parametrize("inside", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\0"])
def test_a_letter_that_would_end_early_for_some_relay_is_refused(inside: bytes) -> None:
    data = b"Subject: x\r\n\r\nfirst" + inside + b"MAIL FROM:<eve@lab.example>\r\n"
    with LoopbackRelay() as relay, connection(relay) as mail:
        with pytest.raises(PermanentDeliveryError, match="bare CR or LF"):
            mail.send(letter(data=data), yes)
        assert "DATA" not in relay.commands


@pytest.mark.parametrize("data", [b".\r\n", b"..\r\n", b"no line end", b"", b"\r\n.\r\n.\r\n"])
def test_dots_and_missing_line_ends_reach_the_relay_as_they_must(data: bytes) -> None:
    with LoopbackRelay() as relay, connection(relay) as mail:
        # The relay strips one dot a line and sees the end only where it is meant.
        assert mail.send(letter(data=b"Subject: x\r\n\r\n" + data), yes)
        body = relay.messages[0].removeprefix(b"Subject: x\r\n\r\n").split(b"\r\n")
        assert b"\r\n".join(line.removeprefix(b".") for line in body).removesuffix(b"\r\n") == data.removesuffix(
            b"\r\n"
        )


# -- opening -----------------------------------------------------------------------------------------------------------


def drip(sock: socket.socket) -> None:
    """One octet at a time, for ever: no single read takes long."""
    while True:
        sock.sendall(b"2")
        threading.Event().wait(0.05)


def chatter(sock: socket.socket) -> None:
    sock.sendall(b"220-welcome to this long greeting\r\n" * 20_000 + b"220 there\r\n")


@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": close}, {"greeting": stall}, {"greeting": drip}, {"greeting": chatter},
        {"greeting": b"220 " + b"x" * 500_000 + b"\r\n"}, {"greeting": b"554 5.3.2 not today\r\n"},
        {"greeting": b"421 later\r\n"}, {"greeting": b"SSH-2.0-OpenSSH_9.6\r\n"}, {"greeting": b"220 a\r\n220 b\r\n"},
        {"EHLO": close}, {"EHLO": stall}, {"EHLO": b"550 who are you\r\n"}, {"EHLO": b"250-" + b"x" * 100_000},
        {"EHLO": b"502 what\r\n", "HELO": b"502 what\r\n"},
    ],
)  # fmt: skip
def test_a_relay_that_cannot_be_talked_to_costs_no_attempt(answers: dict[str, Answer | list[Answer]]) -> None:
    with LoopbackRelay(answers) as relay, connection(relay, HASTY) as mail:
        with pytest.raises(NotConnected) as caught:
            mail.send(letter(), yes)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 700
        assert relay.messages == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 70 + ".example", "a..b", "", "\0", "bücher…example"])
def test_a_host_that_is_not_there_costs_no_attempt(host: str) -> None:
    mail = SmtpTransport(Relay(host, 9, tls="none"), HASTY).connect()
    with pytest.raises(NotConnected, match="could not be reached"):
        mail.send(letter(), yes)


# -- TLS and logging in ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, made for this run."""
    path = tmp_path_factory.mktemp("tls") / "relay.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=relay", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-"]  # fmt: skip
    try:
        done = subprocess.run(made, capture_output=True, check=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    path.write_bytes(done.stdout)
    return path


@pytest.fixture
def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=["starttls", "implicit"])
def secure(request: pytest.FixtureRequest, served: ssl.SSLContext) -> Iterator[tuple[LoopbackRelay, str]]:
    with LoopbackRelay(offers="STARTTLS,AUTH PLAIN LOGIN", tls=served, implicit=request.param == "implicit") as relay:
        relay.answers["AUTH"] = b"235 2.7.0 welcome\r\n"
        yield relay, request.param


def test_letters_leave_encrypted_and_logged_in(secure: tuple[LoopbackRelay, str], trusted: ssl.SSLContext) -> None:
    relay, tls = secure
    with connection(relay, context=trusted, tls=tls, user="ann", password="pässword") as mail:
        assert mail.send(letter(), yes)
        assert mail.send(letter(), yes)
    assert relay.connections == 1
    assert relay.commands.index("AUTH PLAIN AGFubgBww6Rzc3dvcmQ=") == (3 if tls == "starttls" else 1)


def test_a_certificate_that_is_not_trusted_ends_it(secure: tuple[LoopbackRelay, str]) -> None:
    relay, tls = secure
    with connection(relay, tls=tls) as mail, pytest.raises(NotConnected, match="certificate is not trusted"):
        mail.send(letter(), yes)
    assert not [line for line in relay.commands if line.startswith(("AUTH", "MAIL"))]


def test_a_certificate_of_another_host_ends_it(secure: tuple[LoopbackRelay, str], trusted: ssl.SSLContext) -> None:
    relay, tls = secure
    with (
        connection(relay, context=trusted, tls=tls, host="localhost") as mail,
        pytest.raises(NotConnected, match="certificate is not trusted"),
    ):
        mail.send(letter(), yes)


@pytest.mark.parametrize(
    ("relay", "why"),
    [
        (LoopbackRelay, "does not offer STARTTLS"),
        (lambda: LoopbackRelay({"STARTTLS": b"454 4.7.0 not now\r\n"}, offers="STARTTLS"), "refused STARTTLS: 454"),
        (lambda: LoopbackRelay({"STARTTLS": close}, offers="STARTTLS"), "closed the connection"),
        (
            lambda: LoopbackRelay({"STARTTLS": b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"}, offers="STARTTLS"),
            "clear text",
        ),
        (lambda: LoopbackRelay({"EHLO": b"250-x\r\n250 STARTTLS\r\n220 go\r\n"}), "out of turn"),
        (lambda: LoopbackRelay({"STARTTLS": [b"220 go\r\n"]}, offers="STARTTLS"), "TLS failed|no answer|closed|reset"),
    ],
)
def test_without_tls_nothing_is_said(relay: Callable[[], LoopbackRelay], why: str) -> None:
    with relay() as opened, connection(opened, HASTY, tls="starttls", user="ann", password="secret") as mail:
        with pytest.raises(NotConnected, match=why):
            mail.send(letter(), yes)
        assert not [line for line in opened.commands if line.startswith(("AUTH", "MAIL"))]


def test_a_relay_in_clear_text_is_not_mistaken_for_one_with_tls() -> None:
    with (
        LoopbackRelay() as relay,
        connection(relay, HASTY, tls="implicit") as mail,
        pytest.raises(NotConnected, match=r"TLS failed|in time"),
    ):
        mail.send(letter(), yes)


@pytest.mark.parametrize(
    ("offers", "answers", "why", "code"),
    [
        ("AUTH PLAIN", [b"535 5.7.8 wrong\r\n"], "refused the log-in of 'ann': 535", 535),
        ("AUTH LOGIN", [b"334 VXNlcg==\r\n"], "", None),
        ("AUTH XOAUTH2", [], "does not offer to log in", None),
        ("8BITMIME", [], "does not offer to log in", None),
    ],
)
def test_a_log_in_that_fails_is_the_relays_word_and_never_shows_the_password(
    offers: str, answers: list[Answer], why: str, code: int | None
) -> None:
    with LoopbackRelay({"AUTH": answers}, offers=offers) as relay:
        # LOGIN sends name and password as lines of their own, which this relay reads as commands.
        relay.answers |= {"YW5U": b"334 UGFzcw==\r\n", "YW5": b""}
        with connection(relay, user="ann", password="secret") as mail:
            if not why:
                relay.answers |= {"YW5U": b"334 UGFzcw==\r\n", "C2VJCMV0": b"235 ok\r\n"}
                assert mail.send(letter(), yes)
                assert relay.commands[1:4] == ["AUTH LOGIN", "YW5u", "c2VjcmV0"]
                return
            with pytest.raises(NotConnected, match=why) as caught:
                mail.send(letter(), yes)
            assert caught.value.code == code
            assert "secret" not in str(caught.value)
            assert "secret" not in repr(Relay("h", password="secret"))


@pytest.mark.parametrize("offers", ["AUTH PLAIN", "AUTH LOGIN"])
def test_a_relay_that_says_a_log_in_again_is_not_quoted_with_it(offers: str) -> None:
    plain = base64.b64encode(b"\0ann@lab\0secret").decode()
    user, password = (base64.b64encode(each).decode() for each in (b"ann@lab", b"secret"))
    echo = f"535-5.7.8 bad {plain}: <{user}>\r\n535 5.7.8 {password} secret. {plain[:12]} log-in\r\n".encode()
    with (
        LoopbackRelay({"AUTH": echo}, offers=offers) as relay,
        connection(relay, user="ann@lab", password="secret") as mail,
    ):
        with pytest.raises(NotConnected) as caught:
            mail.send(letter(), yes)
        assert str(caught.value).endswith(": 535 5.7.8 bad *** *** 5.7.8 *** *** *** log-in")
        assert caught.value.enhanced == "5.7.8"


def test_a_password_leaves_this_machine_over_tls_only() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only asks for our own address on that way
        except OSError:
            pytest.skip("this machine has loopback only")
        own = probe.getsockname()[0]
    with LoopbackRelay(offers="AUTH PLAIN", host=own) as relay:
        with (
            connection(relay, host=own, user="ann", password="secret") as mail,
            pytest.raises(NotConnected, match="without TLS"),
        ):
            mail.send(letter(), yes)
        assert not [line for line in relay.commands if line.startswith("AUTH")]


# -- foreign errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        WireError("it closed the connection"), WireError("\x1b[31mred\r\nand more"),
        ssl.SSLError(1, "odd"), ssl.SSLEOFError(), ssl.SSLCertVerificationError(1, "bad"),
        socket.gaierror(-2, "Name or service not known"), ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError(), OSError(), UnicodeError("label too long"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_every_error_of_the_wire_ssl_and_the_socket_has_a_sentence(error: Exception) -> None:
    # What smtp.py catches: OSError, and ValueError while opening.
    assert isinstance(error, OSError | ValueError)
    mapped = wrapped(error, TransientDeliveryError, "relay:25 was lost at RCPT")
    assert type(mapped) is TransientDeliveryError
    assert str(mapped).startswith("relay:25 was lost at RCPT: ")
    assert str(mapped).isprintable()
    assert mapped.code is None
