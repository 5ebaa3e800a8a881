"""A pause: no letter while it lasts, one on return with the best of what was missed, and then days as before."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.issues import LetterKind
from domain.subscriptions import Cadence, Consent, Schedule, SubscriberState
from storage.tables import MATCH

DAY = timedelta(days=1)
BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)  # a Monday
BACK = date(2026, 11, 17)
DAILY = Schedule(every=Cadence.DAY, hour=7, zone="Europe/Berlin")


def best(number):
    """The more of the topic's words a title has, the better it answers."""
    return f"Tides{' and Tides' * (number % 7)} of Place {number}"


@pytest.fixture
def away(lab, paper):
    """Mira had a letter on 2 November and pauses on the 3rd at noon; she is back on the 17th."""
    lab.clock.set(BEGIN)
    mira = lab.reader("mira", "tides", schedule=DAILY)
    lab.listed(paper(1))
    assert lab.round() == 1
    lab.clock.set(BEGIN + DAY + timedelta(hours=3))

    def pause(until=BACK):
        consent = Consent("paused", "web 1", lab.clock.now(), "/preferences")
        return lab.house.changes.pause(mira.public_id, None, until, consent)

    return pause


def hours(lab, count, step=1):
    """Let hours pass, with a publish and a delivery in each; return when letters were planned."""
    planned = []
    for _ in range(count // step):
        lab.clock.set(lab.clock.now() + timedelta(hours=step))
        planned += [lab.clock.now()] * lab.round()
    return planned


def text_of(letter):
    return " ".join(letter.get_body(("plain",)).get_content().split())


def numbers(letter):
    """Return the numbers of the papers that a letter names, as often as it names them."""
    page = letter.get_body(("html",)).get_content()
    return [int(each) for each in re.findall(r"Place (\d+)", re.sub(r"<[^>]*>", "", page.partition("<body")[2]))]


def scores(lab):
    """Return paper's number → how well it answers."""
    with lab.house.database.reading() as connection:
        stored = {row.paper_id: row.score for row in connection.execute(select(MATCH))}
    return {int(re.search(r"Place (\d+)", each.title)[1]): stored[each.id] for each in lab.house.archive.papers(stored)}


def test_two_weeks_away_are_one_letter_on_return_with_the_best_by_rank_and_no_paper_twice(lab, away, paper):
    away()
    before = len(lab.relay.taken)
    for day in range(13):  # 4 to 16 November: two papers a day, each of which meets the topics at once
        lab.clock.set(datetime(2026, 11, 4, 9, tzinfo=UTC) + day * DAY)
        lab.listed(*(paper(10 + 2 * day + each, best(10 + 2 * day + each)) for each in range(2)))
        assert lab.round() == 0
    lab.clock.set(datetime(2026, 11, 16, 21, 30, tzinfo=UTC))
    planned = hours(lab, 24)
    assert planned == [datetime(2026, 11, 17, 6, 30, tzinfo=UTC)], "at her hour of the day she named, and once"
    (letter,) = lab.relay.digests("mira")[1:]
    assert len(lab.relay.taken) == before + 1
    text = text_of(letter)
    assert "You were away from 3 to 17 November. 26 new papers since your last letter." in text
    assert "26 papers answer your topic: 5 in full, 21 by title." in text
    named = numbers(letter)
    assert sorted(named) == list(range(10, 36)), "each once, and none of the letter before"
    score = scores(lab)
    assert min(score[number] for number in named[:5]) >= max(score[number] for number in named[5:])
    assert lab.house.silences.of(lab.house.desk.find("mira@lab.example").id) == (), "days away are no silence"

    lab.listed(paper(99))
    assert len(hours(lab, 48, step=6)) == 1
    assert "away" not in text_of(lab.relay.digests("mira")[-1])
    assert numbers(lab.relay.digests("mira")[-1]) == [99]


@pytest.mark.engines("sqlite")
def test_who_resumes_by_hand_gets_the_same_one_letter(lab, away, paper):
    away(until=None)
    lab.clock.set(datetime(2026, 11, 9, 3, tzinfo=UTC))  # before her hour
    lab.listed(paper(10), paper(11))
    assert hours(lab, 1) == []
    mira = lab.house.desk.find("mira@lab.example")
    lab.house.changes.resume(mira.public_id, None, Consent("resumed", "web 1", lab.clock.now(), "/preferences"))
    planned = hours(lab, 30, step=2)
    assert planned == [datetime(2026, 11, 9, 6, tzinfo=UTC)], "the slots of the days before belong to the absence"
    assert text_of(lab.relay.digests("mira")[-1]).count("You were away from 3 to 9 November.") == 1
    assert lab.house.desk.find("mira@lab.example").away_since is None


@pytest.mark.engines("sqlite")
def test_who_resumes_after_their_hour_gets_it_at_once(lab, away, paper):
    away(until=None)
    lab.clock.set(datetime(2026, 11, 9, 15, tzinfo=UTC))
    lab.listed(paper(10))
    mira = lab.house.desk.find("mira@lab.example")
    lab.house.changes.resume(mira.public_id, None, Consent("resumed", "web 1", lab.clock.now(), "/preferences"))
    assert hours(lab, 12) == [datetime(2026, 11, 9, 16, tzinfo=UTC)]


@pytest.mark.engines("sqlite")
def test_a_weekly_reader_who_is_back_on_a_thursday_hears_on_their_own_day(lab, paper):
    lab.clock.set(BEGIN)
    weekly = Schedule(every=Cadence.WEEK, weekday=0, hour=7, zone="Europe/Berlin")
    mira = lab.reader("mira", "tides", schedule=weekly)
    lab.listed(paper(1))
    assert lab.round() == 1
    lab.house.changes.pause(mira.public_id, None, date(2026, 11, 19), Consent("paused", "web 1", lab.clock.now()))
    lab.clock.set(datetime(2026, 11, 12, 9, tzinfo=UTC))
    lab.listed(paper(2))
    planned = hours(lab, 24 * 14, step=12)
    assert planned == [datetime(2026, 11, 23, 9, tzinfo=UTC)]


@pytest.mark.engines("sqlite")
def test_a_machine_that_was_off_at_midnight_sends_the_letter_when_it_is_on_again(lab, away, paper):
    away()
    lab.listed(paper(10))
    lab.clock.set(datetime(2026, 11, 17, 13, tzinfo=UTC))
    assert hours(lab, 12) == [datetime(2026, 11, 17, 14, tzinfo=UTC)]


def test_when_nothing_was_missed_a_quiet_note_says_so_and_no_later_letter_speaks_of_the_absence(lab, away, paper):
    away()
    lab.clock.set(datetime(2026, 11, 16, 21, tzinfo=UTC))
    assert hours(lab, 24, step=6) == []
    kinds = [message.kind for message in lab.relay.taken]
    assert kinds == [LetterKind.DIGEST, LetterKind.QUIET]
    assert lab.house.desk.find("mira@lab.example").away_since is None
    lab.clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))
    lab.listed(paper(10))
    assert len(hours(lab, 24, step=6)) == 1
    assert "away" not in text_of(lab.relay.digests("mira")[-1])


