"""Which letters leave next, and the lease of them, inside the caller's transaction.

    those that somebody waits for → then the oldest → at most so many to each keeper of mailboxes, none to a shut one

The index on open deliveries gives them in order, so a lease costs the same however many wait. What somebody waits for
(a confirmation, a link) stands anywhere in that order, and finding it means to look at all that waits: it is done for
the first lease of a pass, and from time to time.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, exists, or_, select, text, true, update

from domain.deliveries import DeliveryState, Leased
from domain.issues import AWAITED
from storage.shelf import Shelf, Shelved
from storage.tables import CONTENT, DELIVERY, OPEN

S = DeliveryState
WAITING = (S.PLANNED, S.DEFERRED, S.UNCERTAIN)
_BY_NUMBER: BindParameter[Any] = bindparam("ids", expanding=True)
_IS_AWAITED = exists().where(
    CONTENT.c.id == DELIVERY.c.content_id, CONTENT.c.kind.in_(sorted(kind.value for kind in AWAITED))
)
_LETTERS = select(
    DELIVERY.c.id,
    DELIVERY.c.message_key,
    DELIVERY.c.content_id,
    DELIVERY.c.recipient,
    DELIVERY.c.keeper,
    DELIVERY.c.message_id,
    DELIVERY.c.attempts,
    DELIVERY.c.resent,
    DELIVERY.c.expires_at,
    DELIVERY.c.slots,
    DELIVERY.c.date,
    DELIVERY.c.sha256,
    DELIVERY.c.signature,
).where(DELIVERY.c.id.in_(_BY_NUMBER))
_LEASE = (
    update(DELIVERY)
    .where(DELIVERY.c.id.in_(_BY_NUMBER))
    .values(state=S.LEASED.value, worker=bindparam("who"), lease_until=bindparam("until"))
)


def in_states(states: Sequence[DeliveryState]) -> Any:
    """Return the condition that a delivery is in one of these states."""
    return DELIVERY.c.state.in_([state.value for state in states])


def due(now: datetime) -> Any:
    """Return the condition that a delivery may leave at an instant."""
    return and_(text(OPEN), in_states(WAITING), DELIVERY.c.not_before <= now, DELIVERY.c.expires_at > now)


def choose(
    connection: Connection,
    now: datetime,
    limit: int,
    *,
    shut: frozenset[str],
    caps: Mapping[str, int],
    awaited_first: bool,
    among: Collection[int] | None = None,
) -> list[int]:
    """Return the numbers of up to `limit` deliveries that are due, in the order in which they leave.

    Of those `among` the given numbers, where there are some, and of what somebody waits for: that waits for no chunk.
    """
    chosen: dict[int, None] = {}
    left = dict(caps)
    these = true() if among is None else DELIVERY.c.id.in_(sorted(among))
    if awaited_first:
        awaited = and_(DELIVERY.c.issue_id.is_(None), _IS_AWAITED)
        # A letter of an issue is none of them: of the others there are few.
        for number in _walk(connection, now, limit, awaited, shut=shut, left=left):
            chosen[number] = None
    others = and_(these, DELIVERY.c.id.not_in(list(chosen)))
    for number in _walk(connection, now, limit - len(chosen), others, shut=shut, left=left):
        chosen[number] = None
    return list(chosen)


def _walk(
    connection: Connection, now: datetime, limit: int, condition: Any, *, shut: frozenset[str], left: dict[str, int]
) -> Iterator[int]:
    """Yield what is due, oldest first, until there is enough; takes what it yields from what is `left` of the caps."""
    last: Any = None
    while limit > 0:
        closed = shut | {keeper for keeper, room in left.items() if room <= 0}
        query = select(DELIVERY.c.id, DELIVERY.c.keeper, DELIVERY.c.not_before).where(due(now), condition)
        if closed:
            query = query.where(DELIVERY.c.keeper.not_in(sorted(closed)))
        if last is not None:
            after = DELIVERY.c.not_before > last.not_before
            query = query.where(
                or_(after, and_(DELIVERY.c.not_before == last.not_before, DELIVERY.c.id > last.id)),
                DELIVERY.c.not_before >= last.not_before,  # what the index can begin at
            )
        ordered = query.order_by(DELIVERY.c.not_before, DELIVERY.c.id).limit(limit)
        page = connection.execute(ordered.with_for_update(of=DELIVERY, skip_locked=True)).all()
        full = len(page) == limit
        for row in page:
            if row.keeper in left:
                if left[row.keeper] <= 0:
                    continue
                left[row.keeper] -= 1
            limit -= 1
            yield row.id
        if not full:
            return
        last = page[-1]


def lease(connection: Connection, ids: Sequence[int], worker: str, until: datetime) -> None:
    """Let a worker hold these deliveries."""
    connection.execute(_LEASE, {"ids": list(ids), "who": worker, "until": until})


def letters(connection: Connection, ids: Sequence[int], shelf: Shelf, passes: int) -> tuple[Leased, ...]:
    """Return the letters of deliveries in this order; one that is not there, or cannot be read, is left out."""
    rows = {row.id: row for row in connection.execute(_LETTERS, {"ids": list(ids)})}
    contents = shelf.contents(connection, {row.content_id for row in rows.values()}, passes)
    there = [rows[each] for each in ids if each in rows and rows[each].content_id in contents]
    return tuple([_letter(row, contents[row.content_id]) for row in there])


def _letter(row: Any, content: Shelved) -> Leased:
    return Leased(
        id=row.id,
        message_key=row.message_key,
        kind=content.kind,
        recipient=row.recipient,
        message_id=row.message_id,
        attempts=row.attempts,
        uncertain_before=row.resent,
        expires_at=row.expires_at,
        subject=content.subject,
        fragments=content.fragments,
        slots=row.slots,
        date=row.date,
        keeper=row.keeper,
        sha256=row.sha256,
        signature=row.signature,
    )
