"""A reader is forgotten, and what was anybody else's stays."""

from datetime import timedelta

from sqlalchemy import select

from domain.deliveries import DeliveryState, Outcome
from domain.letter_events import LetterEvent, LetterEventKind
from domain.subscriptions import Consent, SubscriberState
from domain.topics import Match, Selection
from storage.integrity import faults
from storage.keeping import Keeping
from storage.letter_events import LetterEvents
from storage.outbox import Outbox
from storage.sending import Permission
from storage.subscribers import Subscribers
from storage.tables import CONSENT, CONTENT, DELIVERY, ERASURE, FRAGMENT, ISSUE, MATCH, SENT, SUBSCRIPTION, TALLY, TOPIC
from storage.topics import Topics

DAY = timedelta(days=1)
LEASE = timedelta(minutes=15)


def test_all_that_was_a_readers_goes_and_what_is_anothers_stays(database, reader, issue, count, paper, now):
    mira, jun = reader("mira"), reader("jun")
    issue(mira, now, papers=[paper], text=b"To Mira alone.")
    issue(jun, now, papers=[paper], text=b"To Jun.")
    readers = Subscribers(database)
    assert readers.erase(mira.public_id, now)
    assert not readers.erase(mira.public_id, now)
    assert [each.public_id for each in readers.everyone()] == ["jun"]
    left = (CONSENT, SUBSCRIPTION, ISSUE, DELIVERY, CONTENT, SENT)
    assert [count(table) for table in left] == [1] * len(left)
    assert (Keeping(database).sweep_fragments(), count(FRAGMENT)) == (1, 2)
    with database.reading() as connection:
        assert connection.execute(select(ERASURE.c.public_id, ERASURE.c.at)).all() == [("mira", now)]
    assert faults(database) == ()


def test_one_who_comes_back_is_a_new_reader(database, reader, now):
    before = reader("mira")
    Subscribers(database).erase(before.public_id, now)
    assert Subscribers(database).consents(reader("mira").id) == (Consent("asked", "1", now),)


def test_a_topic_that_nobody_asks_any_more_is_nameless_and_its_matches_keep_their_numbers(
    database, reader, count, paper, now
):
    mira, jun = reader("mira", topic="a rare illness"), reader("jun", topic="tides")
    topics = Topics(database)
    rare, tides = topics.all()
    found = [Selection(each.id, (Match(each.id, paper, 1.0),), beyond=9) for each in (tides, rare)]
    topics.record(found, since=0, up_to=paper, now=now)
    Subscribers(database).erase(mira.public_id, now)
    assert [each.normal_form for each in topics.all()] == ["tides"]
    with database.reading() as connection:
        assert not any("ill" in each for each in connection.execute(select(TOPIC.c.normal_form)).scalars())
    # A number that came again would be older than what readers were told of: never news.
    assert (count(MATCH), count(TALLY)) == (2, 1)
    reader("sana", topic="a rare illness")
    assert len(topics.all()) == 2
    assert Subscribers(database).by_public_id(jun.public_id) == jun


def test_a_letter_that_a_worker_holds_is_not_sent_any_more(database, reader, issue, now, settle, ask):
    mira = reader()
    issue(mira, now, state=DeliveryState.PLANNED)
    outbox = Outbox(database)
    (leased,) = outbox.lease("one", now, LEASE, 1)
    Subscribers(database).erase(mira.public_id, now)
    assert ask(leased, "one", now) is Permission.LOST
    assert not settle(leased.id, "one", Outcome(state=DeliveryState.ACCEPTED), now)
    assert outbox.release("one") == 0
    assert outbox.recover(lambda _: False, now, resend=True) == 0


def test_a_letter_that_is_being_sent_leaves_and_nothing_is_written_of_it(database, reader, issue, now, settle, ask):
    mira = reader()
    issue(mira, now, state=DeliveryState.PLANNED)
    outbox = Outbox(database)
    (leased,) = outbox.lease("one", now, LEASE, 1)
    assert ask(leased, "one", now) is Permission.GIVEN
    Subscribers(database).erase(mira.public_id, now)
    assert not settle(leased.id, "one", Outcome(state=DeliveryState.ACCEPTED), now)
    assert outbox.records() == ()


def test_a_bounce_for_one_who_was_erased_blames_nobody_who_came_later(database, reader, issue, now):
    issue(reader("mira"), now)
    with database.reading() as connection:
        number = connection.execute(select(DELIVERY.c.id)).scalar_one()
    Subscribers(database).erase("mira", now)
    issue(reader("jun"), now)
    bounce = LetterEvent("dsn", "1", number, LetterEventKind.BOUNCE, now, "5.1.1")
    assert LetterEvents(database).record([bounce], now) == 0
    assert Subscribers(database).by_public_id("jun").state is SubscriberState.CONFIRMED
