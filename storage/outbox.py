"""Deliveries on their way out: claim, mark, settle (mail.md section 2).

    planned → leased → sending → accepted | deferred | rejected | uncertain;  skipped, expired

`sending` is committed before the step that cannot be taken back, and only if the reader still wants the letter. What
a crash leaves behind tells where it happened: `leased` never left, `sending` may have, so it goes out once more with
the same Message-ID, Date and bytes, or is held for the operator. Which letters are next is leasing.py's, the commit
that each goes through sending.py's, and what a person says of one verdicts.py's.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select, text, update

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
from storage.taking_back import take_back_put_off

S = DeliveryState
_DEATHS = 3  # tries after which one whose worker died again is held
_LEASE = timedelta(minutes=15)  # [mail] lease_seconds, where nobody says another
_UNCAPPED: Mapping[str, int] = MappingProxyType({})
_AWAITED = frozenset(kind.value for kind in AWAITED)
# How a try ends of a letter that may have left in this try, or in one before.
_MAY_BE_UNSURE = frozenset({S.UNCERTAIN, S.DEFERRED, S.EXPIRED})

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

    def is_due(self, now: datetime, among: Collection[int] | None = None) -> bool:
        """Whether anything waits that may leave now, of these deliveries where some are given."""
        query = select(DELIVERY.c.id).where(due(now)).limit(1)
        if among is not None:
            query = query.where(DELIVERY.c.id.in_(sorted(among)))
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def in_flight(self, now: datetime) -> int:
        """Return how many letters are on the wire, as far as their leases tell."""
        with self._database.reading() as connection:
            query = select(func.count()).where(text(OPEN), in_states((S.SENDING,)), DELIVERY.c.lease_until > now)
            return int(connection.execute(query).scalar_one())

    def recover(
        self, is_alive: Callable[[str], bool | None], now: datetime, *, resend: bool, lease: timedelta = _LEASE
    ) -> int:
        """Take over what dead workers hold; return how many are held as uncertain from now on.

        `is_alive` says None of a worker of whom nothing can be known: its leases end when their time is over, or if it
        lies more than two leases ahead, for then the clock was set back since. Those of a living one never do.

        Leased ones are planned again at once. Those being sent may have left: with `resend`, and what somebody waits
        for always, they are due again at once if they were not resent before, else they are held as uncertain.
        """
        with self._database.reading() as connection:
            if not _has_orphans(connection, is_alive, now, lease):
                return 0  # as nearly always: nobody is held up for that
        held: set[int] = set()
        with self._database.writing() as connection:
            orphans = _orphans(connection, is_alive, now, lease)
            for row in orphans:
                values = _released(row, now, resend or row.kind in _AWAITED)
                connection.execute(update(DELIVERY).where(DELIVERY.c.id == row.id).values(values))
                if values["not_before"] is None:
                    held.add(row.id)
            return len(held - verdicts.settle_reported(connection, {row.id for row in orphans}))

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
        among: Collection[int] | None = None,
    ) -> tuple[Leased, ...]:
        """Claim up to `limit` due deliveries for a worker, oldest first; of those `among` these, where some are given.

        None to the keepers of mailboxes that are `shut`, and at most so many to each that has a cap. With
        `awaited_first` those that somebody waits for come before all others, at the price of a look at all that is
        due. None are given while the archive is held. One whose content cannot be read is rejected: tried over and over
        it would stand before all others.
        """
        with self._database.sharing() as connection:
            here = residence(connection)
            if here.held:
                return ()
            while ids := leasing.choose(
                connection, now, limit, shut=shut, caps=caps, awaited_first=awaited_first, among=among
            ):
                leased = leasing.letters(connection, ids, self._shelf, here.passes)
                if len(leased) < len(ids):
                    verdicts.end_unreadable(connection, set(ids) - {each.id for each in leased})
                if leased:
                    leasing.lease(connection, [each.id for each in leased], worker, now + lease)
                    return leased
        return ()

    def release(self, worker: str) -> int:
        """Give back what a worker claimed and did not begin to send; return how many."""
        with self._database.sharing() as connection:  # nobody else writes what is this worker's
            mine = update(DELIVERY).where(text(OPEN), DELIVERY.c.worker == worker, DELIVERY.c.state == S.LEASED.value)
            given = connection.execute(mine.values(state=_WAITED, worker="", lease_until=None)).rowcount
        self._shelf.clear()
        return given

    def expire(self, now: datetime) -> int:
        """End what is too old to be worth sending; return how many. What may have left is held for the operator."""
        late = and_(text(OPEN), in_states(WAITING), DELIVERY.c.not_before.is_not(None), DELIVERY.c.expires_at <= now)
        with self._database.reading() as connection:
            if connection.execute(select(DELIVERY.c.id).where(late).limit(1)).first() is None:
                return 0
        with self._database.writing() as connection:
            verdicts.hold_unsure(connection, late, verdicts.LATE)
            values = {"state": S.EXPIRED.value, "not_before": None, "reason": "too old when its turn came"}
            return connection.execute(update(DELIVERY).where(late).values(values)).rowcount

    def commit(
        self, worker: str, settlements: Sequence[Settlement], asks: Sequence[Ask], now: datetime, lease: timedelta
    ) -> Committed:
        """Settle how tries ended, and durably mark what is to be sent next, in one transaction.

        See sending.py. What a relay refused for good counts for the mailbox's score in the same moment; what became
        uncertain is accepted if somebody has reported on it already. An archive that is held meanwhile, or was replaced
        by a copy, gives no permission.
        """
        follows = any(each.outcome.blames or each.outcome.state in _MAY_BE_UNSURE for each in settlements)
        # What follows from such a try is written to rows of readers, issues and addresses, which nobody locks.
        with self._database.writing() if follows else self._database.sharing() as connection:
            refused = [each for each in settlements if each.outcome.blames]
            # A mailbox that is refused for good is closed to the letters that are asked for in the same moment, too.
            done = sending.commit(connection, worker, settlements, [] if refused else asks, now=now, lease=lease)
            self._follow(connection, settlements, done.settled)
            if not (refused and asks):
                return done
            asked = sending.commit(connection, worker, [], asks, now=now, lease=lease)
        return Committed(asked.permissions, done.settled)

    def _follow(self, connection: Connection, settlements: Sequence[Settlement], ours: Sequence[bool]) -> None:
        """Do what follows from how tries ended, of those that were ours."""
        ended = [each for each, was_ours in zip(settlements, ours, strict=True) if was_ours]
        for each in ended:
            if each.outcome.blames:
                take_refusal(connection, each.delivery_id, each.outcome, each.at)
        unsure = {each.delivery_id for each in ended if each.outcome.state in _MAY_BE_UNSURE}
        if unsure:
            late = and_(DELIVERY.c.id.in_(unsure), DELIVERY.c.state == S.EXPIRED.value)
            verdicts.hold_unsure(connection, late, verdicts.LATE)
            verdicts.settle_reported(connection, unsure)
            take_back_put_off(connection, unsure)

    def retry(self, delivery_id: int, now: datetime) -> DeliveryState:
        """Let a delivery be due now, with the same bytes; return what it was. Raises UnknownError, UsageError."""
        with self._database.writing() as connection:
            return verdicts.retry(connection, delivery_id, now)

    def resolve(self, delivery_id: int, now: datetime, *, sent: bool) -> None:
        """Say of an uncertain delivery that it was sent, or let it be sent again; raises UnknownError, UsageError."""
        with self._database.writing() as connection:
            verdicts.resolve(connection, delivery_id, now, sent=sent)

    def waiting(self) -> int:
        """Return how many letters have not left yet, or may have and wait for a person's word."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(DELIVERY).where(text(OPEN))).scalar_one())

    def undecided(self) -> int:
        """Return how many letters may have left and wait for a person's word alone."""
        held = text(OPEN), DELIVERY.c.state == S.UNCERTAIN.value, DELIVERY.c.not_before.is_(None)
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(DELIVERY).where(*held)).scalar_one())

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


