"""import: a file → papers; the same reading and the same archive as collect, without the socket."""

from datetime import date
from pathlib import Path

from domain.clock import Clock
from domain.errors import CollectError, StorageError
from domain.papers import FetchStatus
from scrapers.importing import read_file
from storage.archive import Archive
from worker.reports import SourceReport, joined


def import_file(
    file: Path, archive: Archive, clock: Clock, *, day: date, kind: str | None, backlog: bool | None, largest: int
) -> SourceReport:
    """Read one file into the archive and report it under its own name.

    A file that cannot be read, or cannot be stored, is reported as failed; raises UsageError for a kind there is not.
    """
    parts: list[SourceReport] = []
    name = file.name
    before = archive.newest_id()
    try:
        for listing in read_file(name, _bytes(file, largest), day=day, kind=kind, backlog=backlog):
            added = archive.add(listing, clock.now(), apart_from=before)
            parts.append(
                SourceReport(
                    source=name,
                    status=listing.status,
                    day=listing.day,
                    listed=added.listed,
                    new=len(added.new),
                    updated=added.updated,
                    pages=0 if parts else 1,
                    error=listing.note,
                )
            )
    except CollectError as error:
        parts.append(SourceReport(source=name, status=error.status, day=None, error=str(error)))
    except StorageError as error:
        parts.append(SourceReport(source=name, status=FetchStatus.FAILED, day=None, error=str(error)))
    return joined(name, parts or [SourceReport(source=name, status=FetchStatus.OK_EMPTY, day=day)])


def _bytes(file: Path, largest: int) -> bytes:
    try:
        if file.stat().st_size > largest:
            raise CollectError(f"it is larger than {largest // 2**20} MiB")
        return file.read_bytes()
    except OSError as error:
        raise CollectError(f"it cannot be read: {error.strerror}") from error
