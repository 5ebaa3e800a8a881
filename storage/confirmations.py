"""Confirmation letters, queued inside the caller's transaction.

At most one a day and three in all go to an address (mail.md, item 24), so that no form can be used to flood a mailbox.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from domain.issues import LetterKind, Mailing
from domain.subscriptions import Subscriber
from storage.mailings import queue
from storage.tables import CONSENT, CONTENT, DELIVERY

CONFIRMATIONS_IN_ALL = 3
CONFIRMATION_PAUSE = timedelta(days=1)

#: (public id, number of this confirmation) → the letter to queue.
Confirmation = Callable[[str, int], Mailing]


def ask_to_confirm(connection: Connection, reader: Subscriber, confirmation: Confirmation, now: datetime) -> bool:
    """Queue a confirmation letter; return False where the address had its share since it last said yes or no."""
    settled = select(func.max(CONSENT.c.at)).where(
        CONSENT.c.subscriber_id == reader.id, CONSENT.c.action.not_in(["asked", "vouched"])
    )
    since = connection.execute(settled).scalar() or datetime.min.replace(tzinfo=UTC)
    sent = connection.execute(_confirmations(reader).where(DELIVERY.c.date > since)).one()
    number, last = int(sent[0]), sent[1]
    if number >= CONFIRMATIONS_IN_ALL or (last is not None and now - last < CONFIRMATION_PAUSE):
        return False
    every = connection.execute(_confirmations(reader)).one()[0]
    return queue(connection, confirmation(reader.public_id, int(every) + 1), reader.id, issue_id=None)


def _confirmations(reader: Subscriber) -> Select[Any, Any]:
    return (
        select(func.count(), func.max(DELIVERY.c.date))
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(DELIVERY.c.subscriber_id == reader.id, CONTENT.c.kind == LetterKind.CONFIRM.value)
    )
