"""Readers, their topics and what they agreed to. Each public method is one transaction.

Equal queries of many readers are one topic row, found by its normal form. Whoever subscribes from outside is pending,
and the same transaction queues the confirmation letter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.subscriptions import (
    Act,
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
from storage.signing_up import Signup, sign_up
from storage.subscriptions import NOT_AWAY, add_topics, alter, known_zone, remove_topic, switch_topic
from storage.suppressions import asked_since, complained, lift, remember, suppression_of
from storage.tables import CONSENT, ERASURE, SUBSCRIBER, SUBSCRIPTION

__all__ = ["Signup", "Subscribers", "readers_from"]


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
            number, waits = sign_up(connection, signup, now)
            reader = one(connection, SUBSCRIBER.c.id == number)
            if confirmation is not None and waits:
                queued = ask_to_confirm(connection, reader, confirmation, now)
        return reader, queued

    def confirm(self, public_id: str, consent: Consent) -> bool:
        """Confirm a pending reader; return whether the reader is confirmed now. Twice does nothing more.

        So comes back who complained, if they asked for letters again since.
        """
        with self._database.writing() as connection:
            who = SUBSCRIBER.c.public_id == public_id
            row = connection.execute(select(SUBSCRIBER.c.id, SUBSCRIBER.c.state, SUBSCRIBER.c.address_key).where(who))
            reader = row.first()
            if reader is None:
                return False
            if reader.state == SubscriberState.SUPPRESSED:
                held = suppression_of(connection, reader.address_key)
                if not complained(held) or not asked_since(connection, held, reader.id):
                    return False
                lift(connection, reader.address_key, SubscriberState.CONFIRMED)
            elif reader.state != SubscriberState.PENDING:
                return bool(reader.state == SubscriberState.CONFIRMED)
            values = {"state": SubscriberState.CONFIRMED.value, "confirmed_at": consent.at, "joined_at": consent.at}
            alter(connection, reader.id, {**values, **NOT_AWAY})
            record(connection, reader.id, consent)
        return True

    def unsubscribe(self, public_id: str, consent: Consent, farewell: Farewell | None = None) -> bool:
        """Stop every letter to a reader, at once; return whether there is such a reader. Twice does nothing more.

        `farewell` composes the goodbye that is queued for one who had confirmed; None: nothing is said. One who may not
        be mailed anyway will be unsubscribed when they may.
        """
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None:
                return False
            unsubscribe(connection, reader.id, consent)
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
            reader = one(connection, SUBSCRIBER.c.public_id == public_id)
            add_topics(connection, reader.id, add, now)
            for query, related in switch:
                switch_topic(connection, reader, query, related=related)
            for query in remove:
                remove_topic(connection, reader, query)
            alter(connection, reader.id, {})
            return one(connection, SUBSCRIBER.c.id == reader.id)

    def choose(self, public_id: str, choices: Choices, *, afresh: bool = False) -> Subscriber:
        """Change what is chosen of a reader's letters, the rest stays; `afresh` forgets what was chosen before."""
        values = asdict(choices) if afresh else choices.made
        with self._database.writing() as connection:
            reader = one(connection, SUBSCRIBER.c.public_id == public_id)
            if values:
                alter(connection, reader.id, values)
            return one(connection, SUBSCRIBER.c.id == reader.id)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return the reader whom a signed link names; None if there is no such reader."""
        with self._database.reading() as connection:
            return find(connection, SUBSCRIBER.c.public_id == public_id)

    def by_address(self, address_key: str) -> Subscriber | None:
        """Return the reader of that mailbox; None if there is none."""
        with self._database.reading() as connection:
            return find(connection, SUBSCRIBER.c.address_key == address_key)

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
        return tuple(Consent(action=Act(row.action), wording=row.wording, at=row.at, place=row.place) for row in rows)


def unsubscribe(connection: Connection, subscriber_id: int, consent: Consent) -> bool:
    """Unsubscribe a reader within the caller's transaction; return True, for they are unsubscribed then.

    The pages of their topics are not there while they are away (shared_topics.py), and a pause is over.
    """
    mine = SUBSCRIBER.c.id == subscriber_id
    reader = connection.execute(select(SUBSCRIBER.c.state, SUBSCRIBER.c.address_key).where(mine)).one()
    if reader.state == SubscriberState.SUPPRESSED:
        if not remember(connection, reader.address_key, SubscriberState.UNSUBSCRIBED):
            return True
        state = SubscriberState.SUPPRESSED
    elif reader.state == SubscriberState.UNSUBSCRIBED:
        return True
    else:
        state = SubscriberState.UNSUBSCRIBED
    alter(connection, subscriber_id, {"state": state.value, **NOT_AWAY})
    record(connection, subscriber_id, consent)
    return True


def record(connection: Connection, subscriber_id: int, consent: Consent) -> None:
    """Add to what a reader agreed to, within the caller's transaction."""
    connection.execute(insert(CONSENT).values(subscriber_id=subscriber_id, **asdict(consent)))


def one(connection: Connection, condition: Any) -> Subscriber:
    """Return the one reader of whom a condition holds; raises UnknownError."""
    reader = find(connection, condition)
    if reader is None:
        raise UnknownError("there is no such reader")
    return reader


def find(connection: Connection, condition: Any) -> Subscriber | None:
    """Return the first reader of whom a condition holds; None if there is none."""
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
            schedule=Schedule(
                every=Cadence(row.every), weekday=row.weekday, hour=row.hour, zone=known_zone(row.zone), ready=row.ready
            ),
            shared=row.shared,
            confirmed_at=row.confirmed_at,
            joined_at=row.joined_at,
            subscriptions=tuple(held.get(row.id, ())),
            choices=Choices(**{each.name: getattr(row, each.name) for each in fields(Choices)}),
            text_only=row.text_only,
            paused_until=row.paused_until,
            away_since=row.away_since,
            revision=row.revision,
        )
        for row in rows
    ]
