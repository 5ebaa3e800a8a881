"""What protects readers and outlives a restore: who was erased, who moved, who asked for no more letters, who may not.

An older state does not know of it. What the newer one knows is said to it again, by the readers' public ids, and for
suppressions by the hashes of addresses. Who moved to another address does not go back to one that may be another's by
now; that they moved is later than the older state where it has no record of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, inspect, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.seals import address_hash
from domain.subscriptions import Act, Consent, SubscriberState
from storage import numbers
from storage.address_changes import give_way, is_taken
from storage.erasing import erase_readers
from storage.subscriptions import NOT_AWAY, alter
from storage.suppressions import secret_of
from storage.tables import CONSENT, ERASURE, INSTALLATION, SUBSCRIBER, SUPPRESSION

#: From the mildest to the strictest; nobody is moved to a milder one.
_STOPS = (SubscriberState.PAUSED.value, SubscriberState.UNSUBSCRIBED.value, SubscriberState.SUPPRESSED.value)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a reader's letters went last, and that they said so."""

    email: str
    address_key: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class Protections:
    """What one archive knows, by public id."""

    erased: Mapping[str, datetime]
    #: public id → the reader's columns, as many as that archive's schema has, without their number
    stopped: Mapping[str, Mapping[str, Any]]
    consents: Mapping[str, tuple[Consent, ...]]  #: of those who stopped
    moved: Mapping[str, Move] = field(default_factory=dict)  #: the earliest first
    secret: str = ""  #: under which addresses are hashed; "" in an archive that knew no suppressions
    suppressions: Sequence[Mapping[str, Any]] = field(default=())  #: rows
    deliveries: int = 0  #: the highest number that was ever given to one


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
    taken = {column["name"] for column in there.get_columns(SUBSCRIBER.name)} - {"id", "last_issue_id", "next_look"}
    columns = [column for column in SUBSCRIBER.columns if column.name in taken]
    stopped = connection.execute(select(*columns).where(who)).mappings().all()
    consents: dict[str, tuple[Consent, ...]] = {}
    knows_places = any(column["name"] == CONSENT.c.place.name for column in there.get_columns(CONSENT.name))
    place = CONSENT.c.place if knows_places else literal("").label("place")
    whose = (SUBSCRIBER.c.public_id, SUBSCRIBER.c.email, SUBSCRIBER.c.address_key)
    agreed = (
        select(*whose, CONSENT.c.action, CONSENT.c.wording, CONSENT.c.at, place)
        .join(CONSENT, CONSENT.c.subscriber_id == SUBSCRIBER.c.id)
        .order_by(CONSENT.c.id)
    )
    for row in connection.execute(agreed.where(who)):
        consents[row.public_id] = (*consents.get(row.public_id, ()), _said(row))
    moved = {
        str(row.public_id): Move(row.email, row.address_key, _said(row))
        for row in connection.execute(agreed.where(CONSENT.c.action == Act.MOVED.value))
    }
    secret, rows = "", []
    if there.has_table(SUPPRESSION.name):
        secret = secret_of(connection)
        rows = [dict(row) for row in connection.execute(select(SUPPRESSION)).mappings()]
    by_id = {str(row["public_id"]): dict(row) for row in stopped}
    return Protections(
        erased=erased,
        stopped=by_id,
        consents=consents,
        moved=dict(sorted(moved.items(), key=lambda each: each[1].consent.at)),
        secret=secret,
        suppressions=rows,
        deliveries=numbers.given(connection),
    )


def reapply(connection: Connection, known: Protections) -> Reapplied:
    """Say it to an older state, within the caller's transaction; doing it again changes nothing."""
    readers = {row.public_id: row for row in connection.execute(select(SUBSCRIBER)).all()}
    erased = [readers[each].id for each in known.erased if each in readers]
    erase_readers(connection, erased)
    for public_id, at in known.erased.items():
        connection.execute(upsert(ERASURE).values(public_id=public_id, at=at).on_conflict_do_nothing())
    _move(connection, known.moved)
    readers = {row.public_id: row for row in connection.execute(select(SUBSCRIBER)).all()}
    stopped = 0
    by_address = {row.address_key: row for row in readers.values()}
    for public_id, columns in known.stopped.items():
        reader = by_address.get(columns["address_key"]) or readers.get(public_id)
        number = reader.id if reader else None
        if reader is None and columns["state"] == SubscriberState.SUPPRESSED.value:
            # Who came later and may not be mailed: else the address could be signed up again.
            fresh = insert(SUBSCRIBER).values(dict(columns)).returning(SUBSCRIBER.c.id)
            number = connection.execute(fresh).scalar_one()
        elif reader is None or not _is_stricter(columns["state"], reader.state):
            continue
        else:
            changed = update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id)
            pause = {name: columns[name] for name in NOT_AWAY if name in columns}
            connection.execute(changed.values(state=columns["state"], **pause))
        _agree(connection, number, known.consents.get(public_id, ()))
        stopped += 1
    stopped += _suppress(connection, known)
    numbers.go_on_after(connection, known.deliveries)
    return Reapplied(erased=len(erased), stopped=stopped)


