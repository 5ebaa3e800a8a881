"""Hugging Face where its page is not as it was: the same site's API, what the letter says of it, and days to come."""

import email
import email.policy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

DAY = timedelta(days=1)
THURSDAY = date(2026, 11, 19)
ANSWER = f"/api/daily_papers?date={THURSDAY}&limit=100"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 19, 9, tzinfo=UTC))


@pytest.fixture
def house(house_of, loopback, markup):
    for n in range(1, 30):
        day = THURSDAY - n * DAY
        loopback.put(f"/papers/date/{day}", markup.huggingface(dateString=str(day)))
    return house_of({"name": "hf", "kind": "huggingface-daily", "url": loopback.url, "every": "1h"})


def cut(text: str) -> str:
    return text[: len(text) // 2]


@pytest.fixture
def changed(loopback, markup):
    """Today's page is cut in the middle of its data; the API knows the day."""
    page = markup.huggingface("2611.00001", "2611.00002", dateString=str(THURSDAY))
    loopback.put(f"/papers/date/{THURSDAY}", cut(page))
    loopback.put(ANSWER, markup.huggingface_answer(THURSDAY, "2611.00001", "2611.00002"))
    loopback.put(f"{ANSWER}&p=1", "[]")


def test_a_page_that_changed_is_read_from_the_api_and_the_letter_says_so(house, loopback, changed, transport):
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=True, shared=False)
    ((report,), _, _) = house.rounds.once()
    assert (report.status, report.new, report.detour) == (FetchStatus.OK, 2, True)
    assert f"read from {loopback.url}{ANSWER} instead" in report.error
    assert loopback.asked("/api/") == [ANSWER, f"{ANSWER}&p=1"]
    (letter,) = transport.messages
    body = email.message_from_bytes(letter.data, policy=email.policy.default).get_body(("plain",)).get_content()
    assert "*Tides* of 2611.00001" in body
    said = "Its usual page could not be read; this is from another page of the site."
    assert said in " ".join(body.split())


def test_where_the_api_fails_too_the_changed_layout_is_told_and_nothing_is_kept(house, loopback, changed):
    loopback.put(ANSWER, "down", 500)
    (report,) = house.collector.collect()
    assert (report.status, report.listed, report.detour) == (FetchStatus.LAYOUT_CHANGED, 0, False)
    assert list(house.archive.every()) == []
    (kept, *_) = house.fetches.kept("hf")
    assert kept.fetched.status is FetchStatus.LAYOUT_CHANGED, "so that it can be replayed"


def test_who_is_refused_does_not_go_by_the_back_door(house, loopback, changed):
    loopback.put(f"/papers/date/{THURSDAY}", "<html>Please prove that you are human.</html>")
    (report,) = house.collector.collect()
    assert report.status is FetchStatus.BLOCKED
    assert loopback.asked("/api/") == []


@needs_samples
def test_the_sample_that_was_cut_is_read_from_a_sample_answer(house_of, loopback, clock):
    samples = SHARED / "samples" / "huggingface"
    day = date(2026, 6, 12)
    clock.set(datetime(2026, 6, 12, 18, tzinfo=UTC))
    loopback.put(f"/papers/date/{day}", (samples / "drift_truncated_mid_json_2025-09-16.html").read_bytes())
    answer = f"/api/daily_papers?date={day}&limit=100"
    loopback.put(answer, (samples / "api" / "daily_papers_2026-06-12.json").read_bytes())
    loopback.put(f"{answer}&p=1", "[]")
    house = house_of({"name": "hf", "kind": "huggingface-daily", "url": loopback.url})
    (report,) = house.collector.collect()
    assert (report.status, report.listed, report.new, report.detour) == (FetchStatus.OK, 30, 30, True)


def test_a_day_to_come_shows_the_last_one_that_is_and_its_papers_keep_their_day(house, loopback, markup):
    page = markup.huggingface("2611.00001", "2611.00002", dateString=str(THURSDAY))
    loopback.put(f"/papers/date/{THURSDAY}", page)
    loopback.put(f"/papers/date/{THURSDAY + DAY}", page)  # it clamps
    (report,) = house.collector.collect(days=[THURSDAY + DAY])
    assert (report.status, report.day, report.new) == (FetchStatus.OK, THURSDAY, 2)
    assert report.error == f"the page is of {THURSDAY}: nothing is listed for {THURSDAY + DAY} yet"
    for paper in house.archive.every():
        assert [each.day for each in house.archive.sightings(paper.id)] == [THURSDAY]
    assert house.states.state("hf").cursor is None


def test_a_weekend_of_clamping_pages_brings_nothing_twice_and_monday_is_read(house, loopback, markup, clock):
    friday, monday = THURSDAY + DAY, THURSDAY + 4 * DAY
    loopback.put(f"/papers/date/{THURSDAY}", markup.huggingface(dateString=str(THURSDAY)))
    page = markup.huggingface("2611.00001", dateString=str(friday))
    reports = []
    for n in range(1, 5):
        day = THURSDAY + n * DAY
        if day == monday:
            page = markup.huggingface("2611.00002", dateString=str(monday))
        loopback.put(f"/papers/date/{day}", page)
        for hour in (1, 9, 17):
            clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
            reports += house.rounds.collect()
    assert all(each.status.is_good and not each.warning for each in reports)
    listed = {paper.ids.arxiv: paper.first_listed for paper in house.archive.every()}
    assert listed == {"2611.00001": friday, "2611.00002": monday}
    assert sum(each.new for each in reports) == 2
