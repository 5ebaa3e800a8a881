"""Statements that go to the driver as they are written, inside a transaction that SQLAlchemy began.

For the one path that each letter takes: composing a statement takes SQLAlchemy ten times as long as SQLite takes to do
it. A statement is written with "?" for each value and for "…" gets as many of them as there are in a list.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

#: Rows of one statement. Few sizes, for the driver keeps each statement that it has prepared, whatever it takes.
_SIZES = (512, 128, 32, 8, 1)


class Driver:
    """A cursor of the driver; its errors are the driver's, which Database makes ours."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.connection.cursor()
        self.is_sqlite = connection.dialect.name == "sqlite"

    def rows(self, statement: str, values: Sequence[Any] = (), listed: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a query finds; `listed` goes where the statement has "…", before the other values."""
        if len(listed) > 1:  # the last of the list again, up to a power of two
            listed = [*listed, *[listed[-1]] * ((1 << (len(listed) - 1).bit_length()) - len(listed))]
        self._cursor.execute(self._written(statement, len(listed)), (*listed, *values))
        return list(self._cursor.fetchall())

    def in_rows(self, statement: str, row: str, count: int, values: Sequence[Any]) -> list[Any]:
        """Do it for so many rows, written out in a few statements, and return what they return.

        `row` is one row's list of values as the statement has it, put where "…" is once for each; `values` are those of
        all rows, one after the other.
        """
        found: list[Any] = []
        width, done = len(values) // count if count else 0, 0
        while done < count:
            size = next(each for each in _SIZES if each <= count - done)
            whole = statement.replace("…", ", ".join([row] * size))
            self._cursor.execute(self._written(whole, 0), values[done * width : (done + size) * width])
            found += self._cursor.fetchall()
            done += size
        return found

    def many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Do it once for each row of values."""
        if values:
            self._cursor.executemany(self._written(statement, 0), values)

    def at_once(self, statement: str, columns: Mapping[str, str], values: Sequence[Sequence[Any]]) -> None:
        """Do it for all rows of values in one statement, where "…" is a table of these columns; PostgreSQL alone.

        Each statement costs the client and the server as much as several rows do. The rows go as one text of JSON, so
        that the statement is the same for any number of them, and is read and planned once.
        """
        if values:
            table = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            rows = json.dumps([dict(zip(columns, each, strict=True)) for each in values], default=datetime.isoformat)
            self._cursor.execute(statement.replace("…", f"json_to_recordset(%s::json) AS v ({table})"), [rows])

    def instant(self, instant: datetime | None) -> datetime | str | None:
        """Return an aware instant as the tables keep it (UtcDateTime in tables.py)."""
        if instant is None or not self.is_sqlite:
            return instant
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

    def _written(self, statement: str, listed: int) -> str:
        whole = statement.replace("…", ", ".join("?" * listed))
        return whole if self.is_sqlite else whole.replace("?", "%s")
