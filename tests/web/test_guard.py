"""What no request may exceed, and whose it must be: over a real socket."""

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack, closing

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

import web.patience
import web.server
from domain.subscriptions import SubscriberState
from web.bodies import MOST_FIELDS
from web.clients import Clients
from web.guard import LARGEST_HEAD, LONGEST_ADDRESS, Guard
from web.origins import Origins
from web.refusals import Refusals
from web.rendering import Rendering, SiteFacts
from web.server import serve

pytestmark = pytest.mark.engines("sqlite")
HOME = "digests.example.org"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = {"Host": HOME, "Origin": f"https://{HOME}", "Sec-Fetch-Site": "same-origin", **URLENCODED}


class Echo:
    """A site that says who asked and what came; it may be held up."""

    def __init__(self):
        self.go_on = threading.Event()
        self.go_on.set()
        self.working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.working += 1
        await asyncio.to_thread(self.go_on.wait)
        body = (await receive())["body"]
        text = f"{scope['state']['client']} {scope['method']} {len(body)}"
        await PlainTextResponse(text)(scope, receive, send)


@pytest.fixture
def guarded():
    """Serve an echo behind a guard of one's own; give its address and the echo."""
    with ExitStack() as stack:
        echoes = []
        stack.callback(lambda: [each.go_on.set() for each in echoes])

        def make(base_url=f"https://{HOME}", **values):
            echo = Echo()
            echoes.append(echo)
            given = {"origins": Origins(base_url), "clients": Clients(), **values}
            guard = Guard(echo, Refusals.of(Rendering(SiteFacts())), **given)
            return stack.enter_context(serve(guard, "127.0.0.1", 0, threading.Event())), echo

        yield make


def raw(address, request, timeout=10):
    """Send bytes that no client would; return everything that is answered until the connection is closed."""
    with closing(socket.create_connection(address, timeout=timeout)) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


# -- whose request -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", f"{HOME}.evil.example", f"{HOME}:81", "192.0.2.1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_a_host_that_is_not_ours_gets_a_calm_page_and_nothing_else(site, host, method):
    reader = site.reader()
    before = site.tables()
    answer = site.ask(method, site.path(site.links.unsubscribe(reader.public_id)), headers={"Host": host})

    assert answer.status == 421
    assert ("This is not that site" in answer.text) is (method != "HEAD")
    assert host not in answer.text + str(answer.headers)
    assert site.tables() == before


def test_the_probes_answer_whatever_they_are_called(site, below):
    for path in ("/healthz", "/readyz"):
        assert site.ask("GET", path, headers={"Host": "10.1.2.3:8000"}).status == 200
        assert below.ask("GET", f"/papers{path}", headers={"Host": "10.1.2.3:8000"}).status == 200


