"""Deliveries on their way out: claim, mark, settle (mail.md section 2).

    planned → leased → sending → accepted | deferred | rejected | uncertain;  skipped, expired

`sending` is committed before the step that cannot be taken back, and only if the reader still wants the letter. What
a crash leaves behind tells where it happened: `leased` never left, `sending` may have, so it goes out once more with
the same Message-ID, Date and bytes, or is held for the operator. Each commit is one delivery's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, and_, case, func, select, text, update

from domain.deliveries import DeliveryState, Leased, Outcome
from domain.errors import UnknownError
from domain.issues import Fragment, LetterKind, Role
from domain.subscriptions import SubscriberState
from storage.database import Database
from storage.installation import is_held
from storage.tables import CONTENT, DELIVERY, FRAGMENT, ISSUE, OPEN, SUBSCRIBER

S = DeliveryState
_WAITING = (S.PLANNED, S.DEFERRED, S.UNCERTAIN)
# Which state of a reader a letter may be sent in.
_WANTED = {LetterKind.DIGEST: SubscriberState.CONFIRMED, LetterKind.CONFIRM: SubscriberState.PENDING}


# What a leased delivery was before: it goes back to it, and says no less than is known of it.
_WAITED = case(
    (DELIVERY.c.resent.is_(True), S.UNCERTAIN.value),
    (DELIVERY.c.first_try.is_not(None), S.DEFERRED.value),
    else_=S.PLANNED.value,
)


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One line of `deliveries list`."""

    id: int
    issue: str | None  #: the issue's public id; None for other letters
    recipient: str
    kind: str
    state: str
    attempts: int
    reply: str
    reason: str
    message_id: str
    sha256: str


class Permission(Enum):
    """Whether a delivery may take the step that cannot be taken back."""

    GIVEN = "given"
    UNWANTED = "unwanted"  # the reader left meanwhile: it is skipped
    LOST = "lost"  # another worker took it over, its reader was erased, or the operator holds everything


