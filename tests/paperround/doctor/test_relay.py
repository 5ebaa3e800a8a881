"""The relay, with each fault, over loopback: what it says of us, and what we then tell a researcher."""

import base64
import email
import email.policy
import re
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from digests.mail.smtp import Relay
from domain.errors import NotConnected
from paperround.doctor import letter
from paperround.doctor import relay as looking
from paperround.doctor.checks import examine
from paperround.doctor.finding import Verdict

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
PASSWORD = "ex7Quite-Secret"


@pytest.fixture
def looked(visit) -> Callable:
    """Look at a relay on loopback; give its verdicts and all its words."""

    def look(relay, context=None, **mail):
        given = {"host": "127.0.0.1", "port": relay.port, "tls": "none", **mail}
        made = visit({"mail": given}, **({"context": context} if context else {}))
        found = list(looking.check(made))
        return [each.verdict for each in found], " | ".join(f"{each.sentence} → {each.advice}" for each in found)

    return look


def close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def stall(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass
    raise ConnectionAbortedError


def test_a_good_relay_is_asked_for_the_sender_and_for_no_recipient(looked, relay):
    good = relay()
    verdicts, words = looked(good)

    assert verdicts == [OK, OK, OK]
    assert "takes letters from papers@lab.example" in words
    assert [each.split()[0].upper() for each in good.commands] == ["EHLO", "MAIL", "RSET", "QUIT"]
    assert good.messages == []


def test_the_sender_that_is_tried_is_of_the_bounce_domain_where_there_is_one(looked, relay):
    good = relay()
    looked(good, bounce_domain="bounce.xn--bcher-kva.example")

    assert good.commands[1].startswith("MAIL FROM:<b+doctor@bounce.xn--bcher-kva.example>")


@pytest.mark.parametrize(
    ("answers", "verdict", "words"),
    [
        ({"greeting": b"554 5.7.1 no service for you\r\n"}, WRONG, "not want to talk to us: .*554 5.7.1 no service"),
        ({"greeting": stall}, WRONG, "does not answer in time"),
        ({"greeting": close}, WRONG, "closed the connection"),
        ({"greeting": b"SSH-2.0-OpenSSH_9.6\r\n"}, WRONG, "not SMTP"),
        ({"greeting": b"220 " + b"x" * 500_000 + b"\r\n"}, WRONG, "longer than"),
        ({"EHLO": stall}, WRONG, "does not answer in time"),
        ({"MAIL": b"550 5.7.1 sender not yours\r\n"}, WRONG, "takes no letters from papers@lab.example: .*550 5.7.1"),
        ({"MAIL": b"530 5.7.0 log in first\r\n"}, WRONG, "wants a log-in .*set \\[mail\\] user"),
        ({"MAIL": b"451 4.7.1 greylisted\r\n"}, UNKNOWN, "451 4.7.1 greylisted"),
        ({"MAIL": close}, UNKNOWN, "was lost at MAIL"),
        ({"MAIL": stall}, UNKNOWN, "no answer in time"),
    ],
)  # fmt: skip
def test_what_a_relay_says_of_us(looked, relay, answers, verdict, words):
    verdicts, told = looked(relay(answers))

    assert verdicts[-1] is verdict
    assert re.search(words, told)
    assert told.isprintable()


def test_nothing_that_listens_is_told_from_a_wrong_host(looked, relay, visit):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = list(looking.check(visit({"mail": {"host": "127.0.0.1", "port": port, "tls": "none"}})))

    assert [each.verdict for each in found] == [WRONG]
    assert "nothing listens there" in found[0].sentence
    assert "no mail server runs on this machine" in found[0].advice


@pytest.mark.parametrize(
    ("cause", "verdict", "words"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "again"), UNKNOWN, "no name server answers"),
        (socket.gaierror(socket.EAI_NONAME, "none"), WRONG, "no host of that name"),
        (OSError(101, "Network is unreachable"), UNKNOWN, "no way to it from this machine"),
        (TimeoutError(), WRONG, "does not answer in time"),
        (ConnectionRefusedError(111, "refused"), WRONG, "nothing listens"),
        (UnicodeError("label too long"), WRONG, "no host of that name"),
    ],
)
def test_a_machine_without_a_network_says_nothing_of_the_relay(cause, verdict, words):
    error = NotConnected("relay.lab.example:587 could not be reached")
    error.__cause__ = cause
    found = looking.refused(error, Relay("relay.lab.example"))

    assert found.verdict is verdict
    assert words in found.sentence


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_holds_is_good(looked, relay, served, tls):
    server, trusting = served()
    verdicts, words = looked(relay(offers="STARTTLS", tls=server, implicit=tls == "implicit"), trusting, tls=tls)

    assert set(verdicts) == {OK}
    assert "over an encrypted connection" in words
    assert "is good until" in words


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("certificate", "is_known", "words", "advice"),
    [
        ({}, False, "signed by itself", "public authority"),
        ({"days": -1}, True, "has expired", "renew it"),
        ({"since": 3}, True, "not valid yet", "the clock of this machine"),
        ({"name": "mail.other.example"}, True, "for another", "the name that the certificate is for"),
    ],
)
def test_a_certificate_that_does_not_hold(looked, relay, served, certificate, is_known, words, advice, tls):
    server, trusting = served(**certificate)
    bad = relay(offers="STARTTLS,AUTH PLAIN", tls=server, implicit=tls == "implicit")
    context = trusting if is_known else ssl.create_default_context()
    verdicts, told = looked(bad, context, tls=tls, user="ann", password=PASSWORD)

    assert verdicts == [WRONG]
    assert words in told
    assert advice in told
    assert not [each for each in bad.commands if each.startswith("AUTH")]


