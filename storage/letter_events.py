"""What was heard of letters after they left: recorded once, scored, and where it is enough the reader is suppressed.

    the delivery, not older than sixty days and of the letter that the report names → the event, once by its number
    → an uncertain delivery has arrived after all → points → a bad mailbox, or a complaint: suppressed

One call is one transaction. A finished delivery stays what it is: what is heard of it changes the reader.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.bounce_score import SUPPRESS_AT, Scored, count, is_refusal_of_content, score, weigh, weigh_at_the_door
from domain.deliveries import DeliveryState, Outcome
from domain.issues import LetterKind
from domain.letter_events import MOST_LATE, SMTP, LetterEvent, LetterEventKind, SuppressionReason
from domain.seals import unsealed
from domain.subscriptions import Act, Consent
from storage.database import Database
from storage.subscribers import unsubscribe
from storage.suppressions import secret_of, suppress
from storage.tables import ADDRESS_CHANGE, CONTENT, DELIVERY, LETTER_EVENT, SUBSCRIBER
from storage.verdicts import settle_reported

K = LetterEventKind
_DETAIL = 500  # characters
_UNWANTED = "a complaint: the letter was reported as unwanted"
#: The letters that ask an address whether it is its owner's wish.
_ASKING = frozenset({LetterKind.ADDRESS.value, LetterKind.CONFIRM.value})


class LetterEvents:
    """The reports on one database's letters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, events: Sequence[LetterEvent], now: datetime) -> int:
        """Write down what was heard and do what follows; return how many events were new.

        An event of a letter that is not there (its reader was erased), that is older than sixty days or that is another
        than the report names is left out. Twice counts once; the order does not matter.
        """
        new = 0
        with self._database.writing() as connection:
            for event in events:
                new += _record(connection, event, now)
        return new

    def delivery_of(self, message_id: str) -> int | None:
        """Return the delivery of a Message-ID of ours, or of its left part alone; None for any other text.

        For whoever has proved otherwise that the report is true.
        """
        found = self._named(message_id)
        return None if found is None else int(found.id)

    def proved_by(self, message_id: str) -> int | None:
        """Return the same where the Message-ID alone is the proof: None for one that could be guessed.

        Letters from before Message-IDs were sealed have such ones, and their readers know the keys.
        """
        found = self._named(message_id)
        if found is None or found.message_id.startswith(f"<{unsealed(found.message_key)}@"):
            return None
        return int(found.id)

    def _named(self, message_id: str) -> Row[int, str, str, datetime] | None:
        left = message_id.strip("<>").partition("@")[0]
        if not left:
            return None
        with self._database.reading() as connection:
            named = DELIVERY.c.message_id.startswith(f"<{left}@", autoescape=True)
            if connection.dialect.name == "sqlite":  # whose LIKE uses no index
                named &= DELIVERY.c.message_id.between(f"<{left}@", f"<{left}A")
            query = select(DELIVERY.c.id, DELIVERY.c.message_key, DELIVERY.c.message_id, DELIVERY.c.date)
            found = connection.execute(query.where(named).limit(1)).first()
            last: Any = connection.execute(select(func.max(DELIVERY.c.date))).scalar()
        # Of old letters nothing is heard.
        return found if found is not None and found.date > last - MOST_LATE else None

    def secret(self) -> str:
        """Return what seals this archive's return paths and Message-IDs."""
        with self._database.reading() as connection:
            return secret_of(connection)

    def counts(self, since: datetime) -> tuple[int, int]:
        """Return how many letters were accepted after an instant, and how many readers complained after it."""
        accepted = select(func.count()).where(
            DELIVERY.c.state == DeliveryState.ACCEPTED.value, DELIVERY.c.last_try > since
        )
        complained = select(func.count(LETTER_EVENT.c.subscriber_id.distinct())).where(
            LETTER_EVENT.c.received_at > since, LETTER_EVENT.c.kind == K.COMPLAINT.value
        )
        with self._database.reading() as connection:
            return (
                int(connection.execute(accepted).scalar_one()),
                int(connection.execute(complained).scalar_one()),
            )

    def refused(self, since: datetime) -> int:
        """Return to how many readers letters were refused after an instant for what was sent or who sends.

        That is 5.7.x, or spam (mail.md item 28): said by filters, and of one mailbox perhaps each day.
        """
        bounces = select(LETTER_EVENT.c.subscriber_id, LETTER_EVENT.c.status, LETTER_EVENT.c.detail).where(
            LETTER_EVENT.c.received_at > since, LETTER_EVENT.c.kind == K.BOUNCE.value, LETTER_EVENT.c.points == 0
        )
        with self._database.reading() as connection:
            return len(
                {
                    row.subscriber_id
                    for row in connection.execute(bounces)
                    if row.subscriber_id is not None and is_refusal_of_content(K.BOUNCE, row.status, row.detail)
                }
            )


def take_refusal(connection: Connection, delivery_id: int, outcome: Outcome, now: datetime) -> bool:
    """Take note that a relay refused a letter for good, or until it was too late, in the transaction that settles it.

    Where it gave no enhanced status, its reply code gives the class. Return whether that is new.
    """
    # An address stands before the code, and whoever signed up with it chose its words.
    said = outcome.reply.partition(f"{outcome.code} ")[2]
    event = LetterEvent(
        source=SMTP,
        source_event_id=str(delivery_id),
        delivery_id=delivery_id,
        kind=K.BOUNCE,
        at=now,
        status=outcome.enhanced or f"{(outcome.code or 500) // 100}.0.0",
        detail=said,
    )
    return _record(connection, event, now)


