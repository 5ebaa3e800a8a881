"""The mailbox of bounces, read from an IMAP server of our own over TLS that answers by a script."""

import logging
import re
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from domain.clock import FixedClock
from domain.errors import DatabaseBusy, MailboxError, UsageError
from worker.postbox import LARGEST, MOST, Mailbox, Postbox

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PASSWORD = 'a "quoted" pass\\word'


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """The files of a certificate for localhost and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begins = datetime.now(UTC) - timedelta(days=1)
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    usage = dict.fromkeys((*unused, "encipher_only", "decipher_only"), False)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("imap")
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate.pem", folder / "key.pem"


class Imap:
    """A server with one folder of messages; `faults` maps the beginning of a command to what happens instead."""

    def __init__(self, certified, messages=()):
        self.messages = dict(enumerate(messages, start=101))
        self.seen = set()
        self.lines = []
        self.faults = {}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certified)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as connection:
                self._talk(connection)

    def _talk(self, connection):
        connection.sendall(b"* OK IMAP4rev1 ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                self.lines.append(line.decode().strip())
                tag, command = self.lines[-1].split(" ", 1)
                for beginning, fault in self.faults.items():
                    if command.startswith(beginning):
                        if fault is None:
                            return
                        connection.sendall(fault.replace(b"TAG", tag.encode()))
                        break
                else:
                    connection.sendall(self._answer(command) + f"{tag} OK done\r\n".encode())
                if command == "LOGOUT":
                    return

    def _answer(self, command):
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if command.startswith("SELECT"):
            return f"* {len(self.messages)} EXISTS\r\n".encode()
        if command.startswith("UID SEARCH"):
            first, last = map(int, re.findall(r"\d+", command))
            unseen = [str(uid) for uid in list(self.messages)[first - 1 : last] if uid not in self.seen]
            return f"* SEARCH {' '.join(unseen)}\r\n".encode()
        if command.startswith("UID FETCH"):
            uid = int(command.split()[2])
            raw = self.messages.get(uid)
            head = f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(raw or b'')}}}\r\n".encode()
            return head + raw + b")\r\n" if raw is not None else b""
        if command.startswith("UID STORE"):
            self.seen.add(int(command.split()[2]))
        return b""


class Desk:
    """Keeps what it was given; `troubles` are raised for messages that hold their key."""

    def __init__(self, **troubles):
        self.taken = []
        self.troubles = troubles

    def take(self, raw):
        for word, trouble in self.troubles.items():
            if word.encode() in raw:
                raise trouble
        self.taken.append(raw)


@pytest.fixture
def imap(certified):
    servers = []

    def start(*messages):
        servers.append(Imap(certified, messages))
        return servers[-1]

    yield start
    for each in servers:
        each.close()


@pytest.fixture
def postbox(certified):
    def make(server, desk, *, clock=None, stop=None, context=None, host="localhost", seconds=5.0, **more):
        return Postbox(
            mailbox=Mailbox(host=host, port=server.port, user="bounces", password=PASSWORD, **more),
            desk=desk,
            context=context or ssl.create_default_context(cafile=str(certified[0])),
            clock=clock or FixedClock(NOW),
            stop=stop or threading.Event(),
            seconds=seconds,
        )

    return make


def test_new_messages_are_taken_and_then_marked_and_nothing_is_deleted(imap, postbox):
    server, desk = imap(b"one\r\n", b"two \x00\xff\r\n"), Desk()
    done = postbox(server, desk).read()

    assert (done.taken, done.unreadable) == (2, 0)
    assert desk.taken == [b"one\r\n", b"two \x00\xff\r\n"]
    assert server.seen == {101, 102}
    said = [line.split(" ", 1)[1] for line in server.lines]
    assert 'LOGIN bounces "a \\"quoted\\" pass\\\\word"' in said
    assert not [line for line in said if re.search("EXPUNGE|Deleted|CLOSE|MOVE|BODY\\[", line)]
    assert said[-1] == "LOGOUT"


def test_what_was_read_is_not_read_again(imap, postbox):
    server, desk = imap(b"one\r\n"), Desk()
    box = postbox(server, desk)
    box.read()
    server.messages[102] = b"two\r\n"

    assert box.read().taken == 1
    assert desk.taken == [b"one\r\n", b"two\r\n"]


def test_a_message_is_marked_only_after_it_was_kept(imap, postbox):
    server, desk = imap(b"one\r\n", b"two\r\n"), Desk(two=DatabaseBusy("another process holds the database"))
    with pytest.raises(DatabaseBusy):
        postbox(server, desk).read()
    assert server.seen == {101}

    desk.troubles = {}
    assert postbox(server, desk).read().taken == 1
    assert desk.taken == [b"one\r\n", b"two\r\n"]


def test_a_message_that_was_kept_and_not_marked_comes_again(imap, postbox):
    server, desk = imap(b"one\r\n"), Desk()
    server.faults = {"UID STORE": None}
    with pytest.raises(MailboxError):
        postbox(server, desk).read()

    server.faults = {}
    postbox(server, desk).read()
    assert desk.taken == [b"one\r\n", b"one\r\n"]


@pytest.mark.parametrize("trouble", [UsageError("it has no end"), ZeroDivisionError("a fault of ours")])
def test_a_message_that_cannot_be_read_does_not_stand_before_the_others(imap, postbox, caplog, trouble):
    server, desk = imap(b"bad\r\n", b"good\r\n"), Desk(bad=trouble)
    with caplog.at_level(logging.WARNING):
        done = postbox(server, desk).read()

    assert (done.taken, done.unreadable) == (1, 1)
    assert server.seen == {101, 102}
    assert "cannot be read" in caplog.text


def test_a_message_that_the_server_cannot_give_is_left_alone(imap, postbox):
    server, desk = imap(b"one\r\n", b"two\r\n"), Desk()
    server.faults = {"UID FETCH 101": b"TAG NO damaged\r\n"}

    done = postbox(server, desk).read()

    assert (done.taken, done.unreadable, server.seen) == (1, 1, {101, 102})


def test_a_message_that_somebody_took_away_is_no_trouble(imap, postbox):
    server, desk = imap(b"one\r\n", b"two\r\n"), Desk()
    server.faults = {"UID FETCH 101": b"TAG OK nothing\r\n"}

    assert postbox(server, desk).read().taken == 1
    assert server.seen == {102}


def test_a_round_reads_no_more_than_its_share_and_finds_the_unseen_of_a_large_folder(imap, postbox):
    server, desk = imap(*[b"x\r\n"] * 12_000), Desk()
    server.seen.update(range(101, 101 + 4_990))
    box = postbox(server, desk)

    assert box.read().taken == MOST
    assert box.read().taken == MOST
    assert len(server.seen) == 4_990 + 2 * MOST
    assert max(server.seen) == 101 + 4_990 + 2 * MOST - 1


def test_a_stop_ends_the_round_between_two_messages(imap, postbox):
    stop = threading.Event()

    class Last(Desk):
        def take(self, raw):
            super().take(raw)
            stop.set()

    server, desk = imap(b"one\r\n", b"two\r\n"), Last()
    assert postbox(server, desk, stop=stop).read().taken == 1
    assert server.seen == {101}


def test_the_mailbox_is_read_as_often_as_it_is_set_also_after_a_failure(imap, postbox):
    server, clock = imap(b"one\r\n"), FixedClock(NOW)
    server.faults = {"SELECT": b"TAG NO no such folder\r\n"}
    box = postbox(server, Desk(), clock=clock, every=timedelta(minutes=15))
    with pytest.raises(MailboxError, match="INBOX"):
        box.read_due()

    server.faults = {}
    clock.set(NOW + timedelta(minutes=14))
    assert box.read_due() is None
    clock.set(NOW + timedelta(minutes=15))
    done = box.read_due()
    assert done is not None
    assert done.taken == 1


def test_a_wrong_password_is_one_sentence_without_it(imap, postbox):
    server = imap(b"one\r\n")
    server.faults = {"LOGIN": b"TAG NO [AUTHENTICATIONFAILED] \x1b[31m try again\r\n"}
    with pytest.raises(MailboxError, match="refuses the login") as refused:
        postbox(server, Desk()).read()

    assert "pass" not in str(refused.value).replace("imap_password", "")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("command", ["CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE"])
def test_a_connection_that_is_cut_is_one_sentence(imap, postbox, command):
    server = imap(b"one\r\n")
    server.faults = {command: None}

    with pytest.raises(MailboxError, match="mailbox of bounces") as failed:
        postbox(server, Desk()).read()
    assert str(failed.value).isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 101 BODY[]<0> {999999999999}\r\nx)\r\nTAG OK done\r\n",
        b"* 1 FETCH (UID 101 BODY[]<0> {%d}\r\nx)\r\nTAG OK done\r\n" % (2 * LARGEST),
        b"* 1 FETCH (UID 101 BODY[]<0> {%s}\r\nx)\r\nTAG OK done\r\n" % (b"9" * 5000),
        b"\x00\xff\xfe nonsense\r\n",
        b"TAG BAD what\r\n",
        b"x" * 1_100_000,
    ],
)
def test_a_literal_that_is_too_long_or_nonsense_is_one_sentence(imap, postbox, answer):
    server, desk = imap(b"one\r\n"), Desk()
    server.faults = {"UID FETCH": answer}

    with pytest.raises(MailboxError):
        postbox(server, desk).read()


@pytest.mark.parametrize("parts", [b"{3}\r\nthis is longer)\r\n", b"NIL)\r\n", b"{0}\r\n)\r\n", b'"quoted")\r\n'])
def test_a_literal_that_is_too_short_or_none_is_no_message(imap, postbox, parts):
    server, desk = imap(b"one\r\n", b"two\r\n"), Desk()
    server.faults = {"UID FETCH 101": b"* 1 FETCH (UID 101 BODY[]<0> " + parts + b"TAG OK done\r\n"}

    done = postbox(server, desk).read()

    assert (done.taken, done.unreadable) == (1, 1)
    assert desk.taken == [b"two\r\n"]


def test_news_of_other_messages_in_between_is_no_trouble(imap, postbox):
    server, desk = imap(b"one\r\n"), Desk()
    told = b"* 9 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (BODY[]<0> {5}\r\none\r\n FLAGS () UID 101)\r\n* 2 EXISTS\r\n"
    server.faults = {"UID FETCH": told + b"TAG OK done\r\n"}

    assert postbox(server, desk).read().taken == 1
    assert desk.taken == [b"one\r\n"]


def test_a_message_that_breaks_the_connection_each_time_is_left_alone_in_the_end(imap, postbox, caplog):
    server, desk = imap(b"one\r\n", b"two\r\n"), Desk()
    server.faults = {"UID FETCH 101": None}
    box = postbox(server, desk)
    for _ in range(3):
        with pytest.raises(MailboxError):
            box.read()

    done = box.read()

    assert (done.taken, done.unreadable, server.seen) == (1, 1, {101, 102})
    assert "message 101" in caplog.text


def test_a_literal_that_ends_too_early_is_one_sentence(imap, postbox):
    server, desk = imap(b"one\r\n"), Desk()
    server.faults = {"UID FETCH": b"* 1 FETCH (UID 101 BODY[]<0> {100000}\r\nshort"}

    with pytest.raises(MailboxError, match="no answer in time"):
        postbox(server, desk, seconds=0.3).read()
    assert desk.taken == []


def test_a_certificate_that_is_not_trusted_ends_before_the_password(imap, postbox):
    server = imap(b"one\r\n")
    with pytest.raises(MailboxError, match="certificate"):
        postbox(server, Desk(), context=ssl.create_default_context()).read()
    with pytest.raises(MailboxError, match="certificate"):
        postbox(server, Desk(), host="127.0.0.1").read()

    assert server.lines == []


def test_a_server_that_is_not_there_is_one_sentence(imap, postbox):
    server = imap()
    server.close()

    with pytest.raises(MailboxError, match="cannot be reached"):
        postbox(server, Desk()).read()


def test_a_password_outside_ascii_is_one_sentence(imap, certified):
    mailbox = Mailbox(host="localhost", port=imap().port, user="bounces", password="geheim-ü")
    context = ssl.create_default_context(cafile=str(certified[0]))
    box = Postbox(mailbox=mailbox, desk=Desk(), context=context, clock=FixedClock(NOW), stop=threading.Event())

    with pytest.raises(MailboxError, match="ASCII"):
        box.read()
    assert "geheim" not in repr(mailbox)
