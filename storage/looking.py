"""When planning looks at readers again, so that a publish asks for those alone for whom something may be due.

    a look → before when nothing is due → noted with what the look brought, in one transaction
    a reader changes anything → looked at again at once (subscriptions.py)
    the clock was set back, or the rules of time zones are others than at the last look → all are looked at again

A look too many costs a look; one too few would cost a letter.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.subscriptions import SubscriberState
from storage.database import Database
from storage.subscriptions import AT_ONCE
from storage.tables import MARKER, SUBSCRIBER

_CLOCK = "looked at"  # minutes since 1970: what the clock showed at the newest look
_RULES = "zone rules"  # which rules of time zones the looks were made by
_SLACK = 2  # minutes that the clocks of machines which share an archive may differ by

_NOT_SEEN: Mapping[int, int] = MappingProxyType({})

_CONFIRMED = SUBSCRIBER.c.state == SubscriberState.CONFIRMED.value


class Looking:
    """When the readers of one database are looked at again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_due(self, now: datetime) -> bool:
        """Whether there is a confirmed reader to look at by `now`."""
        query = select(SUBSCRIBER.c.id).where(_CONFIRMED, SUBSCRIBER.c.next_look <= now).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def next(self) -> datetime | None:
        """Return before when no reader is to be looked at (aware UTC); None where there is no confirmed reader."""
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(
                select(func.min(SUBSCRIBER.c.next_look)).where(_CONFIRMED)
            ).scalar()
        return found

    def mend(self, now: datetime, rules: int) -> bool:
        """Look at everyone again if the clock was set back, or `rules` of time zones are new; return whether so."""
        with self._database.reading() as connection:
            if _holds(connection, now, rules):
                return False
        with self._database.writing() as connection:
            if _holds(connection, now, rules):
                return False
            connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.next_look > AT_ONCE).values(next_look=AT_ONCE))
            _mark(connection, f"{_RULES} {rules}", 1)
            _mark(connection, _CLOCK, _minutes(now))
        return True

    def hand_out(
        self, now: datetime, until: datetime, limit: int, enqueue: Callable[[Any, Sequence[int]], None]
    ) -> int:
        """Hand up to `limit` readers who are to be looked at to whoever works, in one transaction; return how many.

        They are looked at again after `until`, should what was begun for them come to nothing. `enqueue` is called in
        that transaction with the driver's own connection and their numbers: killed anywhere, both are done or neither.
        """
        with self._database.writing() as connection:
            ids = [row.id for row in rows_due(connection, now, None, limit)]
            if ids:
                note_looks(connection, dict.fromkeys(ids, until), now)
                enqueue(connection.connection.driver_connection, ids)
        return len(ids)


def rows_due(connection: Connection, now: datetime, after: tuple[datetime, int] | None, limit: int) -> Sequence[Any]:
    """Return the rows of confirmed readers to look at by `now`, after that look and number, in this order."""
    query = select(SUBSCRIBER).where(_CONFIRMED, SUBSCRIBER.c.next_look <= now)
    if after is not None:
        query = query.where(tuple_(SUBSCRIBER.c.next_look, SUBSCRIBER.c.id) > after)
    return connection.execute(query.order_by(SUBSCRIBER.c.next_look, SUBSCRIBER.c.id).limit(limit)).all()


def note_looks(
    connection: Connection, looks: Mapping[int, datetime], now: datetime, seen: Mapping[int, int] = _NOT_SEEN
) -> None:
    """Note before when nothing is due for these readers, and what the clock showed.

    `seen` is reader → their revision when they were looked at: who changed something since is looked at again at once.
    """
    noted = update(SUBSCRIBER).where(SUBSCRIBER.c.id == bindparam("reader")).values(next_look=bindparam("look"))
    as_seen = noted.where(SUBSCRIBER.c.revision == bindparam("seen"))
    known = [{"reader": reader, "look": look, "seen": seen[reader]} for reader, look in looks.items() if reader in seen]
    others = [{"reader": reader, "look": look} for reader, look in looks.items() if reader not in seen]
    for statement, values in ((as_seen, known), (noted, others)):
        if values:
            connection.execute(statement, values)
    if looks:
        # The latest that any machine's clock showed; mend alone sets it back, and looks at everyone again.
        _mark(connection, _CLOCK, _minutes(now), only_up=True)


def _holds(connection: Connection, now: datetime, rules: int) -> bool:
    """Whether no look was made by a clock that was ahead, and these rules have been looked by before.

    Machines whose rules differ, as while they are upgraded in turn, do not undo one another's looks for ever.
    """
    seen = f"{_RULES} {rules}"
    query = select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_((_CLOCK, seen)))
    known: dict[str, int] = {row.name: row.value for row in connection.execute(query)}
    return known.get(_CLOCK, 0) <= _minutes(now) + _SLACK and seen in known


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _mark(connection: Connection, name: str, value: int, *, only_up: bool = False) -> None:
    marked = upsert(MARKER).values(name=name, value=value)
    higher = MARKER.c.value < value if only_up else None
    connection.execute(marked.on_conflict_do_update(index_elements=["name"], set_={"value": value}, where=higher))
