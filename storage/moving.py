"""An archive moves into another database, of the same kind or another: killed anywhere, it goes on where it was.

    claim the target → tidy, children first: what differs from the source, or is gone there, goes
    → fill, parents first: what is missing comes → numbers → words and traits, in blocks → count both

The source is read in one transaction, the target written in blocks of one transaction each. After tidying the target
holds nothing that the source does not hold too, so no order of the rows can meet a key that is still taken, and a
source that changed between two runs does no harm. The copy sends nothing before its operator says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DataError

from domain.errors import DatabaseUnavailable, StorageError, UsageError
from storage import derived, numbers
from storage.blocks import COPIED, Row, Span, add, named, remove, said, spans, tables
from storage.database import Database
from storage.installation import UNFINISHED, residence
from storage.tables import DELIVERY, ERASURE, FETCH, INSTALLATION, MARKER, PAPER, RUN, SUBSCRIBER

#: Called with how many rows more were looked at, in either half of the work.
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class TableCount:
    """Rows of one table on both sides."""

    table: str
    source: int
    target: int


class Mover:
    """Copies one archive into another database."""

    def __init__(self, source: Database, target: Database) -> None:
        self._source = source
        self._target = target

    def move(self, now: datetime, advance: Advance) -> tuple[TableCount, ...]:
        """Bring the target to what the source is, and return the counts of both.

        Raises UsageError for a target that is the source, holds another archive or was used since; StorageError where
        the work stopped: doing it again goes on.
        """
        with self._source.reading() as source:
            self._claim(source, now)
            self._tidy(source)
            for table in tables():
                for span in spans(source, table):
                    advance(self._fill(source, span))
            self._number(source)
            self._derive(advance)
            counts = self._count(source)
            differing = [each.table for each in counts if each.source != each.target]
            if differing:
                raise DatabaseUnavailable(
                    f"{self._target.place} was written to while it was filled: {', '.join(differing)} differ; "
                    "stop what uses it, and copy again"
                )
            self._hold(f"this archive is a copy of {self._source.place}, which may have sent what waits", now)
        return counts

    def check(self) -> None:
        """Raise UsageError for a target that is the source, holds another archive or was used since."""
        with self._source.reading() as source, self._target.reading() as target:
            self._check(source, target)

    def _check(self, source: Connection, target: Connection) -> None:
        mine, theirs = residence(source), residence(target)
        if self._source.home(source) == self._target.home(target) != "":
            raise UsageError("the target is the archive itself; name another database")
        if theirs.archive != mine.archive:
            if any(Span(table, None, None).count(target) for table in tables()):
                raise UsageError(f"{self._target.place} holds another archive; name an empty database")
        elif theirs.home or theirs.passes or _was_used(source, target):
            raise UsageError(
                f"{self._target.place} is a copy of this archive that was used since; to copy anew, empty it"
            )

    def _claim(self, source: Connection, now: datetime) -> None:
        with self._target.writing() as target:
            self._check(source, target)
            # The secret seals what was sealed; of complaints those count that nobody has looked at.
            kept = source.execute(select(INSTALLATION.c.secret, INSTALLATION.c.complaints_from)).one()
            target.execute(update(INSTALLATION).values(public_id=residence(source).archive, **kept._asdict()))
        self._hold(f"{UNFINISHED} of {self._source.place}: run paperround archive copy again", now)

    def _hold(self, reason: str, now: datetime) -> None:
        with self._target.writing() as target:
            target.execute(update(INSTALLATION).values(held=reason, held_at=now))

    def _tidy(self, source: Connection) -> None:
        for table in reversed(tables()):
            with self._target.reading() as target:
                if not Span(table, None, None).count(target):
                    continue
            for span in spans(source, table):
                with self._target.reading() as target:
                    there = span.rows(target)
                wanted = span.rows(source) if there else {}
                stale = [key for key, row in there.items() if wanted.get(key) != row]
                if stale:
                    with self._target.writing() as target:
                        if table is PAPER:
                            derived.reset(target)
                            _remember(target, 0)
                        remove(target, table, stale)

    def _fill(self, source: Connection, span: Span) -> int:
        """Insert what is missing of a block; return how many rows it has."""
        wanted = span.count(source)
        with self._target.reading() as target:
            if span.count(target) == wanted:
                return wanted
            there = span.keys(target)
        missing = [row for key, row in span.rows(source).items() if key not in there]
        if not missing:
            return wanted  # more than there should be: the counts will say so
        try:
            with self._target.writing() as target:
                add(target, span.table, missing)
        except (StorageError, ValueError) as error:
            self._name(span.table, missing, error)
            raise
        return wanted

    def _name(self, table: Table, rows: list[Row], error: Exception) -> None:
        """Raise the error of the one row that the target cannot hold, if that is what stopped us."""
        if not isinstance(error.__cause__ or error, DataError | ValueError):
            return
        for row in rows:
            try:
                with self._target.writing() as target:
                    add(target, table, [row])
                    target.rollback()
            except (StorageError, ValueError) as reason:
                key = tuple(row[column.name] for column in table.primary_key)
                why = said(reason.__cause__ or reason)
                raise DatabaseUnavailable(
                    f"{named(table, key)} cannot be stored in {self._target.place}: {why}; "
                    "mend it where it is, and copy again"
                ) from error

    def _number(self, source: Connection) -> None:
        """Let the target's sequences go on after the rows that came with their numbers."""
        given = numbers.given(source)
        with self._target.writing() as target:
            if target.dialect.name != "postgresql":
                numbers.go_on_after(target, given)
                return
            for table in tables():
                if "id" in table.primary_key.columns:
                    newest = target.execute(select(func.max(table.c.id))).scalar()
                    newest = (given or None) if table is DELIVERY else newest
                    target.execute(
                        text("SELECT setval(pg_get_serial_sequence(:named, 'id'), :newest, :used)"),
                        {"named": table.name, "newest": newest or 1, "used": newest is not None},
                    )

    def _derive(self, advance: Advance) -> None:
        while True:
            with self._target.writing() as target:
                after = target.execute(select(MARKER.c.value).where(MARKER.c.name == COPIED)).scalar() or 0
                done = derived.go_on(target, after)
                if done is None:
                    return
                _remember(target, done.last)
            advance(done.papers)

    def _count(self, source: Connection) -> tuple[TableCount, ...]:
        with self._target.reading() as target:
            return tuple(
                TableCount(table.name, Span(table, None, None).count(source), Span(table, None, None).count(target))
                for table in tables()
            )


def _was_used(source: Connection, target: Connection) -> bool:
    """Whether a copy holds what only work of its own can have brought: a later run or answer, or a later reader."""
    for at in (RUN.c.started_at, FETCH.c.at):
        theirs = target.execute(select(func.max(at))).scalar()
        mine = source.execute(select(func.max(at))).scalar()
        if theirs is not None and (mine is None or theirs > mine):
            return True
    newest: Any = source.execute(select(func.max(SUBSCRIBER.c.created_at))).scalar()
    erased = set(source.execute(select(ERASURE.c.public_id)).scalars())
    readers = select(SUBSCRIBER.c.public_id)
    if newest is not None:
        readers = readers.where(SUBSCRIBER.c.created_at > newest)
    return not erased.issuperset(target.execute(readers).scalars())


def _remember(target: Connection, last: int) -> None:
    """Write down how far the words and traits were made."""
    mark = upsert(MARKER).values(name=COPIED, value=last)
    target.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"value": mark.excluded.value}))
