"""What readers said of papers: those they saved, and those they want less of. Each public method is one transaction.

    a paper's key, or any id of it → the archive's paper → one row for reader and paper: what was said last holds
    every change → the reader's profile is stale, and its revision rises (disturb)

A paper that a library brought and the archive has not is the reader's own copy (taking_in.py): nobody else sees it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError, UsageError
from domain.learning import BROUGHT, Liking, Saved
from domain.subscriptions import REACHED
from storage.database import Database
from storage.reading import in_blocks, is_named
from storage.tables import IDENTIFIER, PAPER, PROFILE, SAVED, SUBSCRIBER

MOST_SAVED = 10_000  #: papers of one reader, own copies and what they want less of among them

# The paper's own words where the archive has it, else the reader's copy.
_TITLE = func.coalesce(PAPER.c.title, SAVED.c.title).label("shown_title")
_ABSTRACT = func.coalesce(PAPER.c.abstract, SAVED.c.abstract).label("shown_abstract")
_AUTHORS = PAPER.c.authors.label("shown_authors")
_PUBLISHED = PAPER.c.published.label("shown_published")


class Likings:
    """What the readers of one database said of papers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self, public_id: str, key: str, liking: Liking, now: datetime, place: str) -> Saved:
        """Save a paper, or say that less like it is wanted; saying the other of it takes the first one's place.

        The reader's own copy goes by its key, as long as the archive has no such paper. Said again it changes nothing.
        Raises UnknownError where there is no such reader or paper, UsageError for a reader who gets no letters, and for
        one more paper than a reader may have.
        """
        with self._database.writing() as connection:
            reader = reached(connection, public_id)
            if (paper := _found(connection, key)) is None:
                return _turned(connection, reader, key, {"liking": liking.value, "at": now, "place": place})
            paper_id, paper_key = paper
            same = _of_paper(connection, reader, paper_id, paper_key)
            held = connection.execute(select(SAVED).where(same).order_by(SAVED.c.id)).all()
            if len(held) == 1 and held[0].paper_id == paper_id and held[0].liking == liking.value:
                return _one(connection, held[0].id)
            connection.execute(delete(SAVED).where(SAVED.c.id.in_([row.id for row in held])))
            if not held and room(connection, reader) < 1:
                raise UsageError(f"{MOST_SAVED:,} papers are the most that one reader can have; take some away first")
            row = {"subscriber_id": reader, "paper_id": paper_id, "key": paper_key, "liking": liking.value}
            none = {"title": "", "abstract": "", "published": None}  # the words are the archive's
            values = {**row, **none, "authors": [], "at": now, "place": place}
            number = connection.execute(insert(SAVED).values(values).returning(SAVED.c.id)).scalar_one()
            disturb(connection, reader)
            return _one(connection, number)

    def unmark(self, public_id: str, key: str) -> bool:
        """Take back whatever a reader said of a paper, own copies of it too; return whether there was anything.

        Raises UnknownError where there is no such reader or paper.
        """
        with self._database.writing() as connection:
            reader = _reader(connection, public_id)
            gone = connection.execute(delete(SAVED).where(_of_paper(connection, reader, *_paper(connection, key))))
            if gone.rowcount:
                disturb(connection, reader)
            return gone.rowcount > 0

    def forget(self, public_id: str, number: int) -> bool:
        """Take one of a reader's papers back; return whether it was there. Raises UnknownError for no reader."""
        with self._database.writing() as connection:
            reader = _reader(connection, public_id)
            mine = (SAVED.c.id == number, SAVED.c.subscriber_id == reader)
            gone = connection.execute(delete(SAVED).where(*mine)).rowcount > 0
            if gone:
                disturb(connection, reader)
            return gone

    def reset(self, public_id: str) -> int:
        """Forget all that a reader said and what was learned of it, edits too; return how many papers it was."""
        with self._database.writing() as connection:
            reader = _reader(connection, public_id)
            gone = connection.execute(delete(SAVED).where(SAVED.c.subscriber_id == reader)).rowcount
            # The row stays, with a revision that rose: what is being learned just now must not be written.
            disturb(connection, reader)
            nothing = {"more": [], "less": [], "edits": {}, "saved": 0, "disliked": 0, "learned_at": None}
            mine = PROFILE.c.subscriber_id == reader
            connection.execute(update(PROFILE).where(mine).values(nothing))
            return gone

    def of(
        self, subscriber_id: int, liking: Liking | None = None, after: int | None = None, limit: int | None = None
    ) -> tuple[Saved, ...]:
        """Return what a reader said, the newest first: those after the record of that number, up to so many."""
        query = _shown().where(SAVED.c.subscriber_id == subscriber_id).order_by(SAVED.c.id.desc()).limit(limit)
        if liking is not None:
            query = query.where(SAVED.c.liking == liking.value)
        if after is not None:
            query = query.where(SAVED.c.id < after)
        with self._database.reading() as connection:
            return tuple(map(_value, connection.execute(query)))

    def texts(self, subscriber_id: int, liking: Liking, limit: int) -> tuple[Saved, ...]:
        """Return the newest papers of a liking, to be learned from; what was said by hand goes before a library."""
        mine = (SAVED.c.subscriber_id == subscriber_id, SAVED.c.liking == liking.value)
        order = (case((SAVED.c.place == BROUGHT, 1), else_=0), SAVED.c.id.desc())
        with self._database.reading() as connection:
            return tuple(map(_value, connection.execute(_shown().where(*mine).order_by(*order).limit(limit))))

    def counts(self, subscriber_id: int) -> Mapping[Liking, int]:
        """Return how many papers a reader saved, and wants less of; both are there."""
        query = select(SAVED.c.liking, func.count()).where(SAVED.c.subscriber_id == subscriber_id)
        with self._database.reading() as connection:
            found = {row.liking: row[1] for row in connection.execute(query.group_by(SAVED.c.liking))}
        return {liking: found.get(liking.value, 0) for liking in Liking}

    def said_among(
        self, subscriber_ids: Sequence[int], paper_ids: Collection[int], keys: Collection[str]
    ) -> dict[int, set[int | str]]:
        """Return of which of these papers these readers said something: their numbers, of own copies their keys."""
        found: dict[int, set[int | str]] = {}
        with self._database.reading() as connection:
            for column, wanted, whose in (
                (SAVED.c.paper_id, paper_ids, true()),
                (SAVED.c.key, keys, SAVED.c.paper_id.is_(None)),
            ):
                for readers in in_blocks(subscriber_ids):
                    for block in in_blocks(sorted(wanted)):
                        theirs = (SAVED.c.subscriber_id.in_(readers), column.in_(block), whose)
                        for reader, said in connection.execute(select(SAVED.c.subscriber_id, column).where(*theirs)):
                            found.setdefault(reader, set()).add(said)
        return found

    def titles(self, subscriber_id: int, numbers: Collection[int]) -> dict[int, str]:
        """Return the titles of some of a reader's papers, by the numbers of their records; of own copies none.

        They are for letters, which are passed on and have a page.
        """
        theirs = (SAVED.c.subscriber_id == subscriber_id, SAVED.c.id.in_(list(numbers)), SAVED.c.paper_id.is_not(None))
        with self._database.reading() as connection:
            return {row.id: row.shown_title for row in connection.execute(_shown().where(*theirs))}