def test_a_certificate_that_ends_within_two_weeks_is_named_before_letters_stop():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    soon = looking.lasting(now + timedelta(days=13), now, "relay.lab.example")
    later = looking.lasting(now + timedelta(days=15), now, "relay.lab.example")

    assert "only until 2026-12-03" in soon.sentence
    assert "renewed" in soon.sentence
    assert later.advice == ""


def test_a_relay_without_starttls(looked, relay):
    verdicts, told = looked(relay(offers="8BITMIME"), tls="starttls")

    assert verdicts == [WRONG]
    assert "does not offer STARTTLS" in told
    assert "587 with starttls, 465 with implicit" in told


def test_clear_text_where_encryption_is_expected_from_the_first_byte(looked, relay):
    verdicts, told = looked(relay(), tls="implicit")

    assert verdicts == [WRONG]
    assert "587 with starttls, 465 with implicit" in told or "does not answer in time" in told


# -- logging in --------------------------------------------------------------------------------------------------------


def test_a_log_in_that_is_taken(looked, relay):
    verdicts, told = looked(relay(offers="AUTH PLAIN"), user="ann", password=PASSWORD)

    assert verdicts[0] is OK
    assert "knows us as ann" in told


@pytest.mark.parametrize(
    ("offers", "answer", "words"),
    [
        ("AUTH PLAIN", b"535 5.7.8 wrong\r\n", "does not take our log-in: .*app password"),
        ("AUTH XOAUTH2", b"", "does not offer to log in"),
        ("8BITMIME", b"", "does not offer to log in .*leave out \\[mail\\] user"),
    ],
)
def test_a_log_in_that_fails(looked, relay, offers, answer, words):
    verdicts, told = looked(relay({"AUTH": answer}, offers=offers), user="ann", password=PASSWORD)

    assert verdicts == [WRONG]
    assert re.search(words, told)
    assert PASSWORD not in told


def test_a_relay_that_repeats_the_password_does_not_make_us_show_it(visit, relay):
    spoken = base64.b64encode(f"\0ann\0{PASSWORD}".encode())
    nasty = relay({"AUTH": b"535 5.7.8 bad: " + spoken + b" " + PASSWORD.encode() + b"\r\n"}, offers="AUTH PLAIN")
    mail = {"host": "127.0.0.1", "port": nasty.port, "tls": "none", "user": "ann", "password": PASSWORD}
    said = " ".join(str(each.as_json()) for each in examine(visit({"mail": mail})))

    assert "535 5.7.8 bad: *** ***" in said
    assert PASSWORD not in said
    assert spoken.decode() not in said


