"""Distinct topics and what they matched.

A marker says up to which paper every topic has been matched. Matches, and the marker's move, are one transaction that
first checks that the marker still stands where the run found it: of two runs at once, one does the work and the other
does nothing. A new topic is matched over the past once; such matches are no news.

Of each topic a run keeps the best matches, and the number of the others (`tally`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.subscriptions import SubscriberState
from domain.topics import Match, Selection, Tier
from storage.database import Database
from storage.reading import BLOCK
from storage.tables import MARKER, MATCH, REMATCH, SUBSCRIBER, SUBSCRIPTION, TALLY, TOPIC

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
    related: bool  #: whether a reader said that related papers are wanted
    unsaid: bool  #: whether a reader said nothing of them


@dataclass(frozen=True, slots=True)
class Change:
    """That a paper changed since it met the topics."""

    id: int
    paper_id: int
    what: str  #: "words", "filed" or "votes"


class Topics:
    """The topics of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[StoredTopic, ...]:
        """Return every topic that somebody reads or may yet confirm, in order of arrival."""
        said, unsaid = SUBSCRIPTION.c.related, SUBSCRIPTION.c.related.is_(None)
        query = (
            select(
                TOPIC.c.id,
                TOPIC.c.normal_form,
                TOPIC.c.backfilled,
                func.count().label("readers"),
                func.max(case((said, 1), else_=0)).label("related"),
                func.max(case((unsaid, 1), else_=0)).label("unsaid"),
            )
            .join(SUBSCRIPTION, SUBSCRIPTION.c.topic_id == TOPIC.c.id)
            .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
            .where(SUBSCRIBER.c.state.not_in(GONE))
            .group_by(TOPIC.c.id)
            .order_by(TOPIC.c.id)
        )
        with self._database.reading() as connection:
            return tuple(
                StoredTopic(row.id, row.normal_form, row.backfilled, row.readers, bool(row.related), bool(row.unsaid))
                for row in connection.execute(query)
            )

    def matched_up_to(self) -> int:
        """Return the newest paper that every topic has met; 0 at the start."""
        with self._database.reading() as connection:
            return _marker(connection)

    def record(self, found: Iterable[Selection], *, since: int, up_to: int, now: datetime) -> int | None:
        """Store what was selected of the papers after `since` up to `up_to` and move the marker.

        Return how many matches were new; None, with nothing changed, if another run has been here.
        """
        with self._database.writing() as connection:
            if _marker(connection) != since:
                return None
            stored = _insert(connection, found, news=True, now=now)
            marker = upsert(MARKER).values(name=MATCHED, value=up_to)
            connection.execute(
                marker.on_conflict_do_update(index_elements=["name"], set_={"value": marker.excluded.value})
            )
        return stored

    def changed(self, limit: int) -> tuple[Change, ...]:
        """Return changes of papers since they met the topics, oldest first."""
        query = select(REMATCH.c.id, REMATCH.c.paper_id, REMATCH.c.what).order_by(REMATCH.c.id).limit(limit)
        with self._database.reading() as connection:
            return tuple(Change(*row) for row in connection.execute(query))

    def record_changed(
        self, changes: Collection[Change], asked: Mapping[int, Collection[int]], matches: Sequence[Match], now: datetime
    ) -> int:
        """Store what changed papers match now, as news, and forget these changes; return how many were new.

        `asked` is topic → the papers that it met again, `matches` the exact ones among them. What such a topic matched
        exactly before and does not any more goes; what was related and is exact now is news.
        """
        with self._database.writing() as connection:
            again = _settled(connection, asked, matches)
            found = (Selection(each.topic_id, (each,)) for each in again)
            stored = _insert(connection, found, news=True, now=now)
            connection.execute(delete(REMATCH).where(REMATCH.c.id.in_([each.id for each in changes])))
        return stored

    def record_past(self, topic_ids: Sequence[int], found: Iterable[Selection], *, up_to: int, now: datetime) -> int:
        """Store what new topics selected among the papers up to `up_to`, as no news, and remember that they met them.

        Nothing is changed if the marker has moved on since: the topics are new to the next run too.
        """
        with self._database.writing() as connection:
            if _marker(connection) != up_to:
                return 0
            for start in range(0, len(topic_ids), BLOCK):  # a topic can meet its past again
                met = TALLY.c.topic_id.in_(topic_ids[start : start + BLOCK])
                connection.execute(delete(TALLY).where(met, TALLY.c.news.is_(False)))
            stored = _insert(connection, found, news=False, now=now)
            for start in range(0, len(topic_ids), BLOCK):
                block = topic_ids[start : start + BLOCK]
                connection.execute(update(TOPIC).where(TOPIC.c.id.in_(block)).values(backfilled=True))
        return stored