def disturb(connection: Connection, subscriber_id: int) -> None:
    """Let a reader's profile be learned anew; what is being learned of an older state is not written."""
    row = {"subscriber_id": subscriber_id, "more": [], "less": [], "edits": {}, "saved": 0, "disliked": 0}
    fresh = upsert(PROFILE).values({**row, "learned_at": None, "stale": True, "revision": 1})
    risen = {"stale": True, "revision": PROFILE.c.revision + 1}
    connection.execute(fresh.on_conflict_do_update(index_elements=["subscriber_id"], set_=risen))


def reached(connection: Connection, public_id: str) -> int:
    """Return the number of a reader who gets letters, paused or not; raises UnknownError, or UsageError."""
    row = connection.execute(
        select(SUBSCRIBER.c.id, SUBSCRIBER.c.state).where(SUBSCRIBER.c.public_id == public_id)
    ).first()
    if row is None:
        raise UnknownError("there is no such reader")
    if row.state not in {state.value for state in REACHED}:
        raise UsageError(f"no letters go to this reader, who is {row.state}: there is nothing to have more of, or less")
    return int(row.id)


def room(connection: Connection, subscriber_id: int) -> int:
    """Return how many more papers a reader may have."""
    held = select(func.count()).where(SAVED.c.subscriber_id == subscriber_id)
    return MOST_SAVED - connection.execute(held).scalar_one()


