"""What a database takes on disk, and giving back what it no longer needs.

A file of SQLite keeps the pages that were freed and uses them again; it shrinks only when it is written anew, which
holds up every writer and takes room for a second copy meanwhile. So that is done when much is free, when there is room,
and when nobody sends. A server of PostgreSQL does such things by itself.
"""

import glob
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import select, text

from domain.errors import DatabaseBusy, StorageError
from storage.database import Database
from storage.sqlite_errors import ours
from storage.tables import DELIVERY, OPEN

_SHARE, _BYTES = 0.2, 64 * 2**20  # of the file that must be free before it is worth writing it anew
_SAMPLE = 1000  # rows of each index that SQLite looks at
_PATIENCE = 5.0  # seconds for another writer to end
_ROOM = 2.1  # times what the archive holds: SQLite writes it to a second file, and then into the log


def room_at(folder: Path) -> int:
    """Return the bytes that are free where a folder is."""
    return shutil.disk_usage(folder).free


class Space:
    """The room that one database takes."""

    def __init__(
        self, database: Database, *, room: Callable[[Path], int] = room_at, patience: float = _PATIENCE
    ) -> None:
        self._database = database
        self._patience = patience
        self._room = room

    def spare(self) -> tuple[int, int]:
        """Return the bytes of the file, and how many of them hold nothing; zeros in memory and on a server."""
        if self._database.file is None:
            return 0, 0
        with self._database.reading() as connection:
            pages, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
        return pages * size, free * size

    def refresh(self) -> None:
        """Let the database look anew at how much of what it holds, by which it plans its queries."""
        with self._database.writing() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA analysis_limit={_SAMPLE}")
            connection.exec_driver_sql("ANALYZE")

    def give_back(self, *, anyway: bool = False) -> tuple[int, str]:
        """Write the file anew without what is free, where that is worth it, or `anyway`.

        Return the bytes that were given back, and why it was not done: "" where it was, or was not worth it.
        """
        file = self._database.file
        size, free = self.spare()
        if file is None or not (anyway or (free >= _BYTES and free >= size * _SHARE)):
            return 0, ""
        if self._is_sending():
            return 0, "letters are being sent; the file is written anew another time"
        needed, there = int((size - free) * _ROOM), self._room(file.absolute().parent)
        if there < needed:
            return 0, f"writing the file anew takes {needed:,} bytes of room for a while, and {there:,} are left"
        try:
            with self._database.alone():
                self._plainly(file, "VACUUM")
        except StorageError as error:
            return 0, f"the file was not written anew: {error}"
        self.settle()
        return max(size - self.spare()[0], 0), ""

    def settle(self) -> bool:
        """Move the log beside the file into it and empty the log: what was erased is in neither of them then.

        Return False where somebody still reads an older state; the log is emptied later then.
        """
        file = self._database.file
        if file is None:
            return True
        try:
            with self._database.alone():
                (row,) = self._plainly(file, "PRAGMA wal_checkpoint(TRUNCATE)")
        except DatabaseBusy:
            return False
        return row[0] == 0

    def copies(self) -> tuple[Path, ...]:
        """Return the copies beside the file that were made before its schema moved, or before a restore."""
        file = self._database.file
        if file is None:
            return ()
        kinds = (f"{glob.escape(file.name)}.{kind}-*" for kind in ("schema", "before-restore"))
        return tuple(sorted(copy for kind in kinds for copy in file.parent.glob(kind)))

    def _plainly(self, file: Path, statement: str) -> list[tuple[int, ...]]:
        """Run a statement that may stand in no transaction."""
        try:
            with closing(sqlite3.connect(file, timeout=self._patience, isolation_level=None)) as connection:
                return connection.execute(statement).fetchall()
        except sqlite3.Error as error:
            raise ours(error, str(file)) from error

    def _is_sending(self) -> bool:
        under_way = select(DELIVERY.c.id).where(text(OPEN), DELIVERY.c.state.in_(["leased", "sending"])).limit(1)
        with self._database.reading() as connection:
            return connection.execute(under_way).first() is not None
