"""What a search asks of the full-text index, the same on either database."""

from collections.abc import Collection
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select

from domain.topics import Node
from storage.words.asking_fts5 import AskingFts5
from storage.words.asking_tsvector import AskingTsvector


class Asking(Protocol):
    """A full-text index that can be asked; shared by threads."""

    #: Whether counting while ranking costs less than counting apart.
    counts_along: bool
    #: The papers' ids in its statements, to be tested and not to be looked up by.
    id: ColumnElement[int]

    def matching(self, tree: Node) -> Select[Any]:
        """Return a statement for the `id` of each paper that the tree selects."""
        ...

    def ranked(self, connection: Connection, tree: Node) -> Select[Any]:
        """Return a statement for `id` and `score`, higher is better, of each paper that the tree selects."""
        ...

    def having(self, connection: Connection, stems: Collection[str]) -> dict[str, int]:
        """Return how many papers have each of these stems, wherever in their texts; one that none has is missing."""
        ...

    def aside(self, column: ColumnElement[int]) -> ColumnElement[int]:
        """Return the column so that what is asked of it is a test of rows, and no way to find them."""
        ...

    def are_few(self, connection: Connection, matching: Select[Any]) -> bool:
        """Whether it is quicker to look at each match than to gather all that a filter lets through."""
        ...


def asking_of(dialect: str) -> Asking:
    """Return how the index of a database of that kind is asked."""
    return AskingTsvector() if dialect == "postgresql" else AskingFts5()
