"""Readers, their topics and what they agreed to. Each public method is one transaction.

Equal queries of many readers are one topic row, found by its normal form. Whoever subscribes from outside is pending,
and the same transaction queues the confirmation letter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.subscriptions import (
    NO_CHOICES,
    Cadence,
    Choices,
    Consent,
    Schedule,
    Subscriber,
    SubscriberState,
    Subscription,
)
from domain.topics import Query, WishedTopic
from storage.confirmations import Confirmation, ask_to_confirm
from storage.database import Database
from storage.erasing import erase_readers
from storage.farewells import Farewell, say_goodbye
from storage.reading import BLOCK
from storage.subscriptions import add_topics, remove_topic, switch_topic
from storage.tables import CONSENT, ERASURE, SUBSCRIBER, SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class Signup:
    """What a reader, or the operator for them, asks for."""

    email: str  #: as typed
    address_key: str  #: equal for equal mailboxes
    public_id: str  #: used if the address is new
    topics: Sequence[WishedTopic]
    schedule: Schedule | None  #: None leaves a known reader's as it is
    state: SubscriberState  #: PENDING, or CONFIRMED where the operator vouches
    shared: bool
    consent: Sequence[Consent]
    choices: Choices = NO_CHOICES  #: what is None stays as it is for a known reader


class Subscribers:
    """The readers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subscribe(
        self, signup: Signup, now: datetime, confirmation: Confirmation | None = None
    ) -> tuple[Subscriber, bool]:
        """Add a reader, or topics to a known one; queue a confirmation letter where one is due.

        A known reader keeps what was not asked to change. One who left or never confirmed takes the new state; one who
        is confirmed stays so. Return the reader, and whether a confirmation letter was queued.
        """
        queued = False
        with self._database.writing() as connection:
            row = connection.execute(select(SUBSCRIBER).where(SUBSCRIBER.c.address_key == signup.address_key)).first()
            subscriber_id = _insert(connection, signup, now) if row is None else _renew(connection, row, signup, now)
            if row is not None and _comes_back(row):
                # What they left is left; one who may not be mailed does not come back, and keeps it.
                connection.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == subscriber_id))
            add_topics(connection, subscriber_id, signup.topics, now)
            agreed = [
                {"subscriber_id": subscriber_id, "action": c.action, "wording": c.wording, "at": c.at}
                for c in signup.consent
            ]
            if agreed:
                connection.execute(insert(CONSENT), agreed)
            reader = _one(connection, SUBSCRIBER.c.id == subscriber_id)
            if confirmation is not None and reader.state is SubscriberState.PENDING:
                queued = ask_to_confirm(connection, reader, confirmation, now)
        return reader, queued

    def confirm(self, public_id: str, consent: Consent) -> bool:
        """Confirm a pending reader; return whether the reader is confirmed now. Twice does nothing more."""
        with self._database.writing() as connection:
            reader = _find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None or reader.state not in {SubscriberState.PENDING, SubscriberState.CONFIRMED}:
                return False
            if reader.state is SubscriberState.PENDING:
                values = {
                    "state": SubscriberState.CONFIRMED.value,
                    "confirmed_at": consent.at,
                    "joined_at": consent.at,
                }
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
                _record(connection, reader.id, consent)
        return True

    def unsubscribe(self, public_id: str, consent: Consent, farewell: Farewell | None = None) -> bool:
        """Stop every letter to a reader, at once; return whether there is such a reader. Twice does nothing more.

        `farewell` composes the goodbye that is queued for one who had confirmed; None: nothing is said.
        """
        with self._database.writing() as connection:
            reader = _find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None:
                return False
            if reader.state not in {SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED}:
                values = {"state": SubscriberState.UNSUBSCRIBED.value}
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
                _record(connection, reader.id, consent)
                if farewell is not None:
                    say_goodbye(connection, reader, farewell)
        return True

    def erase(self, public_id: str, now: datetime) -> bool:
        """Erase a reader and all that was theirs; return whether there was such a reader.

        That this public id was erased is remembered, and nothing else of them.
        """
        with self._database.writing() as connection:
            known = connection.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.public_id == public_id)).scalar()
            if known is None:
                return False
            erase_readers(connection, [known])
            connection.execute(upsert(ERASURE).values(public_id=public_id, at=now).on_conflict_do_nothing())
        return True

    def change_topics(
        self,
        public_id: str,
        add: Sequence[WishedTopic],
        remove: Sequence[Query],
        now: datetime,
        switch: Sequence[tuple[Query, bool]] = (),
    ) -> Subscriber:
        """Add topics to a known reader, let related papers into some or not, and take others away.

        One that is added and is there already stays, but what is said of its related papers holds. Raises UnknownError
        for a topic that the reader does not have; then nothing was changed.
        """
        with self._database.writing() as connection:
            reader = _one(connection, SUBSCRIBER.c.public_id == public_id)
            add_topics(connection, reader.id, add, now)
            for query, related in switch:
                switch_topic(connection, reader, query, related=related)
            for query in remove:
                remove_topic(connection, reader, query)
            return _one(connection, SUBSCRIBER.c.id == reader.id)

    def choose(self, public_id: str, choices: Choices, *, afresh: bool = False) -> Subscriber:
        """Change what is chosen of a reader's letters, the rest stays; `afresh` forgets what was chosen before."""
        values = asdict(choices) if afresh else choices.made
        with self._database.writing() as connection:
            reader = _one(connection, SUBSCRIBER.c.public_id == public_id)
            if values:
                connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == reader.id).values(values))
            return _one(connection, SUBSCRIBER.c.id == reader.id)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return the reader whom a signed link names; None if there is no such reader."""
        with self._database.reading() as connection:
            return _find(connection, SUBSCRIBER.c.public_id == public_id)

    def by_address(self, address_key: str) -> Subscriber | None:
        """Return the reader of that mailbox; None if there is none."""
        with self._database.reading() as connection:
            return _find(connection, SUBSCRIBER.c.address_key == address_key)

    def everyone(self) -> Iterator[Subscriber]:
        """Give every reader in order of arrival, a block at a time."""
        last = 0
        while True:
            with self._database.reading() as connection:
                block = _readers(connection, SUBSCRIBER.c.id > last, limit=BLOCK)
            if not block:
                return
            yield from block
            last = block[-1].id

    def consents(self, subscriber_id: int) -> tuple[Consent, ...]:
        """Return what a reader agreed to, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(CONSENT).where(CONSENT.c.subscriber_id == subscriber_id).order_by(CONSENT.c.id)
            ).all()
        return tuple(Consent(action=row.action, wording=row.wording, at=row.at) for row in rows)


