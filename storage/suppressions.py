"""Addresses that must not be mailed, known by a keyed hash alone: they outlive a reader, a list and a backup.

A suppression and its reader's state go together, in one transaction: `suppressed` while it holds, and afterwards what
they were before, which the row remembers. Of two reasons the stricter stays: the operator's, a complaint, bounces.
Who complained is never brought back but by their own new double opt-in (mail.md items 31 and 38).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.letter_events import Suppression, SuppressionReason
from domain.seals import address_hash
from domain.subscriptions import Act, SubscriberState
from storage.database import Database
from storage.subscriptions import AT_ONCE
from storage.tables import CONSENT, INSTALLATION, LETTER_EVENT, SUBSCRIBER, SUPPRESSION

_STRICTNESS = (SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.OPERATOR)
S = SubscriberState


class Suppressions:
    """The addresses of one database that must not be mailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> tuple[Suppression, ...]:
        """Return all of them, newest first; the address stands there as long as a reader has it."""
        with self._database.reading() as connection:
            secret = secret_of(connection)
            suppressed = connection.execute(
                select(SUBSCRIBER.c.address_key, SUBSCRIBER.c.email).where(SUBSCRIBER.c.state == S.SUPPRESSED.value)
            )
            emails = {address_hash(secret, row.address_key): row.email for row in suppressed}
            rows = connection.execute(select(SUPPRESSION).order_by(SUPPRESSION.c.at.desc(), SUPPRESSION.c.address_hash))
            return tuple(
                Suppression(
                    address_hash=row.address_hash,
                    reason=SuppressionReason(row.reason),
                    detail=row.detail,
                    at=row.at,
                    email=emails.get(row.address_hash, ""),
                )
                for row in rows
            )

    def add(self, address_key: str, reason: SuppressionReason, detail: str, now: datetime) -> bool:
        """Suppress an address, whether a reader has it or not; return whether that is new. Twice does nothing more.

        `detail` is a sentence that does not name the address.
        """
        with self._database.writing() as connection:
            return suppress(connection, address_key, reason, detail, now)

    def remove(self, address_key: str) -> SubscriberState | None:
        """Let an address be mailed again; return what its reader is now, None where no reader has it.

        The reader is what they were before, and after a complaint unsubscribed; bounces begin at zero. Raises
        UnknownError for an address that is not suppressed.
        """
        with self._database.writing() as connection:
            found = suppression_of(connection, address_key)
            if found is None:
                raise UnknownError("this address is not suppressed")
            return lift(connection, address_key, S(found.was) if found.was else S.UNSUBSCRIBED)


def secret_of(connection: Connection) -> str:
    """Return what seals the addresses of this archive."""
    return str(connection.execute(select(INSTALLATION.c.secret)).scalar_one())


def suppression_of(connection: Connection, address_key: str) -> Row[Any] | None:
    """Return an address's row; None where it may be mailed."""
    known = SUPPRESSION.c.address_hash == address_hash(secret_of(connection), address_key)
    return connection.execute(select(SUPPRESSION).where(known)).first()


def suppress(connection: Connection, address_key: str, reason: SuppressionReason, detail: str, now: datetime) -> bool:
    """Suppress an address within the caller's transaction; return whether it was not, or for a milder reason."""
    reader = connection.execute(select(SUBSCRIBER).where(SUBSCRIBER.c.address_key == address_key)).first()
    found = suppression_of(connection, address_key)
    was = found.was if found else (reader.state if reader else "")
    if was == S.SUPPRESSED.value:
        was = S.UNSUBSCRIBED.value
    if reason is SuppressionReason.COMPLAINT or (found and found.reason == SuppressionReason.COMPLAINT.value):
        was = S.UNSUBSCRIBED.value
    is_new = found is None or _STRICTNESS.index(reason) > _STRICTNESS.index(SuppressionReason(found.reason))
    row: dict[str, Any] = {"was": was}
    if is_new:
        row |= {"reason": reason.value, "detail": detail, "at": now}
    if found is None:
        key = address_hash(secret_of(connection), address_key)
        connection.execute(upsert(SUPPRESSION).values(address_hash=key, **row))
    else:
        same = SUPPRESSION.c.address_hash == found.address_hash
        connection.execute(update(SUPPRESSION).where(same).values(row))
    if reader is not None and reader.state != S.SUPPRESSED.value:
        mine = update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id)
        connection.execute(mine.values(state=S.SUPPRESSED.value))
    return is_new


def lift(connection: Connection, address_key: str, state: SubscriberState) -> SubscriberState | None:
    """Take a suppression off within the caller's transaction; return the reader's new state, None without a reader."""
    key = address_hash(secret_of(connection), address_key)
    connection.execute(delete(SUPPRESSION).where(SUPPRESSION.c.address_hash == key))
    who = SUBSCRIBER.c.address_key == address_key
    held = update(SUBSCRIBER).where(who, SUBSCRIBER.c.state == S.SUPPRESSED.value)
    # A look that was noted meanwhile held for one who gets no letters.
    mine = held.values(state=state.value, next_look=AT_ONCE)
    number = connection.execute(mine.returning(SUBSCRIBER.c.id)).scalar()
    if number is not None:
        forget_bounces(connection, number)
        return state
    now = connection.execute(select(SUBSCRIBER.c.state).where(who)).scalar()
    return S(now) if now else None


def forget_bounces(connection: Connection, subscriber_id: int) -> None:
    """Let a reader's bounces begin at zero."""
    begun = update(LETTER_EVENT).where(LETTER_EVENT.c.subscriber_id == subscriber_id, LETTER_EVENT.c.points > 0)
    connection.execute(begun.values(points=0))


def remember(connection: Connection, address_key: str, wished: SubscriberState) -> bool:
    """Keep what a suppressed reader asks for: they become it when the suppression is lifted; return whether it is new.

    After a complaint they are unsubscribed then, whatever somebody asked for meanwhile.
    """
    key = address_hash(secret_of(connection), address_key)
    still = SUPPRESSION.c.reason != SuppressionReason.COMPLAINT.value
    known = (SUPPRESSION.c.address_hash == key) & (SUPPRESSION.c.was != wished.value)
    return connection.execute(update(SUPPRESSION).where(known, still).values(was=wished.value)).rowcount == 1


def complained(held: Row[Any] | None) -> bool:
    """Whether a suppression is for a complaint: then, and only then, its reader comes back by confirming."""
    return held is not None and held.reason == SuppressionReason.COMPLAINT.value


def asked_since(connection: Connection, held: Row[Any] | None, subscriber_id: int) -> bool:
    """Whether a reader asked for letters themselves after they were suppressed: no link of before brings them back."""
    if held is None:
        return False
    asked = select(CONSENT.c.id).where(
        CONSENT.c.subscriber_id == subscriber_id, CONSENT.c.action == Act.ASKED.value, CONSENT.c.at > held.at
    )
    return connection.execute(asked.limit(1)).first() is not None
