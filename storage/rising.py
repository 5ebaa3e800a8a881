"""Numbers that rise for ever, of rows that may go: what was told by number is never told of another row.

    the newest number there is, and the newest that ever went (a marker) → the next is above both

Matching goes by the numbers of papers, and letters by those of papers and events. All of it is part of the caller's
transaction, and writers take turns.
"""

from dataclasses import dataclass

from sqlalchemy import Column, Connection, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.tables import EVENT, MARKER, PAPER


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one table's rows."""

    column: Column[int]
    marker: str  #: the newest number that went

    def following(self, connection: Connection) -> int:
        """Return the number of the next new row."""
        gone = connection.execute(select(MARKER.c.value).where(MARKER.c.name == self.marker)).scalar() or 0
        return max(self._newest(connection), int(gone)) + 1

    def retire(self, connection: Connection, number: int | None = None) -> None:
        """Remember that a number goes, without one the newest that there is: no other row may get it."""
        gone = self._newest(connection) if number is None else number
        mark = upsert(MARKER).values(name=self.marker, value=gone)
        risen = MARKER.c.value < mark.excluded.value
        connection.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"value": gone}, where=risen))

    def _newest(self, connection: Connection) -> int:
        return int(connection.execute(select(func.max(self.column))).scalar() or 0)


PAPERS = Numbers(PAPER.c.id, "newest-paper-joined-away")
EVENTS = Numbers(EVENT.c.id, "newest-event-joined-away")
