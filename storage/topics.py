"""Distinct topics and what they matched.

A marker says up to which paper every topic has been matched. Matches, and the marker's move, are one transaction that
first checks that the marker still stands where the run found it: of two runs at once, one does the work and the other
does nothing. A new topic is matched over the past once; such matches are no news.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.subscriptions import SubscriberState
from domain.topics import Match
from storage.database import Database
from storage.reading import BLOCK
from storage.tables import MARKER, MATCH, REMATCH, SUBSCRIBER, SUBSCRIPTION, TOPIC

MATCHED = "matched-up-to-paper"
#: Readers in these states get no letters: a topic that only they hold is not matched.
GONE = (SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value)


@dataclass(frozen=True, slots=True)
class StoredTopic:
    """A topic as the database keeps it."""

    id: int
    normal_form: str
    backfilled: bool  #: whether it has been matched over the past
    readers: int


class Topics:
    """The topics of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[StoredTopic, ...]:
        """Return every topic that somebody reads or may yet confirm, in order of arrival."""
        query = (
            select(TOPIC.c.id, TOPIC.c.normal_form, TOPIC.c.backfilled, func.count().label("readers"))
            .join(SUBSCRIPTION, SUBSCRIPTION.c.topic_id == TOPIC.c.id)
            .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
            .where(SUBSCRIBER.c.state.not_in(GONE))
            .group_by(TOPIC.c.id)
            .order_by(TOPIC.c.id)
        )
        with self._database.reading() as connection:
            return tuple(StoredTopic(*row) for row in connection.execute(query))

    def matched_up_to(self) -> int:
        """Return the newest paper that every topic has met; 0 at the start."""
        with self._database.reading() as connection:
            return _marker(connection)

    def record(self, matches: Iterable[Match], *, since: int, up_to: int) -> int | None:
        """Store the matches of the papers after `since` up to `up_to` and move the marker.

        Return how many were new; None, with nothing changed, if another run has been here.
        """
        with self._database.writing() as connection:
            if _marker(connection) != since:
                return None
            stored = _insert(connection, matches, news=True)
            marker = upsert(MARKER).values(name=MATCHED, value=up_to)
            connection.execute(
                marker.on_conflict_do_update(index_elements=["name"], set_={"value": marker.excluded.value})
            )
        return stored

    def changed(self, limit: int) -> dict[int, int]:
        """Return changes of papers' words since they met the topics, oldest first: number of the change → paper."""
        with self._database.reading() as connection:
            found = connection.execute(select(REMATCH.c.id, REMATCH.c.paper_id).order_by(REMATCH.c.id).limit(limit))
            return {row.id: row.paper_id for row in found}

    def record_changed(self, changes: Collection[int], matches: Iterable[Match]) -> int:
        """Store what changed papers match now, as news, and forget these changes; return how many were new."""
        with self._database.writing() as connection:
            stored = _insert(connection, matches, news=True)
            connection.execute(delete(REMATCH).where(REMATCH.c.id.in_(changes)))
        return stored

    def record_past(self, topic_ids: Sequence[int], matches: Iterable[Match], *, up_to: int) -> int:
        """Store what new topics matched among the papers up to `up_to`, as no news, and remember that they met them.

        Nothing is changed if the marker has moved on since: the topics are new to the next run too.
        """
        with self._database.writing() as connection:
            if _marker(connection) != up_to:
                return 0
            stored = _insert(connection, matches, news=False)
            for start in range(0, len(topic_ids), BLOCK):
                block = topic_ids[start : start + BLOCK]
                connection.execute(update(TOPIC).where(TOPIC.c.id.in_(block)).values(backfilled=True))
        return stored


def _marker(connection: Connection) -> int:
    return connection.execute(select(MARKER.c.value).where(MARKER.c.name == MATCHED)).scalar() or 0


def _insert(connection: Connection, matches: Iterable[Match], *, news: bool) -> int:
    rows: list[dict[str, Any]] = []
    stored = 0
    statement = upsert(MATCH).on_conflict_do_nothing().returning(MATCH.c.id)
    for match in matches:
        rows.append(
            {
                "topic_id": match.topic_id,
                "paper_id": match.paper_id,
                "score": match.score,
                "tier": match.tier,
                "news": news,
            }
        )
        if len(rows) >= BLOCK:
            stored += len(connection.execute(statement, rows).all())
            rows.clear()
    if rows:
        stored += len(connection.execute(statement, rows).all())
    return stored


def newest_match(connection: Connection) -> int:
    """Return the number of the newest match; 0 if there is none."""
    return connection.execute(select(func.max(MATCH.c.id))).scalar() or 0
