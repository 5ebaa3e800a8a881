"""One reader × one topic: added and taken away inside the caller's transaction; every change of a reader is told.

Equal queries of many readers are one topic row, found by its normal form.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import UnknownError, UsageError
from domain.subscriptions import Subscriber, zone_of
from domain.topics import Query, WishedTopic
from storage.erasing import unname
from storage.tables import LONG_AGO, MATCH, SHARED_TOPIC, SUBSCRIBER, SUBSCRIPTION, TALLY, TOPIC
from storage.topics import GONE

log = logging.getLogger("paperround.storage")
#: When planning looks at a reader who has changed something.
AT_ONCE = datetime.fromisoformat(LONG_AGO).replace(tzinfo=UTC)
#: What holds of a reader who comes, comes back, or leaves: no pause outlives that.
NOT_AWAY: Mapping[str, Any] = {"paused_until": None, "away_since": None}


def add_topics(connection: Connection, subscriber_id: int, topics: Sequence[WishedTopic], now: datetime) -> None:
    """Add topics at the end of a reader's list; one that is there already stays, but what is said of its tier holds."""
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
            related=wished.related,
        )
        taken = asked.on_conflict_do_nothing().returning(SUBSCRIPTION.c.topic_id)
        if connection.execute(taken).first() is not None:
            position += 1
            forget_what_nobody_followed(connection, subscriber_id, topic_id)
            look_back_again(connection, subscriber_id, topic_id, wished)
        elif wished.related is not None:
            _switch(connection, subscriber_id, topic_id, wished)


def alter(connection: Connection, subscriber_id: int, values: Mapping[str, Any]) -> None:
    """Change a reader's row, if only the revision: whoever saw them before, and changes that, is told.

    Planning looks at them again at once: what is due may have changed with it.
    """
    raised = {**values, "revision": SUBSCRIBER.c.revision + 1, "next_look": AT_ONCE}
    connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber_id).values(raised))


@cache
def known_zone(name: str) -> str:
    """Return a zone that this machine knows: a stored one that it does not know must not end the letters of others."""
    try:
        zone_of(name)
    except UsageError:
        log.warning("this machine knows no time zone %s: who chose it gets letters by UTC; update its time zones", name)
        return "UTC"
    return name


def switch_topic(connection: Connection, reader: Subscriber, query: Query, *, related: bool) -> None:
    """Let related papers fill a topic's section, or not; raises UnknownError if the reader does not have it."""
    topic_id = connection.execute(
        select(TOPIC.c.id)
        .join(SUBSCRIPTION, SUBSCRIPTION.c.topic_id == TOPIC.c.id)
        .where(TOPIC.c.normal_form == query.normal_form, SUBSCRIPTION.c.subscriber_id == reader.id)
    ).scalar()
    if topic_id is None:
        raise UnknownError(f"{reader.email} has no topic {query.text!r}")
    _switch(connection, reader.id, topic_id, WishedTopic(name="", query=query, related=related))


def _switch(connection: Connection, subscriber_id: int, topic_id: int, wished: WishedTopic) -> None:
    theirs = (SUBSCRIPTION.c.subscriber_id == subscriber_id, SUBSCRIPTION.c.topic_id == topic_id)
    connection.execute(update(SUBSCRIPTION).where(*theirs).values(related=wished.related))
    if wished.related:
        look_back_again(connection, subscriber_id, topic_id, wished)


def remove_topic(connection: Connection, reader: Subscriber, query: Query) -> None:
    """Take a topic away from a reader; raises UnknownError if the reader does not have it."""
    topic = connection.execute(select(TOPIC.c.id).where(TOPIC.c.normal_form == query.normal_form)).scalar()
    if topic is None or not take_away(connection, reader.id, topic):
        raise UnknownError(f"{reader.email} has no topic {query.text!r}")


def take_away(connection: Connection, subscriber_id: int, topic_id: int) -> bool:
    """Take a topic away from a reader, and its page if they shared it; return whether they had it."""
    for table in (SHARED_TOPIC, SUBSCRIPTION):
        mine = (table.c.subscriber_id == subscriber_id, table.c.topic_id == topic_id)
        gone = connection.execute(delete(table).where(*mine))
    unname(connection, [topic_id])
    return gone.rowcount > 0


def forget_what_nobody_followed(connection: Connection, subscriber_id: int, topic_id: int) -> None:
    """Let go of the matches of a topic that nobody else holds: papers that changed meanwhile have not met it again."""
    held = exists(_of_others(subscriber_id, topic_id))
    for table in (MATCH, TALLY):
        connection.execute(delete(table).where(table.c.topic_id == topic_id, ~held))


def look_back_again(connection: Connection, subscriber_id: int, topic_id: int, wished: WishedTopic) -> None:
    """Let a topic that nobody else holds, or whose related papers nobody else wants, meet what came meanwhile."""
    query = wished.query
    wants_it = or_(SUBSCRIPTION.c.related, SUBSCRIPTION.c.related.is_(None) & query.is_plain)
    wanting = [wants_it] if query.wants_related(wished.related) else []
    held = exists(_of_others(subscriber_id, topic_id).where(*wanting))
    connection.execute(update(TOPIC).where(TOPIC.c.id == topic_id, ~held).values(backfilled=False))


def _of_others(subscriber_id: int, topic_id: int) -> Select[tuple[int]]:
    """Return a statement for the subscriptions to a topic of other readers who have not left."""
    return (
        select(SUBSCRIPTION.c.topic_id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
        .where(
            SUBSCRIPTION.c.topic_id == topic_id,
            SUBSCRIPTION.c.subscriber_id != subscriber_id,
            SUBSCRIBER.c.state.not_in(GONE),
        )
    )
