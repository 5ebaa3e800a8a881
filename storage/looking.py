"""When planning looks at readers again, so that a publish asks for those alone for whom something may be due.

    a look → before when nothing is due → noted with what the look brought, in one transaction
    a reader changes anything → looked at again at once (subscriptions.py)
    the clock was set back, or the rules of time zones are others than at the last look → all are looked at again

A look too many costs a look; one too few would cost a letter.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
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
            _mark(connection, _RULES, rules)
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


def note_looks(connection: Connection, looks: Mapping[int, datetime], now: datetime) -> None:
    """Note before when nothing is due for these readers, and what the clock showed."""
    if looks:
        noted = update(SUBSCRIBER).where(SUBSCRIBER.c.id == bindparam("reader")).values(next_look=bindparam("look"))
        connection.execute(noted, [{"reader": reader, "look": look} for reader, look in looks.items()])
        _mark(connection, _CLOCK, _minutes(now))


def _holds(connection: Connection, now: datetime, rules: int) -> bool:
    known = dict(
        connection.execute(select(MARKER.c.name, MARKER.c.value).where(MARKER.c.name.in_((_CLOCK, _RULES)))).all()
    )
    return known.get(_CLOCK, 0) <= _minutes(now) + _SLACK and known.get(_RULES) == rules


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _mark(connection: Connection, name: str, value: int) -> None:
    marked = upsert(MARKER).values(name=name, value=value)
    connection.execute(marked.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
