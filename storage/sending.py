"""The commit that every letter goes through, for many letters at once, inside the caller's transaction.

    how tries ended, and who wants to send next → one look at all of them → settle those, mark these as `sending`

`sending` is given only to who still holds the delivery, while nothing holds the archive, while the reader is in a
state in which such a letter may be sent and still has that address, and while the address is not suppressed (mail.md
section 2, section 4 item 8 and item 31). All of a group is committed together, so what was accepted is durable before
its connection sends the next letter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection

from domain.deliveries import DeliveryState, Outcome
from domain.issues import LetterKind
from domain.letter_events import SuppressionReason
from domain.seals import address_hash
from domain.subscriptions import MAY_ASK, REACHED, SubscriberState
from storage.driver import Driver

S = DeliveryState
_LEASED = S.LEASED.value
_HELD = frozenset({_LEASED, S.SENDING.value})
_CONFIRMED = frozenset({SubscriberState.CONFIRMED.value})
# Which states of a reader a letter may be sent in; who complained and signs up again is asked (mail.md item 38).
_WANTED: Mapping[LetterKind, frozenset[str | None]] = {
    LetterKind.DIGEST: _CONFIRMED,
    LetterKind.QUIET: _CONFIRMED,
    LetterKind.CONFIRM: frozenset({SubscriberState.PENDING.value, SubscriberState.SUPPRESSED.value}),
    LetterKind.PREFERENCES: MAY_ASK,
    LetterKind.ADDRESS: REACHED,
    LetterKind.GOODBYE: frozenset({SubscriberState.UNSUBSCRIBED.value}),
    LetterKind.ALERT: frozenset({None}),
}
# What goes to a reader where they are: the others ask an address that is none of theirs yet, or go to the operator.
_AT_THEIR_ADDRESS = frozenset({LetterKind.DIGEST, LetterKind.QUIET, LetterKind.PREFERENCES, LetterKind.GOODBYE})
_MOVED = "the reader's address changed"


@dataclass(frozen=True, slots=True)
class Ask:
    """The question whether this letter may take the step that cannot be taken back."""

    delivery_id: int
    kind: LetterKind
    address_key: str  #: what is equal for equal mailboxes (digests/addresses.py)
    sha256: str  #: of the message, signature and all
    signature: str  #: its DKIM-Signature header; "" for none


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a try of a delivery ended, and when."""

    delivery_id: int
    outcome: Outcome
    at: datetime


