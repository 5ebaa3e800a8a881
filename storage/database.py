"""The one engine: SQLite in WAL mode, opened, migrated and guarded here.

SQLAlchemy's default SQLite mode loses updates silently (it begins a transaction at the first write, after the read),
so every writing transaction begins with `BEGIN IMMEDIATE` and every reading one with `BEGIN`: see
docs/decisions/0002. Foreign exceptions become ours at `writing` and `reading`, through which every statement goes.

Threads may share one Database: over a file each has a connection of its own while it needs one; in memory there is but
one connection, and they take turns.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from domain.errors import DatabaseBusy, DatabaseTooNew, DatabaseUnavailable, StorageError
from storage import migrate

BUSY_SECONDS = 30.0
_MEMORY = ":memory:"


class Database:
    """An open archive; a context manager that closes it.

    `url` is `sqlite:///path` or `sqlite://` (in memory). A missing file is created, an older one is migrated. Raises
    DatabaseUnavailable, DatabaseBusy or DatabaseTooNew.
    """

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.place = _place(url)
        self._engine = _engine(url, busy_seconds)
        # Reentrant, so that a transaction inside a transaction is refused by SQLite and does not wait for itself.
        self._turn: AbstractContextManager[object] = threading.RLock() if self.place == _MEMORY else nullcontext()
        # Our own threads queue up here: SQLite would let them ask again and again, which costs more than the writing.
        self._pen = threading.RLock()
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            raise

    def __enter__(self) -> Self:
        """Return the open database."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self.close()

    def close(self) -> None:
        """Close every connection; the object is of no use afterwards."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the database's write lock from its first statement.

        Raises DatabaseBusy or DatabaseUnavailable; then nothing was changed.
        """
        with self._turn, self._pen, self._guarded(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the database and, over a file, never waits for a writer."""
        with self._turn, self._guarded(), self._engine.connect() as plain:
            connection = plain.execution_options(paperround_reads=True)
            with connection.begin():
                yield connection

    @property
    def size_bytes(self) -> int:
        """What the database takes on disk, its write-ahead log included; 0 in memory."""
        files = (Path(f"{self.place}{suffix}") for suffix in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.is_file())

    @property
    def revision(self) -> str:
        """The revision of the schema."""
        with self.reading() as connection:
            return migrate.current(connection) or ""

    def _prepare(self) -> None:
        with self.reading() as connection:
            found = migrate.current(connection)
            if found is None and migrate.is_inhabited(connection):
                raise DatabaseUnavailable(f"{self.place} is another program's database, not a Paperround archive")
        if found == migrate.HEAD:
            return
        # Another process may be migrating too: look again once the lock is ours.
        with self.writing() as connection:
            found = migrate.current(connection)
            if found is not None and not migrate.is_known(found):
                raise DatabaseTooNew(
                    f"the database {self.place} was written by a later version of Paperround (schema {found}); "
                    "install that version, or restore a backup"
                )
            if found != migrate.HEAD:
                migrate.upgrade(connection)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _ours(error.orig or error, self.place) from error
        except SQLAlchemyError as error:
            raise DatabaseUnavailable(f"the database {self.place} could not be used: {error}") from error


def _place(url: str) -> str:
    """Return the file of `sqlite:///FILE`, taken as it stands (a "?" is part of its name), or ":memory:"."""
    return url.removeprefix("sqlite://").removeprefix("/") or _MEMORY


def _engine(url: str, busy_seconds: float) -> Engine:
    place = _place(url)
    options: dict[str, Any] = {"poolclass": StaticPool} if place == _MEMORY else {"pool_size": 0}
    if place != _MEMORY:
        _touch(Path(place))
    engine = create_engine(
        URL.create("sqlite", database=place),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        json_serializer=partial(json.dumps, ensure_ascii=False),
        **options,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _touch(file: Path) -> None:
    """Make a missing database file that only its owner may read: it holds readers' addresses."""
    if not file.parent.is_dir():
        raise DatabaseUnavailable(f"the folder of the database {file} is not there; make it, or mend [database] url")
    try:
        file.touch(mode=0o600)
    except OSError as error:
        if not file.is_file():
            raise DatabaseUnavailable(f"the database {file} cannot be made: {error.strerror}") from error


def _on_connect(connection: sqlite3.Connection, record: object) -> None:  # noqa: ARG001 the signature is SQLAlchemy's
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an accepted letter must survive a power cut (mail.md section 2)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("paperround_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _ours(error: BaseException, place: str) -> StorageError:
    """Return the error of our tree for one of the database driver's."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return DatabaseBusy(f"the database {place} is held by another process; try again in a moment")
    if "readonly" in text:
        return DatabaseUnavailable(f"the database {place} is read-only; this was not stored")
    if "full" in text or "disk I/O" in text:
        return DatabaseUnavailable(
            f"no room to store: the disk of the database {place} is full, or fails ({text}); this was not stored"
        )
    if "not a database" in text or "malformed" in text:
        return DatabaseUnavailable(f"{place} is not a Paperround database, or it is damaged ({text})")
    if "unable to open" in text:
        return DatabaseUnavailable(f"the database {place} cannot be opened: check that its folder can be written to")
    return DatabaseUnavailable(f"the database {place} could not be used: {text}")
