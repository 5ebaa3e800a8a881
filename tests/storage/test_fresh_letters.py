"""The letter with a fresh link: to the reader's own mailbox, and never a flood."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, update

from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.subscriptions import SubscriberState
from storage.fresh_letters import FRESH_A_DAY, FRESH_PAUSE, FreshLetters
from storage.outbox import Outbox
from storage.tables import DELIVERY, SUBSCRIBER

S = SubscriberState
LETTER = Content(LetterKind.PREFERENCES, "Your link", (Fragment(Role.HEAD, b"Subject: x\r\n"),))


def fresh(now):
    def make(reader, number):
        return Mailing(
            message_key=f"preferences:{reader.public_id}:{number}",
            subscriber_id=reader.public_id,
            recipient=reader.email,
            content=LETTER,
            slots={},
            message_id=f"<{reader.public_id}.{number}@lab.example>",
            date=now,
            not_before=now,
            expires_at=now + timedelta(hours=2),
        )

    return make


@pytest.fixture
def ask_fresh(database):
    return lambda reader, at: FreshLetters(database).ask(reader.public_id, fresh(at), at)


def test_one_letter_waits_for_who_reads_paused_or_left_and_none_for_who_never_confirmed_or_must_not_be_mailed(
    database, reader, ask_fresh, now
):
    asked = [ask_fresh(reader(state.value, state=state), now) for state in S]
    assert dict(zip(S, asked, strict=True)) == {state: state not in {S.PENDING, S.SUPPRESSED} for state in S}
    found = sorted((each.kind, each.recipient) for each in Outbox(database).records())
    assert found == [("preferences", f"{state}@lab.example") for state in (S.CONFIRMED, S.PAUSED, S.UNSUBSCRIBED)]


def test_none_goes_to_a_mailbox_of_several_people_nor_to_nobody(database, reader, ask_fresh, now):
    table = reader("table")
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(shared=True))
    assert not ask_fresh(table, now)
    assert not FreshLetters(database).ask("nobody", fresh(now), now)
    assert Outbox(database).records() == ()


@pytest.mark.engines("memory")
def test_a_thousand_asks_in_a_day_leave_five_letters_ten_minutes_apart(database, reader, ask_fresh, now):
    mira = reader()
    asked = [now + timedelta(seconds=80 * number) for number in range(1000)]
    queued = [at for at in asked if ask_fresh(mira, at)]
    assert len(queued) == FRESH_A_DAY
    assert all(later - earlier >= FRESH_PAUSE for earlier, later in pairwise(queued))
    assert ask_fresh(mira, now + timedelta(days=1, minutes=1))


def test_one_reader_s_letters_are_not_another_s(reader, ask_fresh, now):
    assert ask_fresh(reader(), now)
    assert ask_fresh(reader("jun"), now)


def test_letters_that_were_swept_make_room_and_no_key_comes_twice(database, reader, ask_fresh, now):
    mira = reader()
    assert ask_fresh(mira, now)
    assert ask_fresh(mira, now + FRESH_PAUSE)
    with database.writing() as connection:
        connection.execute(delete(DELIVERY).where(DELIVERY.c.date == now))
    assert ask_fresh(mira, now + 2 * FRESH_PAUSE), "a count would name the key that is there"
    assert len(Outbox(database).records()) == 2
