"""robots.txt: what it forbids, how slow it asks us to be, and what it is when it cannot be read."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Blocked, Throttled, Unreachable
from domain.papers import PageRequest
from scrapers.fetch import Fetcher
from scrapers.pace import MemoryLedger, Pace
from scrapers.robots import SIZE_CAP, Robots, for_us
from scrapers.source import Page

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
DAY = 24 * 3600.0


def page(url: str, pace: float = 0.0) -> PageRequest:
    return PageRequest(url, pace=pace)


def feed(url: str, pace: float = 0.0) -> PageRequest:
    return PageRequest(url, pace=pace, is_page=False)


def test_robots_txt_is_asked_once_a_day_and_before_the_page(site: Any, fetcher: Fetcher, hours: Any) -> None:
    site.answer("/robots.txt", b"User-agent: *\nDisallow: /secret")
    site.answer("/papers")
    for _ in range(2):
        fetcher.get(page(f"{site.url}/papers"))
    assert site.paths == ["/robots.txt", "/papers", "/papers"]
    hours.seconds += DAY
    fetcher.get(page(f"{site.url}/papers"))
    assert site.paths[3:] == ["/robots.txt", "/papers"]


def test_what_robots_txt_forbids_is_not_asked(site: Any, fetcher: Fetcher) -> None:
    site.answer("/robots.txt", b"User-agent: *\nDisallow: /\n\nUser-agent: PaperRound/2\nDisallow: /secret*")
    site.answer("/papers")
    fetcher.get(page(f"{site.url}/papers"))
    with pytest.raises(Blocked, match=rf"robots\.txt of 127\.0\.0\.1:{site.port} does not allow /secrets"):
        fetcher.get(page(f"{site.url}/secrets?q=1"))
    assert site.paths == ["/robots.txt", "/papers"]


def test_feeds_have_terms_of_their_own(site: Any, fetcher: Fetcher) -> None:
    site.answer("/robots.txt", b"User-agent: *\nDisallow: /")
    site.answer("/feed")
    fetcher.get(feed(f"{site.url}/feed"))
    assert site.paths == ["/feed"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_without_robots_txt_all_is_allowed(site: Any, fetcher: Fetcher, status: int) -> None:
    site.answer("/robots.txt", b"User-agent: *\nDisallow: /", status=status)
    site.answer("/papers")
    for _ in range(2):
        fetcher.get(page(f"{site.url}/papers"))
    assert site.paths == ["/robots.txt", "/papers", "/papers"]


@pytest.mark.parametrize("location", ["/login", "ftp://x/", "/robots.txt"])
def test_robots_txt_that_leads_astray_is_as_good_as_none(site: Any, fetcher: Fetcher, location: str) -> None:
    site.answer("/robots.txt", status=302, Location=location)
    site.answer("/papers", b"page")
    assert fetcher.get(page(f"{site.url}/papers")).body == b"page"


def test_until_robots_txt_can_be_read_nothing_is_asked(site: Any, fetcher: Fetcher, hours: Any) -> None:
    site.answer("/robots.txt", status=500)
    site.answer("/papers")
    with pytest.raises(Unreachable, match=r"robots\.txt of .* cannot be read, so nothing may be asked"):
        fetcher.get(page(f"{site.url}/papers"))
    assert (site.paths, hours.slept) == (["/robots.txt"] * 3, [1, 4])


def test_an_expired_copy_serves_while_robots_txt_cannot_be_read(site: Any, fetcher: Fetcher, hours: Any) -> None:
    site.answer("/robots.txt", b"User-agent: *\nDisallow: /secret")
    site.answer("/papers")
    fetcher.get(page(f"{site.url}/papers"))
    site.answer("/robots.txt", status=500)
    hours.seconds += 2 * DAY
    for _ in range(2):
        fetcher.get(page(f"{site.url}/papers"))
        with pytest.raises(Blocked):
            fetcher.get(page(f"{site.url}/secret"))
    assert site.paths[2:] == ["/robots.txt"] * 3 + ["/papers"] * 2, "it is not asked for at every page"


def test_robots_txt_that_asks_for_patience_gets_it(site: Any, fetcher: Fetcher) -> None:
    site.answer("/robots.txt", status=429, Retry_After="600")
    for _ in range(2):
        with pytest.raises(Throttled):
            fetcher.get(page(f"{site.url}/papers"))
    assert site.paths == ["/robots.txt"]


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("0.5", 2), ("1e9", 60), ("soon", 2), ("-1", 2), ("nan", 2)])
def test_a_crawl_delay_raises_the_pace_of_pages(
    site: Any, fetcher: Fetcher, hours: Any, said: str, seconds: float
) -> None:
    site.answer("/robots.txt", f"User-agent: *\nCrawl-delay: {said}".encode())
    site.answer("/papers")
    site.answer("/feed")
    fetcher.get(page(f"{site.url}/papers", pace=2))
    assert sum(hours.slept) == min(seconds, 3), "the request for robots.txt counts"
    before = hours.seconds
    fetcher.get(page(f"{site.url}/papers", pace=2))
    assert hours.seconds - before == seconds
    before = hours.seconds
    fetcher.get(feed(f"{site.url}/feed", pace=2))
    assert hours.seconds - before == 2


def test_robots_txt_is_read_as_far_as_half_a_mebibyte(site: Any, fetcher: Fetcher) -> None:
    rules = b"User-agent: *\nDisallow: /secret\n"
    site.answer("/robots.txt", rules + b"#" * SIZE_CAP + b"\nDisallow: /papers")
    site.answer("/papers")
    fetcher.get(page(f"{site.url}/papers"))
    with pytest.raises(Blocked):
        fetcher.get(page(f"{site.url}/secret"))


def test_a_redirect_is_checked_where_it_leads(site: Any, other_site: Any, fetcher: Fetcher) -> None:
    site.answer("/papers", status=302, Location=f"{other_site.url}/secret")
    other_site.answer("/robots.txt", b"User-agent: *\nDisallow: /secret")
    with pytest.raises(Blocked, match=str(other_site.port)):
        fetcher.get(page(f"{site.url}/papers"))
    assert (site.paths, other_site.paths) == (["/robots.txt", "/papers"], ["/robots.txt"])


def test_every_host_of_a_site_has_its_own_robots_txt(pace: Pace) -> None:
    asked: list[str] = []

    def get(request: PageRequest) -> Page:
        asked.append(request.url)
        return Page(request.url, 200, {}, b"User-agent: *\nDisallow: /api", NOW)

    for url in ("https://arxiv.org/list", "https://export.arxiv.org/list", "https://u:p@arxiv.org/abs"):
        Robots(pace).check(url, 15.0, get)
    assert asked == ["https://arxiv.org/robots.txt", "https://export.arxiv.org/robots.txt"]


@given(st.binary(max_size=200) | st.from_regex(rb"((user-agent|disallow|allow|crawl-delay):? [*/$%a-z\[]*\r?\n){0,9}"))
def test_any_robots_txt_is_read(body: bytes) -> None:
    pace = Pace(ledger=MemoryLedger(), clock=lambda: 1.0, sleep=lambda _: None)
    try:
        delay = Robots(pace).check(
            "https://x.example/a?b=%zz", 1.0, lambda request: Page(request.url, 200, {}, body, NOW)
        )
    except Blocked:
        return
    assert 0 <= delay <= 60


def test_many_agents_times_many_rules_cost_no_product() -> None:
    agents = "\n".join(f"User-agent: bot{n}" for n in range(15_000))
    rules = "\n".join(f"Disallow: /{n}*a*b*c$" for n in range(10_000))
    body = f"{agents}\nuser agent *\n{rules}".encode()
    pace = Pace(ledger=MemoryLedger(), clock=lambda: 1.0, sleep=lambda _: None)
    begun = time.process_time()
    Robots(pace).check(f"https://x.example/{'abc' * 500}", 1.0, lambda request: Page(request.url, 200, {}, body, NOW))
    assert time.process_time() - begun < 3
    assert for_us("User-agent: Paper\nUser-Agent : *x\nuseragent *\nDisallow: /") == (
        "user-agent: other\nuser-agent: *\nDisallow: /"
    )
