"""What SQLite says when it cannot, as errors of our tree."""

from domain.errors import DatabaseBusy, DatabaseUnavailable, StorageError


def ours(error: BaseException, place: str) -> StorageError:
    """Return the error of our tree for one of sqlite3's."""
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
