"""A reader's letters move to another address: asked by a fresh link to the old one, confirmed from the new one.

    the fresh link came to the old address → the new one is asked → its owner presses Confirm → the reader moves, and
    with them the digests and quiet notes that nobody tried to send yet

Nothing goes to the new address but that one letter, and nothing is moved before. What is asked later takes the place of
what was asked before, whose link is good for nothing then. A letter that was tried stays one to the old address, which
may have it already: the commit before its last byte skips it (sending.py), as it does a fresh link to the old address.
what was asked before, whose link is good for nothing then: a link names the second in which it was asked, and no second
has two. Who asked for letters there and never confirmed gives way to whoever proves that the mailbox is theirs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.issues import LetterKind, Mailing
from domain.mailboxes import keeper_of, mailbox_of
from domain.subscriptions import Consent, Subscriber, SubscriberState
from storage.database import Database
from storage.erasing import erase_readers
from storage.fresh_letters import numbered, sent_since
from storage.mailings import queue
from storage.subscribers import find, record
from storage.suppressions import forget_bounces, suppression_of
from storage.tables import ADDRESS_CHANGE, CONTENT, DELIVERY, SUBSCRIBER

ASKED_A_DAY = 3
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
        """Move a reader's letters to the new address; return whether they go there now. Twice does nothing more."""
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
            values["mailbox"] = mailbox_of(row.address_key).key
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
            connection.execute(delete(ADDRESS_CHANGE).where(ADDRESS_CHANGE.c.subscriber_id == reader.id))
            _readdress(connection, reader.id, str(row.email))
            forget_bounces(connection, reader.id)  # they were the old mailbox's
            record(connection, reader.id, consent)
            return True


def _readdress(connection: Connection, subscriber_id: int, email: str) -> None:
    """Let what was planned and never tried go to a reader's new address: no byte of it has been seen yet.

    How the address is written in a header was found out for the letter that asked it.
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
    waiting = theirs.where(
        CONTENT.c.kind.in_([LetterKind.DIGEST.value, LetterKind.QUIET.value]),
        DELIVERY.c.state == DeliveryState.PLANNED.value,
        DELIVERY.c.first_try.is_(None),
    )
    for row in connection.execute(waiting).all():
        values = {"recipient": email, "keeper": keeper_of(email), "slots": {**row.slots, "to": asked.slots["to"]}}
        connection.execute(update(DELIVERY).where(DELIVERY.c.id == row.id).values(values))


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
