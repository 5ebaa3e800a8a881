"""Deliveries on their way out: claim, mark, settle (mail.md section 2).

    planned → leased → sending → accepted | deferred | rejected | uncertain;  skipped, expired

`sending` is committed before the step that cannot be taken back, and only if the reader still wants the letter. What
a crash leaves behind tells where it happened: `leased` never left, `sending` may have, so it goes out once more with
the same Message-ID, Date and bytes, or is held for the operator. Which letters are next is leasing.py's, the commit
that each goes through sending.py's, and what a person says of one verdicts.py's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import case, func, select, text, update

from domain.deliveries import DeliveryState, Leased
from domain.errors import UnknownError
from domain.issues import AWAITED
from storage import leasing, sending, verdicts
from storage.database import Database
from storage.installation import residence
from storage.leasing import WAITING, due, in_states
from storage.letter_events import take_refusal
from storage.sending import Ask, Committed, Settlement
from storage.shelf import Shelf
from storage.tables import CONTENT, DELIVERY, ISSUE, OPEN

S = DeliveryState
_UNCAPPED: Mapping[str, int] = MappingProxyType({})
_AWAITED = frozenset(kind.value for kind in AWAITED)

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


class Outbox:
    """The deliveries of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelf = Shelf()

    def is_due(self, now: datetime) -> bool:
        """Whether anything waits that may leave now."""
        with self._database.reading() as connection:
            return connection.execute(select(DELIVERY.c.id).where(due(now)).limit(1)).first() is not None

    def in_flight(self, now: datetime) -> int:
        """Return how many letters are on the wire, as far as their leases tell."""
        with self._database.reading() as connection:
            query = select(func.count()).where(text(OPEN), in_states((S.SENDING,)), DELIVERY.c.lease_until > now)
            return int(connection.execute(query).scalar_one())

    def recover(self, is_alive: Callable[[str], bool | None], now: datetime, *, resend: bool) -> int:
        """Take over what dead workers hold; return how many are held as uncertain from now on.

        `is_alive` says None of a worker of whom nothing can be known: its leases end when their time is over. Those of
        a living one never do.

        Leased ones are planned again at once. Those being sent may have left: with `resend`, and what somebody waits
        for always, they are due again at once if they were not resent before, else they are held as uncertain.
        """
        kept = 0
        with self._database.writing() as connection:
            # Asked of each row that is found, for a join may begin at the contents and look at all there ever was.
            kind = select(CONTENT.c.kind).where(CONTENT.c.id == DELIVERY.c.content_id).scalar_subquery()
            held = connection.execute(
                select(DELIVERY, kind.label("kind")).where(text(OPEN), in_states((S.LEASED, S.SENDING)))
            ).all()
            for row in held:
                alive = is_alive(row.worker)
                if alive or (alive is None and row.lease_until > now):
                    continue
                again = resend or row.kind in _AWAITED
                values = _released(row, now, again)
                connection.execute(update(DELIVERY).where(DELIVERY.c.id == row.id).values(values))
                kept += values["not_before"] is None
        return kept

    def lease(
        self,
        worker: str,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        shut: frozenset[str] = frozenset(),
        caps: Mapping[str, int] = _UNCAPPED,
        awaited_first: bool = True,
    ) -> tuple[Leased, ...]:
        """Claim up to `limit` due deliveries for a worker, oldest first.

        None to the keepers of mailboxes that are `shut`, and at most so many to each that has a cap. With
        `awaited_first` those that somebody waits for come before all others, at the price of a look at all that is
        due. None are given while the archive is held.
        """
        with self._database.writing() as connection:
            here = residence(connection)
            if here.held:
                return ()
            ids = leasing.choose(connection, now, limit, shut=shut, caps=caps, awaited_first=awaited_first)
            if not ids:
                return ()
            leased = leasing.letters(connection, ids, self._shelf, here.passes)
            leasing.lease(connection, ids, worker, now + lease)
        return leased

    def release(self, worker: str) -> int:
        """Give back what a worker claimed and did not begin to send; return how many."""
        with self._database.writing() as connection:
            mine = update(DELIVERY).where(text(OPEN), DELIVERY.c.worker == worker, DELIVERY.c.state == S.LEASED.value)
            given = connection.execute(mine.values(state=_WAITED, worker="", lease_until=None)).rowcount
        self._shelf.clear()
        return given

    def expire(self, now: datetime) -> int:
        """End what is too old to be worth sending; return how many."""
        with self._database.writing() as connection:
            # One that may have left, and is held for the operator, stays what it is.
            late = update(DELIVERY).where(
                text(OPEN), in_states(WAITING), DELIVERY.c.not_before.is_not(None), DELIVERY.c.expires_at <= now
            )
            return connection.execute(
                late.values(state=S.EXPIRED.value, not_before=None, reason="too old when its turn came")
            ).rowcount

    def commit(
        self, worker: str, settlements: Sequence[Settlement], asks: Sequence[Ask], now: datetime, lease: timedelta
    ) -> Committed:
        """Settle how tries ended, and durably mark what is to be sent next, in one transaction.

        See sending.py. What a relay refused for good counts for the mailbox's score in the same moment. An archive that
        is held meanwhile, or was replaced by a copy, gives no permission.
        """
        with self._database.writing() as connection:
            if not any(each.outcome.blames for each in settlements):
                return sending.commit(connection, worker, settlements, asks, now=now, lease=lease)
            # A mailbox that is refused for good is closed to the letters that are asked for in the same moment, too.
            done = sending.commit(connection, worker, settlements, [], now=now, lease=lease)
            for settlement, was_ours in zip(settlements, done.settled, strict=True):
                if was_ours and settlement.outcome.blames:
                    take_refusal(connection, settlement.delivery_id, settlement.outcome, settlement.at)
            if not asks:
                return done
            asked = sending.commit(connection, worker, [], asks, now=now, lease=lease)
        return Committed(asked.permissions, done.settled)

    def retry(self, delivery_id: int, now: datetime) -> DeliveryState:
        """Let a delivery be due now, with the same bytes; return what it was. Raises UnknownError, UsageError."""
        with self._database.writing() as connection:
            return verdicts.retry(connection, delivery_id, now)

    def resolve(self, delivery_id: int, now: datetime, *, sent: bool) -> None:
        """Say of an uncertain delivery that it was sent, or let it be sent again; raises UnknownError, UsageError."""
        with self._database.writing() as connection:
            verdicts.resolve(connection, delivery_id, now, sent=sent)

    def settled_by_event(self, delivery_id: int) -> bool:
        """Take a provider's word that a delivery arrived; return whether that was news of an uncertain one."""
        with self._database.writing() as connection:
            return verdicts.settle_by_event(connection, delivery_id)

    def undecided(self) -> int:
        """Return how many letters may have left and wait for a person's word alone."""
        held = text(OPEN), DELIVERY.c.state == S.UNCERTAIN.value, DELIVERY.c.not_before.is_(None)
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(DELIVERY).where(*held)).scalar_one())

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
            found = leasing.letters(connection, [delivery_id], Shelf(), 0)
        if not found:
            raise UnknownError(f"there is no delivery {delivery_id}")
        return found[0]


def _released(row: Any, now: datetime, resend: bool) -> dict[str, Any]:
    free: dict[str, Any] = {"worker": "", "lease_until": None}
    if row.state == S.LEASED.value:
        return {**free, "state": _WAITED, "not_before": now}
    if resend and not row.resent:
        reason = "its worker died while sending: sent once more"
        return {**free, "state": S.UNCERTAIN.value, "not_before": now, "resent": True, "reason": reason}
    reason = "its worker died while sending: it may have left"
    return {**free, "state": S.UNCERTAIN.value, "not_before": None, "reason": reason}
