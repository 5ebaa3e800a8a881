"""What happens to papers: events, numbered so that a number is never given twice, for letters tell them by number."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.rising import EVENTS
from storage.tables import EVENT

#: What happens to a paper once, in whatever words it is told.
_ONCE = ("journal", "code")


def happened(connection: Connection, event: Mapping[str, Any]) -> None:
    """Write an event; one that is there in the same words stays as it is."""
    row = {**event, "id": EVENTS.following(connection)}
    connection.execute(upsert(EVENT).values(row).on_conflict_do_nothing())


def told_once(connection: Connection, paper_id: int) -> None:
    """Let go of what two records that are one paper both had happen to them: the older event stays."""
    for kind in _ONCE:
        mine = (EVENT.c.paper_id == paper_id, EVENT.c.kind == kind)
        first = connection.execute(select(func.min(EVENT.c.id)).where(*mine)).scalar()
        if first is not None:
            connection.execute(delete(EVENT).where(*mine, EVENT.c.id > first))


def has_happened(connection: Connection, paper_id: int, kind: str) -> bool:
    """Whether such a thing happened to a paper."""
    query = select(EVENT.c.id).where(EVENT.c.paper_id == paper_id, EVENT.c.kind == kind).limit(1)
    return connection.execute(query).first() is not None
