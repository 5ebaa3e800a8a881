"""Small errands: one GET, bounded in every way."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from domain.errors import CollectError, NotThere, RefusedAnswer, SettingsError, TooSlow, Unreachable
from scrapers.errands import Errands


@pytest.fixture
def errands() -> Errands:
    return Errands(contact="", version="1", now=lambda: datetime(2026, 11, 20, tzinfo=UTC))


def test_it_brings_what_the_address_answers_and_says_who_asks(site: Any, errands: Errands) -> None:
    site.answer("/ping", b"OK")
    assert errands.get(f"{site.url}/ping") == b"OK"
    ((path, headers),) = site.asked
    assert (path, headers["user-agent"]) == ("/ping", "paperround/1")


@pytest.mark.parametrize(
    "url", ["http://monitor.example/", "ftp://monitor.example/", "file:///etc/passwd", "ping", "http://10.0.0.1/", ""]
)
def test_only_https_and_this_machine_are_asked(errands: Errands, url: str) -> None:
    with pytest.raises(RefusedAnswer):
        errands.get(url)


def test_a_redirect_is_followed_on_the_same_host(site: Any, errands: Errands) -> None:
    site.answer("/ping", status=302, Location="/pong")
    site.answer("/pong", b"OK")
    assert errands.get(f"{site.url}/ping") == b"OK"


@pytest.mark.parametrize("location", ["http://localhost/", "https://monitor.example/", "http://u:p@127.0.0.1/", "//["])
def test_a_redirect_elsewhere_is_not_followed(site: Any, errands: Errands, location: str) -> None:
    site.answer("/ping", status=302, Location=location)
    with pytest.raises(RefusedAnswer, match="redirects"):
        errands.get(f"{site.url}/ping")
    assert site.paths == ["/ping"]


def test_a_redirect_in_a_circle_ends(site: Any, errands: Errands) -> None:
    site.answer("/ping", status=302, Location="/ping")
    with pytest.raises(RefusedAnswer, match="more than 3 times"):
        errands.get(f"{site.url}/ping")
    assert len(site.asked) == 4


def test_a_larger_answer_is_refused(site: Any, errands: Errands) -> None:
    site.answer("/ping", bytes(101))
    with pytest.raises(RefusedAnswer, match="larger than 100 bytes"):
        errands.get(f"{site.url}/ping", limit=100)


@pytest.mark.parametrize(("status", "error"), [(404, NotThere), (500, Unreachable), (304, CollectError)])
def test_a_refusal_is_an_error_and_no_second_try(site: Any, errands: Errands, status: int, error: type) -> None:
    site.answer("/ping", status=status)
    with pytest.raises(error):
        errands.get(f"{site.url}/ping")
    assert len(site.asked) == 1


def test_nobody_there_is_an_error(errands: Errands) -> None:
    with pytest.raises(Unreachable):
        errands.get("http://127.0.0.1:9/ping")


def test_an_answer_that_drips_ends_in_time(site: Any, errands: Errands) -> None:
    done = threading.Event()
    dripped: list[int] = []

    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(1000):  # ten seconds at least until it is whole, and never silent
            if done.wait(0.01):
                return
            handler.wfile.write(b"x")
            dripped.append(1)

    site.routes["/ping"] = route
    try:
        with pytest.raises(TooSlow):
            errands.get(f"{site.url}/ping", seconds=0.5)
    finally:
        done.set()
    assert len(dripped) > 1


def test_the_proxy_of_collecting_is_used(site: Any, proxied: Callable[[str], Errands]) -> None:
    site.answer("http://localhost:1/ping", b"by way of the proxy")
    assert proxied(site.url).get("http://localhost:1/ping") == b"by way of the proxy"


@pytest.fixture
def proxied() -> Callable[[str], Errands]:
    def make(proxy: str) -> Errands:
        return Errands(contact="", version="1", now=lambda: datetime(2026, 11, 20, tzinfo=UTC), proxy=proxy)

    return make


def test_a_proxy_that_is_none_is_refused(proxied: Callable[[str], Errands]) -> None:
    with pytest.raises(SettingsError, match=r"collect\.proxy"):
        proxied("socks5://127.0.0.1")