def _move(connection: Connection, moved: Mapping[str, Move]) -> None:
    """Let readers have the addresses that they moved to since; one that somebody else has there stays theirs."""
    for public_id, move in moved.items():
        number = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.public_id == public_id)).scalar()
        since = (
            CONSENT.c.subscriber_id == number,
            CONSENT.c.action == Act.MOVED.value,
            CONSENT.c.at >= move.consent.at,
        )
        if number is None or connection.execute(select(CONSENT.c.id).where(*since)).first() is not None:
            continue
        if is_taken(connection, move.address_key):
            continue
        give_way(connection, move.address_key)
        alter(connection, number, {"email": move.email, "address_key": move.address_key})
        _agree(connection, number, (move.consent,))


def _said(row: Any) -> Consent:
    return Consent(action=Act(row.action), wording=row.wording, at=row.at, place=row.place)


def _suppress(connection: Connection, known: Protections) -> int:
    """Let what is known of addresses hold; return how many readers were not suppressed before."""
    if not known.secret:
        return 0
    rows = known.suppressions
    if not _take_over(connection, known.secret):
        secret = secret_of(connection)
        keys = [str(columns["address_key"]) for columns in known.stopped.values()]
        ours = {address_hash(known.secret, key): address_hash(secret, key) for key in keys}
        rows = [{**row, "address_hash": ours[row["address_hash"]]} for row in rows if row["address_hash"] in ours]
    secret = secret_of(connection)
    for row in rows:
        said = upsert(SUPPRESSION).values(dict(row))
        newer = {name: said.excluded[name] for name in row if name != "address_hash"}
        connection.execute(said.on_conflict_do_update(index_elements=["address_hash"], set_=newer))
    hashes = {row["address_hash"] for row in rows}
    may_be_mailed = select(SUBSCRIBER.c.id, SUBSCRIBER.c.address_key).where(
        SUBSCRIBER.c.state != SubscriberState.SUPPRESSED.value
    )
    ids = [row.id for row in connection.execute(may_be_mailed).all() if address_hash(secret, row.address_key) in hashes]
    for each in ids:
        mine = update(SUBSCRIBER).where(SUBSCRIBER.c.id == each)
        connection.execute(mine.values(state=SubscriberState.SUPPRESSED.value))
    return len(ids)


def _take_over(connection: Connection, secret: str) -> bool:
    """Hash an older state's addresses under the newer secret, so that what is known of erased readers stays true.

    Return False for the state of another archive, which knows addresses itself that no reader has any more.
    """
    own = secret_of(connection)
    if own == secret:
        return True
    suppressed = select(SUBSCRIBER.c.address_key).where(SUBSCRIBER.c.state == SubscriberState.SUPPRESSED.value)
    keys = {address_hash(own, key): key for key in connection.execute(suppressed).scalars()}
    there = list(connection.execute(select(SUPPRESSION.c.address_hash)).scalars())
    if not all(each in keys for each in there):
        return False
    for each in there:
        mine = update(SUPPRESSION).where(SUPPRESSION.c.address_hash == each)
        connection.execute(mine.values(address_hash=address_hash(secret, keys[each])))
    connection.execute(update(INSTALLATION).values(secret=secret))
    return True


def _is_stricter(state: str, than: str) -> bool:
    return than not in _STOPS or _STOPS.index(state) > _STOPS.index(than)


def _agree(connection: Connection, number: int | None, consents: tuple[Consent, ...]) -> None:
    """Let the record of what the reader said come along: that they left has to be provable."""
    rows = connection.execute(select(CONSENT).where(CONSENT.c.subscriber_id == number)).all()
    there = {(row.action, row.wording, row.at) for row in rows}
    fresh = [
        {"subscriber_id": number, **asdict(each)}
        for each in consents
        if (each.action, each.wording, each.at) not in there
    ]
    if fresh:
        connection.execute(insert(CONSENT), fresh)