class Permission(Enum):
    """Whether a delivery may take the step that cannot be taken back."""

    GIVEN = "given"
    UNWANTED = "unwanted"  # the reader left or moved meanwhile, or is suppressed: it is skipped
    LOST = "lost"  # another worker took it over, its reader was erased, or the operator holds everything


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did, in the order in which it was asked."""

    permissions: tuple[Permission, ...]
    settled: tuple[bool, ...]  #: False for a delivery that was no longer this worker's: nothing was changed


_LOOK = (
    "SELECT delivery.id, delivery.state, delivery.worker, subscriber.state, subscriber.address_key FROM delivery "
    "LEFT JOIN subscriber ON subscriber.id = delivery.subscriber_id WHERE delivery.id IN (…)"
)
# In one order, so that no two who commit at once wait for each other.
_AND_LOCK = " ORDER BY delivery.id FOR UPDATE OF delivery"
_HOLD = "SELECT held, secret FROM installation"
_SUPPRESSED = "SELECT address_hash, reason FROM suppression WHERE address_hash IN (…)"
_SEND = (
    "UPDATE delivery SET state = 'sending', first_try = coalesce(first_try, ?), last_try = ?, lease_until = ?, "
    "sha256 = ?, signature = ? WHERE id = ?"
)
_SKIP = (
    "UPDATE delivery SET state = 'skipped', reason = ?, not_before = NULL, lease_until = NULL, worker = '' WHERE id = ?"
)
_SETTLE = (
    "UPDATE delivery SET state = ?, not_before = ?, reply_code = ?, enhanced = ?, reply_text = ?, reason = ?, "
    "attempts = attempts + ?, resent = (resent OR ?), first_try = coalesce(first_try, ?), last_try = ?, "
    "worker = '', lease_until = NULL WHERE id = ?"
)

# The same for many rows at once, on PostgreSQL; their values in the order of those above.
_SEND_ALL = (
    "UPDATE delivery SET state = 'sending', first_try = coalesce(first_try, v.first), last_try = v.at, "
    "lease_until = v.until, sha256 = v.sha256, signature = v.signature FROM … WHERE delivery.id = v.id"
)
_OF_SEND = {
    "first": "timestamptz",
    "at": "timestamptz",
    "until": "timestamptz",
    "sha256": "text",
    "signature": "text",
    "id": "integer",
}
_SETTLE_ALL = (
    "UPDATE delivery SET state = v.state, not_before = v.due, reply_code = v.code, enhanced = v.enhanced, "
    "reply_text = v.reply, reason = v.reason, attempts = attempts + v.counts, resent = (resent OR v.again), "
    "first_try = coalesce(first_try, v.first), last_try = v.at, worker = '', lease_until = NULL "
    "FROM … WHERE delivery.id = v.id"
)
_OF_SETTLE = {
    "state": "text",
    "due": "timestamptz",
    "code": "integer",
    "enhanced": "text",
    "reply": "text",
    "reason": "text",
    "counts": "integer",
    "again": "boolean",
    "first": "timestamptz",
    "at": "timestamptz",
    "id": "integer",
}


def commit(
    connection: Connection,
    worker: str,
    settlements: Sequence[Settlement],
    asks: Sequence[Ask],
    *,
    now: datetime,
    lease: timedelta,
) -> Committed:
    """Settle tries and give permissions, which hold a delivery for another `lease`; a delivery stands in it once."""
    driver = Driver(connection)
    locking = "" if driver.is_sqlite else _AND_LOCK
    numbers = [each.delivery_id for each in settlements] + [each.delivery_id for each in asks]
    mine = {
        number: (state, reader, address_key)
        for number, state, holder, reader, address_key in driver.rows(_LOOK + locking, listed=numbers)
        if holder == worker and state in _HELD
    }
    settled = tuple([each.delivery_id in mine for each in settlements])
    ours = [each for each in settlements if each.delivery_id in mine]
    ended = [_settled(driver, each) for each in ours]
    if driver.is_sqlite:
        driver.many(_SETTLE, ended)
    else:
        driver.at_once(_SETTLE_ALL, _OF_SETTLE, ended)
    return Committed(_permit(driver, mine, asks, now, lease) if asks else (), settled)


def _permit(
    driver: Driver,
    mine: Mapping[int, tuple[str, str | None, str | None]],
    asks: Sequence[Ask],
    now: datetime,
    lease: timedelta,
) -> tuple[Permission, ...]:
    ((held, secret),) = driver.rows(_HOLD)
    hashes = [address_hash(secret, each.address_key) for each in asks]
    at, until = driver.instant(now), driver.instant(now + lease)
    suppressed = dict(driver.rows(_SUPPRESSED, listed=hashes))
    given: list[Permission] = []
    sent: list[tuple[Any, ...]] = []
    skipped: list[tuple[Any, ...]] = []
    for ask, hashed in zip(asks, hashes, strict=True):
        state, reader, address_key = mine.get(ask.delivery_id, ("", None, None))
        if state != _LEASED or held:
            given.append(Permission.LOST)
        elif why := _unwanted(ask, reader, address_key, suppressed.get(hashed)):
            skipped.append((why, ask.delivery_id))
            given.append(Permission.UNWANTED)
        else:
            sent.append((at, at, until, ask.sha256, ask.signature, ask.delivery_id))
            given.append(Permission.GIVEN)
    if driver.is_sqlite:
        driver.many(_SEND, sent)
    else:
        driver.at_once(_SEND_ALL, _OF_SEND, sent)
    driver.many(_SKIP, skipped)
    return tuple(given)


def _unwanted(ask: Ask, reader: str | None, address_key: str | None, suppression: str | None) -> str:
    """Return why a letter is not wanted any more, "" if it is; `address_key` is of where its reader is now."""
    kind = ask.kind
    complained = kind is LetterKind.CONFIRM and suppression == SuppressionReason.COMPLAINT.value
    if suppression is not None and not complained:
        return f"the address is suppressed: {suppression}"
    if reader not in _WANTED[kind] or (reader == SubscriberState.SUPPRESSED.value and not complained):
        return f"the reader is {reader}" if reader else "the letter has no reader"
    return _MOVED if kind in _AT_THEIR_ADDRESS and ask.address_key != address_key else ""


def _settled(driver: Driver, settlement: Settlement) -> tuple[Any, ...]:
    outcome, at = settlement.outcome, driver.instant(settlement.at)
    return (
        outcome.state.value,
        driver.instant(outcome.not_before),
        outcome.code,
        outcome.enhanced or "",
        outcome.reply,
        outcome.reason,
        int(outcome.counts),
        outcome.state is S.UNCERTAIN and outcome.not_before is not None,
        at,
        at,
        settlement.delivery_id,
    )
