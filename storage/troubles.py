"""What is broken, since when, and whether the operator knows. Each public method is one transaction."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.issues import Mailing
from domain.troubles import Trouble
from storage.database import Database
from storage.mailings import queue
from storage.tables import TROUBLE


class Troubles:
    """The troubles of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def failed(self, name: str, what: str, now: datetime) -> None:
        """Take note that something failed; how long it has been failing counts from the first time."""
        row = upsert(TROUBLE).values(name=name, since=now, last_at=now, what=what)
        again = row.on_conflict_do_update(index_elements=["name"], set_={"last_at": now, "what": what})
        with self._database.writing() as connection:
            connection.execute(again)

    def works(self, name: str) -> bool:
        """Take note that something works; return whether it had failed before. Nothing is written where it had not."""
        known = select(TROUBLE.c.name).where(TROUBLE.c.name == name)
        with self._database.reading() as connection:
            if connection.execute(known).first() is None:
                return False
        with self._database.writing() as connection:
            return connection.execute(delete(TROUBLE).where(TROUBLE.c.name == name)).rowcount > 0

    def all(self) -> tuple[Trouble, ...]:
        """Return what is broken, the oldest first."""
        query = select(TROUBLE).order_by(TROUBLE.c.since, TROUBLE.c.name)
        with self._database.reading() as connection:
            return tuple(
                Trouble(name=row.name, since=row.since, last_at=row.last_at, what=row.what, told_at=row.told_at)
                for row in connection.execute(query)
            )

    def told(self, names: Collection[str], mailing: Mailing | None, now: datetime) -> bool:
        """Queue the letter that tells of these troubles, if there is one, and remember that they were told.

        Return False, and do nothing, where one of them was told or mended meanwhile.
        """
        untold = TROUBLE.c.name.in_(names), TROUBLE.c.told_at.is_(None)
        with self._database.writing() as connection:
            if len(connection.execute(select(TROUBLE.c.name).where(*untold)).all()) < len(set(names)):
                return False
            if mailing is not None:
                queue(connection, mailing, None, issue_id=None)
            connection.execute(update(TROUBLE).where(*untold).values(told_at=now))
        return True
