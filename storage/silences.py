"""Why readers got no letter: one row for slots in a row with one reason, and what else answers for a reader's mail.

A day more of the same only moves the end of its row, so that years of silence are one row. A letter ends it: whatever
comes after begins a new one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, insert, select, update

from domain.answers import LetterRecord, Suppressed
from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.lanes import LONGEST_PAUSE, RELAY
from domain.letter_events import LetterEventKind
from domain.silences import Quietness, Silence, Unserved
from domain.subscriptions import SubscriberState
from storage.database import Database
from storage.mailings import queue
from storage.suppressions import suppression_of
from storage.tables import CONTENT, DELIVERY, ISSUE, LANE, LETTER_EVENT, SILENCE, SUBSCRIBER


class Silences:
    """The silences of one database, and the letters between them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subscriber_id: int) -> tuple[Silence, ...]:
        """Return a reader's silences, newest first."""
        query = select(SILENCE).where(SILENCE.c.subscriber_id == subscriber_id).order_by(SILENCE.c.id.desc())
        with self._database.reading() as connection:
            return tuple(
                Silence(
                    reason=row.reason,
                    first_slot=row.first_slot,
                    last_slot=row.last_slot,
                    slots=row.slots,
                    since=row.since,
                    until=row.until,
                )
                for row in connection.execute(query)
            )

    def quietness(self, subscriber_ids: Sequence[int]) -> Mapping[int, Quietness]:
        """Return what is known of these readers' slots since the newest letter of each; of readers who had one."""
        since = (
            select(SUBSCRIBER.c.id, ISSUE.c.created_at)
            .join(ISSUE, ISSUE.c.id == SUBSCRIBER.c.last_issue_id)
            .where(SUBSCRIBER.c.id.in_(subscriber_ids))
            .subquery()
        )
        oldest = (
            select(func.min(SILENCE.c.id))
            .where(SILENCE.c.subscriber_id == since.c.id, SILENCE.c.since > since.c.created_at)
            .correlate(since)
            .scalar_subquery()
        )
        noted = (
            exists()
            .where(
                DELIVERY.c.subscriber_id == since.c.id,
                DELIVERY.c.date > since.c.created_at,
                DELIVERY.c.content_id == CONTENT.c.id,
                CONTENT.c.kind == LetterKind.QUIET.value,
            )
            .correlate(since)
        )
        query = (
            select(since.c.id, SILENCE.c.first_slot, noted.label("noted"))
            .select_from(since)
            .outerjoin(SILENCE, SILENCE.c.id == oldest)
        )
        with self._database.reading() as connection:
            return {
                row.id: Quietness(first_slot=row.first_slot, is_noted=bool(row.noted))
                for row in connection.execute(query)
            }

    def letters(self, subscriber_id: int, limit: int) -> tuple[LetterRecord, ...]:
        """Return what became of a reader's last letters of every kind, newest first."""
        bad = (LetterEventKind.BOUNCE.value, LetterEventKind.COMPLAINT.value)
        told = LETTER_EVENT.c.kind + " " + LETTER_EVENT.c.status + " " + LETTER_EVENT.c.detail
        heard = (
            select(told)
            .where(LETTER_EVENT.c.delivery_id == DELIVERY.c.id, LETTER_EVENT.c.kind.in_(bad))
            .order_by(LETTER_EVENT.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(DELIVERY, CONTENT.c.kind, ISSUE.c.slot, ISSUE.c.public_id, heard.label("heard"))
            .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
            .outerjoin(ISSUE, ISSUE.c.id == DELIVERY.c.issue_id)
            .where(DELIVERY.c.subscriber_id == subscriber_id)
            .order_by(DELIVERY.c.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return tuple(
                LetterRecord(
                    delivery_id=row.id,
                    kind=LetterKind(row.kind),
                    issue=row.public_id,
                    slot=row.slot,
                    date=row.date,
                    state=DeliveryState(row.state),
                    reply=row.reply_text,
                    reason=row.reason,
                    attempts=row.attempts,
                    last_try=row.last_try,
                    not_before=row.not_before,
                    heard=" ".join((row.heard or "").split()),
                )
                for row in connection.execute(query)
            )

    def suppressed(self, address_key: str) -> Suppressed | None:
        """Return why an address must not be mailed, by its key; None if it may be."""
        with self._database.reading() as connection:
            row = suppression_of(connection, address_key)
        return Suppressed(reason=row.reason, detail=row.detail, at=row.at) if row else None

    def relay_shut(self, now: datetime) -> str:
        """Return why nothing leaves through the relay for a while; "" if it may."""
        held = LANE.c.shut_until > now, LANE.c.shut_until <= now + LONGEST_PAUSE
        shut = select(LANE.c.reason).where(LANE.c.name == RELAY, *held)
        with self._database.reading() as connection:
            return str(connection.execute(shut).scalar() or "")


def keep(connection: Connection, unserved: Sequence[Unserved], now: datetime) -> None:
    """Keep why due readers get no letter, and queue the notes that go instead, inside the caller's transaction.

    A slot that has a letter all the same, since somebody else was faster, has no silence and gets no note; a reader
    who was erased or left meanwhile gets none either. The same slot and reason twice change nothing but `until`.
    """
    if not unserved:
        return
    ids = [each.subscriber_id for each in unserved]
    readers = {
        row.id: row
        for row in connection.execute(
            select(SUBSCRIBER.c.id, SUBSCRIBER.c.state, ISSUE.c.created_at)
            .outerjoin(ISSUE, ISSUE.c.id == SUBSCRIBER.c.last_issue_id)
            .where(SUBSCRIBER.c.id.in_(ids))
        )
    }
    slots = {each.slot for each in unserved}
    served = {
        (row.subscriber_id, row.slot)
        for row in connection.execute(
            select(ISSUE.c.subscriber_id, ISSUE.c.slot).where(ISSUE.c.subscriber_id.in_(ids), ISSUE.c.slot.in_(slots))
        )
    }
    newest = select(func.max(SILENCE.c.id)).where(SILENCE.c.subscriber_id.in_(ids)).group_by(SILENCE.c.subscriber_id)
    runs = {row.subscriber_id: row for row in connection.execute(select(SILENCE).where(SILENCE.c.id.in_(newest)))}
    fresh, longer = [], []
    for each in unserved:
        reader, run = readers.get(each.subscriber_id), runs.get(each.subscriber_id)
        if reader is None or (each.subscriber_id, each.slot) in served:
            continue
        is_cut = run is None or (reader.created_at is not None and reader.created_at > run.until)
        if run is None or is_cut or run.reason != each.reason:
            fresh.append(
                {
                    "subscriber_id": each.subscriber_id,
                    "reason": each.reason,
                    "first_slot": each.slot,
                    "last_slot": each.slot,
                    "slots": 1,
                    "since": now,
                    "until": now,
                }
            )
        else:
            longer.append({"run": run.id, "slot": each.slot, "more": int(run.last_slot != each.slot), "end": now})
        if each.note is not None and reader.state == SubscriberState.CONFIRMED.value:
            queue(connection, each.note, each.subscriber_id, issue_id=None)
    if fresh:
        connection.execute(insert(SILENCE), fresh)
    if longer:
        connection.execute(
            update(SILENCE)
            .where(SILENCE.c.id == bindparam("run"))
            .values(last_slot=bindparam("slot"), slots=SILENCE.c.slots + bindparam("more"), until=bindparam("end")),
            longer,
        )
