"""Sightings: that a paper stood on a listing, and what the listing said of it there.

A sighting is one row for each (paper, source, day). When the same listing is read again, its rank and votes become the
newest, and its details are merged: what a later page says stands, what it leaves out stays. A sighting that says what
is already stored is not written.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.papers import Announcement, ListedPaper, Sighting
from storage.happening import has_happened
from storage.tables import SIGHTING

#: The fields of a listed paper that a sighting keeps in `details`, where they are not empty.
DETAILS = (
    "version",
    "announcement",
    "organization",
    "code_url",
    "stars",
    "keywords",
    "summary",
    "comment",
    "journal",
)
_FIGURES = ("rank", "upvotes", "comments", "details")
# Of two announcements of one paper on one day the one that tells of more news stands.
_MOST_NEWS_FIRST = tuple(each.value for each in Announcement)


def first_journal(connection: Connection, paper_id: int, journal: str) -> list[tuple[str, str]]:
    """Return the event that a known paper appeared somewhere, where no listing said so before; at most one."""
    if not journal or has_happened(connection, paper_id, "journal"):
        return []
    said = SIGHTING.c.details["journal"].as_string().is_not(None)
    query = select(SIGHTING.c.id).where(SIGHTING.c.paper_id == paper_id, said).limit(1)
    return [] if connection.execute(query).first() is not None else [("journal", journal)]


class Stood:
    """Where the papers of one block of a listing stood, before it is written."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._said: dict[tuple[int, date], dict[str, Any]] = {}

    def add(self, paper_id: int, day: date, paper: ListedPaper) -> None:
        """Note that a paper stood there; of two places on one day the first counts, and the details of both."""
        details = details_of(paper)
        said = self._said.get((paper_id, day))
        if said is not None:
            said["details"] = merged(said["details"], details)
            return
        said = {"rank": paper.rank, "upvotes": paper.upvotes, "comments": paper.comments, "details": details}
        self._said[paper_id, day] = said

    def hand_over(self, gone: int, heir: int) -> None:
        """Let where one paper stood be where another did: the two are one."""
        for paper_id, day in [each for each in self._said if each[0] == gone]:
            said = self._said.pop((paper_id, day))
            twin = self._said.get((heir, day))
            self._said[heir, day] = (
                said if twin is None else _again(said, twin) | {"rank": min(said["rank"], twin["rank"])}
            )

    def write(self, connection: Connection, now: datetime, *, unseen_from: int) -> None:
        """Store what is not yet stored; papers from the id `unseen_from` on have no sightings before these."""
        before = self._before(connection, unseen_from)
        rows: list[dict[str, Any]] = []
        for (paper_id, day), said in self._said.items():
            known = before.get((paper_id, day))
            row = _again(known, said) if known else said
            if row != known:
                rows.append({"paper_id": paper_id, "source": self._source, "day": day, "seen_at": now, **row})
        if not rows:
            return
        statement = upsert(SIGHTING)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["paper_id", "source", "day"],
                set_={name: statement.excluded[name] for name in _FIGURES},
            ),
            rows,
        )

    def _before(self, connection: Connection, unseen_from: int) -> dict[tuple[int, date], dict[str, Any]]:
        met = {paper_id for paper_id, _ in self._said if paper_id < unseen_from}
        if not met:
            return {}
        columns = [SIGHTING.c[name] for name in _FIGURES]
        query = select(SIGHTING.c.paper_id, SIGHTING.c.day, *columns).where(
            SIGHTING.c.paper_id.in_(met),
            SIGHTING.c.source == self._source,
            SIGHTING.c.day.in_({day for _, day in self._said}),
        )
        return {
            (paper_id, day): dict(zip(_FIGURES, figures, strict=True))
            for paper_id, day, *figures in connection.execute(query)
        }


def _again(known: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rank": said["rank"],
        "upvotes": known["upvotes"] if said["upvotes"] is None else said["upvotes"],
        "comments": known["comments"] if said["comments"] is None else said["comments"],
        "details": merged(known["details"], said["details"]),
    }


def details_of(paper: ListedPaper) -> dict[str, Any]:
    """Return what a listing said of a paper beyond its figures, as JSON values; what it did not say is left out."""
    said: dict[str, Any] = {}
    for name in DETAILS:
        value = getattr(paper, name)
        if value is not None and value not in ("", ()):
            said[name] = list(value) if isinstance(value, tuple) else value
    return said


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the later details over the earlier; of two announcements the one that tells of more news."""
    both = {**before, **after}
    announced = [each["announcement"] for each in (before, after) if "announcement" in each]
    if announced:
        both["announcement"] = min(announced, key=_MOST_NEWS_FIRST.index)
    return both


def sighting_from(row: Row[Any]) -> Sighting:
    """Return the value of one row of `sighting`."""
    details = dict(row.details)
    if "announcement" in details:
        details["announcement"] = Announcement(details["announcement"])
    if "keywords" in details:
        details["keywords"] = tuple(details["keywords"])
    return Sighting(
        source=row.source,
        day=row.day,
        rank=row.rank,
        upvotes=row.upvotes,
        comments=row.comments,
        seen_at=row.seen_at,
        **details,
    )


def merge_sightings(connection: Connection, heir: int, gone: int) -> None:
    """Let the sightings of one paper be another's; of two on one listing one stays, with what both said."""
    rows = connection.execute(select(SIGHTING).where(SIGHTING.c.paper_id.in_([heir, gone]))).all()
    mine = {(row.source, row.day): row for row in rows if row.paper_id == heir}
    for row in rows:
        if row.paper_id == heir:
            continue
        this = SIGHTING.c.id == row.id
        twin = mine.get((row.source, row.day))
        if twin is None:
            connection.execute(update(SIGHTING).where(this).values(paper_id=heir))
            continue
        both = _again(twin._asdict(), row._asdict()) | {"rank": min(twin.rank, row.rank)}
        connection.execute(delete(SIGHTING).where(this))
        connection.execute(update(SIGHTING).where(SIGHTING.c.id == twin.id).values(both))
