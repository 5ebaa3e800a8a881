"""Who asks for patience gets it: holds that every process keeps, and that last longer each time."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CollectError, Throttled
from domain.papers import PageRequest
from scrapers.answers import spent_window
from scrapers.fetch import Fetcher
from scrapers.pace import MemoryLedger, Pace

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)  # when `hours` begins
DAY = 24 * 3600.0


def feed(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry_After": "3600"}, 3600),
        (503, {"Retry_After": "300"}, 300),
        (406, {"Retry_After": format_datetime(NOW + timedelta(hours=2), usegmt=True)}, 7200),
        (429, {"Retry_After": "999999"}, DAY),
        (429, {"RateLimit": '"api";r=0;t=44'}, 44),
        (429, {"RateLimit": '"api";r=9;t=44'}, 44),
        (429, {"RateLimit": '"api";r=9;t=44,"pages";r=0;t=200'}, 200),
        (429, {}, 300),
        (429, {"Retry_After": "soon"}, 300),
        (406, {"Retry_After": "-5"}, 300),
    ],
)
def test_who_asks_for_patience_is_left_alone_by_every_process(
    site: Any, hours: Any, ledger: MemoryLedger, make: Any, status: int, headers: dict[str, str], seconds: float
) -> None:
    site.once("/", status, **headers)
    until = f"{NOW + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC"
    paces = [Pace(ledger=ledger, clock=hours.clock, sleep=hours.sleep) for _ in range(2)]
    with make(paces[0]) as one, make(paces[1]) as another:
        for asked in (one, another, one):
            with pytest.raises(Throttled, match=until) as raised:
                asked.get(feed(f"{site.url}/"))
            assert raised.value.retry_after == timedelta(seconds=seconds)
        assert (len(site.asked), hours.slept) == (1, [])
        hours.seconds += seconds
        assert another.get(feed(f"{site.url}/")).body == b"at last"


def test_the_error_names_the_page_the_status_and_the_end(site: Any, fetcher: Fetcher) -> None:
    site.answer("/", status=429)
    with pytest.raises(Throttled) as raised:
        fetcher.get(feed(f"{site.url}/"))
    assert str(raised.value) == (
        f"{site.url}/ asks for patience (429): 127.0.0.1:{site.port} asked for patience and is left alone until "
        "2026-03-04 09:05:00 UTC"
    )


def test_short_patience_is_had_within_the_call_and_others_have_it_too(site: Any, fetcher: Fetcher, hours: Any) -> None:
    site.once("/", 429, Retry_After="30")
    assert fetcher.get(feed(f"{site.url}/")).body == b"at last"
    assert sum(hours.slept) == 30


@pytest.mark.parametrize("value", ["0", format_datetime(NOW - timedelta(hours=1), usegmt=True)])
def test_a_wait_of_nothing_is_a_second(site: Any, fetcher: Fetcher, hours: Any, value: str) -> None:
    site.once("/", 429, Retry_After=value)
    assert fetcher.get(feed(f"{site.url}/")).body == b"at last"
    assert sum(hours.slept) == 1


def test_who_got_what_it_asked_for_and_asks_again_is_left_alone_for_long(
    site: Any, fetcher: Fetcher, hours: Any
) -> None:
    site.answer("/", status=429, Retry_After="3")
    with pytest.raises(Throttled, match="429") as raised:
        fetcher.get(feed(f"{site.url}/"))
    assert raised.value.retry_after == timedelta(minutes=5)
    assert (len(site.asked), sum(hours.slept)) == (3, 6)


@pytest.mark.parametrize(
    ("site", "minutes"), [("arxiv.org", [15, 30, 60, 120, 240, 360, 360]), ("papers.example", [5, 10, 20, 40, 80, 160])]
)
def test_strikes_in_a_row_last_longer_and_a_good_answer_forgives_them(
    pace: Pace, hours: Any, site: str, minutes: list[int]
) -> None:
    for expected in [*minutes, None, *minutes]:
        if expected is None:
            pace.welcome(site)
            continue
        error = pace.hold(site, None)
        assert error.retry_after == timedelta(minutes=expected)
        hours.seconds += expected * 60


def test_a_good_answer_that_was_read_forgives_the_strikes_of_its_site(
    site: Any, fetcher: Fetcher, hours: Any, pace: Pace
) -> None:
    for _ in range(2):
        site.once("/", 429)
        with pytest.raises(Throttled) as raised:
            fetcher.get(feed(f"{site.url}/"))
        assert raised.value.retry_after == timedelta(minutes=5)
        hours.seconds += 300
        assert fetcher.get(feed(f"{site.url}/")).body == b"at last"
        pace.welcome(f"127.0.0.1:{site.port}")


def test_an_answer_that_nobody_has_read_forgives_nothing(site: Any, fetcher: Fetcher, hours: Any) -> None:
    for minutes in (5, 10):
        site.once("/", 429)
        with pytest.raises(Throttled) as raised:
            fetcher.get(feed(f"{site.url}/"))
        assert raised.value.retry_after == timedelta(minutes=minutes)
        hours.seconds += minutes * 60
        fetcher.get(feed(f"{site.url}/"))


def test_a_longer_hold_stays(pace: Pace) -> None:
    pace.hold("papers.example", timedelta(hours=5))
    assert pace.hold("papers.example", timedelta(minutes=1)).retry_after == timedelta(hours=5)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_window_that_is_spent_is_waited_for(site: Any, fetcher: Fetcher, hours: Any, status: int) -> None:
    site.answer("/", status=status, RateLimit='"pages";r=0;t=200')
    with suppress(CollectError):
        fetcher.get(feed(f"{site.url}/"))
    with pytest.raises(Throttled) as raised:
        fetcher.get(feed(f"{site.url}/"))
    assert raised.value.retry_after == NOW + timedelta(seconds=200) - hours.now()
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ('"api";r=0;t=44', 44),
        ('"api";r=499;t=44', None),
        ('"api";r=1;t=9, "pages"; r=0; t=200', 200),
        ('"api";r=0', None),
        ("limit=100, remaining=0, reset=5", None),
        ('"api";r=00;t=1234567', None),
        ("", None),
    ],
)
def test_windows_are_read_one_by_one(value: str, seconds: int | None) -> None:
    assert spent_window({"ratelimit": value}) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=80) | st.from_regex(r'("[a-z]*"(;\s*[rt]=\d{0,12}){0,3},?){0,4}', fullmatch=True))
def test_any_window_is_read_or_is_none(value: str) -> None:
    found = spent_window({"ratelimit": value})
    assert found is None or timedelta() <= found < timedelta(days=12)


def test_a_failure_with_a_window_that_is_not_spent_is_a_failure(site: Any, fetcher: Fetcher, hours: Any) -> None:
    site.once("/", 503, RateLimit='"pages";r=9;t=200')
    assert fetcher.get(feed(f"{site.url}/")).body == b"at last"
    assert hours.slept == [1]
