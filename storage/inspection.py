"""A copy of the views in a file of its own, for looking into: what the file does not hold nobody can get out of it.

It is written anew from what the views show, in one reading transaction, so it is as the archive was at one moment, and
no page of the archive itself, old or in use, comes near it. It is one file of SQLite whichever database the archive is
in: plain tables named as the views, and a full-text index over the papers' words.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from domain.errors import DatabaseUnavailable, Interrupted, UsageError
from domain.fts5 import TOKENIZE, searchable
from storage.database import Database
from storage.reading import BLOCK
from storage.sqlite_errors import ours
from storage.views.making import views
from storage.views.view import View

_OURS = 0x70615669  # "paVi" in the header of the files that are written here
_ID_AT, _ID_BYTES = 68, 4  # where SQLite keeps it
_WORDS = ("title", "abstract", "authors", "categories")
_NAMES = {"paper_id", "other_id"}  # the columns that name a paper


def write_copy(
    database: Database,
    file: Path,
    *,
    progress: Callable[[int], object] = lambda _: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Write what the views show to a file for its owner alone, and return the number of rows of each.

    All of it or nothing stands at `file` afterwards. An earlier copy there is replaced, anything else left alone:
    UsageError. `progress` is told of rows as they are written; once `is_stopped`, raises Interrupted. Raises
    StorageError.
    """
    if file.exists() and not _is_ours(file):
        raise UsageError(f"{file} is there already, and is no copy for looking into; it was left as it is")
    part = Path(f"{file}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(part, isolation_level=None)) as new:
            counts = _fill(new, database, progress, is_stopped)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(file)
    except sqlite3.Error as error:
        raise ours(error, f"{file}, while the views were copied to it") from error
    except OSError as error:
        raise DatabaseUnavailable(f"the copy {file} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return counts


def _is_ours(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            opened.seek(_ID_AT)
            return opened.read(_ID_BYTES) == _OURS.to_bytes(_ID_BYTES, "big")
    except OSError:
        return False


def _fill(
    new: sqlite3.Connection, database: Database, progress: Callable[[int], object], is_stopped: Callable[[], bool]
) -> dict[str, int]:
    new.execute("PRAGMA journal_mode=OFF")  # a file that is not whole is thrown away
    new.execute("PRAGMA synchronous=OFF")
    new.execute(f"PRAGMA application_id={_OURS}")
    new.execute("BEGIN")
    counts: dict[str, int] = {}
    with database.reading() as connection:
        for view in views(connection.dialect.name):
            _make(new, view)
            counts[view.name] = 0
            for rows in _blocks(connection, view):
                if is_stopped():
                    raise Interrupted("stopped while the views were copied; no copy was written")
                _put(new, view, rows)
                counts[view.name] += len(rows)
                progress(len(rows))
    for view in views("sqlite"):
        for column in _indexed(view):
            new.execute(f"CREATE INDEX {view.name}_by_{column} ON {view.name} ({column})")
    new.execute("INSERT INTO papers_fts (papers_fts) VALUES ('optimize')")
    new.execute("COMMIT")
    new.execute("ANALYZE")
    return counts


def _make(new: sqlite3.Connection, view: View) -> None:
    columns = [
        f"{each.name} {each.kind}{' REFERENCES papers (id)' if each.name in _NAMES else ''}" for each in view.columns
    ]
    new.execute(f"CREATE TABLE {view.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(view.key)}))")
    if view.name == "papers":
        # The inspector finds the index by `content="papers"`, in these quotes.
        options = f'content="papers", content_rowid="id", tokenize="{TOKENIZE}"'
        new.execute(f"CREATE VIRTUAL TABLE papers_fts USING fts5 ({', '.join(_WORDS)}, {options})")


def _put(new: sqlite3.Connection, view: View, rows: Sequence[RowMapping]) -> None:
    given = [{name: _plain(value) for name, value in row.items()} for row in rows]
    names = [each.name for each in view.columns]
    new.executemany(_insert(view.name, names), given)
    if view.name == "papers":
        words = [{"rowid": row["id"], **{name: searchable(row[name]) for name in _WORDS}} for row in given]
        new.executemany(_insert("papers_fts", ["rowid", *_WORDS]), words)


def _insert(table: str, names: Iterable[str]) -> str:
    columns = tuple(names)
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 the names are our own


def _blocks(connection: Connection, view: View) -> Iterable[Sequence[RowMapping]]:
    names = ", ".join(each.name for each in view.columns)
    rows = connection.execute(
        text(f"SELECT {names} FROM {view.name}"),  # noqa: S608 the names are our own
        execution_options={"stream_results": True, "max_row_buffer": BLOCK},
    )
    return rows.mappings().partitions(BLOCK)


def _indexed(view: View) -> list[str]:
    """Return the columns that are counted by, or that name a paper and do not lead the key."""
    named = [each.name for each in view.columns if each.name in _NAMES]
    return [name for name in dict.fromkeys((*view.facets, *named)) if name != view.key[0]]


def _plain(value: Any) -> Any:
    """Return a value as SQLite keeps it: days and UTC instants as texts, sums as whole numbers."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.isoformat()
        case Decimal():
            return int(value)
    return value
