"""What became of a paper that a reader was sent is told once, in the next letter that goes anyway."""

import re
from datetime import date

import pytest
from sqlalchemy import delete, func, select

from domain.papers import Announcement
from domain.subscriptions import Choices
from storage.afterwards import Became
from storage.rising import EVENTS
from storage.tables import EVENT
from worker.afterwards import happenings

HEADING = "News of papers you were sent"


@pytest.fixture
def sent(days, paper):
    """A reader who was sent paper 1."""
    days.reader("mira", "tides", choices=Choices(late_risers=0))
    days.letters()
    days.listed(paper(1, "Tides", version=1))
    assert days.letters()["mira"].papers == [1]
    return days


def told(letter) -> str:
    """Return what the section of news says."""
    return letter.text.partition(HEADING)[2].partition("Checked for you")[0]


def test_each_thing_that_became_of_it_is_told_once(sent, paper):
    replace = {"announcement": Announcement.REPLACE}
    sent.listed(paper(1, "Tides", version=2, **replace))
    assert sent.letters() == {}, "news is no reason for a letter, and waits for one"
    sent.listed(paper(1, "Tides", version=3, **replace), source="again")
    sent.listed(paper(2, "Tides of today"))
    letter = sent.letters()["mira"]
    assert "a new version (v3)" in told(letter)
    assert "v2" not in told(letter)
    assert "news of 1 paper you were sent" in letter.text
    assert letter.text.index("Paper 2") < letter.text.index(HEADING)

    sent.listed(paper(1, "Tides", version=3, journal="Journal of Mud"), paper(3, "Tides of tomorrow"))
    assert "published: Journal of Mud" in told(sent.letters()["mira"])
    sent.listed(paper(1, "Tides", version=3, journal="J. Mud", code_url="https://code.example/tides"))
    sent.listed(paper(4, "Tides of old"))
    assert "its code is out" in told(news := sent.letters()["mira"])
    assert "published" not in told(news), "another spelling of the journal is no news"
    sent.listed(paper(1, "Tides", version=3, withdrawn=True), paper(5, "Tides and mud"))
    assert "withdrawn" in told(sent.letters()["mira"])
    sent.listed(paper(6, "Tides and salt"))
    assert HEADING not in sent.letters()["mira"].text


def test_who_was_not_sent_it_hears_nothing_of_it(sent, paper):
    sent.reader("jun", "mud")
    sent.reader("noor", "tides", choices=Choices(sent_news=0))
    sent.letters()
    sent.listed(paper(1, "Tides", version=2, announcement=Announcement.REPLACE), paper(2, "Tides in mud"))
    letters = sent.letters()
    assert {name: HEADING in letter.text for name, letter in letters.items()} == {
        "mira": True,
        "jun": False,
        "noor": False,
    }


def test_what_a_paper_brings_when_it_is_first_seen_is_no_news(days, paper):
    days.reader("mira", "tides")
    days.letters()
    days.listed(paper(1, "Tides", journal="Journal of Mud", code_url="https://code.example/t"), paper(1, "Tides"))
    days.letters()
    days.listed(paper(2, "Tides of today"))
    assert HEADING not in days.letters()["mira"].text


def test_what_happened_before_it_was_sent_is_no_news(days, paper):
    days.listed(paper(1, "Tides", version=1))
    days.listed(paper(1, "Tides", version=2, announcement=Announcement.REPLACE), source="again")
    days.reader("mira", "tides")
    assert days.letters()["mira"].papers == [1]
    days.listed(paper(2, "Tides of today"))
    assert HEADING not in days.letters()["mira"].text


def test_more_than_there_is_room_for_is_counted(days, paper):
    days.reader("mira", "tides", choices=Choices(sent_news=2, papers=20, per_topic=20))
    days.letters()
    days.listed(*(paper(n, f"Tides {n}", version=1) for n in range(1, 6)))
    days.letters()
    days.listed(*(paper(n, f"Tides {n}", version=2, announcement=Announcement.REPLACE) for n in range(1, 6)))
    days.listed(paper(9, "Tides of today"))
    news = told(days.letters()["mira"])
    assert len(re.findall("a new version", news)) == 2
    assert "And of 3 more papers, on their own pages." in news


def test_records_that_are_one_paper_tell_their_journal_once_and_no_number_is_given_twice(days, paper):
    days.reader("mira", "tides")
    days.letters()
    words = "A tide that is told at some length, with the very same words here as there, so that it is known again."
    days.listed(paper(1, "Tides one"), paper(2, "Tides two", words))
    days.letters()
    days.listed(paper(1, "Tides one", journal="Journal of Mud"), paper(2, "Tides two", words, journal="J. Mud"))
    days.listed(paper(3, "Tides three"))
    assert told(days.letters()["mira"]).count("published") == 2
    with days.house.database.writing() as connection:
        before = connection.execute(select(func.max(EVENT.c.id))).scalar()
        EVENTS.retire(connection)
        connection.execute(delete(EVENT).where(EVENT.c.id == before))
    days.listed(paper(1, "Tides one", version=2, announcement=Announcement.REPLACE), paper(4, "Tides four"))
    assert "a new version (v2)" in told(days.letters()["mira"])
    with days.house.database.reading() as connection:
        assert connection.execute(select(func.max(EVENT.c.id))).scalar() > before


def test_the_gravest_comes_first_and_a_withdrawal_taken_back_is_one(papers):
    day = date(2026, 11, 25)
    became = [
        Became(1, "version", "v2", day),
        Became(2, "code", "https://code.example/2", day),
        Became(2, "journal", "Journal\u202e of <b>Mud</b>", day),
        Became(3, "withdrawn", "v1", date(2025, 1, 2)),
        Became(4, "withdrawn", "v1", day),
        Became(4, "returned", "v2", day),
        Became(5, "withdrawn", "v1", date(2025, 1, 1)),
        Became(5, "returned", "v2", date(2025, 1, 1)),
        Became(5, "withdrawn", "v2", date(2025, 1, 1)),
        Became(77, "withdrawn", "v1", day),
    ]
    found = happenings(became, papers, year=2026)
    assert [(each.paper.id, each.told) for each in found] == [
        (3, "withdrawn, 2 January 2025"),
        (5, "withdrawn, 1 January 2025"),
        (4, "no longer withdrawn, 25 November"),
        (2, "published: Journal of <b>Mud</b>, 25 November; its code is out, 25 November"),
        (1, "a new version (v2), 25 November"),
    ]


@pytest.fixture
def papers(days, paper):
    days.listed(*(paper(n, f"Tides {n}") for n in range(1, 6)))
    return {each.id: each for each in days.house.archive.every()}
