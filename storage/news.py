"""What readers have not been sent: what matched since their last issue, and what most upvotes go to.

What is news is decided by the number of a match, never by a clock: a later issue takes the matches numbered after the
newest one that the last issue considered (docs/decisions/0004).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Date, Float, Integer, TextClause, bindparam, func, select, text

from domain.topics import Tier
from storage.database import Database
from storage.reading import in_blocks
from storage.tables import PAPER, REMATCH, UtcDateTime

# What each of these readers has had: their topics, and the newest match that their last letter considered.
_SINCE = (
    text(
        """
    SELECT s.subscriber_id, s.topic_id, last.upto_match, last.created_at
    FROM subscription s
    JOIN subscriber reader ON reader.id = s.subscriber_id
    JOIN issue last ON last.id = reader.last_issue_id
    WHERE s.subscriber_id IN :readers
    """
    )
    .bindparams(bindparam("readers", expanding=True))
    .columns(subscriber_id=Integer, topic_id=Integer, upto_match=Integer, created_at=UtcDateTime)
)

# What their topics matched since, once for all who ask one: from the oldest letter among those on, for a reader of one
# rare topic may have had none for a year. A match over the past counts for whom the paper came after their letter.
_MATCHED = (
    text(
        """
    SELECT m.topic_id, m.paper_id, m.score, m.tier, m.id, CASE WHEN NOT m.news THEN p.first_seen END AS came
    FROM (
        SELECT s.topic_id, min(last.upto_match) AS since
        FROM subscription s
        JOIN subscriber reader ON reader.id = s.subscriber_id
        JOIN issue last ON last.id = reader.last_issue_id
        WHERE s.subscriber_id IN :readers
        GROUP BY s.topic_id
    ) AS asked
    CROSS JOIN match m
    CROSS JOIN paper p
    WHERE m.topic_id = asked.topic_id AND m.id > asked.since AND m.id <= :upto
      AND p.id = m.paper_id AND NOT p.backlog
    """
    )
    .bindparams(bindparam("readers", expanding=True))
    .columns(topic_id=Integer, paper_id=Integer, score=Float, tier=Integer, id=Integer, came=UtcDateTime)
)

# The ledger's key leads to a reader's newest papers; "+" keeps SQLite from asking it for each paper of the list.
_HAD = text(
    """
    SELECT subscriber_id, paper_id FROM sent
    WHERE subscriber_id IN :readers AND paper_id >= :least AND +paper_id IN :papers
    """
).bindparams(bindparam("readers", expanding=True), bindparam("papers", expanding=True))

# Both of what follows begin with the papers: of all that a topic ever matched, few are new, and fewer have taken off.
# CROSS JOIN keeps SQLite to that order, and MATERIALIZED both databases to finding these matches once for all readers.

# What a first issue looks back over: anything first seen or listed since then, news or not, that was not sent before.
_WELCOME = text(
    """
    WITH recent AS (
        SELECT id FROM paper WHERE listed >= :day UNION SELECT id FROM paper WHERE first_seen >= :moment
    ), found AS MATERIALIZED (
        SELECT m.topic_id, m.paper_id, m.score, m.tier
        FROM recent CROSS JOIN match m
        WHERE m.paper_id = recent.id AND m.id <= :upto
    )
    SELECT s.subscriber_id, s.topic_id, found.paper_id, found.score, found.tier
    FROM subscription s
    JOIN found ON found.topic_id = s.topic_id
    WHERE s.subscriber_id IN :readers
      AND NOT EXISTS (SELECT 1 FROM sent
                      WHERE sent.subscriber_id = s.subscriber_id AND sent.paper_id = found.paper_id)
    """
).bindparams(bindparam("readers", expanding=True), bindparam("day", type_=Date), bindparam("moment", type_=UtcDateTime))

# What was counted beside these matches, by the same rules.
_BEYOND = text(
    """
    SELECT s.subscriber_id, s.topic_id, sum(t.beyond) AS beyond
    FROM subscription s
    JOIN subscriber reader ON reader.id = s.subscriber_id
    JOIN issue last ON last.id = reader.last_issue_id
    JOIN tally t ON t.topic_id = s.topic_id AND t.match_id > last.upto_match
    WHERE s.subscriber_id IN :readers AND t.match_id <= :upto AND t.news
    GROUP BY s.subscriber_id, s.topic_id
    """
).bindparams(bindparam("readers", expanding=True))

# A topic that met its past was counted anew over these days: what was counted before is part of that.
_WELCOME_BEYOND = text(
    """
    SELECT s.subscriber_id, s.topic_id, sum(t.beyond) AS beyond
    FROM subscription s
    JOIN tally t ON t.topic_id = s.topic_id AND t.match_id <= :upto
    WHERE s.subscriber_id IN :readers AND t.at >= :moment
      AND t.id >= coalesce((SELECT max(past.id) FROM tally past
                            WHERE past.topic_id = t.topic_id AND NOT past.news), 0)
    GROUP BY s.subscriber_id, s.topic_id
    """
).bindparams(bindparam("readers", expanding=True), bindparam("moment", type_=UtcDateTime))


@dataclass(frozen=True, slots=True)
class News:
    """One matched paper that a reader has not been sent."""

    topic_id: int
    paper_id: int
    score: float
    tier: Tier


_Matched = tuple[News, int, datetime | None]  # the match's number; when the paper came, of a match over the past
_WANTED = 10_000  # papers of a statement: SQLite allows 32,766 values

#: (subscriber, topic) → matches that are only counted
Counted = Mapping[tuple[int, int], int]


class Newsroom:
    """What readers of one database have not been sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def news(self, reader_ids: Sequence[int], up_to: int) -> dict[int, list[News]]:
        """Return what is news to readers who had an issue before, by reader."""
        if not reader_ids:
            return {}
        with self._database.reading() as connection:
            held = connection.execute(_SINCE, {"readers": list(reader_ids)}).all()
            matched: dict[int, list[_Matched]] = defaultdict(list)
            values = {"readers": list(reader_ids), "upto": up_to}
            for topic_id, paper_id, score, tier, number, came in connection.execute(_MATCHED, values):
                found = News(topic_id=topic_id, paper_id=paper_id, score=score, tier=Tier(tier))
                matched[topic_id].append((found, number, came))
            sent = sent_among(
                connection, reader_ids, {each.paper_id for rows in matched.values() for each, _, _ in rows}
            )
        told: dict[int, list[News]] = defaultdict(list)
        alike: dict[tuple[int, int, datetime], list[News]] = {}
        for reader, topic_id, upto, created in held:
            key = (topic_id, upto, created)
            news = alike.get(key)
            if news is None:
                rows = matched.get(topic_id, ())
                news = alike[key] = [
                    each for each, number, came in rows if number > upto and (came is None or came > created)
                ]
            had = sent.get(reader)
            told[reader] += news if had is None else [each for each in news if each.paper_id not in had]
        return {reader: news for reader, news in told.items() if news}

    def welcome(self, reader_ids: Sequence[int], up_to: int, day: date, moment: datetime) -> dict[int, list[News]]:
        """Return what matched since a listing day or an instant, for readers who had no issue yet, by reader."""
        values = {"readers": list(reader_ids), "upto": up_to, "day": day, "moment": moment}
        with self._database.reading() as connection:
            return _grouped(connection, _WELCOME, values)

    def counted(self, reader_ids: Sequence[int], up_to: int) -> Counted:
        """Return how many more matches are news than were kept, for readers who had an issue before."""
        return self._counted(_BEYOND, {"readers": list(reader_ids), "upto": up_to})

    def welcome_counted(self, reader_ids: Sequence[int], up_to: int, moment: datetime) -> Counted:
        """Return how many more matches were found since an instant than were kept."""
        return self._counted(_WELCOME_BEYOND, {"readers": list(reader_ids), "upto": up_to, "moment": moment})

    def _counted(self, query: TextClause, values: dict[str, Any]) -> Counted:
        if not values["readers"]:
            return {}
        with self._database.reading() as connection:
            return {(row.subscriber_id, row.topic_id): int(row.beyond) for row in connection.execute(query, values)}

    def votes_of_the_best(self, since: date, share: float) -> int | None:
        """Return what the best voted have at least, that share of the papers with votes listed as news since a day."""
        voted = (PAPER.c.listed >= since, PAPER.c.upvotes > 0, PAPER.c.backlog.is_(False))
        with self._database.reading() as connection:
            number = connection.execute(select(func.count()).where(*voted)).scalar_one()
            best = select(PAPER.c.upvotes).where(*voted).order_by(PAPER.c.upvotes.desc())
            return connection.execute(best.offset(int(number * share)).limit(1)).scalar()

    def risen(self, since: date, votes: int, limit: int) -> tuple[int, ...]:
        """Return up to `limit` papers with so many votes at least, the most first, of the news listed since a day."""
        hot = (PAPER.c.listed >= since, PAPER.c.upvotes >= votes, PAPER.c.backlog.is_(False))
        query = select(PAPER.c.id).where(*hot).order_by(PAPER.c.upvotes.desc(), PAPER.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def voted(self, moment: datetime, limit: int) -> tuple[int, ...]:
        """Return up to `limit` papers with the most votes among those that came as news since an instant."""
        came = (PAPER.c.first_seen >= moment, PAPER.c.upvotes > 0, PAPER.c.backlog.is_(False))
        query = select(PAPER.c.id).where(*came).order_by(PAPER.c.upvotes.desc(), PAPER.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def changed(self, paper_ids: Collection[int]) -> set[int]:
        """Return which of these papers have changed since they met the topics."""
        found: set[int] = set()
        wanted = sorted(paper_ids)
        with self._database.reading() as connection:
            for block in in_blocks(wanted):
                query = select(REMATCH.c.paper_id).where(REMATCH.c.paper_id.in_(block))
                found.update(connection.execute(query).scalars())
        return found

    def had(self, reader_ids: Sequence[int], paper_ids: Collection[int]) -> dict[int, set[int]]:
        """Return which of these papers each reader was sent."""
        with self._database.reading() as connection:
            return sent_among(connection, reader_ids, paper_ids)


def sent_among(connection: Connection, readers: Sequence[int], papers: Collection[int]) -> dict[int, set[int]]:
    """Return which of these papers each of these readers was sent; readers who had none are missing."""
    found: dict[int, set[int]] = defaultdict(set)
    wanted = sorted(papers)
    for block in in_blocks(wanted, _WANTED):
        for reader, paper in connection.execute(_HAD, {"readers": list(readers), "papers": block, "least": block[0]}):
            found[reader].add(paper)
    return found


def _grouped(connection: Connection, query: TextClause, values: dict[str, Any]) -> dict[int, list[News]]:
    found: dict[int, list[News]] = {}
    if values["readers"]:
        for row in connection.execute(query, values):
            news = News(topic_id=row.topic_id, paper_id=row.paper_id, score=row.score, tier=Tier(row.tier))
            found.setdefault(row.subscriber_id, []).append(news)
    return found
