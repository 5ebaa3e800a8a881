"""The one engine: a file of SQLite or a database of PostgreSQL, opened, migrated and guarded here.

The two differ in how they are reached, begun and understood: sqlite.py and postgres.py. Both keep one promise, on which
everything in this room is built: what a writing transaction has read does not change before it ends. Foreign exceptions
become ours at `writing` and `reading`, through which every statement goes.

Threads may share one Database: over a file or a server each has a connection of its own while it needs one; in memory
there is but one connection, and they take turns.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.errors import DatabaseMissing, DatabaseTooNew, DatabaseTooOld, DatabaseUnavailable, StorageError
from storage import announcing, migrate
from storage.announcing import Announce
from storage.postgres import PostgresStore
from storage.sqlite import SqliteStore, is_missing

BUSY_SECONDS = 30.0
_POSTGRES = ("postgresql://", "postgres://")


class Store(Protocol):
    """What a Database needs of one kind of database."""

    place: str  #: what messages call it; no password
    file: Path | None  #: of an SQLite file
    engine: Engine
    turn: AbstractContextManager[object]
    errors: type[Exception]  #: what its driver raises, where a statement went to the driver itself (driver.py)
    upgrades_itself: bool

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction; nobody else writes while it is open."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """One transaction that sees one state."""
        ...

    def size_bytes(self, connection: Connection) -> int:
        """Return what it takes on disk."""
        ...

    def home(self, connection: Connection) -> str:
        """Return what tells this database from any copy."""
        ...

    def before_upgrade(self, revision: str) -> None:
        """Do what must be done before an older schema is changed."""
        ...

    def after_upgrade(self, connection: Connection) -> None:
        """Do what belongs to a schema that was made or changed, in the same transaction."""
        ...

    def ours(self, error: BaseException) -> StorageError:
        """Return the error of our tree for one of the driver's."""
        ...


class Database:
    """An open archive; a context manager that closes it.

    `url` is `sqlite:///path`, `sqlite://` (in memory) or `postgresql://user@host/name`. A missing file is created, an
    empty database filled with tables. An older file is copied and migrated; an older database of PostgreSQL only with
    `upgrade`. `announce` is told of letters in the transaction that queues them (announcing.py). With
    `as_it_is` nothing is made or migrated: DatabaseMissing, or DatabaseTooOld.
    Raises DatabaseUnavailable, DatabaseBusy, DatabaseTooNew, DatabaseTooOld or SettingsError.
    """

    def __init__(
        self,
        url: str,
        *,
        busy_seconds: float = BUSY_SECONDS,
        upgrade: bool = False,
        as_it_is: bool = False,
        announce: Announce | None = None,
    ) -> None:
        if as_it_is and is_missing(url):
            raise DatabaseMissing(f"there is no archive {url.removeprefix('sqlite:///')} yet")
        self._store: Store = (PostgresStore if url.startswith(_POSTGRES) else SqliteStore)(url, busy_seconds)
        self._engine = self._store.engine
        self._announce = announce
        self.place = self._store.place
        # Our own threads queue up here: SQLite would let them ask again and again, which costs more than the writing.
        self._pen = threading.RLock()
        try:
            self._prepare(
                upgrade=(upgrade or self._store.upgrades_itself) and not as_it_is,
                make=not as_it_is,
            )
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
        """One transaction that nobody else writes beside, from its first statement.

        Raises DatabaseBusy or DatabaseUnavailable; then nothing was changed.
        """
        with self._store.turn, self._pen, self._guarded(), self._store.writing() as connection:
            announcing.begin(connection, self._announce)
            yield connection
            announcing.end(connection, self._announce)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the database and never waits for a writer, but in memory."""
        with self._store.turn, self._guarded(), self._store.reading() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold up this process's own writers while something is done that may stand in no transaction."""
        with self._store.turn, self._pen:
            yield

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None in memory and on a server."""
        return self._store.file

    @property
    def dialect(self) -> str:
        """What kind of database it is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def address(self) -> str:
        """Where it is, for a driver of its own, with the password; it is never to be told."""
        return self._engine.url.set(drivername=self.dialect).render_as_string(hide_password=False)

    @property
    def size_bytes(self) -> int:
        """What the database takes on disk; 0 in memory."""
        with self.reading() as connection:
            return self._store.size_bytes(connection)

    @property
    def revision(self) -> str:
        """The revision of the schema."""
        with self.reading() as connection:
            return migrate.current(connection) or ""

    def check(self) -> None:
        """Raise DatabaseTooNew or DatabaseTooOld if its schema is not this version's any more; cheap.

        Another version has migrated it, or an older state was put back, since it was opened.
        """
        with self.reading() as connection:
            found = migrate.current(connection)
        if found == migrate.HEAD:
            return
        if found is None:
            raise DatabaseMissing(f"there is no archive in {self.place} any more")
        if migrate.is_known(found):
            raise DatabaseTooOld(
                f"the database {self.place} is of an earlier version of Paperround now (schema {found}): this process "
                "stops; run paperround archive migrate, and start it again"
            )
        raise DatabaseTooNew(
            f"the database {self.place} was migrated by a later version of Paperround (schema {found}): this process "
            "stops; install that version, and start it again"
        )

    def home(self, connection: Connection) -> str:
        """Return what tells this database from any copy of it; "" in memory."""
        return self._store.home(connection)

    def moment(self) -> datetime | None:
        """Return what the server's clock says, aware; None for SQLite, which has no other clock than ours."""
        if self.dialect == "sqlite":
            return None
        with self.reading() as connection:
            found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found

    def _prepare(self, *, upgrade: bool, make: bool) -> None:
        with self.reading() as connection:
            found = migrate.current(connection)
            if found is None and migrate.is_inhabited(connection):
                raise DatabaseUnavailable(f"{self.place} is another program's database, not a Paperround archive")
        if found == migrate.HEAD:
            return
        if found is None and not make:
            raise DatabaseMissing(f"there is no archive in {self.place} yet")
        # Another process may be migrating too: look again once the lock is ours.
        with self.writing() as connection:
            found = migrate.current(connection)
            if found is not None and not migrate.is_known(found):
                raise DatabaseTooNew(
                    f"the database {self.place} was written by a later version of Paperround (schema {found}); "
                    "install that version, or restore a backup"
                )
            if found == migrate.HEAD:
                return
            if found is not None:
                if not upgrade:
                    raise DatabaseTooOld(
                        f"the database {self.place} is of an earlier version of Paperround (schema {found}); "
                        "back it up, stop what uses it, and run: paperround archive migrate"
                    )
                self._store.before_upgrade(found)
            migrate.upgrade(connection)
            self._store.after_upgrade(connection)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._store.ours(error.orig or error) from error
        except self._store.errors as error:
            raise self._store.ours(error) from error
        except SQLAlchemyError as error:
            raise DatabaseUnavailable(f"the database {self.place} could not be used: {error}") from error
