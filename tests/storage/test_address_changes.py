"""A reader's letters move to another address, once its owner says so and never before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from storage.address_changes import ASKED_A_DAY, AddressChanges
from storage.letter_events import LetterEvents
from storage.outbox import Outbox
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.tables import ADDRESS_CHANGE, LETTER_EVENT, SUBSCRIBER

S = SubscriberState
LETTER = Content(LetterKind.ADDRESS, "Please confirm", (Fragment(Role.HEAD, b"Subject: x\r\n"),))
NEW = "mira@sea.example"


@pytest.fixture
def changes(database):
    return AddressChanges(database)


@pytest.fixture
def move(changes):
    """Ask for another address."""

    def ask(reader, at, email=NEW):
        def letter(asking, number):
            return Mailing(
                message_key=f"address:{asking.public_id}:{number}",
                subscriber_id=asking.public_id,
                recipient=email,
                content=LETTER,
                slots={},
                message_id=f"<{asking.public_id}.{number}@lab.example>",
                date=at,
                not_before=at,
                expires_at=at + timedelta(days=3),
            )

        return changes.ask(reader.public_id, email, email.lower(), letter, at)

    return ask


@pytest.fixture
def agree(changes):
    return lambda reader, asked_at, at=None: changes.confirm(
        reader.public_id, asked_at, Consent("address changed", "web 1", at or asked_at, "/address")
    )


@pytest.fixture
def email_of(database):
    return lambda reader: Subscribers(database).by_public_id(reader.public_id).email


def test_nothing_moves_before_the_new_address_says_yes(database, changes, reader, move, agree, email_of, now):
    mira = reader()
    assert move(mira, now)
    assert [(each.kind, each.recipient) for each in Outbox(database).records()] == [("address", NEW)]
    assert email_of(mira) == mira.email
    assert changes.asked(mira.public_id, now.replace(microsecond=0)) == NEW
    assert agree(mira, now)
    moved = Subscribers(database).by_public_id(mira.public_id)
    assert (moved.email, moved.state, moved.id, moved.revision) == (NEW, S.CONFIRMED, mira.id, mira.revision + 1)
    assert Subscribers(database).by_address("mira@lab.example") is None
    assert Subscribers(database).consents(mira.id)[-1].action == "address changed"


def test_twice_is_once(database, reader, move, agree, now):
    mira = reader()
    move(mira, now)
    assert agree(mira, now)
    assert not agree(mira, now)
    assert len(Subscribers(database).consents(mira.id)) == 2


def test_what_is_asked_later_takes_the_place_of_what_was_asked_before(changes, reader, move, agree, email_of, now):
    mira, later = reader(), now + timedelta(minutes=1)
    assert move(mira, now)
    assert move(mira, later, "mira@lake.example")
    assert changes.asked(mira.public_id, now) is None
    assert not agree(mira, now)
    assert agree(mira, later)
    assert email_of(mira) == "mira@lake.example"


def test_no_two_are_asked_in_one_second_for_the_first_link_would_confirm_the_second_address(changes, reader, move, now):
    mira = reader()
    assert move(mira, now.replace(microsecond=1))
    assert not move(mira, now.replace(microsecond=999_999), "victim@lake.example")
    assert not move(mira, now - timedelta(seconds=5), "victim@lake.example"), "nor by a clock that went back"
    assert changes.asked(mira.public_id, now) == NEW


def test_only_so_many_letters_leave_for_one_reader_in_a_day(database, reader, move, now):
    mira = reader()
    asked = [move(mira, now + timedelta(minutes=number), f"mira{number}@sea.example") for number in range(10)]
    assert sum(asked) == ASKED_A_DAY
    assert len(Outbox(database).records()) == ASKED_A_DAY
    assert move(mira, now + timedelta(days=1, minutes=3))


def test_who_gets_no_letters_moves_nowhere(database, reader, move, now):
    for state in (S.PENDING, S.UNSUBSCRIBED, S.SUPPRESSED):
        assert not move(reader(state.value, state=state), now)
    assert Outbox(database).records() == ()


def test_a_mailbox_of_several_people_moves_by_its_operator_alone(database, reader, move, now):
    table = reader("table")
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(shared=True))
    assert not move(table, now)


def test_an_address_that_a_reader_has_or_had_is_not_taken(database, reader, move, now):
    mira = reader()
    for state in (S.CONFIRMED, S.PAUSED, S.UNSUBSCRIBED):
        assert not move(mira, now, reader(state.value, state=state).email)
    assert Outbox(database).records() == ()


def test_an_address_that_somebody_takes_meanwhile_is_not_taken(database, reader, move, agree, email_of, now):
    mira = reader()
    assert move(mira, now, "jun@lab.example")
    jun = reader("jun")
    assert not agree(mira, now)
    assert (email_of(mira), email_of(jun)) == ("mira@lab.example", "jun@lab.example")


def test_who_only_typed_the_new_address_gives_way_to_its_owner(database, reader, move, agree, email_of, now):
    mira, stranger = reader(), reader("new", state=S.PENDING)
    assert move(mira, now, stranger.email)
    assert agree(mira, now)
    assert email_of(mira) == stranger.email
    assert [each.public_id for each in Subscribers(database).everyone()] == [mira.public_id]


def test_an_address_that_must_not_be_mailed_is_not_asked_and_not_moved_to(database, reader, move, agree, email_of, now):
    mira, suppressions = reader(), Suppressions(database)
    assert move(mira, now)
    suppressions.add(NEW, SuppressionReason.OPERATOR, "", now)
    assert not agree(mira, now)
    assert not move(mira, now + timedelta(minutes=1))
    assert email_of(mira) == mira.email


def test_bounces_of_the_old_mailbox_are_not_held_against_the_new_one(database, reader, issue, move, agree, now):
    mira = reader()
    issue(mira, now)
    (sent,) = Outbox(database).records()
    bounced = LetterEvent("dsn", "1", sent.id, LetterEventKind.BOUNCE, now, "5.0.0")
    LetterEvents(database).record([bounced], now)
    with database.reading() as connection:
        assert connection.execute(select(LETTER_EVENT.c.points)).scalar_one() == 1
    move(mira, now)
    agree(mira, now)
    with database.reading() as connection:
        assert connection.execute(select(LETTER_EVENT.c.points)).scalar_one() == 0


def test_of_two_who_move_to_one_address_at_once_one_is_there_and_the_other_is_told_calmly(
    database, reader, move, agree, email_of, now
):
    readers = [reader(name) for name in ("mira", "jun", "sana", "lee")]
    for each in readers:
        assert move(each, now)
    with ThreadPoolExecutor(4) as threads:
        moved = list(threads.map(lambda each: agree(each, now), readers))
    assert sorted(moved) == [False, False, False, True]
    assert [email_of(each) == NEW for each in readers] == moved


def test_erasing_a_reader_forgets_where_they_wanted_to_move(database, reader, move, count, now):
    mira = reader()
    move(mira, now)
    Subscribers(database).erase(mira.public_id, now)
    assert count(ADDRESS_CHANGE) == 0


def test_a_link_of_another_second_moves_nobody(changes, reader, move, agree, email_of, now):
    mira = reader()
    move(mira, now)
    for seconds in (-1, 1, 86_400):
        assert not agree(mira, now + timedelta(seconds=seconds))
    assert changes.asked("nobody", now) is None
    assert email_of(mira) == mira.email
