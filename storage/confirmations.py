"""Confirmation letters, queued inside the caller's transaction.

At most one a day and three in all go to an address (mail.md, item 24), so that no form can be used to flood a mailbox.
Only a yes begins the three anew; the day between two letters is kept whatever is said meanwhile.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from domain.issues import LetterKind, Mailing
from domain.subscriptions import Act, Subscriber
from storage.mailings import queue
from storage.tables import CONSENT, CONTENT, DELIVERY

CONFIRMATIONS_IN_ALL = 3
CONFIRMATION_PAUSE = timedelta(days=1)

#: (public id, number of this confirmation) → the letter to queue.
Confirmation = Callable[[str, int], Mailing]


def ask_to_confirm(connection: Connection, reader: Subscriber, confirmation: Confirmation, now: datetime) -> bool:
    """Queue a confirmation letter; return False where the address had its share since it last said yes."""
    if not is_due(connection, [reader.id], now):
        return False
    letter = confirmation(reader.public_id, asked_before(connection, reader.id) + 1)
    return queue(connection, letter, reader.id, issue_id=None)


def is_due(connection: Connection, whose: Collection[int], now: datetime) -> bool:
    """Whether the readers of one mailbox, taken together, may be asked to confirm once more."""
    agreed = select(func.max(CONSENT.c.at)).where(
        CONSENT.c.subscriber_id.in_(whose), CONSENT.c.action == Act.CONFIRMED.value
    )
    since = connection.execute(agreed).scalar() or datetime.min.replace(tzinfo=UTC)
    last = connection.execute(_confirmations(whose)).one()[1]
    number = connection.execute(_confirmations(whose).where(DELIVERY.c.date > since)).one()[0]
    return number < CONFIRMATIONS_IN_ALL and (last is None or now - last >= CONFIRMATION_PAUSE)


def asked_before(connection: Connection, subscriber_id: int) -> int:
    """Return how many of these letters a reader was sent, which are kept as long as the reader is."""
    return int(connection.execute(_confirmations([subscriber_id])).one()[0])


def _confirmations(whose: Collection[int]) -> Select[Any, Any]:
    return (
        select(func.count(), func.max(DELIVERY.c.date))
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(DELIVERY.c.subscriber_id.in_(whose), CONTENT.c.kind == LetterKind.CONFIRM.value)
    )
