"""What a view is, and what the two databases say differently.

A view's columns stand beside the sentences that explain them: docs/schema.md, the inspector's pages and the statement
that makes the view are all made from the same lines.
"""

# ruff: noqa: S608 every word in these statements is ours

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

INTEGER, REAL, TEXT = "INTEGER", "REAL", "TEXT"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a view."""

    name: str
    value: str  #: in SQL
    says: str  #: what it means, in a few words
    kind: str = TEXT  #: how a copy in a file of SQLite keeps it


@dataclass(frozen=True, slots=True)
class View:
    """One view: names from us, never from outside, so that they can stand in statements as they are."""

    name: str
    says: str  #: one sentence
    columns: tuple[Column, ...]
    rows: str  #: the SQL after the columns: FROM …
    key: tuple[str, ...] = ()  #: the columns that tell its rows apart
    facets: tuple[str, ...] = ()  #: what one counts by
    order: str = ""  #: the column by which it is read, the highest first; "" for the order of the rows

    @property
    def select(self) -> str:
        """The statement that the view stands for."""
        columns = ", ".join(f"{each.value} AS {each.name}" for each in self.columns)
        return f"SELECT {columns} {self.rows}"


class Speech(Protocol):
    """The few expressions that SQLite and PostgreSQL say differently; all take and return SQL."""

    place: str  #: beside `each`: where in its array a text stands, from 1

    def day(self, instant: str) -> str:
        """Return the UTC day of an instant."""
        ...

    def moment(self, instant: str) -> str:
        """Return an instant to the second."""
        ...

    def days_ago(self, days: int) -> str:
        """Return the UTC day so many days ago, by the database's clock."""
        ...

    def part(self, value: str, *path: str | int) -> str:
        """Return the text at a place in a JSON value; NULL where it is not there."""
        ...

    def joined(self, value: str) -> str:
        """Return the texts of a JSON array, joined by "; "."""
        ...

    def each(self, value: str) -> str:
        """Return what to join a table with: a row for each text of a JSON array, `each.value`."""
        ...


class Lite:
    """SQLite's way: instants are texts in UTC."""

    place = "each.key + 1"

    def day(self, instant: str) -> str:
        """Cut the text of an instant."""
        return f"substr({instant}, 1, 10)"

    def moment(self, instant: str) -> str:
        """Cut the text of an instant: 2026-11-20 08:00:00."""
        return f"substr({instant}, 1, 19)"

    def days_ago(self, days: int) -> str:
        """Ask SQLite's clock, which is in UTC."""
        return f"date('now', '-{days} days')"

    def part(self, value: str, *path: str | int) -> str:
        """Name the place as $.title[0]."""
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        return f"json_extract({value}, '${place}')"

    def joined(self, value: str) -> str:
        """Rows of json_each come in the order of the array."""
        return f"coalesce((SELECT group_concat(value, '; ') FROM json_each({value})), '')"

    def each(self, value: str) -> str:
        """Name the rows of json_each."""
        return f"json_each({value}) AS each"


class Postgres:
    """PostgreSQL's way: days and instants have types of their own."""

    place = "each.place"

    def day(self, instant: str) -> str:
        """Take the date that it is in UTC, whatever the session's zone."""
        return f"CAST({instant} AT TIME ZONE 'UTC' AS date)"

    def moment(self, instant: str) -> str:
        """Leave the zone to the client."""
        return f"date_trunc('second', {instant})"

    def days_ago(self, days: int) -> str:
        """Ask the server's clock."""
        return f"(CAST(now() AT TIME ZONE 'UTC' AS date) - {days})"

    def part(self, value: str, *path: str | int) -> str:
        """Name the place as {title,0}."""
        return f"({value} #>> '{{{','.join(map(str, path))}}}')"

    def joined(self, value: str) -> str:
        """Join in the order of the array."""
        return f"coalesce((SELECT string_agg(each.value, '; ' ORDER BY each.place) FROM {self.each(value)}), '')"

    def each(self, value: str) -> str:
        """Name the elements and number them."""
        return f"jsonb_array_elements_text({value}) WITH ORDINALITY AS each (value, place)"


def yes(condition: str) -> str:
    """Return SQL that says a truth as a word: it reads the same on either database."""
    return f"CASE WHEN {condition} THEN 'yes' ELSE 'no' END"


def among(column: str, values: Sequence[str]) -> str:
    """Return SQL that is true where a column has one of our own words."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"
