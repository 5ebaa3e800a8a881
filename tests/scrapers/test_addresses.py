"""Where an answer may lead: never from outside to a private address."""

from typing import Any

import pytest

from domain.errors import RefusedAnswer
from domain.papers import PageRequest
from scrapers.addresses import Reach, is_inside
from scrapers.asking import Errand
from scrapers.fetch import Fetcher
from scrapers.pace import Pace

PUBLIC = [
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
    "papers.example",
    "[2606:4700::1]",
]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "[::1]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
]


def page(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0)


def feed(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_are_outside(host: str) -> None:
    assert not is_inside(host)


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_inside_however_they_are_written(host: str) -> None:
    assert is_inside(host)


def test_an_errand_that_began_outside_never_goes_inside() -> None:
    outside, inside, free = Reach(anywhere=False), Reach(anywhere=False), Reach(anywhere=True)
    outside.meet("93.184.216.34", "u")
    outside.meet("93.184.216.35", "u")
    with pytest.raises(RefusedAnswer, match=r"u leads to the private address 10\.0\.0\.1"):
        outside.meet("10.0.0.1", "u")
    for reach in (inside, free):
        for host in ("10.0.0.1", "93.184.216.34", "10.0.0.2"):
            reach.meet(host, "u")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_peer_is_looked_at_before_anything_is_sent(site: Any, fetcher: Fetcher, host: str) -> None:
    site.answer("/")
    reach = Reach(anywhere=False)
    reach.meet("93.184.216.34", "https://papers.example/")  # whose redirect, or whose name, led here
    for request in (feed(f"http://{host}:{site.port}/"), page(f"http://{host}:{site.port}/")):
        with pytest.raises(RefusedAnswer, match="private address 127"):
            fetcher._follow(Errand(request, None, reach))
    assert site.asked == []


def test_behind_a_proxy_literal_addresses_are_looked_at(site: Any, make: Any, pace: Pace) -> None:
    site.answer("http://papers.example/", status=302, Location="http://10.0.0.1/")
    with make(pace, proxy=site.url) as made, pytest.raises(RefusedAnswer, match="private address"):
        made.get(feed("http://papers.example/"))
    site.answer("http://10.0.0.1/", b"inside")
    with make(pace, proxy=site.url, allow_private_hosts=True) as made:
        assert made.get(feed("http://papers.example/")).body == b"inside"
