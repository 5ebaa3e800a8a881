"""Distinct topics and what they matched.

A marker says up to which paper every topic has been matched. Matches, and the marker's move, are one transaction that
first checks that the marker still stands where the run found it: of two runs at once, one does the work and the other
does nothing. A new topic is matched over the past once; such matches are no news.

Of each topic a run keeps the best matches, and the number of the others (`tally`). What a topic that meets its past
counts takes the place of all that was counted of it before, for whoever gets a first letter.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.subscriptions import SubscriberState
from domain.topics import Match, Selection, Tier
from storage.database import Database
from storage.reading import BLOCK, in_blocks
from storage.tables import MARKER, MATCH, PAPER, REMATCH, SUBSCRIBER, SUBSCRIPTION, TOPIC
from storage.tallies import count, recounted

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
    what: str  #: "words", "filed" or "votes"; "scored" where nothing changed but how scores are worked out


@dataclass(frozen=True, slots=True)
class Met:
    """Topics that met papers again, and what came of it."""

    topics: frozenset[int]
    papers: frozenset[int]
    matches: Sequence[Match]  #: exact ones
    news: frozenset[int]  #: papers whose new matches are news
    adds: bool = True  #: whether new matches are stored; else only what was matched before is seen to


class Topics:
    """The topics of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[StoredTopic, ...]:
        """Return every topic that somebody reads or may yet confirm, in order of arrival."""
        with self._database.reading() as connection:
            return tuple(_stored(connection))

    def matched_up_to(self) -> int:
        """Return the newest paper that every topic has met; 0 at the start."""
        with self._database.reading() as connection:
            return _marker(connection)

    def is_due(self) -> bool:
        """Whether there is anything to match: a paper that no topic has met, a changed one, or a topic without a past.

        Three looks into indexes, however many topics there are.
        """
        with self._database.reading() as connection:
            marker = _marker(connection)
            looks = (
                select(PAPER.c.id).where(PAPER.c.id > marker),
                select(REMATCH.c.id).where(REMATCH.c.paper_id <= marker),
                _of_readers(select(TOPIC.c.id)).where(TOPIC.c.backfilled.is_(False)),
            )
            return any(connection.execute(each.limit(1)).first() is not None for each in looks)

    def newest_change(self) -> int:
        """Return the number of the newest change of a paper; 0 if there is none."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(REMATCH.c.id))).scalar() or 0

    def record(
        self, found: Iterable[Selection], *, since: int, up_to: int, now: datetime, changes: int = 0
    ) -> int | None:
        """Store what was selected of the papers after `since` up to `up_to` and move the marker.

        The papers were read after the change numbered `changes`: what changed of them up to that is met by now.
        Return how many matches were new; None, with nothing changed, if another run has been here.
        """
        with self._database.writing() as connection:
            if _marker(connection) != since:
                return None
            stored, beyond = _insert(connection, found, news=True)
            count(connection, beyond, news=True, now=now)
            met = REMATCH.c.paper_id > since, REMATCH.c.paper_id <= up_to, REMATCH.c.id <= changes
            connection.execute(delete(REMATCH).where(*met))
            marker = upsert(MARKER).values(name=MATCHED, value=up_to)
            connection.execute(
                marker.on_conflict_do_update(index_elements=["name"], set_={"value": marker.excluded.value})
            )
        return stored

    def changed(self, limit: int) -> tuple[Change, ...]:
        """Return changes of papers since they met the topics, oldest first; none of papers that have not met them."""
        query = select(REMATCH.c.id, REMATCH.c.paper_id, REMATCH.c.what).order_by(REMATCH.c.id).limit(limit)
        with self._database.reading() as connection:
            met = REMATCH.c.paper_id <= _marker(connection)
            return tuple(Change(*row) for row in connection.execute(query.where(met)))

    def related(self, paper_ids: Collection[int]) -> frozenset[tuple[int, int]]:
        """Return the (topic, paper) of these papers that are related."""
        found: set[tuple[int, int]] = set()
        wanted = sorted(paper_ids)
        with self._database.reading() as connection:
            for block in in_blocks(wanted):
                near = MATCH.c.tier == Tier.RELATED, MATCH.c.paper_id.in_(block)
                rows = connection.execute(select(MATCH.c.topic_id, MATCH.c.paper_id).where(*near))
                found.update((row.topic_id, row.paper_id) for row in rows)
        return frozenset(found)

    def record_changed(
        self, changes: Collection[Change], met: Sequence[Met], unrelated: Collection[tuple[int, int]] = ()
    ) -> int:
        """Store what changed papers match now, and forget these changes; return how many matches were new.

        What a topic matched exactly before and does not any more goes, and so do the related pairs (topic, paper) that
        are `unrelated` now; what was related and is exact now is new. Nothing is changed if another run has seen to one
        of the changes: it may have read the papers later.
        """
        told = REMATCH.c.id.in_([each.id for each in changes])
        stored = 0
        with self._database.writing() as connection:
            if connection.execute(select(func.count()).where(told)).scalar_one() != len(changes):
                return 0
            for each in met:
                again = _settled(connection, each, unrelated)
                for news in (True, False):
                    new = [match for match in again if each.adds and (match.paper_id in each.news) is news]
                    stored += _insert(connection, (Selection(m.topic_id, (m,)) for m in new), news=news)[0]
            connection.execute(delete(REMATCH).where(told))
        return stored

    def record_past(
        self,
        met: Sequence[StoredTopic],
        found: Collection[Selection],
        *,
        day: date,
        moment: datetime,
        up_to: int,
        now: datetime,
    ) -> int:
        """Store what new topics selected among the papers up to `up_to`, as no news, and remember that they met them.

        These papers were listed on or after `day`, or first seen at or after `moment`. Nothing is changed if the marker
        has moved on since: the topics are new to the next run too, and so is one of which readers want related papers
        otherwise than when it met them.
        """
        past = PAPER.c.id <= up_to, or_(PAPER.c.listed >= day, PAPER.c.first_seen >= moment)
        with self._database.writing() as connection:
            if _marker(connection) != up_to:
                return 0
            stored, _ = _insert(connection, found, news=False)
            count(connection, recounted(connection, [each.id for each in met], found, past), news=False, now=now)
            wished = {each.id: (each.related, each.unsaid) for each in met}
            for some in in_blocks(met):
                block = [each.id for each in some]
                same = [
                    each.id for each in _stored(connection, block) if wished[each.id] == (each.related, each.unsaid)
                ]
                connection.execute(update(TOPIC).where(TOPIC.c.id.in_(same)).values(backfilled=True))
        return stored


def _of_readers(query: Select[Any]) -> Select[Any]:
    """Return a query of topics for those alone that somebody reads or may yet confirm, each reader a row."""
    return (
        query.join(SUBSCRIPTION, SUBSCRIPTION.c.topic_id == TOPIC.c.id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
        .where(SUBSCRIBER.c.state.not_in(GONE))
    )


def _stored(connection: Connection, ids: Sequence[int] | None = None) -> Iterator[StoredTopic]:
    """Yield the topics that somebody reads or may yet confirm, of these ids where some are given."""
    said, unsaid = SUBSCRIPTION.c.related, SUBSCRIPTION.c.related.is_(None)
    query = _of_readers(
        select(
            TOPIC.c.id,
            TOPIC.c.normal_form,
            TOPIC.c.backfilled,
            func.count().label("readers"),
            func.max(case((said, 1), else_=0)).label("related"),
            func.max(case((unsaid, 1), else_=0)).label("unsaid"),
        )
    )
    those = () if ids is None else (TOPIC.c.id.in_(ids),)
    for row in connection.execute(query.where(*those).group_by(TOPIC.c.id).order_by(TOPIC.c.id)):
        yield StoredTopic(row.id, row.normal_form, row.backfilled, row.readers, bool(row.related), bool(row.unsaid))


def _marker(connection: Connection) -> int:
    return connection.execute(select(MARKER.c.value).where(MARKER.c.name == MATCHED)).scalar() or 0


def _settled(connection: Connection, met: Met, unrelated: Collection[tuple[int, int]]) -> list[Match]:
    """Bring what was matched before up to date, and return the matches that are to be stored anew."""
    now = {(each.topic_id, each.paper_id): each for each in met.matches}
    papers = sorted(met.papers)
    known: set[tuple[int, int]] = set()
    gone: list[int] = []
    scored: list[dict[str, Any]] = []
    for block in in_blocks(papers):
        columns = select(MATCH.c.id, MATCH.c.topic_id, MATCH.c.paper_id, MATCH.c.tier)
        for row in connection.execute(columns.where(MATCH.c.paper_id.in_(block))):
            pair = (row.topic_id, row.paper_id)
            match = now.get(pair)
            if row.topic_id not in met.topics:
                continue
            if match is not None and row.tier == match.tier:
                known.add(pair)
                scored.append({"match": row.id, "better": match.score})
            elif (match is not None and met.adds) or row.tier == Tier.EXACT or pair in unrelated:
                gone.append(row.id)
    for block in in_blocks(gone):
        connection.execute(delete(MATCH).where(MATCH.c.id.in_(block)))
    if scored:
        rescored = update(MATCH).where(MATCH.c.id == bindparam("match")).values(score=bindparam("better"))
        connection.execute(rescored, scored)
    return [match for pair, match in now.items() if pair not in known]


def _insert(connection: Connection, found: Iterable[Selection], *, news: bool) -> tuple[int, dict[int, int]]:
    """Store matches that are not there; return how many were new, and topic → what is counted beside them."""
    rows: list[dict[str, Any]] = []
    beyond: dict[int, int] = {}
    stored = 0
    statement = upsert(MATCH).on_conflict_do_nothing().returning(MATCH.c.id)
    for selection in found:
        rows += [_row(match, news=news) for match in selection.matches]
        if selection.beyond:
            beyond[selection.topic_id] = beyond.get(selection.topic_id, 0) + selection.beyond
        if len(rows) >= BLOCK:
            stored += len(connection.execute(statement, rows).all())
            rows.clear()
    if rows:
        stored += len(connection.execute(statement, rows).all())
    return stored, beyond


def _row(match: Match, *, news: bool) -> dict[str, Any]:
    return {
        "topic_id": match.topic_id,
        "paper_id": match.paper_id,
        "score": match.score,
        "tier": int(match.tier),
        "news": news,
    }
