"""SQLite as a store: WAL mode, writers that say so at their first statement, a copy before an older schema is migrated.

SQLAlchemy's default SQLite mode loses updates silently (it begins a transaction at the first write, after the read),
so every writing transaction begins with `BEGIN IMMEDIATE` and every reading one with `BEGIN`: see
docs/decisions/0002.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from domain.errors import StorageError
from storage import beside
from storage.sqlite_copies import copy_into, draft_beside, put_in_place
from storage.sqlite_errors import ours

MEMORY = ":memory:"


def is_missing(url: str) -> bool:
    """Whether `url` names a file that is not there, nor a log that one has left."""
    file = url.removeprefix("sqlite:///")
    return file != url and not any(Path(f"{file}{suffix}").exists() for suffix in ("", "-wal"))


class SqliteStore:
    """The database of a file, taken as its name stands (a "?" is part of it), or of memory for an empty URL."""

    #: An older schema is migrated by whoever opens it, after a copy was made.
    upgrades_itself = True
    errors: type[Exception] = sqlite3.Error
    shares = False

    def __init__(self, url: str, busy_seconds: float) -> None:
        self.place = url.removeprefix("sqlite://").removeprefix("/") or MEMORY
        self.file: Path | None = None if self.place == MEMORY else Path(self.place)
        # The connection that was used last: it knows the pages that it wrote, and one that did not reads them again.
        one_file: dict[str, Any] = {"pool_size": 0, "pool_use_lifo": True}
        options: dict[str, Any] = {"poolclass": StaticPool} if self.file is None else one_file
        if self.file is not None:
            beside.ready(self.file)
        self.engine: Engine = create_engine(
            URL.create("sqlite", database=self.place),
            connect_args={"timeout": busy_seconds, "check_same_thread": False},
            json_serializer=partial(json.dumps, ensure_ascii=False),
            **options,
        )
        event.listen(self.engine, "connect", _on_connect)
        event.listen(self.engine, "begin", _on_begin)
        # Reentrant, so that a transaction inside a transaction is refused by SQLite and does not wait for itself.
        self.turn: AbstractContextManager[object] = threading.RLock() if self.file is None else nullcontext()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its first statement."""
        with self.engine.begin() as connection:
            yield connection

    sharing = writing  #: nobody writes beside it

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state and, over a file, never waits for a writer."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(paperround_reads=True)
            with connection.begin():
                yield connection

    def size_bytes(self, connection: Connection) -> int:  # noqa: ARG002 the other store asks its server
        """Return what the file takes on disk, its write-ahead log included; 0 in memory."""
        files = (Path(f"{self.place}{suffix}") for suffix in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.is_file())

    def home(self, connection: Connection) -> str:  # noqa: ARG002 the other store asks its server
        """Return what tells this file from any copy of it; "" in memory, which has no copies."""
        return "" if self.file is None else f"inode {self.file.stat().st_ino}"

    def before_upgrade(self, revision: str) -> None:
        """Keep a copy of the file as it is, `FILE.schema-REVISION`; raises StorageError."""
        if self.file is not None:
            target = Path(f"{self.place}.schema-{revision}")
            with draft_beside(target) as draft:
                copy_into(self.file, draft)
                put_in_place(draft, target)

    def after_upgrade(self, connection: Connection) -> None:
        """Give the archive its mark, if it has none."""
        beside.mark(connection)

    def ours(self, error: BaseException) -> StorageError:
        """Return the error of our tree for one of the driver's."""
        return ours(error, self.place)


def _on_connect(connection: sqlite3.Connection, record: object) -> None:  # noqa: ARG001 the signature is SQLAlchemy's
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an accepted letter must survive a power cut (mail.md section 2)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what was erased is overwritten, not only let go
    cursor.close()


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("paperround_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
