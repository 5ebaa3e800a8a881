"""Turns: no site is asked by two at once, nor faster than its pace, by however many processes."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from domain.errors import Interrupted, Throttled
from domain.papers import PageRequest
from scrapers.fetch import Fetcher
from scrapers.pace import FEEDS, PAGES, MemoryLedger, Pace, site_of

LEASE = 65.0
NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # when `hours` begins


def feed(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


def started(pace: Pace, hours: Any, lane: str, seconds: float, site: str = "papers.example") -> float:
    with pace.turn(site, lane, seconds, lease=LEASE):
        return hours.seconds - hours.began


def test_requests_of_one_lane_begin_a_pace_apart(pace: Pace, hours: Any) -> None:
    assert [started(pace, hours, PAGES, 15) for _ in range(3)] == [0, 15, 30]


def test_another_lane_waits_three_seconds_at_most(pace: Pace, hours: Any) -> None:
    begun = [
        started(pace, hours, lane, seconds) for lane, seconds in [(PAGES, 15), (FEEDS, 3), (FEEDS, 3), (PAGES, 15)]
    ]
    assert begun == [0, 3, 6, 15]


def test_another_lane_waits_no_longer_than_its_own_pace(pace: Pace, hours: Any) -> None:
    assert [started(pace, hours, PAGES, 15), started(pace, hours, FEEDS, 1)] == [0, 1]


def test_arxiv_is_never_asked_faster_than_its_terms_allow(pace: Pace, hours: Any) -> None:
    assert [started(pace, hours, FEEDS, 0, "arxiv.org") for _ in range(3)] == [0, 3, 6]


def test_other_sites_wait_for_nobody(pace: Pace, hours: Any) -> None:
    assert [started(pace, hours, PAGES, 15, site) for site in ("a.example", "b.example", "a.example:81")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://arxiv.org/list", "arxiv.org"),
        ("https://RSS.arXiv.org/rss/cs", "arxiv.org"),
        ("http://export.arxiv.org.:80/api", "arxiv.org"),
        ("https://notarxiv.org/", "notarxiv.org"),
        ("https://arxiv.org.example/", "arxiv.org.example"),
        ("https://papers.example:443/a", "papers.example"),
        ("http://papers.example:443/a", "papers.example:443"),
        ("http://u:p@papers.example/", "papers.example"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_a_site_is_host_and_port_but_arxiv_is_one(url: str, site: str) -> None:
    assert site_of(url) == site


def test_nobody_asks_while_another_does_and_patience_ends(pace: Pace, hours: Any) -> None:
    with (
        pace.turn("papers.example", PAGES, 0, lease=1_000),
        pytest.raises(Throttled, match="busy") as raised,
        pace.turn("papers.example", FEEDS, 0, lease=LEASE),
    ):
        pass
    assert raised.value.retry_after is None
    assert 120 <= sum(hours.slept) < 122


@pytest.mark.parametrize(("is_alive", "waits"), [(False, 0.0), (None, LEASE), (True, LEASE)])
def test_the_turn_of_a_process_that_is_known_to_be_dead_ends_at_once(
    hours: Any, ledger: MemoryLedger, is_alive: bool | None, waits: float
) -> None:
    times = {"ledger": ledger, "clock": hours.clock, "sleep": hours.sleep}
    abandoned = Pace(**times, owner="here/7//x").turn("papers.example", PAGES, 0, lease=LEASE)
    abandoned.__enter__()
    other = Pace(**times, is_alive=lambda _: is_alive)
    assert started(other, hours, PAGES, 0) == pytest.approx(waits, abs=0.2)


def test_the_turn_of_a_killed_process_ends_with_its_lease(pace: Pace, hours: Any, ledger: MemoryLedger) -> None:
    abandoned = pace.turn("papers.example", PAGES, 0, lease=LEASE)
    abandoned.__enter__()
    assert started(pace, hours, PAGES, 0) == pytest.approx(LEASE, abs=0.2)
    newer = pace.turn("papers.example", PAGES, 0, lease=LEASE)
    newer.__enter__()
    abandoned.__exit__(None, None, None)
    known = ledger.look("papers.example")
    assert known is not None
    assert known["busy_until"] > hours.seconds, "who comes back late gives back nobody else's turn"


def test_a_wait_that_is_abandoned_takes_no_turn(hours: Any, ledger: MemoryLedger) -> None:
    def stop(_: float) -> None:
        raise Interrupted("stop")

    stopped = Pace(ledger=ledger, clock=hours.clock, sleep=stop)
    assert started(stopped, hours, PAGES, 15) == 0
    with pytest.raises(Interrupted):
        started(stopped, hours, PAGES, 15)
    assert started(Pace(ledger=ledger, clock=hours.clock, sleep=hours.sleep), hours, PAGES, 15) == 15


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(pace: Pace, hours: Any) -> None:
    started(pace, hours, PAGES, 15)
    hours.seconds -= 9_000
    begun = hours.seconds
    started(pace, hours, PAGES, 15)
    assert hours.seconds - begun == pytest.approx(15)


def test_a_clock_that_was_set_back_keeps_a_hold_and_a_turn_as_long_as_they_were(pace: Pace, hours: Any) -> None:
    pace.hold("papers.example", timedelta(minutes=10))
    hours.seconds -= 9_000
    with pytest.raises(Throttled) as raised:
        started(pace, hours, PAGES, 0)
    assert raised.value.retry_after == timedelta(minutes=10)
    abandoned = pace.turn("other.example", PAGES, 0, lease=LEASE)
    abandoned.__enter__()
    hours.seconds -= 9_000
    begun = hours.seconds
    started(pace, hours, PAGES, 0, "other.example")
    assert hours.seconds - begun == pytest.approx(LEASE, abs=0.2)


def test_merely_waiting_writes_nothing(hours: Any) -> None:
    class Counted(MemoryLedger):
        writes = 0

        def change(self, *given: Any) -> None:
            self.writes += 1
            super().change(*given)

    counted = Counted()
    pace = Pace(ledger=counted, clock=hours.clock, sleep=hours.sleep)
    started(pace, hours, PAGES, 60)
    started(pace, hours, PAGES, 60)
    assert len(hours.slept) > 3
    assert counted.writes == 4, "each began and ended"


def test_threads_share_a_fetcher_and_no_site_is_asked_twice_at_once(site: Any, other_site: Any) -> None:
    asking: dict[str, int] = {"site": 0, "other": 0}
    most = dict(asking)
    lock = threading.Lock()

    def counted(name: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def route(handler: BaseHTTPRequestHandler) -> None:
            with lock:
                asking[name] += 1
                most[name] = max(most[name], asking[name])
            time.sleep(0.02)
            with lock:
                asking[name] -= 1
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        return route

    site.routes["/"], other_site.routes["/"] = counted("site"), counted("other")
    errors: list[Exception] = []

    def work(url: str) -> None:
        try:
            for _ in range(3):
                made.get(feed(url))
        except Exception as error:  # noqa: BLE001 a thread's failure is told by the test itself
            errors.append(error)

    pace = Pace(ledger=MemoryLedger(), clock=time.time, sleep=time.sleep)
    with Fetcher(contact="", version="0", pace=pace, sleep=time.sleep, now=lambda: NOW) as made:
        threads = [threading.Thread(target=work, args=(f"{each.url}/",)) for each in (site, other_site) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (errors, most) == ([], {"site": 1, "other": 1})
    assert len(site.asked) == len(other_site.asked) == 6