def _reader(connection: Connection, public_id: str) -> int:
    found = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.public_id == public_id)).scalar()
    if found is None:
        raise UnknownError("there is no such reader")
    return int(found)


def _turned(connection: Connection, reader: int, key: str, said: Mapping[str, Any]) -> Saved:
    """Let something be said of a reader's own copy; raises UnknownError where there is none of that key."""
    mine = (SAVED.c.subscriber_id == reader, SAVED.c.key == key, SAVED.c.paper_id.is_(None))
    copy = connection.execute(select(SAVED.c.id, SAVED.c.liking).where(*mine)).first()
    if copy is None:
        raise _unknown(key)
    if copy.liking != said["liking"]:
        connection.execute(update(SAVED).where(SAVED.c.id == copy.id).values(said))
        disturb(connection, reader)
    return _one(connection, copy.id)


def _found(connection: Connection, key: str) -> tuple[int, str] | None:
    """Return the number and the key of the paper that a key, an id or a link names; None where there is none.

    Raises UnknownError for what can name none.
    """
    row = connection.execute(select(PAPER.c.id, PAPER.c.key).where(is_named(key)).order_by(PAPER.c.id)).first()
    return None if row is None else (row.id, row.key)


def _paper(connection: Connection, key: str) -> tuple[int, str]:
    """Return what `_found` does; raises UnknownError where there is none."""
    if (paper := _found(connection, key)) is None:
        raise _unknown(key)
    return paper


def _unknown(key: str) -> UnknownError:
    return UnknownError(f"there is no paper {key!r} in the archive")


def _of_paper(connection: Connection, reader: int, paper_id: int, key: str) -> ColumnElement[bool]:
    """Return what holds for the records of a reader that are of one paper, own copies among them."""
    copies = SAVED.c.paper_id.is_(None) & SAVED.c.key.in_(names_of(connection, [paper_id])[paper_id])
    return and_(SAVED.c.subscriber_id == reader, or_(SAVED.c.paper_id == paper_id, SAVED.c.key == key, copies))


def names_of(connection: Connection, paper_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return by paper every key by which an own copy of it may go."""
    found: dict[int, set[str]] = {each: set() for each in paper_ids}
    for block in in_blocks(paper_ids):
        columns = (IDENTIFIER.c.paper_id, IDENTIFIER.c.scheme, IDENTIFIER.c.value)
        for paper_id, scheme, value in connection.execute(select(*columns).where(IDENTIFIER.c.paper_id.in_(block))):
            found[paper_id].add(f"{scheme}:{value}")
    return found


def _shown() -> Select[Any]:
    return select(SAVED, _TITLE, _ABSTRACT, _AUTHORS, _PUBLISHED).outerjoin(PAPER, PAPER.c.id == SAVED.c.paper_id)


def _one(connection: Connection, number: int) -> Saved:
    return _value(connection.execute(_shown().where(SAVED.c.id == number)).one())


def _value(row: Row[Any]) -> Saved:
    return Saved(
        number=row.id,
        liking=Liking(row.liking),
        key=row.key,
        paper_id=row.paper_id,
        title=row.shown_title,
        abstract=row.shown_abstract,
        authors=tuple(row.authors if row.shown_authors is None else row.shown_authors),
        published=row.published if row.paper_id is None else row.shown_published,
        at=row.at,
        place=row.place,
    )
