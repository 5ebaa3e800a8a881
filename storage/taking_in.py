"""A reader's own library becomes saved papers, some at a time; each call is one transaction.

    which papers of the archive these are: by strong id, else by the archive's own rule of identity (merging.py)
    → those are saved as the archive's; the others as the reader's own copies, which nobody else sees

Nothing is ever put into the archive: what somebody reads is theirs. Doing it again, or going on after a kill, adds
nothing twice; a reader's own copy of what the archive has by then becomes the archive's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UsageError
from domain.identity import fingerprint_of, traits
from domain.learning import Liking
from domain.papers import ListedPaper
from domain.titles import titled
from storage.database import Database
from storage.likings import disturb, names_of, reached, room
from storage.lookup import Shelf
from storage.merging import judged, owners
from storage.reading import BLOCK
from storage.tables import SAVED

_LONGEST = 5_000  # characters of an own copy's abstract
_AUTHORS = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some papers of a library."""

    new: int
    known: int  #: were there before, under whatever liking, or twice in the library
    left: int  #: found no room


class Libraries:
    """Takes libraries into one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take_in(
        self, public_id: str, papers: Sequence[ListedPaper], liking: Liking, now: datetime, place: str
    ) -> Taken:
        """Save up to 500 papers; one that is there already stays as it is.

        Raises UnknownError where there is no such reader, UsageError for one who gets no letters.
        """
        if len(papers) > BLOCK:
            raise UsageError(f"{BLOCK} papers are the most that are taken in at once")
        with self._database.writing() as connection:
            reader = reached(connection, public_id)
            shelf = Shelf(connection)
            shelf.fetch_owners({pair for paper in papers for pair in paper.ids.pairs()})
            prints = [fingerprint_of(paper) for paper in papers]
            shelf.fetch_alike({trait for each in prints for trait in traits(each)})
            rows = []
            for paper, seen in zip(papers, prints, strict=True):
                found = owners(paper, [each for pair in paper.ids.pairs() if (each := shelf.owner(pair)) is not None])
                same = judged(seen, found, shelf.alike(traits(seen))).same
                rows.append(_row(paper, same[0].id if same else None, same[0].key if same else ""))
            held = _Held(connection, reader)
            own = [_key(paper) for paper in papers]
            held.adopt([(key, row) for key, row in zip(own, rows, strict=True) if row["paper_id"] is not None])
            fresh = [row for row in rows if held.takes(row)]
            kept = fresh[: max(0, room(connection, reader))]
            if kept:
                common = {"subscriber_id": reader, "liking": liking.value, "at": now, "place": place}
                added = upsert(SAVED).on_conflict_do_nothing()
                connection.execute(added, [{**row, **common} for row in kept])
                disturb(connection, reader)
        return Taken(new=len(kept), known=len(rows) - len(fresh), left=len(fresh) - len(kept))


class _Held:
    """What a reader saved before, and during this."""

    def __init__(self, connection: Connection, reader: int) -> None:
        self._connection = connection
        self._reader = reader
        theirs = select(SAVED.c.id, SAVED.c.key, SAVED.c.paper_id).where(SAVED.c.subscriber_id == reader)
        rows = connection.execute(theirs).all()
        self._papers = {row.paper_id for row in rows if row.paper_id is not None}
        self._keys = {row.key for row in rows}
        self._copies = {row.key: row.id for row in rows if row.paper_id is None}

    def adopt(self, found: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Let the own copies of papers that the archive has be the archive's; `found` are (own key, what to save)."""
        if not self._copies:
            return
        names = names_of(self._connection, [row["paper_id"] for _, row in found])
        for key, row in found:
            mine = {key, *names[row["paper_id"]]} & self._copies.keys()
            if not mine:
                continue
            copies = [self._copies.pop(each) for each in mine]
            is_there = row["paper_id"] in self._papers or row["key"] in self._keys - mine
            stays = None if is_there else min(copies)
            self._connection.execute(delete(SAVED).where(SAVED.c.id.in_(set(copies) - {stays})))
            self._connection.execute(update(SAVED).where(SAVED.c.id == stays).values(**row))
            self._papers.add(row["paper_id"])
            disturb(self._connection, self._reader)

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether a paper is new to the reader; from then on it is not."""
        if row["key"] in self._keys or row["paper_id"] in self._papers:
            return False
        self._keys.add(row["key"])
        self._papers.update({row["paper_id"]} - {None})
        return True


def _key(paper: ListedPaper) -> str:
    """Return the key of an own copy."""
    return paper.ids.strongest or titled(paper.title)


def _row(paper: ListedPaper, paper_id: int | None, key: str) -> dict[str, Any]:
    """Return what is kept of a paper: of one that the archive has nothing but which it is."""
    if paper_id is not None:
        return {"paper_id": paper_id, "key": key, "title": "", "abstract": "", "authors": [], "published": None}
    return {
        "paper_id": None,
        "key": _key(paper),
        "title": paper.title,
        "abstract": paper.abstract[:_LONGEST],
        "authors": list(paper.authors[:_AUTHORS]),
        "published": paper.published,
    }
