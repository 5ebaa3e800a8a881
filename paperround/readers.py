"""Readers by command: an address and topics as typed become a signup, with a confirmation letter where one is due."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from digests.addresses import address, address_key
from digests.mail.askings import Askings
from digests.mail.farewell import Farewells
from domain.clock import Clock
from domain.errors import QueryError, UnknownError, UsageError
from domain.subscriptions import NO_CHOICES, Choices, Consent, Schedule, Subscriber, SubscriberState
from domain.topics import WishedTopic
from storage.address_changes import AddressChanges
from storage.subscribers import Signup, Subscribers
from topics.query import parse

#: The version of the words that a confirmation letter and its page show; the consent record names it.
WORDING = "2026-11"
_LONGEST_NAME = 100  # characters
_NAMED = re.compile(r"\s*([^=\"“”()]*[^=\"“”()\s])\s+=(?:\s+(.*))?", re.DOTALL)


class Desk:
    """Where readers are added, changed and taken off."""

    def __init__(
        self,
        *,
        subscribers: Subscribers,
        askings: Askings | None,
        farewells: Farewells,
        clock: Clock,
        moves: AddressChanges | None = None,
    ) -> None:
        self._moves = moves
        self._subscribers = subscribers
        self._farewells = farewells
        self._askings = askings
        self._clock = clock

    def subscribe(
        self,
        email: str,
        topics: Sequence[str],
        schedule: Schedule | None,
        *,
        vouched: bool,
        shared: bool,
        choices: Choices = NO_CHOICES,
        related: bool | None = None,
    ) -> tuple[Subscriber, bool]:
        """Add a reader, or topics to a known one; `related` is said of these topics, and `choices` of all letters.

        Without a site (a personal installation), for a shared mailbox, or where the operator vouches, the reader is
        confirmed at once; else they are pending and a confirmation letter is queued in the same transaction.
        Return the reader, and whether a confirmation letter was queued: an address gets one a day and three in all.
        Raises AddressError, QueryError or UsageError; then nothing was changed.
        """
        typed = address(email).display
        wished = [replace(wished_topic(text), related=related) for text in topics]
        now = self._clock.now()
        confirmed = vouched or shared or self._askings is None
        return self._subscribers.subscribe(
            Signup(
                email=typed,
                address_key=address_key(typed),
                public_id=secrets.token_hex(8),
                topics=wished,
                schedule=schedule,
                state=SubscriberState.CONFIRMED if confirmed else SubscriberState.PENDING,
                shared=shared,
                consent=[Consent(action="vouched" if confirmed else "asked", wording=WORDING, at=now, place="command")],
                choices=choices,
            ),
            now,
            None if confirmed or self._askings is None else self._askings.confirmation(typed, now),
        )

    def find(self, email: str) -> Subscriber:
        """Return the reader of an address; raises AddressError or UnknownError."""
        reader = self._subscribers.by_address(address_key(email))
        if reader is None:
            raise UnknownError(f"{email!r} is no subscriber")
        return reader

    def change_topics(
        self,
        email: str,
        add: Sequence[str],
        remove: Sequence[str],
        *,
        related: Sequence[str] = (),
        exact: Sequence[str] = (),
    ) -> Subscriber:
        """Add topics, let related papers into some and keep them out of others, and take topics away.

        Raises QueryError, UsageError or UnknownError, and then nothing was changed.
        """
        reader = self.find(email)
        wished = [wished_topic(text) for text in add]
        switch = [(parse(text), True) for text in related] + [(parse(text), False) for text in exact]
        gone = [parse(text) for text in remove]
        near = {query.normal_form for query, is_related in switch if is_related}
        for query, is_related in switch:
            if not is_related and query.normal_form in near:
                raise UsageError(f"{query.text!r} cannot be both related and exact")
        if not wished and not switch and not gone:
            return reader
        return self._subscribers.change_topics(reader.public_id, wished, gone, self._clock.now(), switch)

    def choose(self, email: str, choices: Choices, *, afresh: bool) -> Subscriber:
        """Change what is chosen of a reader's letters; raises AddressError or UnknownError."""
        return self._subscribers.choose(self.find(email).public_id, choices, afresh=afresh)

    def unsubscribe(self, email: str) -> None:
        """Stop every letter to an address, and queue a goodbye; raises AddressError or UnknownError."""
        consent = Consent(action="unsubscribed by the operator", wording=WORDING, at=self._clock.now(), place="command")
        self._subscribers.unsubscribe(self.find(email).public_id, consent, self._farewells.at(consent.at))

    def ask_new_address(self, public_id: str, email: str) -> bool:
        """Ask a new address to take a reader's letters over; return False where no letter goes there."""
        if self._askings is None or self._moves is None:
            return False
        typed, now = address(email).display, self._clock.now()
        letter = self._askings.new_address(typed, now)
        return self._moves.ask(public_id, typed, address_key(typed), letter, now)

    def everything(self, public_id: str) -> dict[str, Any]:
        """Return what is kept of a reader, for a file."""
        reader = self._subscribers.by_public_id(public_id)
        if reader is None:
            raise UnknownError("there is no such reader")
        return {
            "email": reader.email,
            "state": reader.state.value,
            "topics": [{"name": each.name, "query": each.query} for each in reader.subscriptions],
            "consent": [
                {"action": each.action, "wording": each.wording, "at": each.at.isoformat(), "place": each.place}
                for each in self._subscribers.consents(reader.id)
            ],
        }

    def erase(self, reader: Subscriber) -> bool:
        """Erase a reader and all that was theirs; return whether they were still there."""
        return self._subscribers.erase(reader.public_id, self._clock.now())


def wished_topic(text: str) -> WishedTopic:
    """Read "NAME = QUERY" or "QUERY"; raises QueryError, its column counted in `text`, or UsageError for the name."""
    named = _NAMED.fullmatch(text)
    if named is None:
        return WishedTopic(name=" ".join(text.split()), query=parse(text))
    name = named[1]
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"a topic's name must be at most {_LONGEST_NAME} printable characters, not {name[:60]!r}")
    try:
        return WishedTopic(name=name, query=parse(named[2] or ""))
    except QueryError as error:
        raise QueryError(error.reason, error.column + max(named.start(2), 0), error.suggestion) from error