def _marker(connection: Connection) -> int:
    return connection.execute(select(MARKER.c.value).where(MARKER.c.name == MATCHED)).scalar() or 0


def _settled(connection: Connection, asked: Mapping[int, Collection[int]], matches: Sequence[Match]) -> list[Match]:
    """Bring what was matched before up to date, and return the matches that are to be stored anew."""
    now = {(each.topic_id, each.paper_id): each for each in matches}
    papers = sorted({paper_id for those in asked.values() for paper_id in those})
    known: set[tuple[int, int]] = set()
    gone: list[int] = []
    scored: list[dict[str, Any]] = []
    for start in range(0, len(papers), BLOCK):
        block = papers[start : start + BLOCK]
        columns = select(MATCH.c.id, MATCH.c.topic_id, MATCH.c.paper_id, MATCH.c.tier)
        for row in connection.execute(columns.where(MATCH.c.paper_id.in_(block))):
            if row.paper_id not in asked.get(row.topic_id, ()):
                continue
            match = now.get((row.topic_id, row.paper_id))
            if match is not None and row.tier == match.tier:
                known.add((row.topic_id, row.paper_id))
                scored.append({"match": row.id, "better": match.score})
            elif match is not None or row.tier == Tier.EXACT:
                gone.append(row.id)
    for start in range(0, len(gone), BLOCK):
        connection.execute(delete(MATCH).where(MATCH.c.id.in_(gone[start : start + BLOCK])))
    if scored:
        rescored = update(MATCH).where(MATCH.c.id == bindparam("match")).values(score=bindparam("better"))
        connection.execute(rescored, scored)
    return [match for pair, match in now.items() if pair not in known]


def _insert(connection: Connection, found: Iterable[Selection], *, news: bool, now: datetime) -> int:
    """Store matches that are not there, and what is counted beside them; return how many were new."""
    rows: list[dict[str, Any]] = []
    beyond: list[dict[str, Any]] = []
    stored = 0
    statement = upsert(MATCH).on_conflict_do_nothing().returning(MATCH.c.id)
    for selection in found:
        rows += [_row(match, news=news) for match in selection.matches]
        if selection.beyond:
            beyond.append({"topic_id": selection.topic_id, "beyond": selection.beyond, "at": now, "news": news})
        if len(rows) >= BLOCK:
            stored += len(connection.execute(statement, rows).all())
            rows.clear()
    if rows:
        stored += len(connection.execute(statement, rows).all())
    if beyond:
        # Nobody else writes meanwhile: who has considered the newest match has considered this run.
        newest = newest_match(connection)
        connection.execute(insert(TALLY), [{**each, "match_id": newest} for each in beyond])
    return stored


def _row(match: Match, *, news: bool) -> dict[str, Any]:
    return {
        "topic_id": match.topic_id,
        "paper_id": match.paper_id,
        "score": match.score,
        "tier": int(match.tier),
        "news": news,
    }


def newest_match(connection: Connection) -> int:
    """Return the number of the newest match; 0 if there is none."""
    return connection.execute(select(func.max(MATCH.c.id))).scalar() or 0
