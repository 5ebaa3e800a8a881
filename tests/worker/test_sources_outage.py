"""What an outage left out is refilled from the catch-up pages, and what a source's first run brings is no news."""

import email
import email.policy
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
THURSDAY = date(2026, 11, 12)
#: The days of the outage, Friday to Thursday, and the Friday on which all is well again.
MISSED = [THURSDAY + n * DAY for n in (1, 4, 5, 6, 7)]
BACK = THURSDAY + 8 * DAY


def new_york(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(new_york(THURSDAY, 3))


def ids(day: date) -> list[str]:
    return [f"{day:%y%m}.{day.day:02}{number:03}" for number in range(3)]


@pytest.fixture
def arxiv(loopback, markup):
    """An arXiv with three papers for every announcement day from Thursday on, and none before."""
    for n in range(-100, 9):
        day = THURSDAY + n * DAY
        papers = ids(day) if n >= 0 and day.weekday() < 5 else []
        loopback.put(f"/catchup/cs.CL/{day}?abs=True", markup.arxiv_catchup(day, *papers))

    def announce(day: date) -> None:
        loopback.put("/list/cs.CL/new", markup.arxiv_list(day, *ids(day)))
        loopback.put("/rss/cs.CL", markup.arxiv_feed(day, *ids(day)))

    announce(THURSDAY)
    return announce


def settings(kind: str, url: str) -> dict:
    return {"name": "cl", "kind": kind, "url": url, "categories": ["cs.CL"], "every": "1h"}


@pytest.mark.parametrize("kind", ["arxiv-listing", "arxiv-feed"])
def test_an_outage_of_five_announcement_days_is_refilled_on_the_next_run(house_of, loopback, arxiv, clock, kind):
    house = house_of(settings(kind, loopback.url))
    house.rounds.collect()
    loopback.log.clear()
    clock.set(new_york(BACK, 3))
    arxiv(BACK)
    (report,) = house.rounds.collect()
    assert (report.status, report.new, report.day) == (FetchStatus.OK, 18, BACK)
    catchups = [path for path in loopback.asked() if path.startswith("/catchup/")]
    assert catchups == [f"/catchup/cs.CL/{day}?abs=True" for day in (THURSDAY, *MISSED)]
    assert {paper.ids.arxiv: paper.first_listed for paper in house.archive.every() if not paper.backlog} == {
        each: day for day in (*MISSED, BACK) for each in ids(day)
    }
    assert house.states.state("cl").cursor == BACK
    assert all(paper.abstract for paper in house.archive.every())


@pytest.mark.parametrize("kind", ["arxiv-listing", "arxiv-feed"])
def test_an_outage_of_the_site_itself_is_refilled_too(house_of, loopback, arxiv, clock, kind):
    house = house_of(settings(kind, loopback.url))
    house.rounds.collect()
    working = dict(loopback.answers)
    for path in working:
        loopback.put(path, "down", 500)
    for day in MISSED:
        clock.set(new_york(day, 3))
        (report,) = house.rounds.collect()
        assert report.status is FetchStatus.FAILED
    assert house.states.state("cl").cursor == THURSDAY
    loopback.answers = working
    arxiv(BACK)
    clock.set(new_york(BACK, 3))
    (report,) = house.rounds.collect()
    assert (report.status, report.new) == (FetchStatus.OK, 18)


def test_a_day_whose_catch_up_fails_is_asked_for_until_it_is_there(house_of, loopback, arxiv, clock):
    house = house_of(settings("arxiv-feed", loopback.url))
    house.rounds.collect()
    path = f"/catchup/cs.CL/{MISSED[2]}?abs=True"
    page = loopback.answers[path].body
    loopback.put(path, "down", 500)
    clock.set(new_york(BACK, 3))
    arxiv(BACK)
    (report,) = house.rounds.collect()
    assert (report.status, report.new) == (FetchStatus.FAILED, 15)
    assert house.states.state("cl").cursor == MISSED[1]
    loopback.put(path, page)
    clock.set(clock.now() + timedelta(minutes=16))
    (report,) = house.rounds.collect()
    assert (report.status, report.new) == (FetchStatus.OK, 3)
    assert house.states.state("cl").cursor == BACK


def test_beyond_ninety_days_nothing_is_asked_for(house_of, loopback, arxiv, clock):
    house = house_of(settings("arxiv-listing", loopback.url))
    house.states.settle(
        "cl", BACK - 200 * DAY, whole=True, cursor=BACK - 200 * DAY, newest=BACK - 200 * DAY, now=house.clock.now()
    )
    clock.set(new_york(BACK, 3))
    arxiv(BACK)
    house.rounds.collect()
    oldest = min(path[len("/catchup/cs.CL/") :][:10] for path in loopback.asked("/catchup/"))
    assert date.fromisoformat(oldest) >= BACK - 90 * DAY


# -- backlog -----------------------------------------------------------------------------------------------------------


def letters(transport) -> list[set[str]]:
    """Return the ids of the papers in each letter, in the order of sending."""
    found = []
    for each in transport.messages:
        body = email.message_from_bytes(each.data, policy=email.policy.default).get_body(("plain",))
        found.append(set(re.findall(r"Tides of (\d{4}\.\d{5})", body.get_content().replace("*", ""))))
    return found


def subscribe(house, name: str) -> None:
    house.desk.subscribe(f"{name}@lab.example", ["tides"], None, vouched=True, shared=False)


def hugging_face(url: str, **more: str) -> dict:
    return {"name": "hf", "kind": "huggingface-daily", "url": url, "every": "1h", **more}


def test_a_source_that_is_added_later_brings_old_papers_to_no_letter_but_a_first_one(
    house_of, loopback, arxiv, clock, transport, markup
):
    def daily(day: date, *papers: str) -> None:
        loopback.put(f"/papers/date/{day}", markup.huggingface(*papers, dateString=str(day)))

    other = loopback.url.replace("127.0.0.1", "localhost")
    clock.set(new_york(THURSDAY, 9))
    daily(THURSDAY, "2611.90000")
    house = house_of(hugging_face(other))
    subscribe(house, "mira")
    house.rounds.once()
    assert letters(transport) == [{"2611.90000"}]
    # arXiv is added on Friday: its first run loads days of papers, of which today's are the newest.
    arxiv(MISSED[0])
    daily(MISSED[0], "2611.90001")
    house = house_of(hugging_face(other), settings("arxiv-listing", loopback.url))
    clock.set(new_york(MISSED[0], 9))
    reports, _, _ = house.rounds.once()
    assert [each.new for each in reports] == [1, 6]
    assert letters(transport)[1:] == [{"2611.90001"}]
    # On Monday its new papers are news; a new reader's first letter looks back over the backlog too.
    arxiv(MISSED[1])
    subscribe(house, "noor")
    clock.set(new_york(MISSED[1], 9))
    house.rounds.once()
    mira, noor = letters(transport)[2:]
    if len(noor) < len(mira):
        mira, noor = noor, mira
    assert mira == set(ids(MISSED[1]))
    assert noor == {"2611.90000", "2611.90001", *ids(THURSDAY), *ids(MISSED[0]), *ids(MISSED[1])}


def test_what_a_search_finds_at_first_is_backlog_and_what_it_finds_later_is_news(
    house_of, loopback, clock, transport, markup
):
    clock.set(new_york(THURSDAY, 9))
    found = ["2305.00001", "1706.00002"]
    loopback.put("/papers?q=tides", markup.huggingface_search("tides", *found))
    for n in range(30):
        loopback.put(f"/papers/date/{THURSDAY - n * DAY}", markup.huggingface(dateString=str(THURSDAY - n * DAY)))
    house = house_of(hugging_face(loopback.url))
    subscribe(house, "mira")
    house.rounds.once()
    query = {"name": "search", "kind": "huggingface-search", "url": loopback.url, "query": "tides", "every": "1h"}
    house = house_of(query)
    clock.set(new_york(MISSED[0], 9))
    (report,) = house.rounds.collect()
    assert (report.status, report.new) == (FetchStatus.OK, 2)
    assert all(paper.backlog for paper in house.archive.every())
    loopback.put("/papers?q=tides", markup.huggingface_search("tides", "2402.00003", *found))
    clock.set(clock.now() + timedelta(hours=2))
    house.rounds.once()
    assert letters(transport)[-1] == {"2402.00003"}, "of any year: new is what the archive had not seen"
