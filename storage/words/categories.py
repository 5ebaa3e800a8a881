"""The papers of each category, by the category's name: written beside the full-text index, with the same rows.

Capitals do not count. A category such as cs.LG also stands under cs, so that all of cs can be asked for
(domain/facts.py, `is_in_category`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, and_, bindparam, delete
from sqlalchemy.dialects.postgresql import insert as upsert

#: Made anew with the index and part of no migration; without a foreign key, like the index itself.
CATEGORY = Table(
    "paper_category",
    MetaData(),
    Column("category", String, primary_key=True),
    Column("paper_id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
_LONGEST = 200  # characters of a category; what is longer is none, and no index holds it
_TAKE = delete(CATEGORY).where(and_(CATEGORY.c.category == bindparam("of"), CATEGORY.c.paper_id == bindparam("paper")))


def make(connection: Connection) -> None:
    """Make the empty table."""
    CATEGORY.create(connection)


def drop(connection: Connection) -> None:
    """Take the table away, if it is there."""
    CATEGORY.drop(connection, checkfirst=True)


def put(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """File rows of `paper` that are not filed; what stands there already, left over from a fault, does not matter."""
    if filed := [{"category": name, "paper_id": row["id"]} for row in rows for name in names(row["categories"])]:
        connection.execute(upsert(CATEGORY).on_conflict_do_nothing(), filed)


def take(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Take rows of `paper` out again; they must be as they were put in."""
    if filed := [{"of": name, "paper": row["id"]} for row in rows for name in names(row["categories"])]:
        connection.execute(_TAKE, filed)


def filed(name: str) -> str:
    """Return the name that a category is filed by, and asked for."""
    return storable(name.lower())


def storable(name: str) -> str:
    """Return the name as every database can hold it: without NUL and half characters."""
    return name.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def names(categories: Iterable[str]) -> Iterator[str]:
    """Yield the names that a paper of these categories is filed by, each once."""
    found = {filed(each) for each in categories if len(each) <= _LONGEST}
    yield from found | {each[:place] for each in found for place, sign in enumerate(each) if sign == "."}
