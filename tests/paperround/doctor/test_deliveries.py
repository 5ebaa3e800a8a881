"""What delivery remembers, and what a person is told of it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from digests.mail.message import Identity, freeze, mailing_slots, message_id
from digests.render import Frame, Renderer
from domain.issues import LetterKind, Mailing
from domain.lanes import RELAY, TO, Lane
from domain.letter_events import LetterEvent, LetterEventKind
from paperround.doctor import deliveries
from paperround.doctor.finding import Verdict
from storage.database import Database
from storage.installation import Installation
from storage.lanes import Lanes
from storage.letter_events import LetterEvents
from storage.mailings import queue
from storage.tables import DELIVERY, SUBSCRIBER
from storage.troubles import Troubles

pytestmark = pytest.mark.engines("memory")
OK, WRONG, UNKNOWN = Verdict.OK, Verdict.WRONG, Verdict.UNKNOWN
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def database(url):
    with Database(url) as opened:
        yield opened


@pytest.fixture
def told(visit, database):
    """Look, and give what was found besides that nothing holds the letters."""

    def look():
        found = list(deliveries.check(visit(database=database)))
        assert (found[0].verdict, found[0].sentence) == (OK, "nothing holds the letters")
        return [(each.verdict, f"{each.sentence} → {each.advice}") for each in found[1:]]

    return look


def reader(connection, number, now):
    """Keep a reader; return their number."""
    email = f"reader{number}@lab.example"
    values = {"public_id": f"{number}", "email": email, "address_key": email, "state": "confirmed", "created_at": now}
    slots = {"every": "day", "weekday": 0, "hour": 7, "zone": "UTC", "shared": False}
    return connection.execute(insert(SUBSCRIBER).values({**values, **slots}).returning(SUBSCRIBER.c.id)).scalar_one()


@pytest.fixture
def letters(database, now):
    """Keep letters that are in some state."""

    def keep(number, **values):
        identity = Identity("papers@lab.example", secret="of this archive")
        content = freeze(Renderer(Frame()).linked(LetterKind.CONFIRM), identity)
        with database.writing() as connection:
            for each in range(number):
                name = message_id(f"{each}", identity)
                slots = mailing_slots(recipient="a@lab.example", message_id=name, date=now)
                mailing = Mailing(f"{each}", "", "a@lab.example", content, slots, name, now, now, now + DAY)
                queue(connection, mailing, reader(connection, each, now), issue_id=None)
            connection.execute(update(DELIVERY).values(values))
            return connection.execute(select(DELIVERY.c.id)).scalars().all()

    return keep


def test_where_all_is_well_nothing_more_is_said(told, letters):
    letters(3, state="planned")

    assert told() == []


def test_looking_changes_nothing(database, told, letters, now):
    for each in letters(5, state="accepted", last_try=now - HOUR):
        LetterEvents(database).record([LetterEvent("arf", f"{each}", each, LetterEventKind.COMPLAINT, now)], now)
    Lanes(database).change(lambda _: {RELAY: Lane(RELAY, shut_until=now + HOUR, reason="the relay is out of reach: x")})
    lanes = Lanes(database).all()
    told()

    assert Lanes(database).all() == lanes
    assert Installation(database).hold() is None


@pytest.mark.engines("sqlite", "postgresql")
def test_letters_that_nobody_knows_of_wait_for_a_word(told, letters):
    letters(2, state="uncertain", not_before=None)
    ((verdict, words),) = told()

    assert verdict is WRONG
    assert "2 letters wait for your word" in words
    assert "deliveries resolve ID --as sent" in words


def test_letters_that_are_tried_again_by_themselves_wait_for_nobody(told, letters, now):
    letters(2, state="uncertain", not_before=now)

    assert told() == []


@pytest.mark.parametrize(
    ("minutes", "verdict", "words"),
    [
        (30, WRONG, "→ tried again at 08:30 UTC, or at once after `paperround deliveries resume`"),
        (-1, UNKNOWN, "whether letters leave again"),
    ],
)
def test_a_relay_that_was_not_reached_is_named(database, told, now, minutes, verdict, words):
    lane = Lane(
        RELAY,
        strikes=2,
        shut_until=now + timedelta(minutes=minutes),
        shut_since=now - HOUR,
        reason="the relay is out of reach: no; answer",
    )
    Lanes(database).change(lambda _: {RELAY: lane})
    ((found, said),) = told()

    assert found is verdict
    assert "the relay is out of reach: no; answer →" in said
    assert words in said


def test_a_keeper_that_asked_for_patience_is_no_fault_of_ours(database, told, now):
    names = ["gmail", *(f"k{number}.example" for number in range(8))]
    lanes = {TO + name: Lane(TO + name, per_hour=10.0, shut_until=now + HOUR, reason="wait") for name in names}
    Lanes(database).change(lambda _: lanes)
    ((verdict, words),) = told()

    assert verdict is OK
    assert "letters to gmail, k0.example" in words
    assert "and 4 others wait" in words
    assert "paperround deliveries lanes" in words


@pytest.mark.parametrize(
    ("name", "lasts", "words"),
    [
        ("publish", timedelta(), "`paperround publish`"),
        ("deliver", HOUR, "`paperround deliver`"),
        ("source:hf", 2 * DAY, "`paperround sources check hf`"),
        ("source:hf", HOUR, ""),  # one visit may fail
        ("source:gone", 2 * DAY, ""),
    ],
)
def test_what_keeps_failing_is_named_with_the_command_that_says_why(database, told, now, name, lasts, words):
    troubles = Troubles(database)
    troubles.failed(name, "it is\x1b broken", now - lasts)
    troubles.failed(name, "it is\x1b broken", now)
    found = told()

    assert [each for each, _ in found] == ([WRONG] if words else [])
    assert all(words in said and "it is broken" in said and said.isprintable() for _, said in found)


def test_what_holds_the_letters_is_said_once(visit, database, now):
    Installation(database).pause(now)
    Troubles(database).failed("deliver", "letters are held", now)

    assert [each.verdict for each in deliveries.check(visit(database=database))] == [WRONG]


@pytest.mark.parametrize(("complaints", "verdict"), [(0, None), (1, OK), (5, WRONG)])
def test_readers_who_complain_are_counted(database, told, letters, now, complaints, verdict):
    numbers = letters(20, state="accepted", last_try=now - HOUR)
    heard = [LetterEvent("arf", f"{each}", each, LetterEventKind.COMPLAINT, now) for each in numbers[:complaints]]
    LetterEvents(database).record(heard, now)
    found = told()

    assert [each for each, _ in found] == ([verdict] if verdict else [])
    assert all(f"{complaints} of 20 letters" in said for _, said in found)
