"""Topics that their readers, or the operator, show to whoever has the address of their page.

An address is random and says nothing of who shares. It goes when they say so and when they are erased; while they are
away it is not there, and is again for who thinks better of it (coming_back.py), but not for who subscribes anew.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.subscriptions import REACHED
from domain.topics import WishedTopic
from storage.database import Database
from storage.erasing import unname
from storage.tables import SHARED_TOPIC, SUBSCRIBER, SUBSCRIPTION, TOPIC


@dataclass(frozen=True, slots=True)
class SharedTopic:
    """One topic's page."""

    public_id: str  #: random
    topic_id: int
    name: str
    query: str  #: as typed
    at: datetime  #: since when it is shared
    by_operator: bool


class SharedTopics:
    """The shared topics of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_public_id(self, public_id: str) -> SharedTopic | None:
        """Return the topic of a page; None where nobody shares it, or whoever did gets no letters any more."""
        with self._database.reading() as connection:
            row = connection.execute(_shared().where(SHARED_TOPIC.c.public_id == public_id)).first()
        return None if row is None else _value(row)

    def all(self) -> tuple[SharedTopic, ...]:
        """Return every shared topic, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_shared().order_by(SHARED_TOPIC.c.at, SHARED_TOPIC.c.public_id)).all()
        return tuple(map(_value, rows))

    def of(self, subscriber_id: int) -> tuple[SharedTopic, ...]:
        """Return what a reader shares, the oldest first."""
        mine = _shared().where(SHARED_TOPIC.c.subscriber_id == subscriber_id).order_by(SHARED_TOPIC.c.at)
        with self._database.reading() as connection:
            return tuple(map(_value, connection.execute(mine)))

    def share(self, subscriber_id: int, topic_id: int, fresh_id: str, now: datetime) -> SharedTopic:
        """Share one of a reader's topics; one that is shared already keeps its address. Raises UnknownError.

        `fresh_id` is the random id that a new page gets.
        """
        mine = (SHARED_TOPIC.c.subscriber_id == subscriber_id, SHARED_TOPIC.c.topic_id == topic_id)
        held = select(SUBSCRIPTION).where(
            SUBSCRIPTION.c.subscriber_id == subscriber_id, SUBSCRIPTION.c.topic_id == topic_id
        )
        with self._database.writing() as connection:
            topic = connection.execute(held).first()
            if topic is None:
                raise UnknownError("there is no such topic among the reader's")
            if connection.execute(select(SHARED_TOPIC.c.public_id).where(*mine)).first() is None:
                values = {"name": topic.name, "query": topic.query, "subscriber_id": subscriber_id}
                row = {"public_id": fresh_id, "topic_id": topic_id, "at": now, **values}
                connection.execute(insert(SHARED_TOPIC).values(row))
            return _value(connection.execute(_shared().where(*mine)).one())

    def publish(self, wished: WishedTopic, fresh_id: str, now: datetime) -> SharedTopic:
        """Share a topic in the operator's name; one that is shared so already keeps its address."""
        normal = wished.query.normal_form
        with self._database.writing() as connection:
            fresh = upsert(TOPIC).values(normal_form=normal, created_at=now, backfilled=False)
            connection.execute(fresh.on_conflict_do_nothing())
            topic_id = connection.execute(select(TOPIC.c.id).where(TOPIC.c.normal_form == normal)).scalar_one()
            mine = (SHARED_TOPIC.c.subscriber_id.is_(None), SHARED_TOPIC.c.topic_id == topic_id)
            if connection.execute(select(SHARED_TOPIC.c.public_id).where(*mine)).first() is None:
                values = {"name": wished.name, "query": wished.query.text, "subscriber_id": None}
                row = {"public_id": fresh_id, "topic_id": topic_id, "at": now, **values}
                connection.execute(insert(SHARED_TOPIC).values(row))
            return _value(connection.execute(_shared().where(*mine)).one())

    def withdraw(self, wished: WishedTopic) -> SharedTopic:
        """Take away the page of a topic that the operator shared; raises UnknownError where there is none."""
        normal = wished.query.normal_form
        with self._database.writing() as connection:
            its = select(TOPIC.c.id).where(TOPIC.c.normal_form == normal).scalar_subquery()
            mine = (SHARED_TOPIC.c.subscriber_id.is_(None), SHARED_TOPIC.c.topic_id == its)
            row = connection.execute(_shared().where(*mine)).first()
            if row is None:
                raise UnknownError(f"the topic {wished.query.text!r} is not shared by the operator")
            connection.execute(delete(SHARED_TOPIC).where(SHARED_TOPIC.c.public_id == row.public_id))
            unname(connection, [row.topic_id])
            return _value(row)

    def unshare(self, public_id: str, subscriber_id: int | None) -> bool:
        """Take a page away that this reader shares (None: whoever does); return whether it was there."""
        mine = [SHARED_TOPIC.c.public_id == public_id]
        if subscriber_id is not None:
            mine.append(SHARED_TOPIC.c.subscriber_id == subscriber_id)
        with self._database.writing() as connection:
            gone = delete(SHARED_TOPIC).where(*mine).returning(SHARED_TOPIC.c.topic_id)
            topics = connection.execute(gone).scalars().all()
            unname(connection, topics)
            return bool(topics)


def _shared() -> Any:
    """Return a statement for the topics whose page is there."""
    reads = or_(SHARED_TOPIC.c.subscriber_id.is_(None), SUBSCRIBER.c.state.in_([each.value for each in REACHED]))
    joined = SHARED_TOPIC.outerjoin(SUBSCRIBER, SUBSCRIBER.c.id == SHARED_TOPIC.c.subscriber_id)
    return select(SHARED_TOPIC).select_from(joined).where(reads)


def _value(row: Row[Any]) -> SharedTopic:
    return SharedTopic(
        public_id=row.public_id,
        topic_id=row.topic_id,
        name=row.name,
        query=row.query,
        at=row.at,
        by_operator=row.subscriber_id is None,
    )
