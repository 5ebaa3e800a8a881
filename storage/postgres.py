"""PostgreSQL as a store: the same promises as SQLite's, kept by a lock of our own.

Everywhere in this room a writing transaction may trust what it read: nobody else writes in between. SQLite gives that
for the whole file; here each writing transaction takes one advisory lock first, and reads committed data after it, so
the same code is right on both (docs/decisions/0012). Reading transactions see one state and wait for nobody.

Those that send share that lock and lock the rows that they write (0033). The server gives locks in the order in which
they were asked for: who wants the lock for itself waits for those who share it at that moment, and whoever asks to
share it afterwards waits behind.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from domain.errors import DatabaseBusy, DatabaseUnavailable, SettingsError, StorageError

_PEN = 0x70617065  # "pape": the advisory lock of whoever writes
_CONNECT_SECONDS = 10
_POOL = 8  # connections that one process keeps; more are opened while they are needed
#: SQLSTATE, or its class, of what can be said better than by the server; the text ends a sentence.
_SAID = {
    "28": "it does not let this user in: check the user and the password in [database] url",
    "3D000": "there is no such database: make it with createdb",
    "42501": "this user may not do that there: it needs to own the database, or its tables",
    "2BP01": "something that is not ours stands on its views: drop it, and make it again afterwards",
    "25006": "it is read-only, a standby perhaps; this was not stored",
    "53100": "its disk is full; this was not stored",
    "53300": "it has no connection left for us",
    "54": "a text is longer than its indexes can hold; this was not stored",
}
_BUSY = ("55P03", "40001", "40P01")  # a lock was not given in time, or two transactions stood in each other's way


class PostgresStore:
    """The database that a `postgresql://user@host/name` URL names; the URL's password is never told."""

    #: An older schema is migrated by `paperround archive migrate` alone: other machines may be at work.
    upgrades_itself = False
    errors: type[Exception] = psycopg.Error
    shares = True
    file: Path | None = None

    def __init__(self, url: str, busy_seconds: float) -> None:
        target = _target(url)
        self.place = place_of(url)
        self.engine: Engine = create_engine(
            target,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "options": f"-c timezone=UTC -c client_encoding=UTF8 -c lock_timeout={int(busy_seconds * 1000)}",
                "application_name": "paperround",
            },
            pool_size=_POOL,
            max_overflow=-1,
            json_serializer=partial(json.dumps, ensure_ascii=False),
        )
        self.turn: AbstractContextManager[object] = nullcontext()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that is the only one to write, from its first statement."""
        with self._begun(f"SELECT pg_advisory_xact_lock({_PEN})") as connection:
            yield connection

    @contextmanager
    def sharing(self) -> Iterator[Connection]:
        """One transaction beside which only its like write."""
        with self._begun(f"SELECT pg_advisory_xact_lock_shared({_PEN})") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state."""
        with self._begun("SELECT 1", isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
            yield connection

    @contextmanager
    def _begun(self, first: str, **options: Any) -> Iterator[Connection]:
        """One transaction of which the first statement was done.

        If that finds a connection that was kept and has ended meanwhile, it is done once more on a new one; to ask each
        connection beforehand whether it lives would be a question more for each transaction.
        """
        connection, error = self._tried(first, options)
        if error is not None and error.connection_invalidated:
            connection, error = self._tried(first, options)
        if error is not None:
            raise error
        with connection, connection.get_transaction() or nullcontext():
            yield connection

    def _tried(self, first: str, options: dict[str, Any]) -> tuple[Connection, DBAPIError | None]:
        """Return a connection in a transaction that did its first statement; or closed, and why it could not."""
        connection = self.engine.connect().execution_options(**options)
        try:
            connection.begin()
            connection.exec_driver_sql(first)
        except DBAPIError as error:
            connection.close()
            return connection, error
        except BaseException:
            connection.close()
            raise
        return connection, None

    def size_bytes(self, connection: Connection) -> int:
        """Return what the database takes on the server's disk."""
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

    def home(self, connection: Connection) -> str:
        """Return what tells this database from a dump that was restored, and from an earlier state of its server.

        The timeline of a server rises when it was recovered to a point in time, or a standby took over; a table that
        pg_restore made anew has another number.
        """
        found = connection.execute(
            text(
                "SELECT s.system_identifier, d.oid, to_regclass('installation')::oid, c.timeline_id "
                "FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d "
                "WHERE d.datname = current_database()"
            )
        ).one()
        return f"server {found[0]}, database {found[1]}, table {found[2]}, timeline {found[3]}"

    def before_upgrade(self, revision: str) -> None:
        """Do nothing: a copy is the operator's to make, with pg_dump (docs/operating.md)."""

    def after_upgrade(self, connection: Connection) -> None:
        """Do nothing: nobody can put a server's files beside one another."""

    def ours(self, error: BaseException) -> StorageError:
        """Return the error of our tree for one of the driver's."""
        state = getattr(error, "sqlstate", None) or ""
        told = " ".join(str(error).split())
        if state in _BUSY:
            return DatabaseBusy(f"the database {self.place} is held by another process; try again in a moment")
        for known, sentence in _SAID.items():
            if state.startswith(known):
                return DatabaseUnavailable(f"the database {self.place} cannot be used: {sentence}")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return DatabaseUnavailable(f"the database {self.place} cannot be reached: {told}")
        return DatabaseUnavailable(f"the database {self.place} could not be used: {told}")


def place_of(url: str) -> str:
    """Return the URL without its password; raises SettingsError."""
    # `set` takes None for "as it is".
    told = _target(url)._replace(drivername="postgresql", password=None)
    return told.difference_update_query(["password", "passfile"]).render_as_string()


def _target(url: str) -> URL:
    """Return the URL for SQLAlchemy; raises SettingsError, without the password, where it is none."""
    try:
        target = make_url(url).set(drivername="postgresql+psycopg")
        urlsplit(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            "[database] url is not an address that PostgreSQL can be reached at, such as postgresql://user@host/name"
        ) from error
    if not target.database:
        raise SettingsError("[database] url names no database: postgresql://user@host/name")
    return target
