"""Forgetting readers, and contents of letters that no delivery has any more, inside the caller's transaction.

Everything that was a reader's goes with their row: subscriptions, consent, issues, deliveries, what they were sent.
What is shared goes when nobody else has it: a letter's content with its last delivery, a topic's words with its last
reader, also where that one stays and only takes the topic away. The fragments of contents that went are looked for
afterwards, in small steps (keeping.py): a marker says that some may be of no use any more, so that a kill in between
forgets none of them.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, String, cast, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.ledger import count_gone
from storage.tables import CONTENT, DELIVERY, ISSUE, MARKER, SHARED_TOPIC, SUBSCRIBER, SUBSCRIPTION, TALLY, TOPIC

#: The marker: contents that were let go since the last time all fragments were looked through.
UNSWEPT = "contents-let-go"


def erase_readers(connection: Connection, ids: Sequence[int]) -> int:
    """Erase these readers and all that was theirs alone; return how many there were."""
    contents = set(connection.execute(select(DELIVERY.c.content_id).where(DELIVERY.c.subscriber_id.in_(ids))).scalars())
    topics = set(
        connection.execute(select(SUBSCRIPTION.c.topic_id).where(SUBSCRIPTION.c.subscriber_id.in_(ids))).scalars()
    )
    count_gone(connection, ISSUE.c.subscriber_id.in_(ids))
    gone = connection.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id.in_(ids))).rowcount
    let_go(connection, contents)
    unname(connection, topics)
    return gone


def let_go(connection: Connection, contents: Collection[int]) -> int:
    """Delete those of these contents that no delivery has; return how many."""
    unused = CONTENT.c.id.in_(contents) & ~exists().where(DELIVERY.c.content_id == CONTENT.c.id)
    # The newest stays: SQLite would give its number again, and what was read of contents before would not be true.
    newest = select(func.max(CONTENT.c.id)).correlate(None).scalar_subquery()
    gone = connection.execute(delete(CONTENT).where(unused, CONTENT.c.id < newest)).rowcount
    if gone:
        mark = upsert(MARKER).values(name=UNSWEPT, value=gone)
        more = MARKER.c.value + mark.excluded.value
        connection.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"value": more}))
    return gone


def unname(connection: Connection, topics: Collection[int]) -> None:
    """Forget what topics asked that nobody asks or shows any more.

    Their rows and matches stay: the same question asked again is another topic, and numbers of matches only rise
    (docs/decisions/0004). What was only counted of them goes.
    """
    asked = exists().where(SUBSCRIPTION.c.topic_id == TOPIC.c.id)
    shown = exists().where(SHARED_TOPIC.c.topic_id == TOPIC.c.id)  # by the operator, who is no reader
    # No query has a normal form that begins with a colon.
    nameless = literal(":erased ") + cast(TOPIC.c.id, String)
    unasked = TOPIC.c.id.in_(topics), ~asked, ~shown
    connection.execute(delete(TALLY).where(TALLY.c.topic_id.in_(select(TOPIC.c.id).where(*unasked))))
    connection.execute(update(TOPIC).where(*unasked).values(normal_form=nameless))
