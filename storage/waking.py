"""Readers whose pause has ended: letters come to them again from the day that they named.

    paused until a day → that day has come where they are → confirmed, and what was open before that day is over

The absence itself stays known (away_since) until the letter that tells of it.
"""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, select, update

from domain.subscriptions import Consent, SubscriberState, zone_of
from storage.database import Database
from storage.subscribers import record
from storage.tables import SUBSCRIBER

_AHEAD = timedelta(hours=14)  # the local date is nowhere later than there


class Waking:
    """Wakes the paused readers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wake(self, now: datetime, at: datetime) -> int:
        """Confirm again whoever's day has come at `now` (aware), and record it as of `at`; return how many.

        A slot that opened before that day was part of the absence, and stays without a letter.
        """
        with self._database.reading() as connection:
            # Nearly always nobody: a publish every few minutes does not write for that.
            if not _whose_day_came(connection, now):
                return 0
        with self._database.writing() as connection:
            woken = _whose_day_came(connection, now)
            for reader_id, over in woken.items():
                values = {
                    "state": SubscriberState.CONFIRMED.value,
                    "paused_until": None,
                    "looked_at": over,
                    "revision": SUBSCRIBER.c.revision + 1,
                }
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader_id).values(values))
                # No words were shown: the day was named when the reader paused, which has a record of its own.
                record(connection, reader_id, Consent(action="resumed", wording="", at=at, place="calendar"))
        return len(woken)


def _whose_day_came(connection: Connection, now: datetime) -> dict[int, datetime]:
    """Return the paused readers whose day has come, and up to when their slots are over."""
    paused = (
        select(SUBSCRIBER.c.id, SUBSCRIBER.c.paused_until, SUBSCRIBER.c.zone, SUBSCRIBER.c.looked_at)
        .where(SUBSCRIBER.c.state == SubscriberState.PAUSED.value)
        .where(SUBSCRIBER.c.paused_until <= (now + _AHEAD).date())
        .order_by(SUBSCRIBER.c.id)
    )
    came = {}
    for row in connection.execute(paused):
        began = datetime.combine(row.paused_until, time(), zone_of(row.zone)).astimezone(UTC)
        if began <= now:
            came[row.id] = max(began, row.looked_at or began)
    return came
