"""What is said of a delivery from outside a try: by the operator, or by a provider that knows what became of it.

Each is one change inside the caller's transaction. The letter keeps its Message-ID, Date, bytes and signature.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from domain.deliveries import DeliveryState
from domain.errors import UnknownError, UsageError
from storage.tables import DELIVERY

S = DeliveryState
_AGAIN = frozenset({S.DEFERRED, S.REJECTED, S.EXPIRED, S.UNCERTAIN})
_HELD_BACK = {
    S.PLANNED: "it waits for its turn already",
    S.LEASED: "it is about to be sent",
    S.SENDING: "it is being sent at this moment",
    S.ACCEPTED: "a relay took it, and nobody gets a letter twice",
    S.SKIPPED: "it is not wanted any more",
}


def retry(connection: Connection, delivery_id: int, now: datetime) -> DeliveryState:
    """Let a delivery be due now, and worth as long as it was at first; return what it was.

    Raises UnknownError, and UsageError for one that must not be sent again.
    """
    row = _row(connection, delivery_id)
    was = S(row.state)
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


def settle_by_event(connection: Connection, delivery_id: int) -> bool:
    """Count a delivery of which nobody knew whether it left as accepted; return whether there was such a one."""
    row = connection.execute(
        select(DELIVERY.c.state, DELIVERY.c.resent).where(DELIVERY.c.id == delivery_id)
    ).one_or_none()
    # One that is leased to be sent once more need not be; one that is being sent is past that.
    if row is None or not (row.state == S.UNCERTAIN.value or (row.state == S.LEASED.value and row.resent)):
        return False
    _accept(connection, delivery_id, "the provider says that it arrived")
    return True


def _accept(connection: Connection, delivery_id: int, why: str) -> None:
    values = {"state": S.ACCEPTED.value, "reason": why, "not_before": None, "lease_until": None, "worker": ""}
    connection.execute(update(DELIVERY).where(DELIVERY.c.id == delivery_id).values(values))


def _row(connection: Connection, delivery_id: int) -> Any:
    row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).one_or_none()
    if row is None:
        raise UnknownError(f"there is no delivery {delivery_id}")
    return row


def _reason(row: Any) -> str:
    return f" ({row.reason})" if row.reason else ""
