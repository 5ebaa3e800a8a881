"""Planning: who is due, and the transaction that freezes an issue. What is news to a reader is news.py's.

An issue, its papers, its content and its delivery are
written together or not at all; the unique key (subscriber, slot) makes a second publish of the same slot harmless, and
(subscriber, paper) keeps a paper from reaching one reader twice.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.issues import IssuePlan
from domain.silences import Unserved
from domain.subscriptions import Subscriber, SubscriberState
from storage.database import Database
from storage.ledger import balances, begin_run, raise_run
from storage.mailings import queue
from storage.reading import BLOCK
from storage.silences import keep
from storage.subscribers import readers_from
from storage.tables import DELIVERY, ISSUE, ISSUE_PAPER, PAPER, PUBLISH_RUN, SENT, SUBSCRIBER
from storage.topics import newest_match


@dataclass(frozen=True, slots=True)
class LastIssue:
    """What the planner needs to know of a reader's newest issue."""

    slot: str
    cutoff: datetime
    created_at: datetime
    public_id: str = ""  #: of its page


@dataclass(frozen=True, slots=True)
class Reader:
    """A confirmed reader, their newest issue (None before the first), and the newest look that found nothing."""

    subscriber: Subscriber
    last: LastIssue | None
    looked_at: datetime | None


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

    def readers(self) -> Iterator[tuple[Reader, ...]]:
        """Give the confirmed readers in order of arrival, in blocks."""
        after = 0
        while True:
            with self._database.reading() as connection:
                block = _block(connection, after)
            if not block:
                return
            yield block
            after = block[-1].subscriber.id

    def newest_match(self) -> int:
        """Return the number of the newest match: what an issue that is cut now considers."""
        with self._database.reading() as connection:
            return newest_match(connection)

    def run(self, at: datetime) -> "PublishRun":
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


class PublishRun:
    """One publish under way: each block is frozen and counted in one transaction, so its counts always add up."""

    def __init__(self, database: Database, at: datetime) -> None:
        self._database = database
        self._at = at
        self._id: int | None = None

    def freeze(
        self,
        plans: Sequence[IssuePlan],
        empty: Mapping[int, datetime],
        silences: Sequence[Unserved],
        now: datetime,
    ) -> list[str]:
        """Write issues with their papers, contents and deliveries, settle empty slots, and count it all, at once.

        `empty` is reader → when nothing was found for them; `silences` says why due readers get no letter. Return for
        each plan "" if it was written, else why not, which is kept as a silence too.
        """
        if not (plans or empty or silences):
            return []
        with self._database.writing() as connection:
            run_id = begin_run(connection, self._at) if self._id is None else self._id
            passed = [_freeze(connection, plan, now, run_id) for plan in plans]
            unserved = [*silences, *_passed_over(plans, passed)]
            keep(connection, unserved, now)
            _settle_empty(connection, empty)
            raise_run(connection, run_id, planned=passed.count(""), excluded=Counter(each.reason for each in unserved))
        self._id = run_id
        return passed

    def end(self, now: datetime) -> str:
        """Record that the publish is through; return what does not add up, in a sentence, "" if all does."""
        if self._id is None:
            return ""
        with self._database.writing() as connection:
            connection.execute(update(PUBLISH_RUN).where(PUBLISH_RUN.c.id == self._id).values(ended_at=now))
            return "; ".join(filter(None, (each.sentence for each in balances(connection, self._id))))


def _settle_empty(connection: Connection, empty: Mapping[int, datetime]) -> None:
    """Note the looks that found nothing; whoever was away is back with it, and no later letter says otherwise."""
    if empty:
        looked = update(SUBSCRIBER).where(SUBSCRIBER.c.id == bindparam("reader"))
        back = case((SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value, None), else_=SUBSCRIBER.c.away_since)
        values = [{"reader": reader, "looked": at} for reader, at in empty.items()]
        connection.execute(looked.values(looked_at=bindparam("looked"), away_since=back), values)


def _block(connection: Connection, after: int) -> tuple[Reader, ...]:
    query = (
        select(SUBSCRIBER)
        .where(SUBSCRIBER.c.id > after, SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value)
        .order_by(SUBSCRIBER.c.id)
        .limit(BLOCK)
    )
    rows = connection.execute(query).all()
    newest = [row.last_issue_id for row in rows if row.last_issue_id is not None]
    last = {
        row.subscriber_id: LastIssue(row.slot, row.cutoff, row.created_at, row.public_id)
        for row in connection.execute(select(ISSUE).where(ISSUE.c.id.in_(newest)))
    }
    looked = {row.id: row.looked_at for row in rows}
    return tuple(
        Reader(subscriber=reader, last=last.get(reader.id), looked_at=looked[reader.id])
        for reader in readers_from(connection, rows)
    )


def _still_stand(connection: Connection, plan: IssuePlan) -> bool:
    """Whether the papers of a plan are what they were: none was joined with another, or sent since."""
    ids = [each.paper_id for each in plan.papers]
    there = select(func.count()).select_from(PAPER).where(PAPER.c.id.in_(ids))
    had = (
        select(func.count())
        .select_from(SENT)
        .where(SENT.c.subscriber_id == plan.subscriber_id, SENT.c.paper_id.in_(ids))
    )
    return not ids or (connection.execute(there).scalar_one() == len(ids) and connection.execute(had).scalar_one() == 0)


def _passed_over(plans: Sequence[IssuePlan], passed: Sequence[str]) -> list[Unserved]:
    """Return the plans that were not written; one whose slot has a letter already is no silence (silences.py)."""
    return [
        Unserved(plan.subscriber_id, plan.slot.label, reason)
        for plan, reason in zip(plans, passed, strict=True)
        if reason
    ]


def _freeze(connection: Connection, plan: IssuePlan, now: datetime, run_id: int) -> str:
    state = connection.execute(select(SUBSCRIBER.c.state).where(SUBSCRIBER.c.id == plan.subscriber_id)).scalar()
    if state != SubscriberState.CONFIRMED.value:
        return "left meanwhile"
    if not _still_stand(connection, plan):
        return "its papers changed meanwhile"
    issue = upsert(ISSUE).values(
        public_id=plan.public_id,
        subscriber_id=plan.subscriber_id,
        slot=plan.slot.label,
        zone=plan.slot.zone,
        cutoff=plan.cutoff,
        upto_match=plan.upto_match,
        created_at=now,
        run_id=run_id,
    )
    created = issue.on_conflict_do_nothing(index_elements=["subscriber_id", "slot"]).returning(ISSUE.c.id)
    issue_id = connection.execute(created).scalar()
    if issue_id is None:
        return "has this issue already"
    papers = [
        {
            "issue_id": issue_id,
            "paper_id": each.paper_id,
            "topic_id": each.topic_id,
            "position": each.position,
            "why": each.why,
        }
        for each in plan.papers
    ]
    if papers:
        connection.execute(insert(ISSUE_PAPER), papers)
        marks = [{"subscriber_id": plan.subscriber_id, "paper_id": each.paper_id} for each in plan.papers]
        connection.execute(insert(SENT), marks)
    reader = update(SUBSCRIBER).where(SUBSCRIBER.c.id == plan.subscriber_id)
    connection.execute(reader.values(last_issue_id=issue_id, away_since=None))  # the letter tells of the absence
    queue(connection, plan.mailing, plan.subscriber_id, issue_id=issue_id)
    return ""
