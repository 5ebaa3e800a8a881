"""Issues: who is to be looked at for the next one, and those that there are.

What is news to a reader is news.py's, the transaction that freezes an issue freezing.py's, and when a reader is looked
at again looking.py's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from domain.errors import UnknownError
from domain.subscriptions import Subscriber, SubscriberState
from storage.database import Database
from storage.freezing import PublishRun
from storage.looking import rows_due
from storage.reading import BLOCK, in_blocks
from storage.subscribers import readers_from
from storage.tables import DELIVERY, EVENT, ISSUE, ISSUE_PAPER, PAPER, SUBSCRIBER
from storage.tallies import newest_match

#: A clock that shows an instant so long before a reader came may be behind, and nothing is owed to them yet.
_SET_BACK = timedelta(days=7)

_FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LastIssue:
    """What the planner needs to know of a reader's newest issue."""

    slot: str
    cutoff: datetime
    created_at: datetime
    public_id: str = ""  #: of its page
    upto_paper: int = 0  #: the newest paper that was compared with what the reader saved
    upto_event: int = 0  #: the newest event of papers that was considered


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an issue that is cut now looks, by numbers that only rise."""

    match: int  #: the newest match
    paper: int  #: the newest paper
    event: int  #: the newest event of a paper


@dataclass(frozen=True, slots=True)
class Reader:
    """A confirmed reader, their newest issue (None before the first), and the newest look that found nothing."""

    subscriber: Subscriber
    last: LastIssue | None
    looked_at: datetime | None
    #: Where the newest was cut at an instant that the clock has not come to, by one that was ahead:
    earlier: LastIssue | None = None  #: the newest of the others
    served: frozenset[str] = frozenset()  #: the slots of all such issues


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """One line of `issues list`."""

    id: str  #: the public id
    subscriber: str  #: the address
    slot: str
    papers: int
    state: str  #: of its delivery
    message_id: str
    created_at: datetime


class Issues:
    """The issues of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, now: datetime, *, everyone: bool = False) -> Iterator[tuple[Reader, ...]]:
        """Give the confirmed readers who are to be looked at by `now`, those waiting longest first, in blocks.

        Each is given once, whether or not it is noted meanwhile when to look again. With `everyone` also those whose
        time to be looked at has not come.
        """
        by = _FAR_OFF if everyone else now
        after: tuple[datetime, int] | None = None
        while True:
            with self._database.reading() as connection:
                rows = rows_due(connection, by, after, BLOCK)
                block = _readers(connection, rows, now)
            if not block:
                return
            yield block
            after = (rows[-1].next_look, rows[-1].id)

    def those(self, ids: Sequence[int], now: datetime) -> Iterator[tuple[Reader, ...]]:
        """Give those of these readers who are confirmed, as they stand at `now`, in blocks."""
        for some in in_blocks(ids):
            confirmed = SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value
            query = select(SUBSCRIBER).where(SUBSCRIBER.c.id.in_(some), confirmed)
            with self._database.reading() as connection:
                block = _readers(connection, connection.execute(query.order_by(SUBSCRIBER.c.id)).all(), now)
            if block:
                yield block

    def reach(self) -> Reach:
        """Return what an issue that is cut now considers."""
        with self._database.reading() as connection:
            newest = (connection.execute(select(func.max(each.c.id))).scalar() or 0 for each in (PAPER, EVENT))
            return Reach(newest_match(connection), *newest)

    def run(self, at: datetime) -> PublishRun:
        """Begin a publish, whose blocks are counted together; nothing is written before the first."""
        return PublishRun(self._database, at)

    def records(self, limit: int | None = None) -> tuple[IssueRecord, ...]:
        """Return every issue, newest first."""
        counted = select(func.count()).where(ISSUE_PAPER.c.issue_id == ISSUE.c.id).correlate(ISSUE).scalar_subquery()
        query = (
            select(
                ISSUE.c.public_id,
                SUBSCRIBER.c.email,
                ISSUE.c.slot,
                counted.label("papers"),
                DELIVERY.c.state,
                DELIVERY.c.message_id,
                ISSUE.c.created_at,
            )
            .join(SUBSCRIBER, SUBSCRIBER.c.id == ISSUE.c.subscriber_id)
            .join(DELIVERY, DELIVERY.c.issue_id == ISSUE.c.id)
            .order_by(ISSUE.c.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return tuple(IssueRecord(*row) for row in connection.execute(query))

    def delivery_of(self, public_id: str) -> int:
        """Return the delivery of an issue; raises UnknownError."""
        query = (
            select(DELIVERY.c.id).join(ISSUE, ISSUE.c.id == DELIVERY.c.issue_id).where(ISSUE.c.public_id == public_id)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            raise UnknownError(f"there is no issue {public_id!r}")
        return int(found)

    def new_papers_since(self, moment: datetime) -> int:
        """Return how many papers that are news were first seen after an instant."""
        with self._database.reading() as connection:
            query = select(func.count()).where(PAPER.c.first_seen > moment, PAPER.c.backlog.is_(False))
            return int(connection.execute(query).scalar_one())


def _readers(connection: Connection, rows: Sequence[Any], now: datetime) -> tuple[Reader, ...]:
    newest = [row.last_issue_id for row in rows if row.last_issue_id is not None]
    last = {row.subscriber_id: _told(row) for row in connection.execute(select(ISSUE).where(ISSUE.c.id.in_(newest)))}
    ahead = [number for number, issue in last.items() if issue.cutoff > now]
    earlier, served = _around(connection, ahead, now) if ahead else ({}, {})
    looked = {row.id: row.looked_at for row in rows}
    return tuple(
        Reader(
            subscriber=_arrived(reader, now),
            last=last.get(reader.id),
            looked_at=looked[reader.id],
            earlier=earlier.get(reader.id),
            served=frozenset(served.get(reader.id, ())),
        )
        for reader in readers_from(connection, rows)
    )


def _around(
    connection: Connection, ids: Sequence[int], now: datetime
) -> tuple[dict[int, LastIssue], dict[int, list[str]]]:
    """Return the newest issue that was cut by `now`, and the slots of those cut later, by reader."""
    one = ISSUE.alias()
    newest = (
        select(func.max(one.c.id))
        .where(one.c.subscriber_id == ISSUE.c.subscriber_id, one.c.cutoff <= now)
        .correlate(ISSUE)
        .scalar_subquery()
    )
    query = select(ISSUE).where(ISSUE.c.subscriber_id.in_(ids), or_(ISSUE.c.cutoff > now, ISSUE.c.id == newest))
    earlier: dict[int, LastIssue] = {}
    served: dict[int, list[str]] = {}
    for row in connection.execute(query):
        if row.cutoff > now:
            served.setdefault(row.subscriber_id, []).append(row.slot)
        else:
            earlier[row.subscriber_id] = _told(row)
    return earlier, served


def _arrived(reader: Subscriber, now: datetime) -> Subscriber:
    """Return a reader who did not come long after now, as a clock that was ahead has it: nobody waits for that day."""
    came = reader.joined_at
    return replace(reader, joined_at=None) if came is not None and came > now + _SET_BACK else reader


def _told(row: Any) -> LastIssue:
    return LastIssue(row.slot, row.cutoff, row.created_at, row.public_id, row.upto_paper, row.upto_event)
