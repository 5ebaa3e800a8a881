"""A backup: one file that holds the archive of one instant, taken while everything runs.

    copy in one reading transaction → mark it held → check it → give it its name

Only a whole one ever has the name that was asked for. Wherever it is put to use, it sends nothing before its operator
says so.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from domain.errors import DatabaseUnavailable, UsageError
from storage.database import Database
from storage.installation import mark_held
from storage.sqlite_copies import Progress, copy_into, draft_beside, faults, put_in_place
from storage.tables import ISSUE, PAPER, SUBSCRIBER


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a copy holds."""

    papers: int
    readers: int
    issues: int
    size_bytes: int


def back_up(database: Database, target: Path, now: datetime, progress: Progress, *, force: bool = False) -> Holdings:
    """Write a backup of an SQLite archive to `target`, for its owner alone, and return what it holds.

    Raises UsageError where `target` is the archive itself, or is there already and `force` is not said, or where the
    archive is no file; StorageError where it cannot be written. Then nothing was.
    """
    if database.file is None:
        raise UsageError(_elsewhere(database.place, target))
    _refuse(database.file, target, force=force)
    with draft_beside(target) as draft:
        copy_into(database.file, draft, progress)
        with Database(f"sqlite:///{draft}") as copied, copied.writing() as connection:
            mark_held(connection, f"this archive was restored from a backup of {now:%Y-%m-%d %H:%M} UTC", now)
            papers, readers, issues = counted(connection)
        if found := faults(draft):
            raise DatabaseUnavailable(f"the copy of {database.place} is damaged, and was not kept: {'; '.join(found)}")
        put_in_place(draft, target)
    return Holdings(papers=papers, readers=readers, issues=issues, size_bytes=target.stat().st_size)


def counted(connection: Connection) -> tuple[int, int, int]:
    """Return how many papers, readers and issues there are."""
    papers, readers, issues = (
        int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in (PAPER, SUBSCRIBER, ISSUE)
    )
    return papers, readers, issues


def _refuse(live: Path, target: Path, *, force: bool) -> None:
    for own in (live, *(Path(f"{live.resolve()}{suffix}") for suffix in ("-wal", "-shm", ".passes"))):
        same = target.resolve() == own.resolve() or (target.exists() and own.exists() and target.samefile(own))
        if same:
            raise UsageError(f"{target} is the archive itself, or a part of it; name another file")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is not a file; name one")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or say --force")


def _elsewhere(place: str, target: Path) -> str:
    if not place.startswith("postgresql"):
        return "an archive in memory cannot be backed up"
    command = shlex.join(["pg_dump", "--format=custom", f"--file={target}", f"--dbname={place}"])
    return f"PostgreSQL makes its own backups: {command}"
