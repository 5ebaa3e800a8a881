"""How each site wants to be asked, shared by all processes of the installation: the ledger behind the fetcher's pace.

The rules are the fetcher's; here its decision and the record that it was made from are one transaction, so that no two
processes begin to ask a site at once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.database import Database
from storage.tables import SITE

_FIELDS = [column for column in SITE.columns if column is not SITE.c.name]


class Sites:
    """The sites of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, site: str) -> Mapping[str, Any] | None:
        """Return the columns of a site by name, without its own; None for a site never written down."""
        with self._database.reading() as connection:
            return _known(connection, site)

    def change(self, site: str, decide: Callable[[Mapping[str, Any] | None], Mapping[str, Any]]) -> None:
        """Hand what is known of a site to `decide`, and keep what it returns; nobody else writes in between.

        What `decide` raises is raised, and nothing is changed.
        """
        with self._database.writing() as connection:
            values = dict(decide(_known(connection, site)))
            row = upsert(SITE).values(name=site, **values)
            connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))


def _known(connection: Connection, site: str) -> Mapping[str, Any] | None:
    row = connection.execute(select(*_FIELDS).where(SITE.c.name == site)).mappings().first()
    return dict(row) if row else None
