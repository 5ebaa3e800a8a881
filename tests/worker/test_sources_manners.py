"""How sites are asked: their pace and patience as the site's own log shows them, robots.txt, a proxy, two processes."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus
from paperround.settings import build
from paperround.wiring import House
from scrapers.arxiv import FEEDS

DAY = timedelta(days=1)
THURSDAY = date(2026, 11, 19)
FEED_PACE, LIST_PACE = 3.0, 15.0
JITTER = 0.25  # seconds between the start of a request and its arrival


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 19, 15, tzinfo=UTC))  # ten in New York


@pytest.fixture
def arxiv(loopback, markup):
    """An arXiv that has papers on Thursday and had none before."""
    for n in range(60):
        day = THURSDAY - n * DAY
        for category in ("cs.CL", "cs.LG"):
            loopback.put(f"/catchup/{category}/{day}?abs=True", markup.arxiv_catchup(day))
    loopback.put("/rss/cs.CL", markup.arxiv_feed(THURSDAY, "2611.00001", "2611.00002"))
    loopback.put("/rss/cs.LG", markup.arxiv_feed(THURSDAY, "2611.00003"))
    loopback.put("/list/cs.CL/new", markup.arxiv_list(THURSDAY, "2611.00001", "2611.00002"))
    loopback.put("/list/cs.LG/new", markup.arxiv_list(THURSDAY, "2611.00003"))
    return loopback


def source(kind: str, url: str, *categories: str, name: str = "cl", every: str = "1h") -> dict:
    return {"name": name, "kind": kind, "url": url, "categories": list(categories or ("cs.CL",)), "every": every}


def keys(house) -> set[str]:
    return {paper.ids.arxiv for paper in house.archive.every()}


# -- pace and patience -------------------------------------------------------------------------------------------------


def test_pages_are_fifteen_seconds_apart_and_feeds_three_over_all_sources_of_a_site(house_of, arxiv):
    house = house_of(
        source("arxiv-listing", arxiv.url, "cs.CL", "cs.LG", name="pages"),
        source("arxiv-feed", arxiv.url, "cs.CL", name="one"),
        source("arxiv-feed", arxiv.url, "cs.LG", name="other"),
    )
    reports = house.rounds.collect()
    assert {each.status for each in reports} <= {FetchStatus.OK, FetchStatus.NOT_MODIFIED}
    pages = [each for each in arxiv.log if each.path.startswith(("/list", "/catchup"))]
    assert len(pages) > 50  # the first load of fourteen days
    between = [later.at - each.at for each, later in pairwise(pages)]
    assert min(between) >= LIST_PACE - JITTER
    assert min(arxiv.gaps()) >= FEED_PACE - JITTER
    assert arxiv.most_at_once == 1
    assert keys(house) == {"2611.00001", "2611.00002", "2611.00003"}


def test_an_arxiv_that_answers_429_then_503_then_pages_loses_no_paper(house_of, arxiv, clock):
    house = house_of(source("arxiv-listing", arxiv.url))
    house.states.settle(
        "cl", THURSDAY, whole=True, cursor=THURSDAY, newest=THURSDAY, now=house.clock.now()
    )  # the first load is another story
    arxiv.once("/list/cs.CL/new", "Rate exceeded.", 429, Retry_After="600")
    arxiv.once("/list/cs.CL/new", "not consistent", 503, Retry_After="300")
    arxiv.once("/list/cs.CL/new", "down", 503)
    arxiv.once("/list/cs.CL/new", "Rate exceeded.", 429)
    statuses, errors = [], []
    for _ in range(60):
        for each in house.rounds.collect():
            statuses.append(each.status)
            errors.append(each.error)
        if FetchStatus.OK in statuses:
            break
        clock.set(clock.now() + timedelta(minutes=1))
    assert statuses == [FetchStatus.THROTTLED, FetchStatus.THROTTLED, FetchStatus.THROTTLED, FetchStatus.OK], errors
    assert keys(house) == {"2611.00001", "2611.00002"}
    asked = [each for each in arxiv.log if each.path == "/list/cs.CL/new"]
    assert [each.status for each in asked] == [429, 503, 503, 429, 200]
    first, second, third, fourth = arxiv.gaps("/list/")
    assert first >= 600 - JITTER
    assert second >= 300 - JITTER
    assert third >= LIST_PACE - JITTER  # a site that is down is asked again at its pace
    assert fourth >= 15 * 60 - JITTER  # who does not say how long is left alone for a quarter of an hour
    assert not [error for error in errors[:-1] if "until" not in error]


def test_patience_asked_for_in_words_is_given_too(house_of, arxiv, clock):
    house = house_of(source("arxiv-feed", arxiv.url))
    house.states.settle("cl", THURSDAY, whole=True, cursor=THURSDAY, newest=THURSDAY, now=house.clock.now())
    arxiv.once("/rss/cs.CL", "Rate exceeded.")  # with status 200
    (report,) = house.rounds.collect()
    assert report.status is FetchStatus.THROTTLED
    for _ in range(20):
        clock.set(clock.now() + timedelta(minutes=5))
        house.rounds.collect()
    assert keys(house) == {"2611.00001", "2611.00002"}
    assert arxiv.gaps("/rss/")[0] >= 15 * 60 - JITTER


def test_a_throttling_site_delays_no_other(house_of, arxiv, clock, loopback, markup):
    arxiv.once("/rss/cs.CL", "Rate exceeded.", 429, Retry_After="7200")
    # The same server by another name is another site.
    other = loopback.url.replace("127.0.0.1", "localhost")
    loopback.put(f"/papers/date/{THURSDAY}", markup.huggingface("2611.00009", dateString=str(THURSDAY)))
    house = house_of(
        source("arxiv-feed", arxiv.url), {"name": "hf", "kind": "huggingface-daily", "url": other, "every": "1h"}
    )
    for name in ("cl", "hf"):
        house.states.settle(name, THURSDAY, whole=True, cursor=THURSDAY, newest=THURSDAY, now=house.clock.now())
    begun = clock.now()
    limited, fine = house.rounds.collect()
    assert (limited.status, fine.status) == (FetchStatus.THROTTLED, FetchStatus.OK)
    assert limited.retry_at is not None
    assert limited.retry_at >= begun + timedelta(hours=2, seconds=-JITTER)
    assert fine.new == 1


def test_in_true_time_a_feed_that_throttles_is_asked_no_sooner_than_it_said(tmp_path, arxiv):
    arxiv.once("/rss/cs.CL", "Rate exceeded.", 429, Retry_After="4")
    arxiv.once("/rss/cs.CL", "down", 503)
    settings = build({"source": [source("arxiv-feed", arxiv.url)]}, tmp_path)
    with House(settings, clock=FixedClock(datetime(2026, 11, 19, 15, tzinfo=UTC))) as house:
        (report,) = house.collector.collect()
        assert (report.status, report.new) == (FetchStatus.OK, 2)
    patience, pace = arxiv.gaps()
    assert 4 - JITTER <= patience < 6
    assert FEED_PACE - JITTER <= pace < 5


# -- several processes -------------------------------------------------------------------------------------------------


def test_three_processes_share_the_pace_and_never_ask_at_once(tmp_path, arxiv, markup):
    settings = f'[[source]]\nname = "cl"\nkind = "arxiv-feed"\nurl = "{arxiv.url}"\ncategories = ["cs.CL"]\n'
    (tmp_path / "paperround.toml").write_text(settings)
    today = FEEDS.newest(datetime.now(UTC))  # these processes have the machine's clock
    for _ in range(3):
        arxiv.once("/rss/cs.CL", markup.arxiv_feed(today, "2611.00001"), seconds=0.3)
    command = [sys.executable, "-m", "paperround", "collect", "--json"]
    running = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(3)]
    told = [each.communicate(timeout=60)[0] for each in running]
    assert [each.returncode for each in running] == [0, 0, 0], told
    assert len(arxiv.asked("/rss/")) == 3
    assert arxiv.most_at_once == 1
    assert min(arxiv.gaps()) >= FEED_PACE - JITTER


# -- robots.txt and a proxy --------------------------------------------------------------------------------------------


def test_a_robots_txt_that_forbids_the_pages_is_obeyed_and_named(house_of, loopback, markup):
    loopback.put("/robots.txt", "User-agent: *\nDisallow: /papers\n")
    loopback.put(f"/papers/date/{THURSDAY}", markup.huggingface("2611.00009", dateString=str(THURSDAY)))
    house = house_of({"name": "hf", "kind": "huggingface-daily", "url": loopback.url})
    (report,) = house.collector.collect()
    assert report.status is FetchStatus.BLOCKED
    assert report.error == (
        f"robots.txt of {loopback.url.removeprefix('http://')} does not allow /papers/date/{THURSDAY}"
    )
    assert [each.path for each in loopback.log] == ["/robots.txt"]
    house.collector.collect()
    assert [each.path for each in loopback.log] == ["/robots.txt"], "it is good for a day"


def test_a_crawl_delay_of_robots_txt_is_kept(house_of, loopback, markup):
    loopback.put("/robots.txt", "User-agent: *\nCrawl-delay: 20\n")
    for n in range(3):
        day = THURSDAY - n * DAY
        loopback.put(f"/papers/date/{day}", markup.huggingface(f"2611.0000{n}", dateString=str(day)))
    house = house_of({"name": "hf", "kind": "huggingface-daily", "url": loopback.url})
    (report,) = house.collector.collect(days=[THURSDAY - n * DAY for n in range(3)])
    assert report.new == 3
    assert min(loopback.gaps("/papers")) >= 20 - JITTER


def test_everything_is_asked_through_the_proxy_of_the_settings(house_of, loopback, markup):
    page = markup.huggingface("2611.00009", dateString=str(THURSDAY))
    loopback.put(f"http://papers.example/papers/date/{THURSDAY}", page)
    house = house_of(
        {"name": "hf", "kind": "huggingface-daily", "url": "http://papers.example"}, collect={"proxy": loopback.url}
    )
    (report,) = house.collector.collect()
    assert (report.status, report.new) == (FetchStatus.OK, 1)
    assert [each.path for each in loopback.log] == [
        "http://papers.example/robots.txt",
        f"http://papers.example/papers/date/{THURSDAY}",
    ]


def test_who_asks_introduces_themselves_and_asks_feeds_as_arxiv_wants(house_of, arxiv):
    house = house_of(source("arxiv-feed", arxiv.url), collect={"contact": "crew@lab.example"})
    house.collector.collect()
    (feed,) = [each for each in arxiv.log if each.path == "/rss/cs.CL"]
    assert feed.headers["user-agent"].startswith("paperround/")
    assert feed.headers["user-agent"].endswith("(+mailto:crew@lab.example)")
    assert "application/atom+xml" in feed.headers["accept"]
    assert "cookie" not in feed.headers


def test_no_scheduled_request_is_made_while_the_last_answer_is_fresh(house_of, arxiv, clock):
    house = house_of(source("arxiv-feed", arxiv.url, every="2h"))
    house.rounds.collect()
    arxiv.log.clear()
    clock.set(datetime(2026, 11, 19, 15, 59, tzinfo=UTC))
    assert house.rounds.collect() == ()
    assert arxiv.log == []


def test_a_wish_of_the_operator_waits_where_the_site_asked_for_patience(house_of, arxiv, clock):
    arxiv.once("/rss/cs.CL", "Rate exceeded.", 429, Retry_After="7200")
    house = house_of(source("arxiv-feed", arxiv.url, every="30m"))
    assert [each.status for each in house.rounds.collect()] == [FetchStatus.THROTTLED]
    arxiv.log.clear()
    clock.set(clock.now() + timedelta(minutes=1))
    house.states.wish(clock.now())
    clock.set(clock.now() + timedelta(seconds=4))
    assert house.rounds.collect() == ()
    assert arxiv.log == []
    clock.set(clock.now() + timedelta(hours=2))
    assert len(house.rounds.collect()) == 1


def test_a_wish_of_the_operator_is_fulfilled_once_by_whichever_worker_sees_it(house_of, arxiv, clock):
    house = house_of(source("arxiv-feed", arxiv.url, every="2h"))
    house.rounds.collect()
    asked = datetime(2026, 11, 19, 15, 59, tzinfo=UTC)
    clock.set(asked)
    assert house.rounds.collect() == ()
    house.states.wish(asked)
    clock.set(asked + timedelta(seconds=4))

    assert len(house.rounds.collect()) == 1
    assert house.rounds.collect() == ()

    clock.set(asked + timedelta(hours=3))
    assert len(house.rounds.collect()) == 1  # and it is asked in its own time as ever