class Outbox:
    """The deliveries of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_due(self, now: datetime) -> bool:
        """Whether anything waits that may leave now."""
        with self._database.reading() as connection:
            return connection.execute(select(DELIVERY.c.id).where(_due(now)).limit(1)).first() is not None

    def in_flight(self, now: datetime) -> int:
        """Return how many letters are on the wire, as far as their leases tell."""
        with self._database.reading() as connection:
            query = select(func.count()).where(text(OPEN), _in((S.SENDING,)), DELIVERY.c.lease_until > now)
            return int(connection.execute(query).scalar_one())

    def recover(self, is_alive: Callable[[str], bool | None], now: datetime, *, resend: bool) -> int:
        """Take over what dead workers hold; return how many are held as uncertain from now on.

        `is_alive` says None of a worker of whom nothing can be known: its leases end when their time is over. Those of
        a living one never do.

        Leased ones are planned again at once. Those being sent may have left: with `resend`, and confirmations always,
        they are due again at once if they were not resent before, else they are held as uncertain.
        """
        kept = 0
        with self._database.writing() as connection:
            # Asked of each row that is found, for a join may begin at the contents and look at all there ever was.
            kind = select(CONTENT.c.kind).where(CONTENT.c.id == DELIVERY.c.content_id).scalar_subquery()
            held = connection.execute(
                select(DELIVERY, kind.label("kind")).where(text(OPEN), _in((S.LEASED, S.SENDING)))
            ).all()
            for row in held:
                alive = is_alive(row.worker)
                if alive or (alive is None and row.lease_until > now):
                    continue
                again = resend or row.kind == LetterKind.CONFIRM.value
                values = _released(row, now, again)
                connection.execute(update(DELIVERY).where(DELIVERY.c.id == row.id).values(values))
                kept += values["not_before"] is None
        return kept

    def lease(self, worker: str, now: datetime, lease: timedelta, limit: int) -> tuple[Leased, ...]:
        """Claim up to `limit` due deliveries for a worker, oldest first; confirmations before digests.

        None are given while the archive is held.
        """
        with self._database.writing() as connection:
            if is_held(connection):
                return ()
            due = (
                select(DELIVERY.c.id)
                .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
                .where(_due(now))
                .order_by(CONTENT.c.kind != LetterKind.CONFIRM.value, DELIVERY.c.not_before, DELIVERY.c.id)
                .limit(limit)
            )
            ids = list(connection.execute(due).scalars())
            if not ids:
                return ()
            leased = _leased(connection, ids)
            connection.execute(
                update(DELIVERY)
                .where(DELIVERY.c.id.in_(ids))
                .values(state=S.LEASED.value, worker=worker, lease_until=now + lease)
            )
        return leased

    def release(self, worker: str) -> int:
        """Give back what a worker claimed and did not begin to send; return how many."""
        with self._database.writing() as connection:
            mine = update(DELIVERY).where(text(OPEN), DELIVERY.c.worker == worker, DELIVERY.c.state == S.LEASED.value)
            return connection.execute(mine.values(state=_WAITED, worker="", lease_until=None)).rowcount

    def expire(self, now: datetime) -> int:
        """End what is too old to be worth sending; return how many."""
        with self._database.writing() as connection:
            # One that may have left, and is held for the operator, stays what it is.
            late = update(DELIVERY).where(
                text(OPEN), _in(_WAITING), DELIVERY.c.not_before.is_not(None), DELIVERY.c.expires_at <= now
            )
            return connection.execute(
                late.values(state=S.EXPIRED.value, not_before=None, reason="too old when its turn came")
            ).rowcount

    def mark_sending(self, delivery_id: int, worker: str, now: datetime, lease: timedelta) -> Permission:
        """Durably mark a delivery before the step that cannot be taken back, and hold it for another `lease`.

        An archive that is held meanwhile, or was replaced by a copy, gives no permission.
        """
        with self._database.writing() as connection:
            row = connection.execute(
                select(
                    DELIVERY.c.state,
                    DELIVERY.c.worker,
                    DELIVERY.c.first_try,
                    CONTENT.c.kind,
                    SUBSCRIBER.c.state.label("reader"),
                )
                .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
                .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
                .where(DELIVERY.c.id == delivery_id)
            ).first()
            if row is None or row.state != S.LEASED.value or row.worker != worker or is_held(connection):
                return Permission.LOST
            mine = update(DELIVERY).where(DELIVERY.c.id == delivery_id)
            wanted = _WANTED[LetterKind(row.kind)]
            if row.reader != wanted.value:
                reason = f"the reader is {row.reader}"
                connection.execute(
                    mine.values(state=S.SKIPPED.value, reason=reason, not_before=None, lease_until=None, worker="")
                )
                return Permission.UNWANTED
            connection.execute(
                mine.values(
                    state=S.SENDING.value, first_try=row.first_try or now, last_try=now, lease_until=now + lease
                )
            )
        return Permission.GIVEN

    def settle(self, delivery_id: int, worker: str, outcome: Outcome, now: datetime) -> bool:
        """Record how a try ended; return False if the delivery is no longer this worker's."""
        values: dict[str, Any] = {
            "state": outcome.state.value,
            "not_before": outcome.not_before,
            "reply_code": outcome.code,
            "enhanced": outcome.enhanced or "",
            "reply_text": outcome.reply,
            "reason": outcome.reason,
            "worker": "",
            "lease_until": None,
        }
        if outcome.sha256:
            values["sha256"] = outcome.sha256
        if outcome.counts:
            values["attempts"] = DELIVERY.c.attempts + 1
        if outcome.state is S.UNCERTAIN and outcome.not_before is not None:
            values["resent"] = True
        if outcome.state is not S.SKIPPED:
            values["first_try"] = func.coalesce(DELIVERY.c.first_try, now)
            values["last_try"] = now
        with self._database.writing() as connection:
            mine = update(DELIVERY).where(
                DELIVERY.c.id == delivery_id,
                DELIVERY.c.worker == worker,
                DELIVERY.c.state.in_([S.LEASED.value, S.SENDING.value]),
            )
            return connection.execute(mine.values(values)).rowcount == 1

    def accepted_since(self, moment: datetime) -> int:
        """Return how many messages were accepted after an instant: what an hourly limit counts."""
        query = select(func.count()).where(DELIVERY.c.state == S.ACCEPTED.value, DELIVERY.c.last_try > moment)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def records(self, state: DeliveryState | None = None, limit: int | None = None) -> tuple[DeliveryRecord, ...]:
        """Return deliveries, newest first."""
        query = (
            select(
                DELIVERY.c.id,
                ISSUE.c.public_id.label("issue"),
                DELIVERY.c.recipient,
                CONTENT.c.kind,
                DELIVERY.c.state,
                DELIVERY.c.attempts,
                DELIVERY.c.reply_text.label("reply"),
                DELIVERY.c.reason,
                DELIVERY.c.message_id,
                DELIVERY.c.sha256,
            )
            .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
            .outerjoin(ISSUE, ISSUE.c.id == DELIVERY.c.issue_id)
            .order_by(DELIVERY.c.id.desc())
            .limit(limit)
        )
        if state is not None:
            query = query.where(DELIVERY.c.state == state.value)
        with self._database.reading() as connection:
            return tuple(DeliveryRecord(**row._asdict()) for row in connection.execute(query))

    def letter(self, delivery_id: int) -> Leased:
        """Return a delivery's letter as it was frozen, for a replay; raises UnknownError."""
        with self._database.reading() as connection:
            found = _leased(connection, [delivery_id])
        if not found:
            raise UnknownError(f"there is no delivery {delivery_id}")
        return found[0]