def _insert(connection: Connection, signup: Signup, now: datetime) -> int:
    schedule = signup.schedule or Schedule()
    row = {
        "public_id": signup.public_id,
        "email": signup.email,
        "address_key": signup.address_key,
        "state": signup.state.value,
        **_columns(schedule),
        **asdict(signup.choices),
        "shared": signup.shared,
        "created_at": now,
        "joined_at": now if signup.state is SubscriberState.CONFIRMED else None,
    }
    created = connection.execute(insert(SUBSCRIBER).values(row).returning(SUBSCRIBER.c.id)).scalar_one()
    return int(created)


def _renew(connection: Connection, row: Row[Any], signup: Signup, now: datetime) -> int:
    changes: dict[str, Any] = _columns(signup.schedule) if signup.schedule else {}
    changes |= asdict(signup.choices) if _comes_back(row) else signup.choices.made
    if signup.shared and not row.shared:
        changes["shared"] = True
    returns = row.state in {SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED}
    if returns and row.state != signup.state:
        changes["state"] = signup.state.value
        if signup.state is SubscriberState.CONFIRMED:
            changes["joined_at"] = now
    if changes:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == row.id).values(changes))
    return int(row.id)


def _comes_back(row: Row[Any]) -> bool:
    """Whether someone who signs up had left, and so asks for everything anew."""
    return bool(row.state == SubscriberState.UNSUBSCRIBED)


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "every": schedule.every.value,
        "weekday": schedule.weekday,
        "hour": schedule.hour,
        "zone": schedule.zone,
    }


def _record(connection: Connection, subscriber_id: int, consent: Consent) -> None:
    connection.execute(
        insert(CONSENT).values(
            subscriber_id=subscriber_id, action=consent.action, wording=consent.wording, at=consent.at
        )
    )


def _one(connection: Connection, condition: Any) -> Subscriber:
    reader = _find(connection, condition)
    if reader is None:
        raise UnknownError("there is no such reader")
    return reader


def _find(connection: Connection, condition: Any) -> Subscriber | None:
    found = _readers(connection, condition, limit=1)
    return found[0] if found else None


def _readers(connection: Connection, condition: Any, limit: int) -> list[Subscriber]:
    rows = connection.execute(select(SUBSCRIBER).where(condition).order_by(SUBSCRIBER.c.id).limit(limit)).all()
    return readers_from(connection, rows)


def readers_from(connection: Connection, rows: Sequence[Row[Any]]) -> list[Subscriber]:
    """Return the values of rows of `subscriber`, with their subscriptions in the reader's order."""
    held: dict[int, list[Subscription]] = {}
    ids = [row.id for row in rows]
    subscriptions = select(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id.in_(ids)).order_by(SUBSCRIPTION.c.position)
    for row in connection.execute(subscriptions):
        held.setdefault(row.subscriber_id, []).append(
            Subscription(
                topic_id=row.topic_id, name=row.name, query=row.query, position=row.position, related=row.related
            )
        )
    return [
        Subscriber(
            id=row.id,
            public_id=row.public_id,
            email=row.email,
            state=SubscriberState(row.state),
            schedule=Schedule(every=Cadence(row.every), weekday=row.weekday, hour=row.hour, zone=row.zone),
            shared=row.shared,
            confirmed_at=row.confirmed_at,
            joined_at=row.joined_at,
            subscriptions=tuple(held.get(row.id, ())),
            choices=Choices(
                papers=row.papers, per_topic=row.per_topic, late_risers=row.late_risers, trending=row.trending
            ),
        )
        for row in rows
    ]