def _has_orphans(
    connection: Connection, is_alive: Callable[[str], bool | None], now: datetime, lease: timedelta
) -> bool:
    """Whether there are any, asked of each worker and not of each letter."""
    first, last = func.min(DELIVERY.c.lease_until), func.max(DELIVERY.c.lease_until)
    query = select(DELIVERY.c.worker, first.label("first"), last.label("last"))
    held = query.where(text(OPEN), in_states((S.LEASED, S.SENDING))).group_by(DELIVERY.c.worker)
    return any(
        _is_over(is_alive(row.worker), until, now, lease)
        for row in connection.execute(held)
        for until in (row.first, row.last)
    )


def _is_over(alive: bool | None, until: datetime, now: datetime, lease: timedelta) -> bool:
    # No lease begins in the future: one that is longer than any was begun before the clock was set back.
    return alive is False or (alive is None and not now < until <= now + 2 * lease)


def _orphans(
    connection: Connection, is_alive: Callable[[str], bool | None], now: datetime, lease: timedelta
) -> list[Row[Any]]:
    """Return what is held by workers that are dead, or silent for longer than their lease."""
    # Asked of each row that is found, for a join may begin at the contents and look at all there ever was.
    kind = select(CONTENT.c.kind).where(CONTENT.c.id == DELIVERY.c.content_id).scalar_subquery()
    query = select(DELIVERY, kind.label("kind")).where(text(OPEN), in_states((S.LEASED, S.SENDING)))
    return [row for row in connection.execute(query) if _is_over(is_alive(row.worker), row.lease_until, now, lease)]


def _released(row: Any, now: datetime, resend: bool) -> dict[str, Any]:
    free: dict[str, Any] = {"worker": "", "lease_until": None}
    if row.state == S.LEASED.value:
        return {**free, "state": _WAITED, "not_before": now}
    # A try that nobody lived to settle was one. A worker may have died before the dot each time: held after the second,
    # one letter of 3,000 was lost under 200 kills.
    free["attempts"] = row.attempts + 1
    if resend and (not row.resent or row.attempts < _DEATHS) and row.expires_at > now:
        reason = "its worker died while sending: sent once more"
        return {**free, "state": S.UNCERTAIN.value, "not_before": now, "resent": True, "reason": reason}
    reason = "its worker died while sending: it may have left"
    return {**free, "state": S.UNCERTAIN.value, "not_before": None, "reason": reason}
