"""Who left by a page and thinks better of it within the half hour: fewer letters instead of none.

    left a moment ago, by a page, confirmed before → the state and rhythm that were offered → their topics look back
    → the goodbye that has not left yet is not sent

Nothing is kept for this: the record of consent says when and where somebody left. Who never confirmed, left by their
mailbox's own button, or may not be mailed cannot come back so; they subscribe again (docs/decisions/0029).
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, exists, select, update

from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.subscriptions import Act, Cadence, Consent, Subscriber, SubscriberState
from storage.database import Database
from storage.subscribers import find, record
from storage.subscriptions import NOT_AWAY, alter
from storage.tables import CONSENT, CONTENT, DELIVERY, SUBSCRIBER, SUBSCRIPTION, TOPIC
from storage.taking_back import take_back
from storage.topics import GONE

#: Where a person left, as opposed to a program: the `place` of the record.
BY_PAGE = ("/unsubscribe", "/preferences")
_JOINED = frozenset({Act.CONFIRMED, Act.VOUCHED})


class Returns:
    """The readers of one database who come back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def weekly(self, public_id: str, since: datetime, consent: Consent) -> bool:
        """Let one letter a week come to one who left by a page after `since`; return whether it does now."""
        values = {"state": SubscriberState.CONFIRMED.value, "every": Cadence.WEEK.value}
        return self._back(public_id, since, {**values, **NOT_AWAY}, consent)

    def paused(self, public_id: str, since: datetime, until: date, consent: Consent) -> bool:
        """Let letters come again on a day to one who left by a page after `since`; return whether they will."""
        values = {"state": SubscriberState.PAUSED.value, "paused_until": until, "away_since": consent.at}
        return self._back(public_id, since, values, consent)

    def _back(self, public_id: str, since: datetime, values: dict[str, Any], consent: Consent) -> bool:
        with self._database.writing() as connection:
            reader = find(connection, SUBSCRIBER.c.public_id == public_id)
            if reader is None:
                return False
            said = connection.execute(
                select(CONSENT).where(CONSENT.c.subscriber_id == reader.id).order_by(CONSENT.c.id.desc())
            ).all()
            last = said[0] if said else None
            if last is None or last.at < since:
                return False
            if last.action == consent.action:
                return bool(reader.state == values["state"])  # the same button twice
            left = reader.state is SubscriberState.UNSUBSCRIBED and last.action == Act.UNSUBSCRIBED
            if not left or last.place not in BY_PAGE or not _had_confirmed(reader, [each.action for each in said]):
                return False
            record(connection, reader.id, consent)
            alter(connection, reader.id, values)
            if values["state"] == SubscriberState.PAUSED.value:
                take_back(connection, reader.id)
            _look_back(connection, reader)
            _keep_the_goodbye(connection, reader)
            return True


def _had_confirmed(reader: Subscriber, newest_first: list[str]) -> bool:
    """Whether letters came before the reader left: nobody becomes a reader by leaving."""
    told = next((each for each in newest_first if each in _JOINED or each == Act.ASKED), "")
    return reader.joined_at is not None and not reader.shared and told != Act.ASKED


def _look_back(connection: Connection, reader: Subscriber) -> None:
    """Let topics that nobody else held meanwhile meet what came."""
    others = (
        select(SUBSCRIPTION.c.topic_id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
        .where(SUBSCRIPTION.c.topic_id == TOPIC.c.id, SUBSCRIBER.c.id != reader.id, SUBSCRIBER.c.state.not_in(GONE))
    )
    mine = TOPIC.c.id.in_([each.topic_id for each in reader.subscriptions])
    connection.execute(update(TOPIC).where(mine, ~exists(others)).values(backfilled=False))


def _keep_the_goodbye(connection: Connection, reader: Subscriber) -> None:
    """Do not send what is not true any more."""
    goodbyes = select(CONTENT.c.id).where(CONTENT.c.kind == LetterKind.GOODBYE.value)
    waiting = (
        DELIVERY.c.subscriber_id == reader.id,
        DELIVERY.c.content_id.in_(goodbyes),
        DELIVERY.c.state.in_([DeliveryState.PLANNED.value, DeliveryState.DEFERRED.value]),
        DELIVERY.c.resent.is_(False),  # else it may have left already, and that is for delivering to settle
    )
    ended = {"state": DeliveryState.SKIPPED.value, "reason": "the reader came back", "not_before": None}
    connection.execute(update(DELIVERY).where(*waiting).values(ended))
