"""The lanes of delivery, shared by all processes: what was decided and the records it was decided from, in one step.

The rules are in digests; here nobody else reads or writes between the look at the lanes and what becomes of them, so
that no strike is lost and nothing is taken twice.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.lanes import RELAY, TO, TRIES, Lane
from storage.database import Database
from storage.tables import DELIVERY, LANE

#: What is known of the lanes by name → what changes; None: forgotten.
Decide = Callable[[Mapping[str, Lane]], Mapping[str, Lane | None]]


class Lanes:
    """The lanes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, Lane]:
        """Return everything that is remembered, by name."""
        with self._database.reading() as connection:
            return _known(connection)

    def taken(self, keepers: Collection[str], now: datetime) -> dict[str, int]:
        """Return how many letters each of these keepers took in the last hour; none of one that took none."""
        query = (
            select(DELIVERY.c.keeper, func.count().label("number"))
            .where(
                DELIVERY.c.state == DeliveryState.ACCEPTED.value,
                DELIVERY.c.last_try > now - timedelta(hours=1),
                DELIVERY.c.keeper.in_(sorted(keepers)),
            )
            .group_by(DELIVERY.c.keeper)
        )
        with self._database.reading() as connection:
            return {row.keeper: int(row.number) for row in connection.execute(query)} if keepers else {}

    def change(self, decide: Decide) -> None:
        """Hand what is known to `decide`, and keep what it returns; nobody else writes in between.

        What `decide` raises is raised, and nothing is changed.
        """
        with self._database.writing() as connection:
            changed = decide(_known(connection))
            gone = [name for name, lane in changed.items() if lane is None]
            if gone:
                connection.execute(delete(LANE).where(LANE.c.name.in_(gone)))
            for lane in changed.values():
                if lane is not None:
                    values = asdict(lane)
                    connection.execute(
                        upsert(LANE).values(values).on_conflict_do_update(index_elements=["name"], set_=values)
                    )


def open_lanes(connection: Connection) -> None:
    """Forget why lanes are slow or shut, and the refusals; what counts against the limits of the settings stays."""
    connection.execute(delete(LANE).where(or_(LANE.c.name.startswith(TO, autoescape=True), LANE.c.name == TRIES)))
    opened: dict[str, Any] = {"per_hour": None, "strikes": 0, "shut_until": None, "shut_since": None, "reason": ""}
    connection.execute(update(LANE).where(LANE.c.name == RELAY).values(opened))


def _known(connection: Connection) -> dict[str, Lane]:
    return {row.name: Lane(**row._asdict()) for row in connection.execute(select(LANE))}
