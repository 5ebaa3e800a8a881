"""The commit that every letter goes through, for many letters at once, inside the caller's transaction.

    how tries ended, and who wants to send next → one look at all of them → settle those, mark these as `sending`

`sending` is given only to who still holds the delivery, while nothing holds the archive, while the reader is in a
state in which such a letter may be sent, and while the address is not suppressed (mail.md section 2 and item 31). All
of a group is committed together, so what was accepted is durable before its connection sends the next letter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import BindParameter, Boolean, Connection, Integer, bindparam, func, or_, select, update

from domain.deliveries import DeliveryState, Outcome
from domain.issues import LetterKind
from domain.seals import address_hash
from domain.subscriptions import SubscriberState
from storage.tables import DELIVERY, INSTALLATION, SUBSCRIBER, SUPPRESSION

S = DeliveryState
_CONFIRMED = frozenset({SubscriberState.CONFIRMED.value})
_REACHED = frozenset({SubscriberState.CONFIRMED.value, SubscriberState.PAUSED.value})
# Which states of a reader a letter may be sent in; who complained and signs up again is asked (mail.md item 38).
_WANTED: Mapping[LetterKind, frozenset[str | None]] = {
    LetterKind.DIGEST: _CONFIRMED,
    LetterKind.QUIET: _CONFIRMED,
    LetterKind.CONFIRM: frozenset({SubscriberState.PENDING.value, SubscriberState.SUPPRESSED.value}),
    LetterKind.PREFERENCES: _REACHED,
    LetterKind.ADDRESS: _REACHED,
    LetterKind.GOODBYE: frozenset({SubscriberState.UNSUBSCRIBED.value}),
    LetterKind.ALERT: frozenset({None}),
}
#: The reason of a suppression in spite of which a confirmation is sent.
_COMPLAINT = "complaint"


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
    UNWANTED = "unwanted"  # the reader left meanwhile, or is suppressed: it is skipped
    LOST = "lost"  # another worker took it over, its reader was erased, or the operator holds everything


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did, in the order in which it was asked."""

    permissions: tuple[Permission, ...]
    settled: tuple[bool, ...]  #: False for a delivery that was no longer this worker's: nothing was changed


_NUMBERS: BindParameter[Any] = bindparam("ids", expanding=True)
_LOOK = (
    select(DELIVERY.c.id, DELIVERY.c.state, DELIVERY.c.worker, SUBSCRIBER.c.state.label("reader"))
    .outerjoin(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
    .where(DELIVERY.c.id.in_(_NUMBERS))
)
_HOLD = select(INSTALLATION.c.held, INSTALLATION.c.secret)
_SUPPRESSED = select(SUPPRESSION.c.address_hash, SUPPRESSION.c.reason).where(
    SUPPRESSION.c.address_hash.in_(bindparam("hashes", expanding=True)),
    or_(SUPPRESSION.c.expires_at.is_(None), SUPPRESSION.c.expires_at > bindparam("now", type_=SUPPRESSION.c.at.type)),
)
_ONE = DELIVERY.c.id == bindparam("one")
_SEND = (
    update(DELIVERY)
    .where(_ONE)
    .values(
        state=S.SENDING.value,
        first_try=func.coalesce(DELIVERY.c.first_try, bindparam("now", type_=DELIVERY.c.date.type)),
        last_try=bindparam("now", type_=DELIVERY.c.date.type),
        lease_until=bindparam("until"),
        sha256=bindparam("sha"),
        signature=bindparam("sig"),
    )
)
_SKIP = (
    update(DELIVERY)
    .where(_ONE)
    .values(state=S.SKIPPED.value, reason=bindparam("why"), not_before=None, lease_until=None, worker="")
)
_TRIED = bindparam("at", type_=DELIVERY.c.date.type)
_SETTLE = (
    update(DELIVERY)
    .where(_ONE)
    .values(
        state=bindparam("new_state"),
        not_before=bindparam("again"),
        reply_code=bindparam("code"),
        enhanced=bindparam("status"),
        reply_text=bindparam("reply"),
        reason=bindparam("why"),
        attempts=DELIVERY.c.attempts + bindparam("counts", type_=Integer),
        resent=or_(DELIVERY.c.resent, bindparam("resend", type_=Boolean)),
        first_try=func.coalesce(DELIVERY.c.first_try, _TRIED),
        last_try=_TRIED,
        worker="",
        lease_until=None,
    )
)


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
    numbers = [each.delivery_id for each in settlements] + [each.delivery_id for each in asks]
    rows = {row.id: row for row in connection.execute(_LOOK, {"ids": numbers})}
    mine = {number: row for number, row in rows.items() if row.worker == worker}
    settled = tuple(
        each.delivery_id in mine and mine[each.delivery_id].state in (S.LEASED.value, S.SENDING.value)
        for each in settlements
    )
    values = [_settled(each) for each, is_mine in zip(settlements, settled, strict=True) if is_mine]
    if values:
        connection.execute(_SETTLE, values)
    return Committed(_permit(connection, mine, asks, now, lease) if asks else (), settled)


def _permit(
    connection: Connection, mine: Mapping[int, Any], asks: Sequence[Ask], now: datetime, lease: timedelta
) -> tuple[Permission, ...]:
    hold = connection.execute(_HOLD).one()
    hashes = [address_hash(hold.secret, each.address_key) for each in asks]
    found = connection.execute(_SUPPRESSED, {"hashes": hashes, "now": now})
    suppressed = {row.address_hash: row.reason for row in found}
    given: list[Permission] = []
    sent: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for ask, hashed in zip(asks, hashes, strict=True):
        row = mine.get(ask.delivery_id)
        if row is None or row.state != S.LEASED.value or hold.held:
            given.append(Permission.LOST)
        elif why := _unwanted(ask.kind, row.reader, suppressed.get(hashed)):
            skipped.append({"one": ask.delivery_id, "why": why})
            given.append(Permission.UNWANTED)
        else:
            values = {"one": ask.delivery_id, "sha": ask.sha256, "sig": ask.signature}
            sent.append({**values, "now": now, "until": now + lease})
            given.append(Permission.GIVEN)
    if sent:
        connection.execute(_SEND, sent)
    if skipped:
        connection.execute(_SKIP, skipped)
    return tuple(given)


def _unwanted(kind: LetterKind, reader: str | None, suppression: str | None) -> str:
    """Return why a letter is not wanted any more, "" if it is."""
    complained = kind is LetterKind.CONFIRM and suppression == _COMPLAINT
    if suppression is not None and not complained:
        return f"the address is suppressed: {suppression}"
    if reader not in _WANTED[kind] or (reader == SubscriberState.SUPPRESSED.value and not complained):
        return f"the reader is {reader}" if reader else "the letter has no reader"
    return ""


def _settled(settlement: Settlement) -> dict[str, Any]:
    outcome = settlement.outcome
    return {
        "one": settlement.delivery_id,
        "new_state": outcome.state.value,
        "again": outcome.not_before,
        "code": outcome.code,
        "status": outcome.enhanced or "",
        "reply": outcome.reply,
        "why": outcome.reason,
        "counts": int(outcome.counts),
        "resend": outcome.state is S.UNCERTAIN and outcome.not_before is not None,
        "at": settlement.at,
    }