# -- what it can take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "verdicts", "words"),
    [
        ({"SIZE": "1000", "SMTPUTF8": "", "PIPELINING": ""}, [WRONG, OK], "at most 1,000 bytes"),
        ({"SIZE": "35882577", "SMTPUTF8": "", "PIPELINING": ""}, [OK], "can do all we use"),
        ({"SIZE": "0", "SMTPUTF8": "", "PIPELINING": ""}, [OK], "can do all we use"),
        ({"SIZE": "lots", "SMTPUTF8": "", "PIPELINING": ""}, [OK], "can do all we use"),
        ({"SIZE": "9" * 400, "SMTPUTF8": "", "PIPELINING": ""}, [OK], "can do all we use"),
        ({"SIZE": "", "SMTPUTF8": ""}, [OK], "PIPELINING"),
        ({"PIPELINING": ""}, [OK], "SMTPUTF8"),
        ({"AUTH": "PLAIN", "SMTPUTF8": "", "PIPELINING": ""}, [OK, OK], "offers a log-in, and we use none"),
    ],
)
def test_what_a_relay_can_take(offers, verdicts, words):
    found = list(looking.able(offers, Relay("relay.lab.example")))

    assert [each.verdict for each in found] == verdicts
    assert words in " ".join(each.sentence for each in found)


def test_offline_the_relay_is_not_talked_to(visit, relay):
    good = relay()
    mail = {"host": "127.0.0.1", "port": good.port, "tls": "none"}
    found = list(looking.check(visit({"mail": mail}, is_offline=True)))

    assert [each.verdict for each in found] == [UNKNOWN]
    assert good.commands == []


# -- the test letter ---------------------------------------------------------------------------------------------------


@pytest.fixture
def posted(visit):
    def post(relay, **values):
        mail = {"host": "127.0.0.1", "port": relay.port, "tls": "none"}
        (found,) = letter.check(visit({"mail": mail}, send_test="ann@lab.example", **values))
        return found

    return post


def test_a_test_letter_is_a_whole_digest_and_says_what_the_relay_answered(posted, relay):
    good = relay()
    found = posted(good)

    assert found.verdict is OK
    assert "250 2.0.0 queued as 4F2" in found.sentence
    assert "spf=" in found.advice
    assert "RCPT TO:<ann@lab.example>" in good.commands
    (data,) = good.messages
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message["Subject"].startswith("This is a test letter")
    assert data.count(b"To: ann@lab.example\r\n") == 1


def test_a_test_letter_is_signed_as_real_ones_are(posted, relay):
    good = relay()
    seen = []

    def sign(data, at):
        seen.append((data, at))
        return "DKIM-Signature: v=1; b=abc"

    posted(good, sign=sign)
    (data,) = good.messages
    assert data.startswith(b"DKIM-Signature: v=1; b=abc\r\nFrom: ")
    assert data.replace(b"\r\n..", b"\r\n.").endswith(seen[0][0])


@pytest.mark.parametrize(
    ("answers", "verdict", "words"),
    [
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, WRONG, "550 5.1.1 no such user"),
        ({"RCPT": b"450 4.2.0 later\r\n"}, UNKNOWN, "450 4.2.0 later"),
        ({".": b"554 5.7.1 spam\r\n"}, WRONG, "554 5.7.1 spam"),
        ({".": close}, UNKNOWN, "whether the letter to ann@lab.example left"),
        ({".": stall}, UNKNOWN, "whether the letter to ann@lab.example left"),
        ({"greeting": b"554 no\r\n"}, WRONG, "did not leave"),
    ],
)
def test_a_test_letter_that_is_not_taken(posted, relay, answers, verdict, words):
    found = posted(relay(answers))

    assert found.verdict is verdict
    assert words in found.sentence


def test_without_being_asked_for_no_letter_is_sent(visit):
    (found,) = letter.check(visit())

    assert found.verdict is OK
    assert "--send-test" in found.advice


@pytest.mark.parametrize("sender", ["a@[192.0.2.1]", ""])
def test_an_address_of_another_kind_is_refused_before_the_relay_hears_of_it(visit, relay, sender):
    good = relay()
    mail = {"host": "127.0.0.1", "port": good.port, "tls": "none"}
    found = list(letter.check(visit({"mail": mail}, send_test=sender or "a\r\nRCPT TO:<eve@lab.example>")))

    assert [each.verdict for each in found] == [WRONG]
    assert good.messages == []
