"""The driver's own connection, lent within a transaction of this room to who keeps tables of its own beside ours.

What the borrower does stands or falls with the transaction. Its tables are no part of the archive: they are neither
migrated, checked, copied nor counted here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.database import Database


class Lending:
    """Lends connections to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def place(self) -> str:
        """What messages call the database; no password."""
        return self._database.place

    @property
    def address(self) -> str:
        """Where connections of the borrower's own lead to, with the password."""
        return self._database.address

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """Lend a connection for one transaction that nobody else writes beside; raises StorageError."""
        with self._database.writing() as connection:
            yield connection.connection.driver_connection

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Lend a connection for one transaction that only reads; raises StorageError."""
        with self._database.reading() as connection:
            yield connection.connection.driver_connection
