"""What was learned of readers (a stand-in until part "keeping" is merged)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update

from domain.learning import NO_PROFILE, Edit, Edited, Profile, Taste, Term
from storage.database import Database
from storage.tables import PROFILE


@dataclass(frozen=True, slots=True)
class Stale:
    """Whose profile is to be learned again."""

    subscriber_id: int
    revision: int
    edits: Mapping[str, Edited]


class Profiles:
    """The profiles of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subscriber_id: int) -> Profile:
        """Return what was learned of a reader."""
        with self._database.reading() as connection:
            row = connection.execute(select(PROFILE).where(PROFILE.c.subscriber_id == subscriber_id)).first()
        if row is None:
            return NO_PROFILE
        return Profile(
            more=Taste(tuple(Term(*each) for each in row.more), row.more_least),
            less=Taste(tuple(Term(*each) for each in row.less), row.less_least),
            edits=_edits(row.edits),
            saved=row.saved,
            disliked=row.disliked,
            learned_at=row.learned_at,
            is_stale=row.stale,
        )

    def is_stale(self) -> bool:
        """Whether any profile is stale."""
        with self._database.reading() as connection:
            return bool(connection.execute(select(exists().where(PROFILE.c.stale))).scalar())

    def stale(self, limit: int, among: Collection[int] | None = None) -> tuple[Stale, ...]:
        """Return whose profile is stale, of `among` where they are given."""
        query = select(PROFILE).where(PROFILE.c.stale).order_by(PROFILE.c.subscriber_id).limit(limit)
        if among is not None:
            query = query.where(PROFILE.c.subscriber_id.in_(among))
        with self._database.reading() as connection:
            return tuple(Stale(row.subscriber_id, row.revision, _edits(row.edits)) for row in connection.execute(query))

    def learned(
        self,
        subscriber_id: int,
        revision: int,
        *,
        more: Taste,
        less: Taste,
        saved: int,
        disliked: int,
        now: datetime,
    ) -> bool:
        """Write what was learned of that revision; False, and nothing, where it has moved on."""
        values: dict[str, Any] = {
            "more": [[each.stem, each.word, each.weight, each.saved] for each in more.terms],
            "less": [[each.stem, each.word, each.weight, each.saved] for each in less.terms],
            "more_least": more.least,
            "less_least": less.least,
            "saved": saved,
            "disliked": disliked,
            "learned_at": now,
            "stale": False,
        }
        same = PROFILE.c.subscriber_id == subscriber_id, PROFILE.c.revision == revision
        with self._database.writing() as connection:
            return bool(connection.execute(update(PROFILE).where(*same).values(**values)).rowcount)


def _edits(edits: Mapping[str, list[str]]) -> dict[str, Edited]:
    return {stem: Edited(word, Edit(edit)) for stem, (word, edit) in edits.items()}
