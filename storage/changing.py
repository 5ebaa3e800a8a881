"""What a reader changes of their own letters. Each public method is one transaction, and says what it leaves.

    what was seen (a revision) → is it still so? → the change → the revision rises → the reader as they are now

`seen` is the revision of the page from which the change was asked, so that of two tabs the later one is told
(ChangedMeanwhile); None changes what there is, whatever it is: a command is one look and one change. Who left, or may
not be mailed, changes nothing here: they are asked to subscribe again.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, update

from domain.errors import ChangedMeanwhile, UnknownError, UsageError
from domain.subscriptions import Choices, Consent, Schedule, Subscriber, SubscriberState, checked_pause
from domain.topics import WishedTopic
from storage.database import Database
from storage.subscribers import one, record
from storage.subscriptions import add_topics, alter, look_back_again, take_away
from storage.tables import SUBSCRIBER, SUBSCRIPTION
from storage.taking_back import take_back

S = SubscriberState
MOST_TOPICS = 50  # of one reader: a letter of more could not be read


class Changes:
    """The changes of one database's readers; every method raises UnknownError where there is no such reader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def schedule(self, public_id: str, seen: int | None, schedule: Schedule) -> Subscriber:
        """Change when letters come."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            values = {**asdict(schedule), "every": schedule.every.value}
            return _changed(connection, reader, values)

    def choose(self, public_id: str, seen: int | None, choices: Choices, *, text_only: bool) -> Subscriber:
        """Change what letters hold; a choice of None is what the settings say."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            return _changed(connection, reader, {**asdict(choices), "text_only": text_only})

    def add_topic(self, public_id: str, seen: int | None, wished: WishedTopic, now: datetime) -> Subscriber:
        """Add a topic; one that is there already stays. Raises UsageError where the reader has too many."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            add_topics(connection, reader.id, [wished], now)
            after = _changed(connection, reader)
            if len(after.subscriptions) > max(MOST_TOPICS, len(reader.subscriptions)):
                raise UsageError(f"{MOST_TOPICS} topics are the most that one reader can have; take one away first")
            return after

    def remove_topic(self, public_id: str, seen: int | None, topic_id: int) -> Subscriber:
        """Take a topic away; raises UnknownError if the reader does not have it."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            _held(reader, topic_id)
            take_away(connection, reader.id, topic_id)
            return _changed(connection, reader)

    def amend_topic(
        self, public_id: str, seen: int | None, topic_id: int, name: str, *, wished: WishedTopic
    ) -> Subscriber:
        """Call a topic by another name, and say whether related papers fill its section, as `wished` does."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            before = _held(reader, topic_id)
            theirs = (SUBSCRIPTION.c.subscriber_id == reader.id, SUBSCRIPTION.c.topic_id == topic_id)
            values = {"name": name, "related": wished.related}
            connection.execute(update(SUBSCRIPTION).where(*theirs).values(values))
            if wished.related and not before.related:
                look_back_again(connection, reader.id, topic_id, wished)
            return _changed(connection, reader)

    def order_topics(self, public_id: str, seen: int | None, topic_ids: Sequence[int]) -> Subscriber:
        """Put a reader's topics into an order; those that are not named follow, as they were among themselves."""
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            for topic_id in topic_ids:
                _held(reader, topic_id)
            held = [each.topic_id for each in reader.subscriptions]
            order = [*dict.fromkeys(topic_ids), *(each for each in held if each not in topic_ids)]
            for position, topic_id in enumerate(order):
                theirs = (SUBSCRIPTION.c.subscriber_id == reader.id, SUBSCRIPTION.c.topic_id == topic_id)
                connection.execute(update(SUBSCRIPTION).where(*theirs).values(position=position))
            return _changed(connection, reader)

    def pause(self, public_id: str, seen: int | None, until: date | None, consent: Consent) -> Subscriber:
        """Let no letter come, up to the day on which they begin again in the reader's zone; None: until they say so.

        A letter that waits is taken back, and its papers come with the one on return. Twice does nothing more. Raises
        UsageError for a reader who gets no letters anyway, and for a day that is past or more than a year away.
        """
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            if reader.state not in {S.CONFIRMED, S.PAUSED}:
                raise UsageError("no letters come yet that could pause; please confirm the address first")
            checked_pause(until, reader.schedule.zone, consent.at)
            if reader.state is S.PAUSED and reader.paused_until == until:
                return reader
            record(connection, reader.id, consent)
            take_back(connection, reader.id)
            values = {
                "state": S.PAUSED.value,
                "paused_until": until,
                "away_since": reader.away_since or consent.at,
            }
            return _changed(connection, reader, values)

    def resume(self, public_id: str, seen: int | None, consent: Consent) -> Subscriber:
        """Let letters come again; the first one brings the best of what was missed. Twice does nothing more.

        Raises UsageError for a reader who did not pause.
        """
        with self._database.writing() as connection:
            reader = _seen(connection, public_id, seen)
            if reader.state is S.CONFIRMED:
                return reader
            if reader.state is not S.PAUSED:
                raise UsageError("no letters come yet that could begin again; please confirm the address first")
            record(connection, reader.id, consent)
            return _changed(connection, reader, {"state": S.CONFIRMED.value, "paused_until": None})


def _seen(connection: Connection, public_id: str, seen: int | None) -> Subscriber:
    """Return the reader as they are now; raises ChangedMeanwhile if that is not what was seen."""
    reader = one(connection, SUBSCRIBER.c.public_id == public_id)
    if reader.state in {S.UNSUBSCRIBED, S.SUPPRESSED}:
        raise UsageError("no letters go to this address; please subscribe again")
    if seen is not None and seen != reader.revision:
        raise ChangedMeanwhile("this was changed from another page since you opened this one")
    return reader


def _held(reader: Subscriber, topic_id: int) -> Any:
    for each in reader.subscriptions:
        if each.topic_id == topic_id:
            return each
    raise UnknownError("there is no such topic among the reader's")


def _changed(connection: Connection, reader: Subscriber, values: dict[str, Any] | None = None) -> Subscriber:
    alter(connection, reader.id, values or {})
    return one(connection, SUBSCRIBER.c.id == reader.id)
