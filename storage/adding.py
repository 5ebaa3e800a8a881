"""The transaction inside `Archive.add`: one listing becomes papers, sightings and validators.

For each block of listed papers: look up the known ones by strong id and by title in two queries, decide paper by paper
(merging.py), then write new papers, their ids and all sightings in bulk. What a known paper learns is written alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from domain.identity import title_key
from domain.papers import Identifiers, ListedPaper, Listing, Validators
from storage import search
from storage.merging import Known, find, ids_learned, key_for, learned
from storage.reading import BLOCK, identifiers_of
from storage.tables import IDENTIFIER, PAPER, REMATCH, SIGHTING, VALIDATOR


def add_listing(
    connection: Connection, listing: Listing, now: datetime, validators: Sequence[Validators]
) -> tuple[list[int], int]:
    """Store a listing; return the ids of the papers never seen before, and how many known ones learned something."""
    new_ids: list[int] = []
    updated = 0
    for start in range(0, len(listing.papers), BLOCK):
        added, changed = _add_block(connection, listing, listing.papers[start : start + BLOCK], now)
        new_ids += added
        updated += changed
    if listing.status.moves_cursor:
        _remember(connection, listing.source, validators)
    return new_ids, updated


def _add_block(
    connection: Connection, listing: Listing, block: Sequence[ListedPaper], now: datetime
) -> tuple[list[int], int]:
    by_id = _known_by_id(connection, [pair for paper in block for pair in paper.ids.pairs()])
    keys = [title_key(paper.title) for paper in block]
    by_title: dict[str, list[Known]] = {}
    for same_title in _known(connection, PAPER.c.title_key.in_(set(keys))):
        by_title.setdefault(same_title.columns["title_key"], []).append(same_title)
    new_ids: list[int] = []
    sightings: dict[int, ListedPaper] = {}
    updated = 0
    first_new = next_id = (connection.execute(select(func.max(PAPER.c.id))).scalar() or 0) + 1
    rows: list[dict[str, Any]] = []
    identifiers: list[dict[str, Any]] = []
    for paper, named in zip(block, keys, strict=True):
        titled = by_title.setdefault(named, [])
        known = find(paper, by_id, titled)
        if known is None:
            columns = _new_row(listing, paper, now, key_for(paper, (each.key for each in titled)))
            columns |= {"id": next_id, "title_key": named}
            known = Known(id=next_id, key=columns["key"], ids=paper.ids, columns=columns)
            rows.append(columns)
            identifiers += [{"scheme": s, "value": v, "paper_id": next_id} for s, v in paper.ids.pairs()]
            new_ids.append(next_id)
            titled.append(known)
            next_id += 1
        elif known.id < first_new:
            updated += _enrich(connection, listing, paper, known)
        for pair in paper.ids.pairs():
            by_id.setdefault(pair, known)
        sightings.setdefault(known.id, paper)
    if rows:
        connection.execute(insert(PAPER), rows)
        search.put(connection, rows)
    if identifiers:
        connection.execute(insert(IDENTIFIER), identifiers)
    _sight(connection, listing, sightings, now)
    return new_ids, updated


def _new_row(listing: Listing, paper: ListedPaper, now: datetime, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "title": paper.title,
        "abstract": paper.abstract,
        "abstract_kind": paper.abstract_kind.value,
        "authors": list(paper.authors),
        "author_count": max(paper.author_count, len(paper.authors)),
        "published": paper.published,
        "first_seen": paper.first_seen or now,
        "first_listed": listing.day,
        "listed": listing.day,
        "url": paper.url,
        "pdf_url": paper.pdf_url,
        "code_url": paper.code_url,
        "project_url": paper.project_url,
        "organization": paper.organization,
        "categories": list(paper.categories),
        "sources": [listing.source],
        "upvotes": paper.upvotes,
        "comments": paper.comments,
        "backlog": listing.backlog,
        "withdrawn": paper.withdrawn,
    }


def _enrich(connection: Connection, listing: Listing, paper: ListedPaper, known: Known) -> int:
    """Write what a known paper learns; return 1 if that is more than votes and days."""
    changes = learned(known.columns, paper)
    ids = ids_learned(known.ids, paper.ids)
    if ids:
        rows = [{"scheme": scheme, "value": value, "paper_id": known.id} for scheme, value in ids]
        connection.execute(upsert(IDENTIFIER).on_conflict_do_nothing(), rows)
        known.ids = replace(known.ids, **dict(ids))
        if known.ids.strongest and known.key.startswith("title:"):
            changes["key"] = known.key = known.ids.strongest
    counts = 1 if changes else 0
    changes |= _seen_again(known.columns, listing, paper)
    changes = {name: value for name, value in changes.items() if known.columns[name] != value}
    if changes:
        connection.execute(update(PAPER).where(PAPER.c.id == known.id).values(**changes))
        after = {**known.columns, **changes}
        if changes.keys() & set(search.INDEXED):
            search.replace(connection, known.columns, after)
        if "abstract" in changes:
            connection.execute(insert(REMATCH).values(paper_id=known.id))
        known.columns = after
    return counts


def _seen_again(columns: Mapping[str, Any], listing: Listing, paper: ListedPaper) -> dict[str, Any]:
    """Return what another sighting alone changes: votes by the newest day, the days, the sources."""
    changes: dict[str, Any] = {
        "listed": max(listing.day, columns["listed"]),
        "first_listed": min(listing.day, columns["first_listed"]),
    }
    if listing.day >= columns["listed"]:
        votes = {"upvotes": paper.upvotes, "comments": paper.comments}
        changes |= {name: value for name, value in votes.items() if value is not None}
    if listing.source not in columns["sources"]:
        changes["sources"] = [*columns["sources"], listing.source]
    return changes


def _sight(connection: Connection, listing: Listing, seen: dict[int, ListedPaper], now: datetime) -> None:
    if not seen:
        return
    statement = upsert(SIGHTING)
    statement = statement.on_conflict_do_update(
        index_elements=["paper_id", "source", "day"],
        set_={name: statement.excluded[name] for name in ("rank", "upvotes", "comments")},
    )
    rows = [
        {
            "paper_id": paper_id,
            "source": listing.source,
            "day": listing.day,
            "rank": paper.rank,
            "upvotes": paper.upvotes,
            "comments": paper.comments,
            "seen_at": now,
        }
        for paper_id, paper in seen.items()
    ]
    connection.execute(statement, rows)


def _remember(connection: Connection, source: str, validators: Sequence[Validators]) -> None:
    for each in validators:
        saved = upsert(VALIDATOR).values(source=source, url=each.url, etag=each.etag, last_modified=each.last_modified)
        connection.execute(
            saved.on_conflict_do_update(
                index_elements=["source", "url"],
                set_={"etag": saved.excluded.etag, "last_modified": saved.excluded.last_modified},
            )
        )


def _known_by_id(connection: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    by_scheme: dict[str, list[str]] = {}
    for scheme, value in pairs:
        by_scheme.setdefault(scheme, []).append(value)
    if not by_scheme:
        return {}
    wanted = or_(*(and_(IDENTIFIER.c.scheme == s, IDENTIFIER.c.value.in_(v)) for s, v in by_scheme.items()))
    owners = {(row.scheme, row.value): row.paper_id for row in connection.execute(select(IDENTIFIER).where(wanted))}
    papers = {known.id: known for known in _known(connection, PAPER.c.id.in_(set(owners.values())))}
    return {pair: papers[paper_id] for pair, paper_id in owners.items()}


def _known(connection: Connection, condition: Any) -> list[Known]:
    rows = connection.execute(select(PAPER).where(condition).order_by(PAPER.c.id)).all()
    ids = identifiers_of(connection, [row.id for row in rows])
    return [Known(id=row.id, key=row.key, ids=ids.get(row.id, Identifiers()), columns=row._asdict()) for row in rows]
