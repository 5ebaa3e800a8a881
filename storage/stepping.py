"""How a sweep walks over a table: block by block, each change a short writing transaction of its own."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, delete, select

from storage.database import Database
from storage.reading import BLOCK


class Steps:
    """Walks over a table by its number, a short transaction at a time, until it is through or told to stop."""

    def __init__(self, database: Database, is_stopped: Callable[[], bool]) -> None:
        self._database = database
        self._is_stopped = is_stopped

    def over(
        self,
        number: Column[Any],
        condition: Any,
        act: Callable[[Connection, list[int]], int],
        *,
        worth: Callable[[int], bool] = lambda _: True,
    ) -> Iterator[int]:
        """Hand the numbers that meet a condition, and are worth it, to `act` in blocks; give what it returned."""
        block: list[int] = []
        for row in self.rows(select(number), number, condition):
            if worth(row[0]):
                block.append(row[0])
            if len(block) >= BLOCK:
                yield self._act(act, block)
                block = []
        if block and not self._is_stopped():
            yield self._act(act, block)

    def rows(self, query: Select[Any], number: Column[Any], condition: Any) -> Iterator[Any]:
        """Give the rows of a query in order, each block read in a transaction of its own."""
        last = 0
        while not self._is_stopped():
            with self._database.reading() as connection:
                block = connection.execute(query.where(number > last, condition).order_by(number).limit(BLOCK)).all()
            yield from block
            if len(block) < BLOCK:
                return
            last = block[-1][0]

    def _act(self, act: Callable[[Connection, list[int]], int], block: list[int]) -> int:
        with self._database.writing() as connection:
            return act(connection, block)


def deleting(number: Column[Any], condition: Any) -> Callable[[Connection, list[int]], int]:
    """Return the act that deletes the rows of a block that still meet a condition."""

    def act(connection: Connection, ids: list[int]) -> int:
        return connection.execute(delete(number.table).where(number.in_(ids), condition)).rowcount

    return act
