"""The link for acts that a forwarded letter must not be able to do: queued for the reader's own mailbox.

At most one in ten minutes and five a day go to a reader, so that no page can be used to flood a mailbox. Whoever asks
hears the same answer in any case.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from domain.issues import LetterKind, Mailing
from domain.subscriptions import MAY_ASK, Subscriber
from storage.database import Database
from storage.mailings import queue
from storage.subscribers import find
from storage.tables import CONTENT, DELIVERY, SUBSCRIBER

FRESH_PAUSE = timedelta(minutes=10)
FRESH_A_DAY = 5

#: (the reader, what makes the key one of its own) → the letter to queue.
FreshLetter = Callable[[Subscriber, int], Mailing]


class FreshLetters:
    """Queues the letters with a fresh link."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, public_id: str, letter: FreshLetter, now: datetime) -> bool:
        """Queue a letter for a reader who gets letters, or has left them; return False where none is due."""
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None or reader.state not in MAY_ASK or reader.shared:
                return False
            today, last = sent_since(connection, reader.id, LetterKind.PREFERENCES, now - timedelta(days=1))
            if today >= FRESH_A_DAY or (last is not None and now - last < FRESH_PAUSE):
                return False
            return queue(connection, letter(reader, numbered(now)), reader.id, issue_id=None)


def sent_since(
    connection: Connection, subscriber_id: int, kind: LetterKind, since: datetime
) -> tuple[int, datetime | None]:
    """Return how many letters of a kind were queued for a reader after an instant, and the date of the newest."""
    found = connection.execute(
        select(func.count(), func.max(DELIVERY.c.date))
        .join(CONTENT, CONTENT.c.id == DELIVERY.c.content_id)
        .where(DELIVERY.c.subscriber_id == subscriber_id, DELIVERY.c.date > since, CONTENT.c.kind == kind.value)
    ).one()
    return int(found[0]), found[1]


def numbered(now: datetime) -> int:
    """Return what makes a letter's key one of its own: its second, for a count would come again after a sweep."""
    return int(now.timestamp())
