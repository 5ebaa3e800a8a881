"""The database: whether it opens, is sound and has room.

Nothing is made and nothing migrated: the database was opened as it is.
"""

from collections.abc import Iterator
from pathlib import Path

from domain.errors import DatabaseBusy, DatabaseMissing, DatabaseTooOld, StorageError
from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.visit import Visit
from storage.database import Database
from storage.integrity import faults

_QUICK = 256 * 2**20  # bytes that are looked through in a few seconds
_LEAST = 500 * 2**20  # bytes that should be free
_MEGA = 2**20


def check(visit: Visit) -> Iterator[Finding]:
    """Look at the whole archive, and at the room on its disk."""
    if isinstance(visit.database, StorageError):
        yield _unopened(visit.database, migrates_itself=visit.settings.database.url.startswith("sqlite:"))
        return
    database = visit.database
    size = database.size_bytes
    if size > _QUICK:
        yield ok(
            f"the archive {database.place} opens ({size // _MEGA:,} MB)",
            "it is large: `paperround archive check` looks through all of it",
        )
    else:
        yield from _sound(database)
    if database.file is not None:
        yield from _room(database.file, visit.free_bytes(database.file.absolute().parent), size)


def _unopened(error: StorageError, *, migrates_itself: bool) -> Finding:
    match error:
        case DatabaseMissing():
            return unknown(shown(str(error)), "the first command that needs it makes it, such as `paperround collect`")
        case DatabaseBusy():
            return unknown(shown(str(error)))
        case DatabaseTooOld() if migrates_itself:
            return unknown(
                "the archive is of an earlier version of Paperround, and was left so",
                "the next command that uses it keeps a copy and migrates it; then look again",
            )
        case DatabaseTooOld():
            return wrong(shown(str(error)))
        case _:
            return wrong(shown(str(error)), "docs/operating.md says how to restore a backup")


def _sound(database: Database) -> Iterator[Finding]:
    try:
        found = faults(database)
    except DatabaseBusy as error:
        yield unknown(shown(str(error)))
        return
    for each in found:
        yield wrong(shown(each.sentence))
    if not found:
        yield ok(f"the archive {database.place} opens and is sound")


def _room(file: Path, free: int, size: int) -> Iterator[Finding]:
    if free < max(_LEAST, size // 4):
        yield wrong(
            f"{free // _MEGA:,} MB are free where {file} lies, which is little for an archive of {size // _MEGA:,} MB",
            "make room before the disk is full; `paperround archive sweep` gives back what the archive can spare",
        )
    else:
        yield ok(f"there is room: {free // _MEGA:,} MB are free")
