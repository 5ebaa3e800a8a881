"""A file of SQLite before SQLite opens it: made whole where it is missing, looked at where it is there.

SQLite takes an empty file for a new database, and the pages of whatever log lies beside a file for the file's own: both
lose an archive in silence. So a new file appears with its first page, an empty one is refused, and each archive has a
random mark in its header, by which a log of another one is told. A log that does not hold that page says nothing.

What stands where is in https://www.sqlite.org/fileformat.html, sections 1.3 and 4.
"""

import os
import secrets
import sqlite3
import struct
from array import array
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from sys import byteorder

from sqlalchemy import Connection

from domain.errors import DatabaseUnavailable

_MARK_AT = 60  # of the header: the "user version", which SQLite leaves to its users
_SHORTEST = 100  # bytes: the header
_LOG_HEADER, _FRAME_HEADER = 32, 24
_MAGIC = 0x377F0682  # of a log; plus one where its checksums are of big-endian words


def ready(file: Path) -> None:
    """Make a missing file, for its owner alone; raises DatabaseUnavailable for one that must not be opened."""
    log = Path(f"{file}-wal")
    try:
        if not file.parent.is_dir():
            raise DatabaseUnavailable(
                f"the folder of the database {file} is not there; make it, or mend [database] url"
            )
        if not file.exists():
            if log.is_file() and log.stat().st_size:
                raise DatabaseUnavailable(
                    f"the log {log} is there, but not the database {file} that it belongs to; nothing was changed: "
                    "put the database back, or move the log away to begin a new archive"
                )
            _make(file)
        else:
            _look_at(file, log)
    except PermissionError as error:
        raise DatabaseUnavailable(f"the database {file} cannot be opened: {error.strerror}") from error
    except OSError as error:
        raise DatabaseUnavailable(f"the database {file} cannot be made: {error.strerror}") from error


def _look_at(file: Path, log: Path) -> None:
    if file.is_dir():
        raise DatabaseUnavailable(f"the database {file} cannot be opened: it is a folder")
    if file.stat().st_size == 0:
        raise DatabaseUnavailable(
            f"the database {file} is an empty file: restore a backup, or remove it to begin a new archive"
        )
    if file.stat().st_size < _SHORTEST:  # SQLite takes a byte for nothing, and begins anew
        raise DatabaseUnavailable(f"{file} is not a Paperround database, or it is damaged (it was cut short)")
    if _is_strange(file, log):
        raise DatabaseUnavailable(
            f"the log {log} is of another archive than the database beside it; nothing was changed: "
            "move the log away, then run: paperround archive check"
        )
    # Only now, for SQLite reads the log too.
    if is_another_programs(file):
        raise DatabaseUnavailable(f"{file} is another program's database, not a Paperround archive")


def is_another_programs(file: Path) -> bool:
    """Whether a file of SQLite holds tables and none of ours; looked at without changing how it is kept."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as plain:
            names = {str(name) for (name,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return False  # damaged, or no database: whoever opens it is told
    return bool(names) and "alembic_version" not in names


def is_cut_short(file: Path) -> bool:
    """Whether something is missing at the end, which SQLite would read as zeros (its file format, section 1.3)."""
    with file.open("rb") as opened:
        head = opened.read(100)
    size = int.from_bytes(head[16:18])
    size = 65_536 if size == 1 else size
    is_valid = head[24:28] == head[92:96]
    return is_valid and file.stat().st_size < size * int.from_bytes(head[28:32])


def mark(connection: Connection) -> None:
    """Give an archive its mark, within the caller's transaction, if it has none."""
    if connection.exec_driver_sql("PRAGMA user_version").scalar_one() == 0:
        connection.exec_driver_sql(f"PRAGMA user_version={_random()}")


def _random() -> int:
    return secrets.randbelow(2**31 - 1) + 1


def _make(file: Path) -> None:
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        part.touch(mode=0o600, exist_ok=False)
        with closing(sqlite3.connect(part)) as new:
            new.execute(f"PRAGMA user_version={_random()}")
            new.execute("PRAGMA journal_mode=WAL")
        # Unlike a rename, a link leaves alone what another process made meanwhile.
        with suppress(FileExistsError):
            os.link(part, file)
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"the database {file} cannot be made: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _is_strange(file: Path, log: Path) -> bool:
    """Whether a log holds a first page that has another mark than the file's."""
    with file.open("rb") as opened:
        ours = _mark_in(opened.read(_MARK_AT + 4))
    if not ours or not log.is_file():
        return False
    for number, page in _first_pages(log):
        theirs = _mark_in(page)
        if theirs and theirs != ours:
            return _is_valid_up_to(log, number)
    return False


def _mark_in(page: bytes) -> int:
    return int.from_bytes(page[_MARK_AT : _MARK_AT + 4], "big")


def _first_pages(log: Path) -> Iterator[tuple[int, bytes]]:
    """Give the frames of a log that hold a first page: their number, from 0, and how the page begins."""
    with log.open("rb") as opened:
        header = opened.read(_LOG_HEADER)
        if len(header) < _LOG_HEADER or _word(header, 0) & ~1 != _MAGIC:
            return
        size, salts = _word(header, 2), header[16:24]
        number = 0
        while len(frame := opened.read(_FRAME_HEADER)) == _FRAME_HEADER and frame[8:16] == salts:
            if _word(frame, 0) == 1:
                yield number, opened.read(_MARK_AT + 4)
            number += 1
            opened.seek(_LOG_HEADER + number * (_FRAME_HEADER + size))


def _is_valid_up_to(log: Path, number: int) -> bool:
    """Whether SQLite would take that frame of a log for written: what a crash left half done has a wrong checksum."""
    with log.open("rb") as opened:
        header = opened.read(_LOG_HEADER)
        order = "big" if _word(header, 0) & 1 else "little"
        size, sums = _word(header, 2), struct.unpack(">II", header[24:32])
        for _ in range(number + 1):
            frame = opened.read(_FRAME_HEADER + size)
            if len(frame) < _FRAME_HEADER + size:
                return False
            sums = _checksum(frame[:8] + frame[_FRAME_HEADER:], order, *sums)
            if sums != struct.unpack(">II", frame[16:24]):
                return False
    return True


def _checksum(data: bytes, order: str, first: int, second: int) -> tuple[int, int]:
    words = array("I", data)
    if order != byteorder:
        words.byteswap()
    for at in range(0, len(words), 2):
        first = (first + words[at] + second) & 0xFFFFFFFF
        second = (second + words[at + 1] + first) & 0xFFFFFFFF
    return first, second


def _word(data: bytes, number: int) -> int:
    """Return one of the 32-bit numbers that a header consists of."""
    return int.from_bytes(data[number * 4 : number * 4 + 4], "big")