def _record(connection: Connection, event: LetterEvent, now: datetime) -> bool:
    """Write down one event and what follows from it; return whether it was new."""
    delivery = connection.execute(select(DELIVERY).where(DELIVERY.c.id == event.delivery_id)).first()
    if delivery is None or delivery.date < now - MOST_LATE:
        return False
    if event.letter and not delivery.message_id.startswith(f"<{event.letter}@"):
        return False  # numbers come again after an erasure or a restore; Message-IDs do not
    if not _insert(connection, event, delivery.subscriber_id, now):
        return False
    if event.source != SMTP:
        settle_reported(connection, [event.delivery_id])
    reader = connection.execute(select(SUBSCRIBER).where(SUBSCRIBER.c.id == delivery.subscriber_id)).first()
    if reader is None or reader.email.casefold() != delivery.recipient.casefold():
        if event.kind is K.COMPLAINT:
            _of_who_was_asked(connection, delivery, now)
        return True  # to the operator, or to an address that the reader has left, or does not have yet
    if event.kind is K.COMPLAINT:
        suppress(connection, reader.address_key, SuppressionReason.COMPLAINT, _UNWANTED, now)
    elif event.kind is K.UNSUBSCRIBE:
        unsubscribe(connection, reader.id, Consent(action=Act.UNSUBSCRIBED, wording=event.source, at=now))
    elif event.kind is K.BOUNCE:
        _score(connection, event, reader, now)
    return True


def _of_who_was_asked(connection: Connection, delivery: Row[Any], now: datetime) -> None:
    """Let nobody ask an address again whose owner complained of a letter that asked whether it is theirs."""
    kind = connection.execute(select(CONTENT.c.kind).where(CONTENT.c.id == delivery.content_id)).scalar()
    if kind not in _ASKING or not delivery.recipient:
        return
    noted = select(ADDRESS_CHANGE.c.address_key).where(
        ADDRESS_CHANGE.c.subscriber_id == delivery.subscriber_id, ADDRESS_CHANGE.c.email == delivery.recipient
    )
    # What was asked since has taken its place: in a header an address is as its key, but for capital letters.
    key = connection.execute(noted).scalar() or (delivery.slots.get("to") or delivery.recipient).lower()
    suppress(connection, key, SuppressionReason.COMPLAINT, _UNWANTED, now)


def _insert(connection: Connection, event: LetterEvent, subscriber_id: int | None, now: datetime) -> bool:
    row = {
        "source": event.source,
        "source_event_id": event.source_event_id,
        "delivery_id": event.delivery_id,
        "subscriber_id": subscriber_id,
        "kind": event.kind.value,
        "at": event.at,
        "received_at": now,
        "status": event.status,
        "detail": event.detail[:_DETAIL].replace("\0", " "),
        "points": 0.0,
        "raw": event.raw,
    }
    fresh = upsert(LETTER_EVENT).values(row).on_conflict_do_nothing(index_elements=["source", "source_event_id"])
    return connection.execute(fresh.returning(LETTER_EVENT.c.id)).first() is not None


def _score(connection: Connection, event: LetterEvent, reader: Row[Any], now: datetime) -> None:
    """Give a bounce its points, and suppress the reader where they are enough."""
    rows = connection.execute(
        select(LETTER_EVENT.c.id, LETTER_EVENT.c.delivery_id, LETTER_EVENT.c.at, LETTER_EVENT.c.points).where(
            LETTER_EVENT.c.subscriber_id == reader.id, LETTER_EVENT.c.kind == K.BOUNCE.value
        )
    ).all()
    day = event.at.astimezone(UTC).date()
    at_the_door = event.source == SMTP
    points = count(
        weigh_at_the_door(event.status, event.detail) if at_the_door else weigh(event.kind, event.status, event.detail),
        that_day=sum(row.points for row in rows if row.at.date() == day and row.points < SUPPRESS_AT),
        of_the_letter=sum(row.points for row in rows if row.delivery_id == event.delivery_id),
    )
    if not points:
        return
    mine = (LETTER_EVENT.c.source == event.source) & (LETTER_EVENT.c.source_event_id == event.source_event_id)
    connection.execute(update(LETTER_EVENT).where(mine).values(points=points))
    accepted = connection.execute(
        select(DELIVERY.c.last_try).where(
            DELIVERY.c.subscriber_id == reader.id,
            DELIVERY.c.state == DeliveryState.ACCEPTED.value,
            DELIVERY.c.id.not_in({row.delivery_id for row in rows}),
        )
    ).scalars()
    history = [Scored(row.at, row.points) for row in rows] + [Scored(event.at, points)]
    if score(history, [each for each in accepted if each is not None], now) >= SUPPRESS_AT:
        suppress(connection, reader.address_key, SuppressionReason.BOUNCE, _why(event, points), now)


def _why(event: LetterEvent, points: float) -> str:
    if points >= SUPPRESS_AT:
        return f"the mailbox does not exist or is closed ({event.status})"
    last = f", last with {event.status}" if event.status else ""
    return f"letters came back again and again{last}"
