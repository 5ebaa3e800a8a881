"""What protects readers and must outlive a restore: who was erased, and who asked for no more letters.

An older state does not know of it. What the newer one knows is said to it again, by the readers' public ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, inspect, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.subscriptions import SubscriberState
from storage.erasing import erase_readers
from storage.tables import CONSENT, ERASURE, SUBSCRIBER

#: From the mildest to the strictest; nobody is moved to a milder one.
_STOPS = (SubscriberState.PAUSED.value, SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value)


@dataclass(frozen=True, slots=True)
class Protections:
    """What one archive knows, by public id."""

    erased: Mapping[str, datetime]
    #: public id → the reader's columns, as many as that archive's schema has, without their number
    stopped: Mapping[str, Mapping[str, Any]]
    consents: Mapping[str, tuple[tuple[str, str, datetime], ...]]  #: of those who stopped: (action, wording, at)


NOTHING = Protections(erased={}, stopped={}, consents={})


@dataclass(frozen=True, slots=True)
class Reapplied:
    """What an older state did not know."""

    erased: int  #: readers that it still had
    stopped: int  #: readers whom it would have written to


def protections_of(connection: Connection) -> Protections:
    """Return what an archive knows; one of an earlier schema knows of no erasures, and of a reader less than today."""
    there = inspect(connection)
    erased: dict[str, datetime] = {}
    if there.has_table(ERASURE.name):
        erased = {row.public_id: row.at for row in connection.execute(select(ERASURE))}
    who = SUBSCRIBER.c.state.in_(_STOPS)
    taken = {column["name"] for column in there.get_columns(SUBSCRIBER.name)} - {"id", "last_issue_id"}
    columns = [column for column in SUBSCRIBER.columns if column.name in taken]
    stopped = connection.execute(select(*columns).where(who)).mappings().all()
    consents: dict[str, tuple[tuple[str, str, datetime], ...]] = {}
    agreed = (
        select(SUBSCRIBER.c.public_id, CONSENT.c.action, CONSENT.c.wording, CONSENT.c.at)
        .join(CONSENT, CONSENT.c.subscriber_id == SUBSCRIBER.c.id)
        .where(who)
        .order_by(CONSENT.c.id)
    )
    for row in connection.execute(agreed):
        consents[row.public_id] = (*consents.get(row.public_id, ()), (row.action, row.wording, row.at))
    return Protections(erased=erased, stopped={str(row["public_id"]): dict(row) for row in stopped}, consents=consents)


def reapply(connection: Connection, known: Protections) -> Reapplied:
    """Say it to an older state, within the caller's transaction; doing it again changes nothing."""
    readers = {row.public_id: row for row in connection.execute(select(SUBSCRIBER)).all()}
    erased = [readers[each].id for each in known.erased if each in readers]
    erase_readers(connection, erased)
    for public_id, at in known.erased.items():
        connection.execute(upsert(ERASURE).values(public_id=public_id, at=at).on_conflict_do_nothing())
    stopped = 0
    by_address = {row.address_key: row for row in readers.values() if row.id not in erased}
    for public_id, columns in known.stopped.items():
        reader = by_address.get(columns["address_key"]) or readers.get(public_id)
        number = reader.id if reader else None
        if reader is None and columns["state"] == SubscriberState.SUPPRESSED.value:
            # Who came later and may not be mailed: else the address could be signed up again.
            fresh = insert(SUBSCRIBER).values(dict(columns)).returning(SUBSCRIBER.c.id)
            number = connection.execute(fresh).scalar_one()
        elif reader is None or reader.id in erased or not _is_stricter(columns["state"], reader.state):
            continue
        else:
            changed = update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id)
            connection.execute(changed.values(state=columns["state"]))
        _agree(connection, number, known.consents.get(public_id, ()))
        stopped += 1
    return Reapplied(erased=len(erased), stopped=stopped)


def _is_stricter(state: str, than: str) -> bool:
    return than not in _STOPS or _STOPS.index(state) > _STOPS.index(than)


def _agree(connection: Connection, number: int | None, consents: tuple[tuple[str, str, datetime], ...]) -> None:
    """Let the record of what the reader said come along: that they left has to be provable."""
    rows = connection.execute(select(CONSENT).where(CONSENT.c.subscriber_id == number)).all()
    there = {(row.action, row.wording, row.at) for row in rows}
    fresh = [
        {"subscriber_id": number, "action": action, "wording": wording, "at": at}
        for action, wording, at in consents
        if (action, wording, at) not in there
    ]
    if fresh:
        connection.execute(insert(CONSENT), fresh)
