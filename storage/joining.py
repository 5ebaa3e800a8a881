"""Two records that turn out to be one paper: the older keeps its number, and everything the younger had is its own.

Sightings, strong ids, wordings, events, matches, the marks of what was sent and the issues it stood in move; where both
have the same, one stays. The key of the one that goes still names the paper. All of it is part of the caller's
transaction.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.happening import happened, told_once
from storage.lookup import Known
from storage.rising import EVENTS, PAPERS
from storage.sightings import merge_sightings
from storage.tables import (
    EVENT,
    IDENTIFIER,
    ISSUE_PAPER,
    KIN,
    MATCH,
    PAPER,
    REMATCH,
    SAVED,
    SENT,
    TRAIT,
    WORDING,
)
from storage.words.index import index_of


def join(connection: Connection, heir: Known, gone: Known, *, source: str, day: date, now: datetime) -> None:
    """Give everything that `gone` has in other tables to `heir`, and take its row away.

    The heir's own row is the caller's to change. `source` and `day` are those of the listing that told.
    """
    index_of(connection).take(connection, [gone.columns])
    merge_sightings(connection, heir.id, gone.id)
    _move_identifiers(connection, heir, gone)
    _move(connection, WORDING, ("field", "source"), heir, gone)
    EVENTS.retire(connection)  # before some go: what both had happen stays once
    _move(connection, EVENT, ("kind", "note"), heir, gone)
    told_once(connection, heir.id)
    _move(connection, ISSUE_PAPER, ("issue_id",), heir, gone)
    _move(connection, SENT, ("subscriber_id",), heir, gone)
    _move_likings(connection, heir, gone)
    _move(connection, TRAIT, ("trait",), heir, gone)
    _move_matches(connection, heir, gone)
    _move_kin(connection, heir, gone)
    connection.execute(update(REMATCH).where(REMATCH.c.paper_id == gone.id).values(paper_id=heir.id))
    PAPERS.retire(connection, gone.id)
    connection.execute(delete(PAPER).where(PAPER.c.id == gone.id))
    event = {"paper_id": heir.id, "kind": "joined", "note": gone.key, "source": source, "day": day, "at": now}
    happened(connection, event)


def _move(connection: Connection, table: Table, beside: tuple[str, ...], heir: Known, gone: Known) -> None:
    """Let rows of one paper be the other's, but those that the other has: the same in the columns `beside`."""
    other = table.alias()
    same = and_(other.c.paper_id == heir.id, *(other.c[name] == table.c[name] for name in beside))
    twice = table.c.paper_id == gone.id, exists(select(literal(1)).select_from(other).where(same).correlate(table))
    connection.execute(delete(table).where(*twice))
    connection.execute(update(table).where(table.c.paper_id == gone.id).values(paper_id=heir.id))


def _move_likings(connection: Connection, heir: Known, gone: Known) -> None:
    """Of two things that a reader said of what is one paper, the newer holds."""
    newer = SAVED.alias()
    both = newer.c.paper_id.in_((heir.id, gone.id)) & (newer.c.subscriber_id == SAVED.c.subscriber_id)
    older = exists(select(literal(1)).select_from(newer).where(both, newer.c.id > SAVED.c.id).correlate(SAVED))
    connection.execute(delete(SAVED).where(SAVED.c.paper_id.in_((heir.id, gone.id)), older))
    connection.execute(update(SAVED).where(SAVED.c.paper_id == gone.id).values(paper_id=heir.id))


def _move_matches(connection: Connection, heir: Known, gone: Known) -> None:
    """Of two matches of one topic that of the record which was news stays, else the older: it was considered."""
    backlog = {each.id: bool(each.columns["backlog"]) for each in (heir, gone)}
    kept: set[int] = set()
    twice: list[int] = []
    rows = connection.execute(select(MATCH).where(MATCH.c.paper_id.in_(backlog))).all()
    for row in sorted(rows, key=lambda row: (backlog[row.paper_id] or not row.news, row.id)):
        if row.topic_id in kept:
            twice.append(row.id)
        kept.add(row.topic_id)
    connection.execute(delete(MATCH).where(MATCH.c.id.in_(twice)))
    connection.execute(update(MATCH).where(MATCH.c.paper_id == gone.id).values(paper_id=heir.id))


def _move_identifiers(connection: Connection, heir: Known, gone: Known) -> None:
    """Move the ids behind the heir's own of each scheme, and keep the key of a title as a name."""
    mine = _places(connection, heir.id)
    rows = connection.execute(
        select(IDENTIFIER.c.scheme, IDENTIFIER.c.value)
        .where(IDENTIFIER.c.paper_id == gone.id)
        .order_by(IDENTIFIER.c.place)
    ).all()
    for scheme, value in rows:
        place = mine.get(scheme, 0)
        mine[scheme] = place + 1
        named = and_(IDENTIFIER.c.scheme == scheme, IDENTIFIER.c.value == value)
        connection.execute(update(IDENTIFIER).where(named).values(paper_id=heir.id, place=place))
    remember_key(connection, heir.id, gone.key)


def remember_key(connection: Connection, paper_id: int, key: str) -> None:
    """Let a paper be found by the key of a title that was its own."""
    scheme, _, value = key.partition(":")
    if scheme == "title":
        row: dict[str, Any] = {"scheme": scheme, "value": value, "paper_id": paper_id, "place": 0}
        connection.execute(upsert(IDENTIFIER).values(row).on_conflict_do_nothing())


def _places(connection: Connection, paper_id: int) -> dict[str, int]:
    """Return the next free place of each scheme."""
    query = (
        select(IDENTIFIER.c.scheme, func.max(IDENTIFIER.c.place) + 1)
        .where(IDENTIFIER.c.paper_id == paper_id)
        .group_by(IDENTIFIER.c.scheme)
    )
    return {scheme: int(place) for scheme, place in connection.execute(query)}


def _move_kin(connection: Connection, heir: Known, gone: Known) -> None:
    involved = or_(KIN.c.paper_id.in_({heir.id, gone.id}), KIN.c.other_id.in_({heir.id, gone.id}))
    pairs = connection.execute(select(KIN.c.paper_id, KIN.c.other_id).where(involved)).all()
    connection.execute(delete(KIN).where(involved))
    link(connection, {(heir.id if a == gone.id else a, heir.id if b == gone.id else b) for a, b in pairs})


def link(connection: Connection, pairs: set[tuple[int, int]]) -> None:
    """Keep pairs of papers that may be one work."""
    rows = [{"paper_id": max(pair), "other_id": min(pair)} for pair in pairs if pair[0] != pair[1]]
    if rows:
        connection.execute(upsert(KIN).on_conflict_do_nothing(), rows)
