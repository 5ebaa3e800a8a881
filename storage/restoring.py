"""An older state of an SQLite archive, put back although a worker and a site may be running.

    prepare: copy the file beside the archive → is it a whole Paperround archive? → migrate the copy → mark it held
    put: lock the archive → keep a copy of it → say its erasures and unsubscribes to the prepared one → replace, commit

Until the commit the archive is what it was; after it, it is the restored one, which sends nothing by itself. Nobody can
write between what was read of the archive and its end, so nobody is told "you are unsubscribed" in vain.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import DatabaseTooNew, DatabaseUnavailable, UsageError
from storage import migrate
from storage.backup import Holdings, counted
from storage.beside import is_cut_short
from storage.database import Database
from storage.installation import mark_held
from storage.protections import NOTHING, Protections, Reapplied, protections_of, reapply
from storage.sqlite import SqliteStore
from storage.sqlite_copies import Progress, copy_into, draft_beside, faults, put_in_place, replace_content

_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    holdings: Holdings
    kept: Path | None  #: the archive as it was before; None where there was none
    reapplied: Reapplied
    was_readable: bool  #: whether the archive before could be asked for erasures and unsubscribes


class Prepared:
    """A checked, migrated, held copy of a file, ready to become the archive `live`."""

    def __init__(self, live: Path, draft: Path, holdings: Holdings) -> None:
        self._live = live
        self._draft = draft
        self.holdings = holdings

    def put(self, now: datetime, progress: Progress) -> Restored:
        """Make it the archive; raises StorageError, and then the archive is as it was."""
        kept: Path | None = None
        reapplied = Reapplied(erased=0, stopped=0)
        readable = True
        known = NOTHING
        there = self._live.exists() and self._live.stat().st_size > 0
        target = self._free_name(now)
        if there and not _is_database(self._live):
            kept, there, readable = self._move_aside(target), False, False
        if not self._live.exists():
            self._live.touch(mode=0o600)

        def while_locked() -> None:
            nonlocal kept, known, readable, reapplied
            if not there:
                return
            with draft_beside(target) as copied:
                copy_into(self._live, copied)
                put_in_place(copied, target)
            kept = target
            known, readable = _known(self._live)
            with Database(f"sqlite:///{self._draft}") as prepared, prepared.writing() as connection:
                reapplied = reapply(connection, known)

        replace_content(self._live, self._draft, while_locked, progress)
        return Restored(holdings=self.holdings, kept=kept, reapplied=reapplied, was_readable=readable)

    def _free_name(self, now: datetime) -> Path:
        name = f"{self._live}.before-restore-{now:%Y%m%dT%H%M%SZ}"
        return next(each for each in (Path(f"{name}{more}") for more in _endings()) if not each.exists())

    def _move_aside(self, target: Path) -> Path:
        """Keep a file that SQLite cannot read, with what lies beside it: nobody can be using it."""
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                Path(f"{self._live}{suffix}").replace(f"{target}{suffix}")
        return target


@contextmanager
def prepared(file: Path, live: Path, now: datetime) -> Iterator[Prepared]:
    """Give a checked copy of `file`; nothing of it is left at the end.

    Raises UsageError where `file` is not there, is `live` itself, or is no archive, and where `live` is another
    program's; DatabaseTooNew; DatabaseUnavailable for a damaged one.
    """
    live = live.resolve()
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a backup in it")
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    if live.exists() and file.samefile(live):
        raise UsageError(f"{file} is the archive itself; name a backup")
    if live.exists() and _is_database(live) and not _is_ours(live):
        raise UsageError(f"{live} is another program's database; it is left as it is")
    with draft_beside(live) as draft:
        copy_into(file, draft, in_use=False)
        _check(draft, file)
        with Database(f"sqlite:///{draft}") as archive, archive.writing() as connection:
            mark_held(connection, f"this archive was restored from {file.name} on {now:%Y-%m-%d %H:%M} UTC", now)
            papers, readers, issues = counted(connection)
        if found := faults(draft):
            raise DatabaseUnavailable(f"{file} could not be brought to today's schema: {'; '.join(found)}")
        size = file.stat().st_size
        yield Prepared(live, draft, Holdings(papers=papers, readers=readers, issues=issues, size_bytes=size))


def _check(draft: Path, file: Path) -> None:
    """Raise what is wrong with a copy of `file`."""
    if is_cut_short(file):
        raise DatabaseUnavailable(f"{file} is shorter than it says itself; nothing was changed")
    if found := faults(draft):
        raise DatabaseUnavailable(f"{file} is damaged, or no database; nothing was changed: {'; '.join(found)}")
    revision = _revision(draft)
    if revision is None:
        raise UsageError(f"{file} is not a Paperround archive; nothing was changed")
    if not migrate.is_known(revision):
        raise DatabaseTooNew(
            f"{file} was written by a later version of Paperround (schema {revision}); nothing was changed"
        )


def _revision(file: Path) -> str | None:
    """Return the revision of an archive's schema; None for what is none."""
    with closing(sqlite3.connect(file)) as plain:
        names = {row[0] for row in plain.execute("SELECT name FROM sqlite_master")}
        if not names.issuperset({"alembic_version", "paper", "subscriber", "delivery"}):
            return None
        row = plain.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _is_database(file: Path) -> bool:
    """Whether SQLite can read it at all."""
    try:
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as plain:
            plain.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return True  # busy, or unreadable for us: what comes next says so
    except sqlite3.DatabaseError:
        return False
    return True


def _is_ours(file: Path) -> bool:
    with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as plain:
        names = {row[0] for row in plain.execute("SELECT name FROM sqlite_master")}
    return not names or "alembic_version" in names


def _known(live: Path) -> tuple[Protections, bool]:
    """Return what the archive knows of its readers, and whether it could be asked."""
    store = SqliteStore(f"sqlite:///{live}", _BUSY_SECONDS)
    try:
        with store.reading() as connection:
            return protections_of(connection), True
    except (SQLAlchemyError, ValueError):
        # A damaged archive, or one of a later version, must not keep its backup out.
        return NOTHING, False
    finally:
        store.engine.dispose()


def _endings() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f"-{number}"
        number += 1
