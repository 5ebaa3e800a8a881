"""Goodbyes, queued inside the transaction in which a reader leaves."""

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from domain.issues import Mailing
from domain.subscriptions import REACHED, Subscriber
from storage.mailings import queue
from storage.tables import CONSENT

#: (the reader, as they were before; what makes the key one of its own) → the letter to queue, None for none.
Farewell = Callable[[Subscriber, int], Mailing | None]


def say_goodbye(connection: Connection, reader: Subscriber, farewell: Farewell) -> bool:
    """Queue a goodbye to one whose leaving is on record; return False where none is due.

    One who never confirmed gets none: nobody knows whose address that is. The number is that of the reader's consents,
    which only grows, so whoever comes back and leaves again gets a second goodbye.
    """
    if reader.state not in REACHED:
        return False
    said = select(func.count()).select_from(CONSENT).where(CONSENT.c.subscriber_id == reader.id)
    mailing = farewell(reader, int(connection.execute(said).scalar_one()))
    return mailing is not None and queue(connection, mailing, reader.id, issue_id=None)
