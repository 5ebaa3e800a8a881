"""The papers of each category, by the category's exact name: written beside the full-text index, with the same rows.

A category of arXiv such as cs.LG also stands under its archive, cs, so that all of cs can be asked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, and_, bindparam, delete, insert

#: Made anew with the index and part of no migration; without a foreign key, like the index itself.
CATEGORY = Table(
    "paper_category",
    MetaData(),
    Column("category", String, primary_key=True),
    Column("paper_id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
_OF_AN_ARCHIVE = re.compile(r"([a-z]+(?:-[a-z]+)*)\.[A-Za-z]+(?:-[A-Za-z]+)*")
_LONGEST = 200  # characters of a category; what is longer is none, and no index holds it
_TAKE = delete(CATEGORY).where(and_(CATEGORY.c.category == bindparam("of"), CATEGORY.c.paper_id == bindparam("paper")))


def make(connection: Connection) -> None:
    """Make the empty table."""
    CATEGORY.create(connection)


def drop(connection: Connection) -> None:
    """Take the table away, if it is there."""
    CATEGORY.drop(connection, checkfirst=True)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """File rows of `paper` that are not filed."""
    if filed := [{"category": name, "paper_id": row["id"]} for row in rows for name in _names(row["categories"])]:
        connection.execute(insert(CATEGORY), filed)


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again; they must be as they were put in."""
    if filed := [{"of": name, "paper": row["id"]} for row in rows for name in _names(row["categories"])]:
        connection.execute(_TAKE, filed)


def storable(name: str) -> str:
    """Return the name as every database can hold it: without NUL and half characters."""
    return name.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _names(categories: Iterable[str]) -> Iterator[str]:
    found = {storable(each) for each in categories if len(each) <= _LONGEST}
    yield from found | {inside[1] for each in found if (inside := _OF_AN_ARCHIVE.fullmatch(each))}
