"""The transaction inside `Archive.add`: one listing becomes papers, sightings and validators.

For each block of listed papers: look up the known ones by strong id and by title, load each once, decide paper by paper
(merging.py), then write new papers, their ids and all sightings in bulk. What a known paper learns is written alone.
A record that only tells more of a known paper (`only_if_known`) is left out where nobody knows the paper.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from domain.identity import title_key
from domain.papers import Identifiers, ListedPaper, Listing, Validators
from storage import search
from storage.merging import Known, find, ids_learned, key_for, learned
from storage.reading import BLOCK, identifiers_of
from storage.sightings import Stood
from storage.tables import IDENTIFIER, PAPER, REMATCH, VALIDATOR


def add_listing(
    connection: Connection,
    listing: Listing,
    now: datetime,
    validators: Sequence[Validators],
    *,
    sight: bool = True,
    apart_from: int = sys.maxsize,
) -> tuple[list[int], int]:
    """Store a listing; return the ids of the papers never seen before, and how many known ones learned something."""
    new_ids: list[int] = []
    updated = 0
    for start in range(0, len(listing.papers), BLOCK):
        block = listing.papers[start : start + BLOCK]
        added, changed = _add_block(connection, listing, block, now, sight=sight, apart_from=apart_from)
        new_ids += added
        updated += changed
    if listing.status.moves_cursor:
        _remember(connection, listing, validators)
    return new_ids, updated


def _add_block(
    connection: Connection,
    listing: Listing,
    block: Sequence[ListedPaper],
    now: datetime,
    *,
    sight: bool,
    apart_from: int,
) -> tuple[list[int], int]:
    keys = [title_key(paper.title) for paper in block]
    by_id, by_title = _known(connection, {pair for paper in block for pair in paper.ids.pairs()}, set(keys))
    first_new = next_id = (connection.execute(select(func.max(PAPER.c.id))).scalar() or 0) + 1
    stood = Stood(listing.source)
    rows: list[dict[str, Any]] = []
    identifiers: list[dict[str, Any]] = []
    updated = 0

    def is_taken(key: str) -> bool:
        return key in unwritten or connection.execute(select(PAPER.c.id).where(PAPER.c.key == key)).first() is not None

    unwritten: set[str] = set()
    for paper, named in zip(block, keys, strict=True):
        titled = by_title.setdefault(named, [])
        known = find(paper, by_id, [each for each in titled if not paper.key or each.id <= apart_from])
        if known is None and paper.only_if_known:
            continue
        if known is None:
            columns = _new_row(listing, paper, now, key_for(paper, is_taken))
            unwritten.add(columns["key"])
            columns |= {"id": next_id, "title_key": named}
            known = Known(id=next_id, key=columns["key"], ids=paper.ids, columns=columns)
            rows.append(columns)
            identifiers += _identifier_rows(next_id, paper.ids.pairs())
            titled.append(known)
            next_id += 1
        else:
            lesson = _lesson(known, listing, paper, by_id)
            if known.id < first_new:
                updated += _enrich(connection, known, lesson)
            else:  # named twice in this listing, and not yet written
                known.columns.update(lesson.changes)
                identifiers += _identifier_rows(known.id, lesson.ids)
        for pair in paper.ids.pairs():
            by_id.setdefault(pair, known)
        stood.add(known.id, paper.day or listing.day, paper)
    if rows:
        connection.execute(insert(PAPER), rows)
        search.put(connection, rows)
    if identifiers:
        connection.execute(insert(IDENTIFIER), identifiers)
    if sight:
        stood.write(connection, now, unseen_from=first_new)
    return [row["id"] for row in rows], updated


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
        "first_listed": paper.first_listed or paper.day or listing.day,
        "listed": paper.day or listing.day,
        "url": paper.url,
        "pdf_url": paper.pdf_url,
        "code_url": paper.code_url,
        "project_url": paper.project_url,
        "organization": paper.organization,
        "categories": list(paper.categories),
        "sources": list(paper.sources or (listing.source,)),
        "upvotes": paper.upvotes,
        "comments": paper.comments,
        "backlog": listing.backlog,
        "withdrawn": paper.withdrawn,
        "version": paper.version,
    }


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a known paper learns from being listed again."""

    ids: Sequence[tuple[str, str]]
    changes: Mapping[str, Any]  # the columns that really change
    tells: bool  # whether that is more than votes and days