@pytest.mark.engines("sqlite")
def test_a_dry_run_wakes_nobody(lab, away, paper):
    away()
    lab.listed(paper(10))
    now = datetime(2026, 11, 17, 9, tzinfo=UTC)
    lab.clock.set(now)
    lab.house.matcher.match(now)
    assert lab.house.publisher.publish(now, dry_run=True).due == 0
    assert lab.house.desk.find("mira@lab.example").state is SubscriberState.PAUSED
    assert lab.house.publisher.publish(now).issues == 1


@pytest.mark.engines("sqlite")
def test_who_pauses_again_before_the_letter_was_planned_was_away_from_the_first_day_on(lab, away, paper):
    away()
    mira = lab.house.desk.find("mira@lab.example")
    lab.clock.set(datetime(2026, 11, 17, 2, tzinfo=UTC))
    lab.listed(paper(10))
    assert lab.round() == 0
    assert lab.house.desk.find("mira@lab.example").state is SubscriberState.CONFIRMED
    consent = Consent("paused", "web 1", lab.clock.now(), "/preferences")
    lab.house.changes.pause(mira.public_id, None, date(2026, 11, 20), consent)
    lab.clock.set(datetime(2026, 11, 19, 22, tzinfo=UTC))
    assert hours(lab, 24) == [datetime(2026, 11, 20, 6, tzinfo=UTC)]
    assert "You were away from 3 to 20 November." in text_of(lab.relay.digests("mira")[-1])
