"""A pause: no letter while it lasts, one on return with the best of what was missed, and then days as before."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from domain.errors import NotConnected, TransientDeliveryError, UncertainDelivery
from domain.issues import LetterKind
from domain.subscriptions import Cadence, Consent, Schedule, SubscriberState
from storage.coming_back import Returns
from storage.integrity import faults
from storage.ledger import balances
from storage.tables import ISSUE, MATCH

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


# -- a letter that waits when its reader pauses ------------------------------------------------------------------------

FIVE_DAYS = date(2026, 11, 8)
MIRA = "mira@lab.example"


def adds_up(lab):
    assert faults(lab.house.database) == ()
    with lab.house.database.reading() as connection:
        assert [each.sentence for each in balances(connection) if each.sentence] == []


def is_back(lab, paper):
    """Let five days go by with a paper a day, and the day of return; return what the letters to Mira name."""
    for day in range(4):
        lab.clock.set(datetime(2026, 11, 4, 9, tzinfo=UTC) + day * DAY)
        lab.listed(paper(10 + day))
        assert lab.round() == 0
    adds_up(lab)
    lab.relay.refused.clear()
    lab.clock.set(datetime(2026, 11, 8, 5, tzinfo=UTC))
    assert len(hours(lab, 12)) == 1
    adds_up(lab)
    return [numbers(letter) for letter in lab.relay.digests("mira")]


def waits(lab, paper, error):
    """Let a letter of two papers wait since the relay says that."""
    lab.relay.refused[MIRA] = error
    lab.listed(paper(2), paper(3))
    assert lab.round() == 1


@pytest.mark.parametrize(
    "error",
    [NotConnected("connection refused"), TransientDeliveryError("451 4.2.0 later", 451, "4.2.0")],
    ids=["no relay", "put off"],
)
def test_what_waited_when_its_reader_paused_comes_with_the_letter_on_return(lab, away, paper, error):
    waits(lab, paper, error)
    away(FIVE_DAYS)
    before, after = is_back(lab, paper)
    assert before == [1]
    assert sorted(after) == [2, 3, 10, 11, 12, 13]
    assert lab.states() == {"mira": "accepted"}


@pytest.mark.engines("sqlite")
def test_a_letter_that_is_put_off_after_its_reader_paused_comes_with_the_letter_on_return_too(lab, away, paper):
    lab.relay.lost[MIRA] = TransientDeliveryError("451 4.2.0 later", 451, "4.2.0")
    lab.relay.after = lambda _: away(FIVE_DAYS)
    lab.listed(paper(2), paper(3))
    assert lab.round() == 1
    lab.relay.lost.clear()
    lab.relay.after = lambda _: None
    lab.relay.taken.pop()  # it said no to it
    assert sorted(is_back(lab, paper)[-1]) == [2, 3, 10, 11, 12, 13]


@pytest.mark.engines("sqlite")
def test_a_letter_that_may_have_left_is_left_alone_and_its_papers_never_come_twice(lab, away, paper):
    lab.relay.lost[MIRA] = UncertainDelivery("no answer")
    lab.listed(paper(2), paper(3))
    assert lab.round() == 1
    away(FIVE_DAYS)
    lab.relay.lost.clear()
    assert [sorted(each) for each in is_back(lab, paper)] == [[1], [2, 3], [10, 11, 12, 13]]


@pytest.mark.engines("sqlite")
def test_one_that_a_worker_is_about_to_send_is_taken_out_of_its_hands(lab, away, paper):
    lab.relay.before = lambda _: away(FIVE_DAYS)
    lab.listed(paper(2))
    assert lab.round() == 1
    lab.relay.before = lambda _: None
    assert [sorted(each) for each in is_back(lab, paper)] == [[1], [2, 10, 11, 12, 13]]


@pytest.mark.engines("sqlite")
def test_who_thinks_better_of_it_at_once_gets_the_letter_of_the_day(lab, away, paper):
    waits(lab, paper, NotConnected("connection refused"))
    mira = away(None)
    lab.house.changes.resume(mira.public_id, None, Consent("resumed", "web 1", lab.clock.now(), "/preferences"))
    lab.relay.refused.clear()
    assert len(hours(lab, 3)) == 1
    assert [sorted(each) for each in map(numbers, lab.relay.digests("mira"))] == [[1], [2, 3]]
    adds_up(lab)


@pytest.mark.engines("sqlite")
def test_a_first_letter_that_waited_is_a_first_letter_on_return(lab, paper):
    lab.clock.set(BEGIN)
    mira = lab.reader("mira", "tides", schedule=DAILY)
    waits(lab, paper, NotConnected("connection refused"))
    said = Consent("paused", "web 1", lab.clock.now(), "/preferences")
    lab.house.changes.pause(mira.public_id, None, FIVE_DAYS, said)
    with lab.house.database.reading() as connection:
        assert connection.execute(select(ISSUE)).all() == []
    (first,) = is_back(lab, paper)
    assert sorted(first) == [2, 3, 10, 11, 12, 13]


@pytest.mark.engines("sqlite")
def test_who_leaves_and_comes_back_paused_gets_what_waited_on_return(lab, away, paper):
    waits(lab, paper, NotConnected("connection refused"))
    mira, now = lab.house.desk.find(MIRA), lab.clock.now()
    assert lab.house.subscribers.unsubscribe(mira.public_id, Consent("unsubscribed", "1", now, "/unsubscribe"))
    said = Consent("came back, paused", "1", now, "/unsubscribe")
    assert Returns(lab.house.database).paused(mira.public_id, now, FIVE_DAYS, said)
    assert [sorted(each) for each in is_back(lab, paper)] == [[1], [2, 3, 10, 11, 12, 13]]
