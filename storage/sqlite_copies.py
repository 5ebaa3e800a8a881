"""Whole SQLite files, copied and replaced while other processes read and write them.

Both go through SQLite's own backup interface. A copy is read inside one reading transaction, which in WAL mode holds up
no writer and lets none begin it anew. A file is replaced inside one writing transaction of it: other processes see the
old content or the new at their next transaction, and after a kill SQLite rolls the half of it back.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from domain.errors import DatabaseBusy, DatabaseUnavailable
from storage.sqlite_errors import ours

_STEP = 1_000  # pages, 4 MB: how soon an interruption is heard
_PAUSE = 0.25  # seconds between two tries for a lock that another process holds
_TRIES = 120
#: (pages done, pages in all) after each step.
Progress = Callable[[int, int], None]


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """Give an empty file in the folder of `target`, for its owner alone; whatever of it is left goes away at the end.

    Raises DatabaseUnavailable.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise DatabaseUnavailable(f"{target} cannot be written: {error.strerror}") from error
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
    finally:
        for each in draft.parent.iterdir():
            if each.name.startswith(draft.name):
                with suppress(OSError):
                    each.unlink()


def copy_into(
    source: Path, draft: Path, progress: Progress = lambda _done, _total: None, *, in_use: bool = True
) -> None:
    """Copy one state of a database into the empty file `draft`, whether others use it or not.

    A source that is not `in_use` may lie where nothing can be written. Raises DatabaseUnavailable or DatabaseBusy.
    """
    mode = "mode=ro" if in_use or Path(f"{source}-wal").exists() else "mode=ro&immutable=1"
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)) as old,
            closing(sqlite3.connect(draft)) as new,
        ):
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the state is chosen here
            old.backup(new, pages=_STEP, progress=lambda _, left, total: progress(total - left, total))
    except sqlite3.Error as error:
        raise ours(error, str(source)) from error


def faults(draft: Path) -> tuple[str, ...]:
    """Return what SQLite finds wrong with a file that nobody else uses; empty where it is whole."""
    try:
        with closing(sqlite3.connect(draft)) as plain:
            said = [str(row[0]) for row in plain.execute("PRAGMA quick_check(3)")]
            orphans = plain.execute("SELECT count(*) FROM pragma_foreign_key_check").fetchone()[0]
    except sqlite3.Error as error:
        return (str(error),)
    return (*(each for each in said if each != "ok"), *([f"{orphans} rows belong to nothing"] if orphans else []))


def put_in_place(draft: Path, target: Path) -> None:
    """Make a finished draft one file, without a log beside it, and give it its name, durably.

    Raises DatabaseUnavailable.
    """
    try:
        with closing(sqlite3.connect(draft)) as plain:
            plain.execute("PRAGMA journal_mode=DELETE")
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    except sqlite3.Error as error:
        raise ours(error, str(target)) from error
    except OSError as error:
        raise DatabaseUnavailable(f"{target} cannot be written: {error.strerror}") from error


def replace_content(
    live: Path,
    prepared: Path,
    while_locked: Callable[[], None],
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Put the content of `prepared` into `live`, although other processes use it.

    `while_locked` is called when nobody else can write to `live` any more and nothing of it is changed; what it changes
    in `prepared` comes along. Raises DatabaseBusy or DatabaseUnavailable; then, and after a kill, `live` is as it was.
    """
    try:
        with closing(sqlite3.connect(live, timeout=_PAUSE)) as into, closing(sqlite3.connect(prepared)) as source:
            into.execute("PRAGMA journal_mode=WAL")
            into.execute("PRAGMA synchronous=FULL")
            _fit_pages(source, into)
            pages = source.execute("PRAGMA page_count").fetchone()[0]
            steps = _Steps(str(live), while_locked, progress)
            # The first step must not be the last: that commits.
            source.backup(into, pages=max(1, min(_STEP, pages // 4)), progress=steps, sleep=_PAUSE)
            into.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as far as readers let it
    except sqlite3.Error as error:
        raise ours(error, str(live)) from error


class _Steps:
    """What happens after each step of a replacement."""

    def __init__(self, place: str, while_locked: Callable[[], None], progress: Progress) -> None:
        self._place = place
        self._while_locked: Callable[[], None] | None = while_locked
        self._progress = progress
        self._waited = 0

    def __call__(self, status: int, left: int, total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            self._waited += 1
            if self._waited > _TRIES:
                raise DatabaseBusy(f"the database {self._place} is held by another process; try again in a moment")
            return
        if self._while_locked:
            first, self._while_locked = self._while_locked, None
            first()
        self._progress(total - left, total)


def _fit_pages(source: sqlite3.Connection, into: sqlite3.Connection) -> None:
    """Give the source the target's size of pages, which cannot change in WAL mode."""
    sizes = [each.execute("PRAGMA page_size").fetchone()[0] for each in (source, into)]
    if sizes[0] != sizes[1]:
        source.execute("PRAGMA journal_mode=DELETE")
        source.execute(f"PRAGMA page_size={sizes[1]}")
        source.execute("VACUUM")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
