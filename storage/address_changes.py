"""A reader's letters move to another address: asked by a fresh link to the old one, confirmed from the new one.

    the fresh link came to the old address → the new one is asked → its owner presses Confirm → the reader moves, and
    with them the digests and quiet notes that wait and cannot have arrived

Nothing goes to the new address but that one letter, and nothing is moved before. What is asked later takes the place of
what was asked before, whose link is good for nothing then: a link names the second in which it was asked, and no second
has two. Who asked for letters there and never confirmed gives way to whoever proves that the mailbox is theirs.

A letter that may have arrived stays one to the old address: the commit before its last byte skips it (sending.py), as
it does a fresh link to the old address.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.issues import LetterKind, Mailing
from domain.mailboxes import keeper_of
from domain.subscriptions import Consent, Subscriber, SubscriberState
from storage.database import Database
from storage.erasing import erase_readers
from storage.fresh_letters import numbered, sent_since
from storage.mailings import queue
from storage.subscribers import find, record
from storage.suppressions import forget_bounces, suppression_of
from storage.tables import ADDRESS_CHANGE, CONTENT, DELIVERY, SUBSCRIBER
from storage.verdicts import IS_UNSENT

ASKED_A_DAY = 3
#: A delivery as it was before its first try: what was said of it, and what was signed, was of another address.
_UNTRIED: Mapping[str, Any] = {
    "state": DeliveryState.PLANNED.value,
    "attempts": 0,
    **dict.fromkeys(("worker", "sha256", "signature", "enhanced", "reply_text", "reason"), ""),
    **dict.fromkeys(("lease_until", "first_try", "last_try", "reply_code")),
}
_REACHED = frozenset({SubscriberState.CONFIRMED, SubscriberState.PAUSED})

#: (the reader, what makes the key one of its own) → the letter to the new address.
AddressLetter = Callable[[Subscriber, int], Mailing]


class AddressChanges:
    """The changes of address of one database's readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, public_id: str, email: str, address_key: str, letter: AddressLetter, now: datetime) -> bool:
        """Note the new address and queue the letter to it; return False where none goes there.

        None goes to an address that must not be mailed or has a reader already, nor more than three a day for one
        reader, nor for a shared mailbox. `now` is what the link in the letter must name.
        """
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None or reader.state not in _REACHED or reader.shared:
                return False
            if _is_taken(connection, address_key) or suppression_of(connection, address_key) is not None:
                return False
            today, last = sent_since(connection, reader.id, LetterKind.ADDRESS, now - timedelta(days=1))
            if today >= ASKED_A_DAY or (last is not None and numbered(last) >= numbered(now)):
                return False
            values: dict[str, Any] = {"email": email, "address_key": address_key, "asked_at": now}
            noted = upsert(ADDRESS_CHANGE).values(subscriber_id=reader.id, **values)
            connection.execute(noted.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))
            return queue(connection, letter(reader, numbered(now)), reader.id, issue_id=None)

    def asked(self, public_id: str, asked_at: datetime) -> str | None:
        """Return the new address that a link of that instant is to confirm; None where it is good for nothing."""
        with self._database.reading() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            row = _asked(connection, reader, asked_at)
            return None if row is None else str(row.email)

    def confirm(self, public_id: str, asked_at: datetime, consent: Consent) -> bool:
        """Move a reader's letters to the new address; return whether they were moved.

        The second time does nothing and returns False: the change is over, and its link good for nothing.
        """
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            row = _asked(connection, reader, asked_at)
            if reader is None or row is None:
                return False
            if reader.state not in _REACHED or suppression_of(connection, row.address_key) is not None:
                return False
            if _is_taken(connection, row.address_key):
                return False
            erase_readers(connection, [each.id for each in connection.execute(_waiting(row.address_key))])
            values = {"email": row.email, "address_key": row.address_key, "revision": SUBSCRIBER.c.revision + 1}
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
            connection.execute(delete(ADDRESS_CHANGE).where(ADDRESS_CHANGE.c.subscriber_id == reader.id))
            _readdress(connection, reader.id, str(row.email), consent.at)
            forget_bounces(connection, reader.id)  # they were the old mailbox's
            record(connection, reader.id, consent)
            return True


def _readdress(connection: Connection, subscriber_id: int, email: str, now: datetime) -> None:
    """Let what waits, and cannot have arrived, go to a reader's new address, as if nobody had tried to send it.

    A worker that holds it loses it before its last byte. How the address is written in a header was found out for the
    letter that asked it.
    """
    theirs = (
        select(DELIVERY)
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(DELIVERY.c.subscriber_id == subscriber_id)
    )
    asking = theirs.where(CONTENT.c.kind == LetterKind.ADDRESS.value, DELIVERY.c.recipient == email)
    asked = connection.execute(asking.order_by(DELIVERY.c.id.desc())).first()
    if asked is None:
        return
    waiting = theirs.where(CONTENT.c.kind.in_([LetterKind.DIGEST.value, LetterKind.QUIET.value]), IS_UNSENT)
    for row in connection.execute(waiting).all():
        there = {"recipient": email, "keeper": keeper_of(email), "slots": {**row.slots, "to": asked.slots["to"]}}
        mine = update(DELIVERY).where(DELIVERY.c.id == row.id)
        connection.execute(mine.values(**there, **_UNTRIED, not_before=now))


def _asked(connection: Connection, reader: Subscriber | None, asked_at: datetime) -> Any:
    if reader is None:
        return None
    row = connection.execute(select(ADDRESS_CHANGE).where(ADDRESS_CHANGE.c.subscriber_id == reader.id)).first()
    return row if row is not None and int(row.asked_at.timestamp()) == int(asked_at.timestamp()) else None


def _is_taken(connection: Connection, address_key: str) -> bool:
    """Whether somebody has an address who agreed to something there, or once did."""
    held = select(SUBSCRIBER.c.id).where(
        SUBSCRIBER.c.address_key == address_key, SUBSCRIBER.c.id.not_in(_waiting(address_key))
    )
    return connection.execute(held).first() is not None


def _waiting(address_key: str) -> Select[Any]:
    """Return a statement for who signed up there and never said yes: anyone may have typed that."""
    return select(SUBSCRIBER.c.id).where(
        SUBSCRIBER.c.address_key == address_key,
        SUBSCRIBER.c.state == SubscriberState.PENDING.value,
        SUBSCRIBER.c.joined_at.is_(None),
    )
