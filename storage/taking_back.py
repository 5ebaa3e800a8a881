"""A reader pauses while a letter waits: it is taken back, so that the letter on return brings its papers.

    the digests that wait and cannot have arrived (verdicts.py) → their papers count as not sent → the issues go with
    their deliveries, counted as gone → the reader's newest issue is the one before

A worker that holds one loses it before its last byte. What may have arrived stays, and so do its papers in the ledger
of what was sent: nothing comes twice. All inside the caller's transaction.
"""

from collections.abc import Collection

from sqlalchemy import Connection, delete, exists, func, select, update

from domain.deliveries import DeliveryState
from domain.subscriptions import SubscriberState
from storage.erasing import let_go
from storage.ledger import count_gone
from storage.subscriptions import AT_ONCE
from storage.tables import DELIVERY, ISSUE, ISSUE_PAPER, SENT, SUBSCRIBER
from storage.verdicts import IS_UNSENT


def take_back(connection: Connection, subscriber_id: int) -> int:
    """Take back the digests of a reader that wait and cannot have arrived; return how many."""
    waiting = (
        select(DELIVERY.c.issue_id, DELIVERY.c.content_id)
        .join(ISSUE, ISSUE.c.id == DELIVERY.c.issue_id)
        .where(ISSUE.c.subscriber_id == subscriber_id, IS_UNSENT)
    )
    rows = connection.execute(waiting).all()
    if not rows:
        return 0
    taken = [row.issue_id for row in rows]
    _unmark(connection, subscriber_id, taken)
    _look_behind(connection, subscriber_id, min(taken))
    count_gone(connection, ISSUE.c.id.in_(taken))
    connection.execute(delete(ISSUE).where(ISSUE.c.id.in_(taken)))
    let_go(connection, {row.content_id for row in rows})
    newest = select(func.max(ISSUE.c.id)).where(ISSUE.c.subscriber_id == subscriber_id).scalar_subquery()
    connection.execute(
        update(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber_id).values(last_issue_id=newest, next_look=AT_ONCE)
    )
    return len(taken)


def take_back_put_off(connection: Connection, delivery_ids: Collection[int]) -> None:
    """Take back those of these deliveries that were put off after their readers paused."""
    paused = (
        select(DELIVERY.c.subscriber_id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .where(
            DELIVERY.c.id.in_(sorted(delivery_ids)),
            DELIVERY.c.state == DeliveryState.DEFERRED.value,
            DELIVERY.c.issue_id.is_not(None),
            SUBSCRIBER.c.state == SubscriberState.PAUSED.value,
        )
    )
    for number in set(connection.execute(paused).scalars()):
        take_back(connection, number)


def _unmark(connection: Connection, subscriber_id: int, taken: list[int]) -> None:
    """Let the papers of these issues count as not sent, but for one that stood in another issue under another name."""
    theirs = select(ISSUE_PAPER.c.paper_id).where(ISSUE_PAPER.c.issue_id.in_(taken))
    other = ISSUE_PAPER.alias()
    elsewhere = exists().where(
        other.c.paper_id == SENT.c.paper_id,
        other.c.issue_id == ISSUE.c.id,
        ISSUE.c.subscriber_id == subscriber_id,
        ISSUE.c.id.not_in(taken),
    )
    mine = (SENT.c.subscriber_id == subscriber_id, SENT.c.paper_id.in_(theirs), ~elsewhere)
    connection.execute(delete(SENT).where(*mine))


def _look_behind(connection: Connection, subscriber_id: int, first: int) -> None:
    """Let a later issue, which stays since it may have arrived, look no further than what stood before the first."""
    before = select(func.max(ISSUE.c.id)).where(ISSUE.c.subscriber_id == subscriber_id, ISSUE.c.id < first)
    upto = connection.execute(select(ISSUE.c.upto_match).where(ISSUE.c.id == before.scalar_subquery())).scalar()
    if upto is not None:
        later = (ISSUE.c.subscriber_id == subscriber_id, ISSUE.c.id > first, ISSUE.c.upto_match > upto)
        connection.execute(update(ISSUE).where(*later).values(upto_match=upto))
