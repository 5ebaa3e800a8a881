"""Every answer on record, and the last raw pages of each source, so that a page that could not be read is read again.

`record` is one transaction: the row, the packed page, and the pages that are too many now. The pages of good answers
and of the others are counted apart: a site that fails every hour does not push out the page that was last understood.
"""

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select

from domain.errors import StorageError
from domain.papers import Fetched, FetchStatus
from storage.database import Database
from storage.tables import FETCH, KEPT_PAGE

_GOOD = tuple(each.value for each in FetchStatus if each.is_good)
_READ = (*_GOOD, FetchStatus.PARTIAL.value)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A raw page and the record of the fetch that brought it."""

    id: int  #: the number of the fetch
    fetched: Fetched
    content_type: str  #: as the header said it; "" where it said nothing
    body: bytes  #: unpacked


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a source's good or partial answers said of one listing day."""

    day: date
    listed: int  #: the most papers that any one answer held
    new: int  #: the papers never seen before, of all answers
    at: datetime  #: aware UTC; when the last of these answers came


class Fetches:
    """The answers of one database's sources, by their configured names."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, fetched: Fetched, *, body: bytes = b"", content_type: str = "", keep: int = 10) -> int:
        """Store an answer and its page; return its number.

        Of each source the last `keep` pages of good answers stay and the last `keep` of the others; 0 keeps none. A
        page that is the same as the newest kept one of its address and status is not kept twice. Raises StorageError.
        """
        packed = zlib.compress(body) if body and keep else b""  # before the database is held
        values = {**asdict(fetched), "status": fetched.status.value}
        with self._database.writing() as connection:
            number = int(connection.execute(insert(FETCH).values(values).returning(FETCH.c.id)).scalar_one())
            held = _held(connection, fetched.source)
            if packed and not _is_held(connection, held, fetched, packed):
                page = {"fetch_id": number, "content_type": content_type, "body": packed}
                connection.execute(insert(KEPT_PAGE).values(page))
                held = [_Held(number, fetched.url, fetched.status.value), *held]
            _drop(connection, held, keep)
        return number

    def kept(self, source: str) -> Iterator[KeptPage]:
        """Give a source's kept pages, oldest first, each in a transaction of its own: memory holds one at a time.

        Raises StorageError for a page that is damaged.
        """
        with self._database.reading() as connection:
            numbers = [each.id for each in reversed(_held(connection, source))]
        for number in numbers:
            with self._database.reading() as connection:
                row = connection.execute(
                    select(FETCH, KEPT_PAGE.c.content_type, KEPT_PAGE.c.body)
                    .join(KEPT_PAGE, KEPT_PAGE.c.fetch_id == FETCH.c.id)
                    .where(FETCH.c.id == number)
                ).first()
            if row is not None:  # else it has been dropped since
                yield KeptPage(number, _fetched(row), row.content_type, _unpacked(row))

    def asked_since(self, source: str, url: str, moment: datetime) -> bool:
        """Whether a source asked for an address at or after an instant, whatever came of it."""
        asked = exists().where(FETCH.c.source == source, FETCH.c.at >= moment, FETCH.c.url == url)
        with self._database.reading() as connection:
            return bool(connection.execute(select(asked)).scalar())

    def days(self, source: str, since: date) -> tuple[DayCount, ...]:
        """Return what a source's listing days from `since` on brought, oldest first; days never read are missing."""
        counts = (
            select(FETCH.c.day, func.max(FETCH.c.read), func.sum(FETCH.c.new), func.max(FETCH.c.at))
            .where(FETCH.c.source == source, FETCH.c.day >= since, FETCH.c.status.in_(_READ))
            .group_by(FETCH.c.day)
            .order_by(FETCH.c.day)
        )
        with self._database.reading() as connection:
            return tuple(DayCount(*row) for row in connection.execute(counts))

    def last_new(self, source: str) -> tuple[datetime, date] | None:
        """Return when an answer last brought a new paper, and of which listing day; None if none on record did."""
        with self._database.reading() as connection:
            row = _newest(connection, source, FETCH.c.new > 0)
        return (row.at, row.day) if row else None

    def last_good(self, source: str) -> datetime | None:
        """Return when a source was last read in full, or had nothing to add; None if never on record."""
        with self._database.reading() as connection:
            row = _newest(connection, source, FETCH.c.status.in_(_GOOD))
        return row.at if row else None

    def latest(self, source: str) -> Fetched | None:
        """Return a source's newest answer; None if none is on record."""
        with self._database.reading() as connection:
            row = _newest(connection, source)
        return _fetched(row) if row else None


@dataclass(frozen=True, slots=True)
class _Held:
    """A kept page without its body."""

    id: int
    url: str
    status: str


def _held(connection: Connection, source: str) -> list[_Held]:
    """Return a source's kept pages, newest first."""
    query = (
        select(FETCH.c.id, FETCH.c.url, FETCH.c.status)
        .join(KEPT_PAGE, KEPT_PAGE.c.fetch_id == FETCH.c.id)
        .where(FETCH.c.source == source)
        .order_by(FETCH.c.id.desc())
    )
    return [_Held(*row) for row in connection.execute(query)]


def _is_held(connection: Connection, held: list[_Held], fetched: Fetched, packed: bytes) -> bool:
    """Whether the newest kept page of that address and status is this one, byte for byte."""
    for each in held:
        if each.url == fetched.url and each.status == fetched.status:
            body = connection.execute(select(KEPT_PAGE.c.body).where(KEPT_PAGE.c.fetch_id == each.id)).scalar_one()
            return bool(body == packed)
    return False


def _drop(connection: Connection, held: list[_Held], keep: int) -> None:
    good = [each.id for each in held if each.status in _GOOD]
    others = [each.id for each in held if each.status not in _GOOD]
    surplus = [*good[keep:], *others[keep:]]
    if surplus:
        connection.execute(delete(KEPT_PAGE).where(KEPT_PAGE.c.fetch_id.in_(surplus)))


def _newest(connection: Connection, source: str, *conditions: Any) -> Row[Any] | None:
    query = select(FETCH).where(FETCH.c.source == source, *conditions).order_by(FETCH.c.at.desc(), FETCH.c.id.desc())
    return connection.execute(query.limit(1)).first()


def _fetched(row: Row[Any]) -> Fetched:
    return Fetched(
        source=row.source,
        url=row.url,
        day=row.day,
        at=row.at,
        seconds=row.seconds,
        bytes=row.bytes,
        http=row.http,
        status=FetchStatus(row.status),
        declared=row.declared,
        read=row.read,
        rejected=row.rejected,
        new=row.new,
        etag=row.etag,
        last_modified=row.last_modified,
        error=row.error,
    )


def _unpacked(row: Row[Any]) -> bytes:
    try:
        return zlib.decompress(row.body)
    except zlib.error as error:
        raise StorageError(f"the kept page of fetch {row.id} ({row.source}, {row.url}) is damaged: {error}") from error
