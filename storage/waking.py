"""Readers whose pause has ended: letters come to them again from the day that they named.

    paused until a day → that day has come where they are → confirmed, and what was open before that day is over

The absence itself stays known (away_since) until the letter that tells of it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, select

from domain.subscriptions import Act, Consent, SubscriberState, zone_of
from storage.database import Database
from storage.reading import BLOCK
from storage.subscribers import record
from storage.subscriptions import alter, known_zone
from storage.tables import SUBSCRIBER

_JUST = timedelta(microseconds=1)
_AHEAD = timedelta(hours=14)  # the local date is nowhere later than there


class Waking:
    """Wakes the paused readers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wake(self, now: datetime, at: datetime) -> int:
        """Confirm again whoever's day has come at `now` (aware), and record it as of `at`; return how many.

        A slot that opened before that day was part of the absence, and stays without a letter. Readers wake a block at
        a time, so that nobody is held up for all of them; killed between two, the next call goes on.
        """
        with self._database.reading() as connection:
            # Nearly always nobody: a publish every few minutes does not write for that.
            last = _last_whose_day_came(connection, now)
        woken = after = 0
        while after < last:
            with self._database.writing() as connection:
                block = _sleepers(connection, now, after)
                came = _whose_day_came(block, now)
                for reader_id, over in came.items():
                    alter(
                        connection,
                        reader_id,
                        {"state": SubscriberState.CONFIRMED.value, "paused_until": None, "looked_at": over},
                    )
                    # No words were shown: the day was named when the reader paused, which has a record of its own.
                    record(connection, reader_id, Consent(action=Act.RESUMED, wording="", at=at, place="calendar"))
            woken += len(came)
            after = block[-1].id if block else last
        return woken


def _last_whose_day_came(connection: Connection, now: datetime) -> int:
    """Return the highest number of a paused reader whose day has come; 0 where there is none."""
    last = after = 0
    while block := _sleepers(connection, now, after):
        last = max([last, *_whose_day_came(block, now)])
        after = block[-1].id
    return last


def _sleepers(connection: Connection, now: datetime, after: int) -> Sequence[Any]:
    """Return the next paused readers, by number, whose day has come somewhere in the world."""
    paused = (
        select(SUBSCRIBER.c.id, SUBSCRIBER.c.paused_until, SUBSCRIBER.c.zone, SUBSCRIBER.c.looked_at)
        .where(SUBSCRIBER.c.state == SubscriberState.PAUSED.value, SUBSCRIBER.c.id > after)
        .where(SUBSCRIBER.c.paused_until <= (now + _AHEAD).date())
        .order_by(SUBSCRIBER.c.id)
        .limit(BLOCK)
    )
    return connection.execute(paused).all()


def _whose_day_came(sleepers: Sequence[Any], now: datetime) -> dict[int, datetime]:
    """Return those of these readers whose day has come where they are, and up to when their slots are over."""
    came = {}
    for row in sleepers:
        began = datetime.combine(row.paused_until, time(), zone_of(known_zone(row.zone))).astimezone(UTC)
        if began <= now:
            before = began - _JUST  # a slot that opens with the day is none of the absence
            looked = row.looked_at if row.looked_at is not None and row.looked_at <= now else before
            came[row.id] = max(before, looked)
    return came
