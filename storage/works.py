"""How the machinery stands, for whoever watches it by figures.

    unmatched   papers above the mark up to which topics have been held against them: the end of the primary key
    to plan     confirmed readers whose look has come: ix_subscriber_state_next_look_id
    due         letters whose time has come: ix_delivery_open, the open ones alone
    put off     the same rows, by keeper of mailboxes; keepers of few letters are told together
    jobs        Procrastinate's own table, where there is one

Nothing is written. Matches are counted by walking one index.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from domain.deliveries import DeliveryState
from domain.operations import Backlog, QueuedJobs, Works
from domain.subscriptions import SubscriberState
from storage.database import Database
from storage.passes import SEEN_FOR, WORKER, PassRecords
from storage.subscriptions import AT_ONCE
from storage.tables import DELIVERY, MARKER, MATCH, OPEN, PAPER, REMATCH, RUN, SUBSCRIBER
from storage.topics import MATCHED

OTHERS = "others"
_KEEPERS = 20  # told by name
_FEW = 5  # letters: who keeps so few mailboxes may be known by them
_JOBS = {"todo": "waiting", "doing": "doing", "failed": "failed"}
_SLACK = timedelta(minutes=2)  # between the clocks of two machines


class WorksRecords:
    """How the machinery of one database stands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passes = PassRecords(database)

    def look(self, now: datetime) -> Works:
        """Return how it stands."""
        passes, schema, size = self._passes.all(), self._database.revision, self._database.size_bytes
        with self._database.reading() as connection:
            # One whose clock was ahead is not heard of until it beats again, or true time comes to it.
            heard = RUN.c.finished_at <= now + _SLACK
            seen = select(func.count(), func.max(RUN.c.finished_at)).where(RUN.c.job == WORKER, heard)
            return Works(
                backlog=_backlog(connection, now),
                matches=_number(connection, select(func.count(MATCH.c.id))),
                passes=passes,
                workers=_number(connection, seen.where(RUN.c.finished_at > now - SEEN_FOR)),
                worker_seen=connection.execute(seen).one()[1],
                jobs=_jobs(connection) if connection.dialect.name == "postgresql" else None,
                schema=schema,
                engine=connection.dialect.name,
                database_bytes=size,
            )


def _backlog(connection: Connection, now: datetime) -> Backlog:
    marker = select(MARKER.c.value).where(MARKER.c.name == MATCHED)
    matched_up_to = connection.execute(marker).scalar() or 0
    fresh = _number(connection, select(func.count()).select_from(PAPER).where(PAPER.c.id > matched_up_to))
    again = _number(connection, select(func.count(REMATCH.c.paper_id.distinct())))
    is_waiting = SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value, SUBSCRIBER.c.next_look <= now
    to_plan = _number(connection, select(func.count()).select_from(SUBSCRIBER).where(*is_waiting))
    # One who is to be looked at "at once" carries no instant to count from.
    since = connection.execute(
        select(func.min(SUBSCRIBER.c.next_look)).where(*is_waiting, SUBSCRIBER.c.next_look > AT_ONCE)
    ).scalar()
    due = connection.execute(
        select(func.count(), func.min(DELIVERY.c.not_before)).where(text(OPEN), DELIVERY.c.not_before <= now)
    ).one()
    accepted = select(func.max(DELIVERY.c.last_try)).where(DELIVERY.c.state == DeliveryState.ACCEPTED.value)
    return Backlog(
        unmatched=fresh + again,
        to_plan=to_plan,
        longest_wait=_seconds(since, now),
        due=due[0],
        oldest_due=_seconds(due[1], now),
        last_accepted=connection.execute(accepted).scalar(),
        put_off=_put_off(connection),
    )


def _put_off(connection: Connection) -> dict[str, int]:
    """Count what waits for a keeper who said "later": the large ones by name, the others together."""
    query = (
        select(DELIVERY.c.keeper, func.count())
        .where(text(OPEN), DELIVERY.c.state == DeliveryState.DEFERRED.value)
        .group_by(DELIVERY.c.keeper)
        .order_by(func.count().desc(), DELIVERY.c.keeper)
    )
    told: dict[str, int] = {}
    for place, (keeper, number) in enumerate(connection.execute(query)):
        name = keeper if keeper and place < _KEEPERS and number >= _FEW else OTHERS
        told[name] = told.get(name, 0) + number
    return told


def _jobs(connection: Connection) -> tuple[QueuedJobs, ...] | None:
    if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
        return None
    query = text(
        "SELECT queue_name, status::text, count(*) FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return tuple(QueuedJobs(row[0], _JOBS[row[1]], row[2]) for row in connection.execute(query))


def _number(connection: Connection, query: Any) -> int:
    return int(connection.execute(query).scalar_one())


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
