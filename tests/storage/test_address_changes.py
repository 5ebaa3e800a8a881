"""A reader's letters move to another address, once its owner says so and never before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from domain.answers import Known
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from paperround.reader_exports import as_json
from storage.address_changes import ASKED_A_DAY, AddressChanges
from storage.exporting import Exports
from storage.letter_events import LetterEvents
from storage.mailings import queue
from storage.outbox import Outbox
from storage.silences import Silences
from storage.strangers import A_DOMAIN_AN_HOUR
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.tables import ADDRESS_CHANGE, LETTER_EVENT, SUBSCRIBER
from web.preferences.history import history

S = SubscriberState
LETTER = Content(LetterKind.ADDRESS, "Please confirm", (Fragment(Role.HEAD, b"Subject: x\r\n"),))
NEW = "mira@sea.example"


def letter_to(email, key, at, content=LETTER):
    return Mailing(
        message_key=key,
        subscriber_id="",
        recipient=email,
        content=content,
        slots={"to": email},
        message_id=f"<{key.replace(':', '.')}@lab.example>",
        date=at,
        not_before=at,
        expires_at=at + timedelta(days=3),
    )


@pytest.fixture
def changes(database):
    return AddressChanges(database, per_hour=200)


@pytest.fixture
def move(changes):
    """Ask for another address."""

    def ask(reader, at, email=NEW):
        def letter(asking, number):
            return letter_to(email, f"address:{asking.public_id}:{number}", at)

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


def letters(database):
    return [(each.kind, each.recipient) for each in reversed(Outbox(database).records()) if each.state != "skipped"]


def test_however_many_readers_ask_one_mailbox_gets_one_letter_a_day(database, reader, move, now):
    spellings = ("mira.o@gmail.com", "mirao+papers@googlemail.com", "M.I.R.A.O@gmail.com", "mirao@gmail.com")
    readers = [reader(f"reader{number}") for number in range(5)]
    for number, each in enumerate(readers):
        for turn in range(3):
            move(each, now + timedelta(minutes=3 * number + turn), spellings[(number + turn) % 4])
    assert letters(database) == [("address", "mira.o@gmail.com")]
    assert move(readers[0], now + timedelta(days=1, minutes=20), "mirao@gmail.com")


def test_a_mailbox_that_somebody_signed_up_today_is_not_asked_again(database, reader, move, now):
    stranger = reader("new", state=S.PENDING)
    with database.writing() as connection:
        confirm = Content(LetterKind.CONFIRM, "Please confirm", LETTER.fragments)
        queue(connection, letter_to(stranger.email, "confirm:new:1", now, confirm), stranger.id, None)
    mira = reader()
    assert not move(mira, now + timedelta(hours=23), stranger.email)
    assert letters(database) == [("confirm", stranger.email)]


def test_the_letters_of_an_hour_are_spent_by_whoever_asks_for_them(database, reader, move, now):
    readers = [reader(f"reader{number}") for number in range(A_DOMAIN_AN_HOUR + 1)]
    asked = [move(each, now, f"new{number}@sea.example") for number, each in enumerate(readers)]
    assert asked == [True] * A_DOMAIN_AN_HOUR + [False]
    assert move(readers[-1], now + timedelta(minutes=1), "new@lake.example"), "another domain"
    few = AddressChanges(database, per_hour=A_DOMAIN_AN_HOUR + 1)
    mailing = letter_to("new@pond.example", "address:reader0:2", now + timedelta(minutes=2))
    key = mailing.recipient
    assert not few.ask("reader0", key, key, lambda *_: mailing, mailing.date)
    later = letter_to("new@moor.example", "address:reader1:2", now + timedelta(minutes=62))
    assert few.ask("reader1", later.recipient, later.recipient, lambda *_: later, later.date)


def test_the_same_address_again_within_a_day_is_one_ask_whose_link_stays_good(database, reader, move, agree, now):
    mira = reader()
    assert move(mira, now)
    assert not move(mira, now + timedelta(hours=5))
    assert letters(database) == [("address", NEW)]
    assert agree(mira, now, now + timedelta(hours=6))


@pytest.mark.parametrize("twice", [False, True])
def test_what_a_reader_can_see_does_not_tell_whether_an_address_is_free(database, reader, move, now, twice):
    """By the export, the history and the number of asks: all that is theirs to see."""
    reader("taken"), reader("pending", state=S.PENDING)
    Suppressions(database).add("dead@lab.example", SuppressionReason.OPERATOR, "", now)
    seen = set()
    for name in ("free", "taken", "dead", "pending"):
        asking = reader(f"mira-{name}")
        left = [move(asking, now, f"{name}@lab.example")]
        if name == "free":  # what is heard of the letter says that one left
            sent = Outbox(database).records()[0].id
            LetterEvents(database).record([LetterEvent("dsn", "1", sent, LetterEventKind.BOUNCE, now, "5.1.1")], now)
        if twice:
            left.append(move(asking, now + timedelta(hours=1), f"{name}@lab.example"))
        left += [move(asking, now + timedelta(hours=2 + each), f"m{each}@sea-{name}.example") for each in range(4)]
        assert sum(left[1:]) == (1 if twice else 2), "an ask that no letter answers is one too"
        text = "".join(as_json(Exports(database).of(asking.public_id)))
        known = Known(letters=Silences(database).letters(asking.id, 10))
        lines = history(asking, known, now).lines
        seen.add((text.replace(name, "NAME"), str(lines)))
    assert len(seen) == 1
    assert "address_change" in next(iter(seen))[0]


def test_whoever_complains_of_a_letter_that_asked_them_is_never_asked_again(database, reader, move, now):
    mira, events = reader(), LetterEvents(database)
    assert move(mira, now)
    (sent,) = Outbox(database).records()
    bounced = LetterEvent("arf", "0", sent.id, LetterEventKind.BOUNCE, now, "5.1.1")
    complaint = LetterEvent("arf", "1", sent.id, LetterEventKind.COMPLAINT, now, "")
    assert events.record([bounced, complaint, complaint], now) == 2
    assert Subscribers(database).by_public_id(mira.public_id).state is S.CONFIRMED, "the reader did nothing"
    (held,) = Suppressions(database).list()
    assert held.reason is SuppressionReason.COMPLAINT
    later = now + timedelta(days=2)
    assert not move(mira, later)
    assert not move(reader("jun"), later, NEW.upper())


def test_who_gets_no_letters_moves_nowhere(database, reader, move, now):
    for state in (S.PENDING, S.UNSUBSCRIBED, S.SUPPRESSED):
        assert not move(reader(state.value, state=state), now)
    assert Outbox(database).records() == ()


def test_a_mailbox_of_several_people_moves_by_its_operator_alone(database, reader, move, now):
    table = reader("table")
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(shared=True))
    assert not move(table, now)


def test_an_address_that_a_reader_has_or_had_is_not_taken(database, reader, move, agree, now):
    mira = reader()
    for state in (S.CONFIRMED, S.PAUSED, S.UNSUBSCRIBED):
        later = now + timedelta(seconds=len(state))
        assert not move(mira, later, reader(state.value, state=state).email)
        assert not agree(mira, later)
    assert {(each.state, each.recipient) for each in Outbox(database).records()} == {("skipped", "")}


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
    assert [move(each, now) for each in readers] == [True, False, False, False], "one letter a day to one mailbox"
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
