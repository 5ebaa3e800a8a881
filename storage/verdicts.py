"""What is said of a delivery from outside a try: by the operator, or by whoever reports on it.

Each is one change inside the caller's transaction. The letter keeps its Message-ID, Date, bytes and signature.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from domain.deliveries import DeliveryState
from domain.errors import UnknownError, UsageError
from domain.letter_events import SMTP
from storage.tables import DELIVERY, LETTER_EVENT, SUBSCRIBER
from storage.topics import GONE

log = logging.getLogger("paperround.storage")
S = DeliveryState
_AGAIN = frozenset({S.DEFERRED, S.REJECTED, S.EXPIRED, S.UNCERTAIN})
_HELD_BACK = {
    S.PLANNED: "it waits for its turn already",
    S.LEASED: "it is about to be sent",
    S.SENDING: "it is being sent at this moment",
    S.ACCEPTED: "a relay took it, and nobody gets a letter twice",
    S.SKIPPED: "it is not wanted any more",
}
# That a delivery may have left in an earlier try, and is not on the wire.
_IS_UNSURE = or_(
    DELIVERY.c.state == S.UNCERTAIN.value,
    and_(DELIVERY.c.resent.is_(True), DELIVERY.c.state.in_([S.LEASED.value, S.DEFERRED.value, S.EXPIRED.value])),
)
#: That a delivery waits, and no mailbox can have it: it was never tried, or each try was refused for the moment.
IS_UNSENT = and_(
    DELIVERY.c.resent.is_(False), DELIVERY.c.state.in_([S.PLANNED.value, S.LEASED.value, S.DEFERRED.value])
)
#: Why one is held that would be sent too late.
LATE = "it may have left, and is too old to be sent once more"


def retry(connection: Connection, delivery_id: int, now: datetime) -> DeliveryState:
    """Let a delivery be due now, and worth as long as it was at first; return what it was.

    Raises UnknownError, and UsageError for one that must not be sent again.
    """
    row = _row(connection, delivery_id)
    was = S(row.state)
    reader = connection.execute(select(SUBSCRIBER.c.state).where(SUBSCRIBER.c.id == row.subscriber_id)).scalar()
    if was in _AGAIN and reader in GONE:
        raise UsageError(f"delivery {delivery_id} is not sent again: its reader is {reader}")
    if was not in _AGAIN:
        raise UsageError(f"delivery {delivery_id} is {was}: {_HELD_BACK[was]}" + _reason(row))
    changes: dict[str, Any] = {"not_before": now, "reason": f"tried again by the operator; it was {was}"}
    if row.expires_at <= now:
        changes["expires_at"] = now + (row.expires_at - row.date)
    if was is S.UNCERTAIN:
        changes["resent"] = True
    else:
        changes["state"] = S.DEFERRED.value
    connection.execute(update(DELIVERY).where(DELIVERY.c.id == delivery_id).values(changes))
    return was


def resolve(connection: Connection, delivery_id: int, now: datetime, *, sent: bool) -> None:
    """Count an uncertain delivery as sent, or let it be sent again; raises UnknownError, UsageError."""
    row = _row(connection, delivery_id)
    if row.state != S.UNCERTAIN.value:
        raise UsageError(f"delivery {delivery_id} is {row.state}, not uncertain: there is nothing to resolve")
    if sent:
        _accept(connection, delivery_id, "the operator says that it was sent")
    else:
        retry(connection, delivery_id, now)


def settle_reported(connection: Connection, delivery_ids: Collection[int]) -> set[int]:
    """Count those as accepted of which nobody knew whether they left, and somebody reported on; return which they are.

    Whoever reports on a letter has had it. To be called whenever a report comes, and whenever a letter becomes such a
    one: the report may have come first. One on the wire is neither; it is looked at when its try has ended.
    """
    reported = exists().where(LETTER_EVENT.c.delivery_id == DELIVERY.c.id, LETTER_EVENT.c.source != SMTP)
    mine = update(DELIVERY).where(DELIVERY.c.id.in_(sorted(delivery_ids)), _IS_UNSURE, reported)
    reason = "the answer was lost, but a report shows that it was taken"
    return set(connection.execute(mine.values(**_taken(reason)).returning(DELIVERY.c.id)).scalars())


def end_unreadable(connection: Connection, delivery_ids: Collection[int]) -> None:
    """Reject what cannot be read, for it cannot be sent; what may have left in an earlier try is held."""
    these = DELIVERY.c.id.in_(sorted(delivery_ids))
    reason = "its content cannot be read; the log says why, and `paperround archive check` what is damaged"
    hold_unsure(connection, these, reason)
    values = {"state": S.REJECTED.value, "not_before": None, "reason": reason}
    rest = DELIVERY.c.state.in_([S.PLANNED.value, S.DEFERRED.value])
    connection.execute(update(DELIVERY).where(these, rest).values(values))
    log.error("deliveries %s cannot be sent: %s", ", ".join(map(str, sorted(delivery_ids))), reason)


def hold_unsure(connection: Connection, condition: ColumnElement[bool], reason: str) -> int:
    """Hold for the operator what of these may have left; return how many.

    However old, it is uncertain and stays so: the operator says whether it was sent (mail.md section 2).
    """
    values = {"state": S.UNCERTAIN.value, "not_before": None, "reason": reason}
    return connection.execute(update(DELIVERY).where(condition, _IS_UNSURE).values(values)).rowcount


def _accept(connection: Connection, delivery_id: int, why: str) -> None:
    connection.execute(update(DELIVERY).where(DELIVERY.c.id == delivery_id).values(**_taken(why)))


def _taken(why: str) -> dict[str, Any]:
    return {"state": S.ACCEPTED.value, "reason": why, "not_before": None, "lease_until": None, "worker": ""}


def _row(connection: Connection, delivery_id: int) -> Any:
    row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).one_or_none()
    if row is None:
        raise UnknownError(f"there is no delivery {delivery_id}")
    return row


def _reason(row: Any) -> str:
    return f" ({row.reason})" if row.reason else ""
