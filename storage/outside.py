"""A sign-up on the site, where anyone can type anyone's address. One transaction; it tells nobody whose address it was.

    both letters are composed → who has the address?
        nobody, or who waits, or left → the wishes are written down, and a confirmation letter is queued
        who reads, or paused          → nothing of theirs changes; a letter with a link is queued, for who forgot
        who must not be mailed        → nothing at all
    → at most one letter leaves, if there may be one

Whoever it is, both letters are composed and one row is written, so that the time it takes says little. There may be one
letter a day for a mailbox, its subaddresses included, and three in all until its owner says yes; so many an hour for
all, and twenty for one domain that is no large keeper of mailboxes (mail.md items 24 and 34). The wishes of one who
waits change five times a day beside that, each change on record; what nobody wishes any more is not kept (erasing.py).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.issues import LetterKind
from domain.mailboxes import mailbox_of
from domain.subscriptions import Act, Schedule, Subscriber, SubscriberState
from storage.confirmations import Confirmation, asked_before, is_due
from storage.database import Database
from storage.fresh_letters import FreshLetter, numbered, sent_since
from storage.mailings import queue
from storage.signing_up import Signup, sign_up
from storage.strangers import has_room
from storage.subscribers import find, record
from storage.suppressions import asked_since, complained, suppression_of
from storage.tables import CONSENT, MARKER, SUBSCRIBER

CHANGES_A_DAY = 5
REMINDER_PAUSE = timedelta(days=1)
REMINDERS_A_MONTH = 3
_DAY, _MONTH = timedelta(days=1), timedelta(days=30)
#: The marker: how many sign-ups there were, whatever became of them.
_SIGN_UPS = "sign-ups"
S = SubscriberState


class OutsideSignups:
    """The sign-ups on one site; at most `per_hour` of their letters leave in an hour."""

    def __init__(self, database: Database, *, per_hour: int) -> None:
        self._database = database
        self._per_hour = per_hour

    def sign_up(self, signup: Signup, confirmation: Confirmation, reminder: FreshLetter, now: datetime) -> bool:
        """Do what a sign-up may; return whether a letter was queued, which nobody outside must be told.

        The wishes of one who never agreed to any take the place of those before; without topics the letter alone is
        asked for once more. Who gets no letter, and does not wait for one already, is not written down, nor are wishes
        that were changed often enough today.
        """
        with self._database.writing() as connection:
            _count(connection)
            reader = find(connection, SUBSCRIBER.c.address_key == signup.address_key)
            whose = reader or _stranger(signup)
            letters = {
                LetterKind.CONFIRM: confirmation(whose.public_id, asked_before(connection, whose.id) + 1),
                LetterKind.PREFERENCES: reminder(whose, numbered(now)),
            }
            held = suppression_of(connection, signup.address_key)
            kind = _answer(signup, reader, held)
            leaves = kind is not None and self._may_leave(connection, kind, signup, whose, now)
            if kind is LetterKind.CONFIRM and (leaves or _may_change(connection, reader, held, now)):
                number = _write_down(connection, signup, reader, now, leaves=leaves)
            else:
                number = whose.id
            return kind is not None and leaves and queue(connection, letters[kind], number, issue_id=None)

    def _may_leave(
        self, connection: Connection, kind: LetterKind, signup: Signup, whose: Subscriber, now: datetime
    ) -> bool:
        if kind is LetterKind.CONFIRM:
            same = select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.mailbox == mailbox_of(signup.address_key).key)
            is_wanted = is_due(connection, list(connection.execute(same).scalars()), now)
        else:
            sent, last = sent_since(connection, whose.id, kind, now - _MONTH)
            is_wanted = sent < REMINDERS_A_MONTH and (last is None or now - last >= REMINDER_PAUSE)
        return is_wanted and has_room(connection, {signup.address_key, signup.email}, self._per_hour, now)


def _waits(connection: Connection, reader: Subscriber, held: Row[Any] | None) -> bool:
    """Whether a reader was asked already, and said neither yes nor no."""
    return reader.state is S.PENDING or (complained(held) and asked_since(connection, held, reader.id))


def _may_change(connection: Connection, reader: Subscriber | None, held: Row[Any] | None, now: datetime) -> bool:
    """Whether the wishes of one who waits may change although no letter leaves."""
    if reader is None or not _waits(connection, reader, held):
        return False
    changed = select(func.count()).where(
        CONSENT.c.subscriber_id == reader.id, CONSENT.c.action == Act.ASKED_AGAIN, CONSENT.c.at > now - _DAY
    )
    return bool(connection.execute(changed).scalar_one() < CHANGES_A_DAY)


def _answer(signup: Signup, reader: Subscriber | None, held: Row[Any] | None) -> LetterKind | None:
    """Return which letter a sign-up asks for; None where no letter may answer it."""
    if held is not None and not complained(held):
        return None
    if reader is None:
        return LetterKind.CONFIRM if signup.topics else None
    if reader.shared or (reader.state is S.SUPPRESSED and held is None):
        return None
    if reader.state in {S.CONFIRMED, S.PAUSED}:
        return LetterKind.PREFERENCES
    return LetterKind.CONFIRM if signup.topics or reader.state is not S.UNSUBSCRIBED else None


def _write_down(
    connection: Connection, signup: Signup, reader: Subscriber | None, now: datetime, *, leaves: bool
) -> int:
    """Write down what is wished, and that it was asked for; without topics, if a letter leaves. Return whose it is."""
    said = signup.consent if leaves else [replace(each, action=Act.ASKED_AGAIN) for each in signup.consent]
    if signup.topics or reader is None:
        return sign_up(connection, replace(signup, consent=said, outside=True), now)[0]
    for each in said if leaves else ():
        record(connection, reader.id, each)
    return reader.id


def _stranger(signup: Signup) -> Subscriber:
    """Return whoever has an address that no reader has: of no number, and waiting for nothing."""
    return Subscriber(
        id=0,
        public_id=signup.public_id,
        email=signup.email,
        state=S.UNSUBSCRIBED,
        schedule=signup.schedule or Schedule(),
        shared=False,
        confirmed_at=None,
    )


def _count(connection: Connection) -> None:
    counted = upsert(MARKER).values(name=_SIGN_UPS, value=1)
    connection.execute(counted.on_conflict_do_update(index_elements=["name"], set_={"value": MARKER.c.value + 1}))
