"""Requests that are ended: at their time limit, or because we were asked to stop; and what is said of silence."""

import gzip
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from domain.errors import TooSlow, Unreachable
from domain.papers import PageRequest
from scrapers.fetch import Fetcher, Limits, translated
from scrapers.pace import Pace


def feed(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


def dribble(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1_000):
        handler.wfile.write(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("where", ["head", "body", "packed", "silence"])
def test_a_page_that_drips_or_hangs_ends_at_the_deadline_and_is_not_asked_again(
    site: Any, make: Any, pace: Pace, hours: Any, where: str
) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        if where in {"body", "packed"}:
            handler.send_response(200)
            if where == "packed":
                handler.send_header("Content-Encoding", "gzip")
            handler.end_headers()
        said = gzip.compress(bytes(range(256))) if where == "packed" else b"H" * 100
        for at in range(0 if where == "silence" else 100):
            handler.wfile.write(said[at : at + 1])
            time.sleep(0.02)
        time.sleep(0.5 if where == "silence" else 0)

    site.routes["/"] = drip
    begun = time.monotonic()
    with make(pace, limits=Limits(total=0.1)) as made, pytest.raises(TooSlow, match=r"it took longer than 0\.1 s"):
        made.get(feed(f"{site.url}/"))
    assert time.monotonic() - begun < 1
    assert (len(site.asked), hours.slept) == (1, [])


def test_all_that_is_under_way_is_abandoned_at_once(site: Any, fetcher: Fetcher, other_site: Any, hours: Any) -> None:
    said: list[Unreachable] = []
    site.routes["/"] = other_site.routes["/"] = dribble

    def ask(url: str) -> None:
        with pytest.raises(Unreachable, match="asked to stop") as raised:
            fetcher.get(feed(url))
        said.append(raised.value)

    threads = [threading.Thread(target=ask, args=(f"{each.url}/",), daemon=True) for each in (site, other_site)]
    for thread in threads:
        thread.start()
    while not (site.asked and other_site.asked):
        time.sleep(0.01)
    begun = time.monotonic()
    fetcher.abandon()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - begun < 1
    assert (len(said), len(site.asked), len(other_site.asked), hours.slept) == (2, 1, 1, [])


def test_after_it_was_abandoned_nothing_is_asked(site: Any, fetcher: Fetcher) -> None:
    site.answer("/")
    fetcher.abandon()
    fetcher.abandon()
    with pytest.raises(Unreachable, match="asked to stop"):
        fetcher.get(feed(f"{site.url}/"))
    assert site.asked == []


# -- what is said of silence -------------------------------------------------------------------------------------------


@pytest.fixture
def closed() -> Any:
    """Return the address of a port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def test_a_proxy_that_is_not_there_is_named_without_its_password(make: Any, pace: Pace, closed: str) -> None:
    with make(pace, proxy=f"http://moss:secret@{closed}") as made:
        for url in ("http://papers.example/", "https://papers.example/"):
            with pytest.raises(Unreachable) as raised:
                made.get(feed(url))
            told = f"{url} did not answer: Connection refused, through the proxy http://{closed}"
            assert str(raised.value) == told


def test_of_a_site_that_is_down_no_more_is_said_than_that(fetcher: Fetcher, closed: str) -> None:
    with pytest.raises(Unreachable) as raised:
        fetcher.get(feed(f"http://{closed}/"))
    assert str(raised.value) == f"http://{closed}/ did not answer: Connection refused"
    with pytest.raises(Unreachable) as raised:
        fetcher.get(PageRequest(f"http://{closed}/papers", pace=0.0))
    assert str(raised.value) == f"{closed} did not answer (asked for its robots.txt first): Connection refused"


def test_of_a_name_that_is_unknown_no_number_is_said() -> None:
    error = translated(httpx.ConnectError("[Errno -2] Name or service not known"), "http://x.example/")
    assert str(error) == "http://x.example/ did not answer: Name or service not known"
