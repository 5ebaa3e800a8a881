"""What was learned of readers, and the words that they put in or left out. Each public method is one transaction.

A profile is stale from the moment that something is said (likings.py) until it is learned anew; what was learned of an
older state is not written, so that of two who learn at once, or of one that was killed, nothing wrong is left.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update

from domain.errors import UsageError
from domain.learning import Edit, Edited, Profile, Taste, Term
from storage.database import Database
from storage.likings import disturb, reached
from storage.reading import in_blocks
from storage.tables import PROFILE

MOST_EDITS = 200  #: words of one reader

# Said in literal words, since SQLite uses a partial index only for queries that repeat its condition.
_STALE = text("stale")


@dataclass(frozen=True, slots=True)
class Stale:
    """A reader of whom is to be learned."""

    subscriber_id: int
    revision: int  #: what is learned is of this state
    edits: Mapping[str, Edited]  #: by stem


class Profiles:
    """The profiles of one database's readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subscriber_ids: Collection[int]) -> dict[int, Profile]:
        """Return the profiles of these readers, by reader; who never said anything is missing."""
        found: dict[int, Profile] = {}
        wanted = sorted(subscriber_ids)
        with self._database.reading() as connection:
            for some in in_blocks(wanted):
                block = PROFILE.c.subscriber_id.in_(some)
                found |= {row.subscriber_id: _value(row) for row in connection.execute(select(PROFILE).where(block))}
        return found

    def is_stale(self) -> bool:
        """Whether there is anybody of whom is to be learned; cheap, however many readers there are."""
        with self._database.reading() as connection:
            return connection.execute(select(PROFILE.c.subscriber_id).where(_STALE).limit(1)).first() is not None

    def stale(self, limit: int, among: Collection[int] | None = None) -> tuple[Stale, ...]:
        """Return up to so many readers of whom is to be learned, of `among` where they are given."""
        query = select(PROFILE.c.subscriber_id, PROFILE.c.revision, PROFILE.c.edits).where(_STALE)
        if among is not None:
            query = query.where(PROFILE.c.subscriber_id.in_(sorted(among)))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(PROFILE.c.subscriber_id).limit(limit)).all()
        return tuple(Stale(row.subscriber_id, row.revision, _edits(row.edits)) for row in rows)

    def learned(self, subscriber_id: int, revision: int, profile: Profile, now: datetime) -> bool:
        """Write what was learned of the state of a revision, not the edits; return False where more was said since."""
        values = {
            "more": _rows(profile.more),
            "less": _rows(profile.less),
            "saved": profile.saved,
            "disliked": profile.disliked,
            "learned_at": now,
            "stale": False,
        }
        same = (PROFILE.c.subscriber_id == subscriber_id, PROFILE.c.revision == revision)
        with self._database.writing() as connection:
            return connection.execute(update(PROFILE).where(*same).values(values)).rowcount > 0

    def passed_over(self, subscriber_id: int, revision: int) -> None:
        """Let what was learned before hold until something else is said: of this state nothing can be learned."""
        same = (PROFILE.c.subscriber_id == subscriber_id, PROFILE.c.revision == revision)
        with self._database.writing() as connection:
            connection.execute(update(PROFILE).where(*same).values(stale=False))

    def edit(self, public_id: str, edits: Mapping[str, Edited | None]) -> bool:
        """Put words in or leave them out, by stem; None takes that back. Return whether anything changed.

        Raises UnknownError where there is no such reader, UsageError for one who gets no letters or has edited too many
        words; then nothing was changed.
        """
        with self._database.writing() as connection:
            reader = reached(connection, public_id)
            held = connection.execute(select(PROFILE.c.edits).where(PROFILE.c.subscriber_id == reader)).scalar()
            before: dict[str, list[str]] = held or {}
            after = {stem: each for stem, each in before.items() if stem not in edits}
            after |= {stem: [each.word, each.edit.value] for stem, each in edits.items() if each is not None}
            if after == before:
                return False
            if len(after) > max(MOST_EDITS, len(before)):
                raise UsageError(f"{MOST_EDITS} words are the most that one reader can put in or leave out")
            disturb(connection, reader)
            connection.execute(update(PROFILE).where(PROFILE.c.subscriber_id == reader).values(edits=after))
            return True


def _value(row: Row[Any]) -> Profile:
    return Profile(
        more=Taste(_terms(row.more)),
        less=Taste(_terms(row.less)),
        edits=_edits(row.edits),
        saved=row.saved,
        disliked=row.disliked,
        learned_at=row.learned_at,
        is_stale=row.stale,
    )


def _terms(rows: Sequence[Sequence[Any]]) -> tuple[Term, ...]:
    return tuple([Term(stem, word, weight, saved) for stem, word, weight, saved in rows])


def _rows(taste: Taste) -> list[list[Any]]:
    return [[each.stem, each.word, round(each.weight, 6), each.saved] for each in taste.terms]


def _edits(rows: Mapping[str, Sequence[str]]) -> dict[str, Edited]:
    return {stem: Edited(word, Edit(edit)) for stem, (word, edit) in rows.items()}
