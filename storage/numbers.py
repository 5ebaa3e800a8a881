"""The numbers of deliveries: none is ever given twice, not even after a restore or a move.

A bounce names its delivery by the number, and may come long after the letter's reader was erased; another letter with
that number would be blamed for it.
"""

from sqlalchemy import Connection, func, inspect, select, text

from storage.tables import DELIVERY

_NAME = {"name": DELIVERY.name}


def given(connection: Connection) -> int:
    """Return the highest number that a delivery has, or on SQLite ever had; 0 for none."""
    newest: int = connection.execute(select(func.coalesce(func.max(DELIVERY.c.id), 0))).scalar_one()
    if connection.dialect.name == "sqlite" and inspect(connection).has_table("sqlite_sequence"):
        ever = connection.execute(text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name"), _NAME).scalar()
        return max(newest, ever or 0)
    return newest


def go_on_after(connection: Connection, number: int) -> None:
    """Let the next delivery of an SQLite archive have a higher number than this one, and than any it has given."""
    highest = max(number, given(connection))
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), _NAME)
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), {**_NAME, "seq": highest})
