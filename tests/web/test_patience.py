"""Who asks and does not read, and who has more connections than a client needs: over a real socket."""

import socket
import threading
import time
from contextlib import ExitStack, closing

import pytest
from starlette.responses import PlainTextResponse

import web.patience
from web.clients import Clients
from web.guard import Guard
from web.origins import Origins
from web.refusals import Refusals
from web.rendering import Rendering, SiteFacts
from web.server import serve

pytestmark = pytest.mark.engines("sqlite")
MEGABYTE = 1024 * 1024
ONE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Strangers:
    """Nobody is a proxy, not even this machine."""

    def is_proxy(self, peer):
        return peer == ""


@pytest.fixture
def large():
    """Serve pages of a megabyte, two at once; give the address."""
    with ExitStack() as stack:

        async def app(scope, receive, send):
            text = "small" if scope["path"] == "/small" else "a" * MEGABYTE
            await PlainTextResponse(text)(scope, receive, send)

        def make(peers=None):
            around = Guard(app, Refusals.of(Rendering(SiteFacts())), origins=Origins(), clients=Clients(), at_once=2)
            return stack.enter_context(serve(around, "127.0.0.1", 0, threading.Event(), peers=peers))

        yield make


def greedy(address, requests=12):
    """Ask for many pages at once, with little room for them."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(address)
    connection.sendall(ONE * requests)
    return connection


def read_all(connection):
    """Read to the end, once more having asked."""
    connection.sendall(LAST)
    while connection.recv(MEGABYTE):
        pass


def test_who_never_reads_stops_nobody_and_is_let_go_of(large, ask, monkeypatch):
    monkeypatch.setattr(web.patience, "SLOWEST_TAKING", 0.5)
    address = large()
    with ExitStack() as stack:
        held = [stack.enter_context(closing(greedy(address))) for _ in range(4)]
        time.sleep(0.3)
        assert ask(address, "GET", "/small").text == "small"
        time.sleep(0.7)
        for each in held:
            with pytest.raises(OSError, match=r"reset|Broken"):
                read_all(each)


def test_who_reads_slowly_gets_everything(large, monkeypatch):
    monkeypatch.setattr(web.patience, "SLOWEST_TAKING", 0.2)
    address = large()
    with closing(greedy(address, requests=6)) as connection:
        connection.sendall(LAST)
        got, begun = 0, time.monotonic()
        while part := connection.recv(MEGABYTE):
            got += len(part)
            while got > (time.monotonic() - begun) * 6 * MEGABYTE:
                time.sleep(0.002)
    assert got > 6 * MEGABYTE
    assert part == b""
    assert time.monotonic() - begun > 0.8


def test_one_client_has_its_share_of_the_connections(large, ask, monkeypatch):
    monkeypatch.setattr(web.patience, "MOST_OF_ONE_CLIENT", 2)
    address = large(Strangers())
    held = [socket.create_connection(address, timeout=5) for _ in range(2)]
    time.sleep(0.1)
    with closing(socket.create_connection(address, timeout=5)) as connection, connection.makefile("rb") as answer:
        assert answer.read().startswith(b"HTTP/1.1 503 ")
    for each in held:
        each.close()
    time.sleep(0.1)
    assert ask(address, "GET", "/small").status == 200


def test_a_proxy_and_this_machine_speak_for_many(large, ask, monkeypatch):
    monkeypatch.setattr(web.patience, "MOST_OF_ONE_CLIENT", 2)
    address = large()
    held = [socket.create_connection(address, timeout=5) for _ in range(4)]
    time.sleep(0.1)
    assert ask(address, "GET", "/small").status == 200
    for each in held:
        each.close()
    trusting = Clients(["192.0.2.0/24"])
    assert [trusting.is_proxy(each) for each in ("192.0.2.9", "::1", "203.0.113.1", "")] == [True, True, False, False]