def _due(now: datetime) -> Any:
    return and_(text(OPEN), _in(_WAITING), DELIVERY.c.not_before <= now, DELIVERY.c.expires_at > now)


def _in(states: Sequence[DeliveryState]) -> Any:
    return DELIVERY.c.state.in_([state.value for state in states])


def _released(row: Any, now: datetime, resend: bool) -> dict[str, Any]:
    free: dict[str, Any] = {"worker": "", "lease_until": None}
    if row.state == S.LEASED.value:
        return {**free, "state": _WAITED, "not_before": now}
    if resend and not row.resent:
        reason = "its worker died while sending: sent once more"
        return {**free, "state": S.UNCERTAIN.value, "not_before": now, "resent": True, "reason": reason}
    reason = "its worker died while sending: it may have left"
    return {**free, "state": S.UNCERTAIN.value, "not_before": None, "reason": reason}


def _leased(connection: Connection, ids: Sequence[int]) -> tuple[Leased, ...]:
    rows = connection.execute(
        select(DELIVERY, CONTENT.c.kind, CONTENT.c.subject, CONTENT.c.fragments)
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(DELIVERY.c.id.in_(ids))
    ).all()
    wanted = {fragment_id for row in rows for _, fragment_id in row.fragments}
    bodies = {row.id: row.body for row in connection.execute(select(FRAGMENT).where(FRAGMENT.c.id.in_(wanted)))}
    by_id = {row.id: row for row in rows}
    return tuple(
        Leased(
            id=row.id,
            message_key=row.message_key,
            kind=LetterKind(row.kind),
            recipient=row.recipient,
            message_id=row.message_id,
            attempts=row.attempts,
            uncertain_before=row.resent,
            expires_at=row.expires_at,
            subject=row.subject,
            fragments=tuple(Fragment(role=Role(role), body=bodies[each]) for role, each in row.fragments),
            slots=row.slots,
            date=row.date,
            keeper=row.keeper,
            sha256=row.sha256,
            signature=row.signature,
        )
        for row in (by_id[each] for each in ids if each in by_id)
    )
