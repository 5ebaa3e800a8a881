"""The tables in blocks, by which two databases are compared and made alike: a few hundred rows, ordered by a number.

Tables whose keys are texts are small and make one block. Rows are compared as Python values, so that it does not matter
how either database writes an instant, a truth value or JSON.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    true,
    tuple_,
)
from sqlalchemy.exc import DBAPIError

from domain.errors import DatabaseUnavailable
from storage.reading import BLOCK, in_blocks
from storage.tables import INSTALLATION, MARKER, TRAIT, Base
from storage.words.tsvector import MARKERS

#: The marker that says how far the derived data of a copy was made; it is the copy's own.
COPIED = "copied-words"
_OWN = (*MARKERS, COPIED)
Key = tuple[Any, ...]
Row = dict[str, Any]


class Span:
    """The rows of a table whose number lies after one and up to another; None is without an end."""

    def __init__(self, table: Table, after: int | None, upto: int | None) -> None:
        self.table = table
        number = numbered_by(table)
        bounds: list[ColumnElement[bool]] = [true() if table is not MARKER else MARKER.c.name.not_in(_OWN)]
        if number is not None and after is not None:
            bounds.append(number > after)
        if number is not None and upto is not None:
            bounds.append(number <= upto)
        self._where = and_(*bounds)

    def count(self, connection: Connection) -> int:
        """Return how many rows there are."""
        query = select(func.count()).select_from(self.table).where(self._where)
        return int(connection.execute(query).scalar_one())

    def keys(self, connection: Connection) -> set[Key]:
        """Return the primary keys."""
        query = select(*self.table.primary_key).where(self._where)
        return {tuple(row) for row in connection.execute(query)}

    def rows(self, connection: Connection) -> dict[Key, Row]:
        """Return the rows by primary key; raises DatabaseUnavailable, naming the row, for one that cannot be read."""
        try:
            found = connection.execute(select(self.table).where(self._where)).mappings().all()
        except (DBAPIError, ValueError) as error:
            raise DatabaseUnavailable(self._unread(connection, error)) from error
        names = [column.name for column in self.table.primary_key]
        return {tuple(row[name] for name in names): dict(row) for row in found}

    def _unread(self, connection: Connection, error: Exception) -> str:
        """Return the sentence that names the row that cannot be read."""
        for key in sorted(self.keys(connection)):
            try:
                connection.execute(select(self.table).where(_is_one_of(self.table, [key]))).all()
            except (DBAPIError, ValueError) as reason:
                return f"{named(self.table, key)} cannot be read: {said(reason)}"
        return f"the table {self.table.name} cannot be read: {said(error)}"


def tables() -> list[Table]:
    """Return what is copied, parents before children; what can be worked out anew, and where it lives, is left out."""
    return [table for table in Base.metadata.sorted_tables if table not in (TRAIT, INSTALLATION)]


def spans(connection: Connection, table: Table) -> Iterator[Span]:
    """Give the blocks of a table as it stands there; together they are the whole of any database."""
    number = numbered_by(table)
    after = None
    while number is not None:
        query = select(number).order_by(number).offset(BLOCK - 1).limit(1)
        upto = connection.execute(query if after is None else query.where(number > after)).scalar()
        if upto is None:
            break
        yield Span(table, after, upto)
        after = upto
    yield Span(table, after, None)


def numbered_by(table: Table) -> Column[Any] | None:
    """Return the number that a table's rows are taken by: its own, or its parent's; None where it has none."""
    numbers = [each for each in (*table.primary_key, *table.columns) if isinstance(each.type, Integer)]
    return next((each for each in numbers if each.primary_key or each.foreign_keys), None)


def remove(connection: Connection, table: Table, keys: Sequence[Key]) -> None:
    """Delete rows, and before them those that hang on them and would not go with them."""
    for block in in_blocks(keys):
        for child in Base.metadata.sorted_tables:
            for link in child.foreign_keys:
                if link.column.table is table and link.ondelete != "CASCADE":
                    connection.execute(delete(child).where(link.parent.in_([key[0] for key in block])))
        connection.execute(delete(table).where(_is_one_of(table, block)))


def add(connection: Connection, table: Table, rows: Collection[Row]) -> None:
    """Insert rows as they stand."""
    connection.execute(insert(table), list(rows))


def named(table: Table, key: Key) -> str:
    """Return what a message calls a row."""
    values = zip((column.name for column in table.primary_key), key, strict=True)
    return f"the table {table.name}, row {', '.join(f'{name} {value!r}' for name, value in values)}"


def said(error: BaseException) -> str:
    """Return a driver's words in one line, without the statement around them."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _is_one_of(table: Table, keys: Sequence[Key]) -> ColumnElement[bool]:
    columns = list(table.primary_key)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)
