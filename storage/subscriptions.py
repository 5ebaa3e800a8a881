"""One reader × one topic: added and taken away inside the caller's transaction.

Equal queries of many readers are one topic row, found by its normal form.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError
from domain.subscriptions import Subscriber
from domain.topics import Query, WishedTopic
from storage.tables import SUBSCRIBER, SUBSCRIPTION, TOPIC
from storage.topics import GONE


def add_topics(connection: Connection, subscriber_id: int, topics: Sequence[WishedTopic], now: datetime) -> None:
    """Add topics at the end of a reader's list; one that is there already stays as it is."""
    held = connection.execute(
        select(func.max(SUBSCRIPTION.c.position)).where(SUBSCRIPTION.c.subscriber_id == subscriber_id)
    ).scalar()
    position = 0 if held is None else held + 1
    for wished in topics:
        normal = wished.query.normal_form
        fresh = upsert(TOPIC).values(normal_form=normal, created_at=now, backfilled=False)
        connection.execute(fresh.on_conflict_do_nothing())
        topic_id = connection.execute(select(TOPIC.c.id).where(TOPIC.c.normal_form == normal)).scalar_one()
        asked = upsert(SUBSCRIPTION).values(
            subscriber_id=subscriber_id,
            topic_id=topic_id,
            name=wished.name,
            query=wished.query.text,
            position=position,
        )
        taken = asked.on_conflict_do_nothing().returning(SUBSCRIPTION.c.topic_id)
        if connection.execute(taken).first() is not None:
            position += 1
            look_back_again(connection, subscriber_id, topic_id)


def remove_topic(connection: Connection, reader: Subscriber, query: Query) -> None:
    """Take a topic away from a reader; raises UnknownError if the reader does not have it."""
    topic = connection.execute(select(TOPIC.c.id).where(TOPIC.c.normal_form == query.normal_form)).scalar()
    gone = connection.execute(
        delete(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == reader.id, SUBSCRIPTION.c.topic_id == topic)
    )
    if gone.rowcount == 0:
        raise UnknownError(f"{reader.email} has no topic {query.text!r}")


def look_back_again(connection: Connection, subscriber_id: int, topic_id: int) -> None:
    """Let a topic that nobody else holds meet the papers that came while nobody did."""
    held = exists(
        select(SUBSCRIPTION.c.topic_id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
        .where(
            SUBSCRIPTION.c.topic_id == topic_id,
            SUBSCRIPTION.c.subscriber_id != subscriber_id,
            SUBSCRIBER.c.state.not_in(GONE),
        )
    )
    connection.execute(update(TOPIC).where(TOPIC.c.id == topic_id, ~held).values(backfilled=False))