def test_no_host_or_two_is_no_request(site):
    assert raw(site.address, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert raw(site.address, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    twice = f"GET / HTTP/1.1\r\nHost: {HOME}\r\nHost: evil.example\r\n\r\n".encode()
    assert raw(site.address, twice).startswith(b"HTTP/1.1 400 ")


def test_a_name_that_somebody_points_at_a_personal_installation_opens_nothing(personal):
    assert personal.ask("GET", "/", headers={"Host": "rebinding.example:8000"}).status == 421
    assert personal.ask("GET", "/", headers={"Host": "localhost:9"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # of a sandboxed frame: our own pages name their origin
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": f"http://{HOME}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_that_another_sites_page_sends_changes_nothing(site, headers):
    reader = site.reader(SubscriberState.PENDING)
    before = site.tables()
    for link in (site.links.confirm(reader.public_id, site.clock.now()), site.links.preferences(reader.public_id)):
        answer = site.ask("POST", site.path(link), b"action=unsubscribe", {**URLENCODED, "Host": HOME, **headers})
        assert answer.status == 403
        assert "That came from another page" in answer.text
    assert site.tables() == before


@pytest.mark.parametrize(
    "headers",
    [OURS, {k: v for k, v in OURS.items() if k != "Sec-Fetch-Site"}, {**URLENCODED, "Host": HOME}, {}],
    ids=["of our page", "of our page in an old Safari", "of a browser that says nothing", "of a program"],
)
def test_our_own_forms_and_those_of_who_says_nothing_are_obeyed(site, headers):
    reader = site.reader(SubscriberState.PENDING)
    link = site.path(site.links.confirm(reader.public_id, site.clock.now()))

    assert site.ask("POST", link, b"", headers).status == 200
    assert site.state(reader) is SubscriberState.CONFIRMED


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", ""])
def test_one_click_is_obeyed_wherever_it_comes_from_and_whatever_it_says_it_is(site, kind):
    reader = site.reader()
    path = site.path(site.links.unsubscribe(reader.public_id))
    headers = {"Host": HOME, "Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site", "Content-Type": kind}

    assert site.ask("POST", path, b"&" * (MOST_FIELDS * 2), headers).status == 200
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_one_click_below_a_path_is_obeyed_too(below):
    reader = below.reader()
    path = below.path(below.links.unsubscribe(reader.public_id))
    assert below.ask("POST", path, b"", {"Host": HOME, "Origin": "https://mail.example"}).status == 200
    assert below.state(reader) is SubscriberState.UNSUBSCRIBED


def test_who_asks_is_told_to_the_pages(guarded, ask):
    address, _ = guarded(clients=Clients(["127.0.0.1"]))
    assert ask(address, "GET", "/").text == "127.0.0.1 GET 0"
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
    assert ask(address, "GET", "/", headers=forwarded).text == "203.0.113.5 GET 0"

    address, _ = guarded()
    assert ask(address, "GET", "/", headers=forwarded).text == "127.0.0.1 GET 0"


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/x-www-form-urlencoded", 200),
        ("Application/X-WWW-Form-URLencoded; charset=utf-8", 200),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("application/json", 415),
        ("application/x-www-form-urlencoded-not", 415),
    ],
)
def test_a_post_is_one_of_our_forms_or_refused(guarded, ask, kind, status):
    address, _ = guarded()
    assert ask(address, "POST", "/", b"a=b", {"Content-Type": kind}).status == status


def test_a_form_with_too_many_fields_is_refused(guarded, ask):
    address, _ = guarded()
    assert ask(address, "POST", "/", b"a=b&" * (MOST_FIELDS - 1), URLENCODED).status == 200
    assert ask(address, "POST", "/", b"a=b&" * MOST_FIELDS, URLENCODED).status == 413


def test_addresses_and_headers_have_a_size(guarded, ask):
    address, _ = guarded()
    assert ask(address, "GET", "/" + "a" * (LONGEST_ADDRESS - 1)).status == 200
    assert ask(address, "GET", "/" + "a" * LONGEST_ADDRESS).status == 414
    assert ask(address, "GET", "/?" + "a" * LONGEST_ADDRESS).status == 414
    assert ask(address, "GET", "/", headers={"X-Much": "a" * LARGEST_HEAD}).status == 431


def test_a_program_is_refused_in_its_own_words(site, personal):
    for path, headers, status in (
        ("/api/v1/papers", {"Host": "evil.example"}, 421),
        ("/api/v1/" + "a" * LONGEST_ADDRESS, {"Host": HOME}, 414),
        ("/api/v1/papers", {"Host": HOME, "X-Much": "a" * LARGEST_HEAD}, 431),
    ):
        answer = site.ask("GET", path, headers=headers)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert json.loads(answer.text)["status"] == status
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-origin" not in personal.ask("GET", path, headers=headers).headers
    assert site.ask("GET", "/papers", headers={"Host": "evil.example"}).headers["content-type"].startswith("text/html")


def test_a_program_is_told_in_its_own_words_that_the_site_is_busy(guarded, ask):
    address, _ = guarded(at_once=0)
    answer = ask(address, "GET", "/api/v1/papers")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert json.loads(answer.text)["detail"].startswith("Please try again in a moment.")


def test_a_body_that_does_not_come_is_not_waited_for(guarded):
    address, echo = guarded(body_seconds=0.2)
    begun = time.monotonic()
    answer = raw(address, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\na=")

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - begun < 5
    assert echo.working == 0


def test_a_busy_site_says_so_at_once_and_its_probes_still_answer(guarded, ask):
    address, echo = guarded(at_once=2)
    echo.go_on.clear()
    waiting = [socket.create_connection(address, timeout=10) for _ in range(2)]
    for each in waiting:
        each.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    while echo.working < 2:
        time.sleep(0.01)

    busy = ask(address, "GET", "/")
    assert (busy.status, busy.headers["retry-after"]) == (503, "5")
    assert "Many are asking at once" in busy.text
    threading.Timer(0.1, echo.go_on.set).start()
    assert ask(address, "GET", "/healthz").status == 200
    for each in waiting:
        with closing(each), each.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
    assert ask(address, "GET", "/").status == 200


# -- the socket's patience ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_who_says_nothing_whole_is_not_waited_for(guarded, monkeypatch, begun):
    monkeypatch.setattr(web.patience, "SLOWEST_HEAD", 0.3)
    address, _ = guarded()
    assert raw(address, begun, timeout=5) == b""


def test_an_octet_at_a_time_is_as_slow_as_the_first(guarded, monkeypatch):
    monkeypatch.setattr(web.patience, "SLOWEST_HEAD", 0.3)
    address, _ = guarded()
    with closing(socket.create_connection(address, timeout=5)) as connection:
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"reset|Broken"):  # noqa: PT012 which of the octets meets the end is chance
            while time.monotonic() < begun + 5:
                connection.sendall(b"a")
                time.sleep(0.02)


def test_a_kept_connection_serves_one_request_after_the_other(guarded, monkeypatch):
    monkeypatch.setattr(web.patience, "SLOWEST_HEAD", 0.5)
    address, _ = guarded()
    one = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with closing(socket.create_connection(address, timeout=5)) as connection:
        connection.sendall(one + one[:10])
        time.sleep(0.2)
        connection.sendall(one[10:])
        time.sleep(0.4)
        connection.sendall(one)
        time.sleep(0.2)
        assert connection.recv(65_536).count(b"HTTP/1.1 200 ") == 3


def test_more_connections_than_may_be_are_told_to_come_back(guarded, monkeypatch):
    monkeypatch.setattr(web.patience, "MOST_CONNECTIONS", 2)
    address, _ = guarded()
    held = [socket.create_connection(address, timeout=5) for _ in range(2)]
    time.sleep(0.1)
    answer = raw(address, b"")
    for each in held:
        each.close()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 60\r\n" in answer
    time.sleep(0.1)
    assert raw(address, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_answered_in_one_line_with_strict_headers(guarded):
    address, _ = guarded()
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n"):
        answer = raw(address, noise + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"default-src 'none'" in answer
        assert b"nosniff" in answer


def test_a_page_does_not_wait_for_the_receipt_of_its_head():
    with (
        closing(web.server._listen("127.0.0.1", 0, "[web] port")) as listening,
        closing(socket.create_connection(listening.getsockname(), timeout=5)),
        closing(listening.accept()[0]) as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
