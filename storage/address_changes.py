"""A reader's letters move to another address: asked by a fresh link to the old one, confirmed from the new one.

    the fresh link came to the old address → the new one is asked → its owner presses Confirm → the reader moves, and
    with them the digests and quiet notes that wait and cannot have arrived

Nothing goes to the new address but that one letter, and nothing is moved before. What is asked later takes the place of
what was asked before, whose link is good for nothing then: a link names the second in which it was asked, and no second
has two. Who asked for letters there and never confirmed gives way to whoever proves that the mailbox is theirs.

A letter that may have arrived stays one to the old address: the commit before its last byte skips it (sending.py), as
it does a fresh link to the old address.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.issues import LetterKind, Mailing
from domain.mailboxes import keeper_of, mailbox_of
from domain.subscriptions import REACHED, Consent, Subscriber, SubscriberState
from storage.database import Database
from storage.erasing import erase_readers
from storage.fresh_letters import numbered, sent_since
from storage.mailings import queue
from storage.strangers import has_room, letters_since
from storage.subscribers import find, record
from storage.suppressions import forget_bounces, suppression_of
from storage.tables import ADDRESS_CHANGE, CONTENT, DELIVERY, SUBSCRIBER
from storage.verdicts import IS_UNSENT

ASKED_A_DAY = 3
_DAY = timedelta(days=1)
#: The letters that ask a mailbox whether it is its owner's wish, and those that a stranger can cause at all.
_ASKING = frozenset({LetterKind.ADDRESS.value, LetterKind.CONFIRM.value})
#: An ask that no letter answers: it counts as any other, and where it was to go is not kept with it.
_NOT_SENT: Mapping[str, Any] = {
    "state": DeliveryState.SKIPPED.value,
    "not_before": None,
    "reason": "no letter may go to the address that was asked for",
    "recipient": "",
    "keeper": "",
    "slots": {},
}
#: A delivery as it was before its first try: what was said of it, and what was signed, was of another address.
_UNTRIED: Mapping[str, Any] = {
    "state": DeliveryState.PLANNED.value,
    "attempts": 0,
    **dict.fromkeys(("worker", "sha256", "signature", "enhanced", "reply_text", "reason"), ""),
    **dict.fromkeys(("lease_until", "first_try", "last_try", "reply_code")),
}

#: (the reader, what makes the key one of its own) → the letter to the new address.
AddressLetter = Callable[[Subscriber, int], Mailing]


class AddressChanges:
    """The changes of address of one database's readers."""

    def __init__(self, database: Database, *, per_hour: int) -> None:
        """`per_hour` is how many letters that strangers cause may leave in an hour, as in strangers.py."""
        self._database = database
        self._per_hour = per_hour

    def ask(self, public_id: str, email: str, address_key: str, letter: AddressLetter, now: datetime) -> bool:
        """Note the new address and queue the letter to it; return whether it leaves, which no page may tell.

        Nothing is noted of a fourth ask of one reader in a day, of a second within one second, nor for a shared
        mailbox. All else is noted in the same way whether or not a letter leaves: none does to an address that must
        not be mailed or has a reader already, to a mailbox that was asked in the last day, by whomever, or where this
        hour's letters are spent. The same address again within a day is the same ask, whose link stays good. `now` is
        what the link in the letter must name.
        """
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None or reader.state not in REACHED or reader.shared:
                return False
            today, last = sent_since(connection, reader.id, LetterKind.ADDRESS, now - _DAY)
            if today >= ASKED_A_DAY or (last is not None and numbered(last) >= numbered(now)):
                return False
            mailing = letter(reader, numbered(now))
            if not queue(connection, mailing, reader.id, issue_id=None):
                return False
            mine = ADDRESS_CHANGE.c.subscriber_id == reader.id
            noted = connection.execute(select(ADDRESS_CHANGE).where(mine)).first()
            is_same = noted is not None and noted.address_key == address_key and noted.asked_at > now - _DAY
            if not is_same:
                _note(connection, reader.id, email, address_key, now)
            asked = DELIVERY.c.message_key == mailing.message_key
            # Each is looked up whatever the others say, so that the time it takes says nothing.
            taken = is_taken(connection, address_key)
            held = suppression_of(connection, address_key)
            may_leave = self._may_leave(connection, {email, address_key}, asked, now)
            if may_leave and held is None and not taken and not is_same:
                return True
            connection.execute(update(DELIVERY).where(asked).values(_NOT_SENT))
            return False

    def _may_leave(
        self, connection: Connection, spellings: Collection[str], asked: ColumnElement[bool], now: datetime
    ) -> bool:
        """Whether nobody asked this mailbox in the last day, and this hour's letters are not spent without this one."""
        keepers = {keeper_of(each) for each in spellings}
        there = letters_since(now - _DAY, DELIVERY.c.recipient, CONTENT.c.kind).where(
            ~asked, DELIVERY.c.keeper.in_(keepers)
        )
        mailboxes = {mailbox_of(each.lower()) for each in spellings}
        for each in connection.execute(there):
            if each.kind in _ASKING and mailbox_of(each.recipient.lower()) in mailboxes:
                return False
        return has_room(connection, spellings, self._per_hour, now, beside=asked)

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
            if reader.state not in REACHED or suppression_of(connection, row.address_key) is not None:
                return False
            if is_taken(connection, row.address_key):
                return False
            give_way(connection, row.address_key)
            values = {"email": row.email, "address_key": row.address_key, "revision": SUBSCRIBER.c.revision + 1}
            values["mailbox"] = mailbox_of(row.address_key).key
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
            connection.execute(delete(ADDRESS_CHANGE).where(ADDRESS_CHANGE.c.subscriber_id == reader.id))
            _readdress(connection, reader.id, str(row.email), consent.at)
            forget_bounces(connection, reader.id)  # they were the old mailbox's
            record(connection, reader.id, consent)
            return True


def _note(connection: Connection, subscriber_id: int, email: str, address_key: str, now: datetime) -> None:
    values: dict[str, Any] = {"email": email, "address_key": address_key, "asked_at": now}
    noted = upsert(ADDRESS_CHANGE).values(subscriber_id=subscriber_id, **values)
    connection.execute(noted.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))


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


def give_way(connection: Connection, address_key: str) -> None:
    """Erase who signed up with an address and never said yes, for its owner has."""
    erase_readers(connection, [each.id for each in connection.execute(_waiting(address_key))])


def is_taken(connection: Connection, address_key: str) -> bool:
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
