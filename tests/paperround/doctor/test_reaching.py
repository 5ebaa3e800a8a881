"""The site and the mailbox of bounces: what they answer over loopback, and what is then told."""

import http.server
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from paperround.doctor import bounces, site
from paperround.doctor.finding import Verdict
from paperround.doctor.reach import Unreached
from paperround.doctor.web import PlainWeb, WebAnswer

OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
SITE = {"base_url": "https://papers.lab.example", "secret_key": "k" * 40}


# -- the site ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "verdict", "told"),
    [
        (WebAnswer(200, None, "ok"), OK, "answers"),
        (WebAnswer(200, None, "<html>\x1b[31mWelcome"), WRONG, "something else than Paperround"),
        (WebAnswer(502, None, ""), WRONG, "status 502"),
        (WebAnswer(301, None, ""), WRONG, "status 301"),
        (WebAnswer(missed=Unreached("nothing listens there")), WRONG, "nothing listens there"),
        (WebAnswer(missed=Unreached("no way", is_offline=True)), UNKNOWN, "no way"),
    ],
)
def test_what_the_site_answers(answer, verdict, told):
    found = site.judged("https://papers.lab.example", answer)

    assert found.verdict is verdict
    assert told in found.sentence
    assert found.sentence.isprintable()


def test_without_a_site_or_a_network_nobody_is_asked(visit):
    assert [each.verdict for each in site.check(visit())] == [OK]
    assert [each.verdict for each in site.check(visit({"web": SITE}, is_offline=True))] == [UNKNOWN]


@contextmanager
def serving(answer):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def say(status, body, **headers):
    def answer(handler):
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_web_server_is_asked_once_and_not_followed():
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with serving(say(302, b"", Date="Fri, 20 Nov 2026 08:00:00 GMT", Location="http://127.0.0.1:1/")) as url:
        web = PlainWeb(plain)
        first = web.ask(f"{url}/healthz")
    assert (first.status, first.date) == (302, datetime(2026, 11, 20, 8, tzinfo=UTC))
    assert web.ask(f"{url}/healthz") is first


def test_a_web_server_that_says_much_or_nothing_of_use():
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with serving(say(200, b"x" * 1_000_000, Date="yesterday")) as url:
        answer = PlainWeb(plain).ask(url)
    assert (answer.status, answer.date, len(answer.start)) == (200, None, 2048)
    with serving(lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")) as url:
        assert PlainWeb(plain).ask(url).missed is not None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        missed = PlainWeb(plain, 0.2).ask(f"http://127.0.0.1:{silent.getsockname()[1]}/").missed
    assert missed == Unreached("it does not answer in time")
    assert PlainWeb(plain).ask("http://[::1:99999/").missed is not None


def test_a_web_server_that_drips_is_left():
    gone = threading.Event()

    def drip(handler):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not gone.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            pass

    with serving(drip) as url:
        answer = PlainWeb(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 0.2).ask(url)
        gone.set()
    assert answer.date is None  # what matters is that it ends


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox(served):
    """A mailbox over TLS that one connection may read, with answers by command."""
    server, trusting = served()
    listener = socket.create_server(("127.0.0.1", 0))
    heard = []

    def talk(answers):
        sock, _ = listener.accept()
        with sock, server.wrap_socket(sock, server_side=True) as secure, secure.makefile("rwb") as file:
            file.write(answers.get("greeting", b"* OK ready\r\n"))
            file.flush()
            while line := file.readline():
                tag, command, *_ = line.decode().split()
                heard.append(line.decode().strip())
                extra = {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", "EXAMINE": b"* 3 EXISTS\r\n"}.get(command, b"")
                file.write(extra + f"{tag} {answers.get(command, 'OK done')}\r\n".encode())
                file.flush()
                if command == "LOGOUT":
                    return

    threads = []

    def start(answers=None):
        threads.append(threading.Thread(target=talk, args=(answers or {},)))
        threads[-1].start()
        return listener.getsockname()[1], trusting, heard

    yield start
    for each in threads:
        each.join(5)
    listener.close()


def imap(port, **more):
    return {
        "bounces": {"imap_host": "127.0.0.1", "imap_port": port, "imap_user": "b", "imap_password": "pw-12345", **more}
    }


def test_a_mailbox_that_can_be_read_is_only_looked_into(visit, mailbox):
    port, trusting, heard = mailbox()
    (found,) = bounces.check(visit(imap(port), context=trusting))

    assert found.verdict is OK
    assert [each.split()[1] for each in heard] == ["CAPABILITY", "LOGIN", "EXAMINE", "LOGOUT"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"LOGIN": "NO [AUTHENTICATIONFAILED] wrong"}, "does not let us in"),
        ({"EXAMINE": "NO no such folder"}, "cannot be opened"),
    ],
)
def test_a_mailbox_that_cannot_be_read(visit, mailbox, answers, told):
    port, trusting, _ = mailbox(answers)
    (found,) = bounces.check(visit(imap(port), context=trusting))

    assert found.verdict is WRONG
    assert told in found.sentence


def test_a_mailbox_that_nobody_vouches_for_or_that_is_not_there(visit, mailbox):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    (found,) = bounces.check(visit(imap(port)))
    (offline,) = bounces.check(visit(imap(port), is_offline=True))

    assert (found.verdict, offline.verdict) == (WRONG, UNKNOWN)
    assert "nothing listens there" in found.sentence


@pytest.mark.parametrize(
    ("settings", "verdict", "told"),
    [
        ({"mail": {"host": "email-smtp.eu-west-1.amazonaws.com"}}, UNKNOWN, "there is no site"),
        ({"mail": {"host": "email-smtp.eu-west-1.amazonaws.com"}, "web": SITE}, WRONG, "/webhooks/ses"),
        ({"mail": {"host": "smtp.eu.mailgun.org"}, "web": SITE}, WRONG, "/webhooks/mailgun"),
        (
            {"mail": {"host": "smtp.eu.mailgun.org"}, "web": SITE, "bounces": {"mailgun_key": "key-1"}},
            OK,
            "/webhooks/mailgun",
        ),
        ({"mail": {"host": "smtp.sendgrid.net"}}, UNKNOWN, "suppressed addresses"),
        ({"mail": {"bounce_domain": "b.lab.example"}}, UNKNOWN, "paperround bounces read -"),
        ({}, OK, "you see it in the sender's mailbox"),
    ],
)
def test_the_ways_in_which_undeliverable_letters_are_heard_of(visit, settings, verdict, told):
    (found,) = bounces.check(visit(settings))

    assert found.verdict is verdict
    assert told in f"{found.sentence} → {found.advice}"