def _lesson(known: Known, listing: Listing, paper: ListedPaper, by_id: Mapping[tuple[str, str], Known]) -> _Lesson:
    """Decide what a known paper learns, and let it know its new ids and key."""
    changes = learned(known.columns, paper)
    ids = [pair for pair in ids_learned(known.ids, paper.ids) if pair not in by_id]
    if ids:
        known.ids = replace(known.ids, **dict(ids))
        if known.ids.strongest and known.key.startswith("title:"):
            changes["key"] = known.key = known.ids.strongest
    tells = bool(changes)
    changes |= _seen_again(known.columns, listing, paper)
    changes = {name: value for name, value in changes.items() if known.columns[name] != value}
    return _Lesson(ids=ids, changes=changes, tells=tells)


def _enrich(connection: Connection, known: Known, lesson: _Lesson) -> int:
    """Write what a known paper learns; return 1 if that is more than votes and days."""
    if lesson.ids:
        connection.execute(insert(IDENTIFIER), _identifier_rows(known.id, lesson.ids))
    if lesson.changes:
        connection.execute(update(PAPER).where(PAPER.c.id == known.id).values(**lesson.changes))
        after = {**known.columns, **lesson.changes}
        if lesson.changes.keys() & set(search.INDEXED):
            search.replace(connection, known.columns, after)
        if "abstract" in lesson.changes:
            connection.execute(insert(REMATCH).values(paper_id=known.id))
        known.columns = after
    return 1 if lesson.tells else 0


def _identifier_rows(paper_id: int, pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"scheme": scheme, "value": value, "paper_id": paper_id} for scheme, value in pairs]


def _seen_again(columns: Mapping[str, Any], listing: Listing, paper: ListedPaper) -> dict[str, Any]:
    """Return what another sighting alone changes: votes by the newest day, the days, the sources.

    Who only tells more of a paper does not make it listed anew: an old paper's new version is no paper of today.
    """
    if paper.only_if_known:
        return {}
    day = paper.day or listing.day
    changes: dict[str, Any] = {
        "listed": max(day, columns["listed"]),
        "first_listed": min(paper.first_listed or day, columns["first_listed"]),
    }
    if day >= columns["listed"]:
        votes = {"upvotes": paper.upvotes, "comments": paper.comments}
        changes |= {name: value for name, value in votes.items() if value is not None}
    offered = paper.sources or (listing.source,)
    changes["sources"] = [*columns["sources"], *(each for each in offered if each not in columns["sources"])]
    return changes


def _remember(connection: Connection, listing: Listing, validators: Sequence[Validators]) -> None:
    for each in validators:
        marks = {"etag": each.etag, "last_modified": each.last_modified, "day": listing.day, "given_by": each.given_by}
        saved = upsert(VALIDATOR).values(source=listing.source, url=each.url, **marks)
        connection.execute(saved.on_conflict_do_update(index_elements=["source", "url"], set_=marks))


def _known(
    connection: Connection, pairs: Iterable[tuple[str, str]], titles: Iterable[str]
) -> tuple[dict[tuple[str, str], Known], dict[str, list[Known]]]:
    """Return the known papers by strong id and, in order of storing, by title key; one found by both is one object."""
    owners = _owners(connection, pairs)
    titled = set(connection.execute(select(PAPER.c.id).where(PAPER.c.title_key.in_(titles))).scalars())
    papers = _load(connection, sorted(titled.union(owners.values())))
    by_title: dict[str, list[Known]] = {}
    for paper_id, known in papers.items():
        if paper_id in titled:
            by_title.setdefault(known.columns["title_key"], []).append(known)
    return {pair: papers[paper_id] for pair, paper_id in owners.items()}, by_title


def _owners(connection: Connection, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    by_scheme: dict[str, list[str]] = {}
    for scheme, value in pairs:
        by_scheme.setdefault(scheme, []).append(value)
    if not by_scheme:
        return {}
    wanted = or_(*(and_(IDENTIFIER.c.scheme == s, IDENTIFIER.c.value.in_(v)) for s, v in by_scheme.items()))
    return {(row.scheme, row.value): row.paper_id for row in connection.execute(select(IDENTIFIER).where(wanted))}


def _load(connection: Connection, paper_ids: Sequence[int]) -> dict[int, Known]:
    ids = identifiers_of(connection, paper_ids)
    papers: dict[int, Known] = {}
    for start in range(0, len(paper_ids), BLOCK):
        wanted = PAPER.c.id.in_(paper_ids[start : start + BLOCK])
        for row in connection.execute(select(PAPER).where(wanted).order_by(PAPER.c.id)):
            known = ids.get(row.id, Identifiers())
            papers[row.id] = Known(id=row.id, key=row.key, ids=known, columns=row._asdict())
    return papers
