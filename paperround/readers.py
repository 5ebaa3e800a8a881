"""Readers, by command and on the site: what was typed becomes a signup, a change, a letter, or an error in a sentence.

    as typed → read and checked (AddressError, QueryError, UsageError) → the letters that may answer → one transaction

The site is told nothing of an address that was typed there: not by an answer, and little by the time that it takes.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from digests.addresses import address, address_key
from digests.mail.askings import Askings
from digests.mail.farewell import Farewells
from domain.clock import Clock
from domain.errors import QueryError, UnknownError, UsageError
from domain.subscriptions import NO_CHOICES, Act, Choices, Consent, Schedule, Subscriber, SubscriberState
from domain.topics import WishedTopic
from paperround.reader_exports import as_json
from storage.address_changes import AddressChanges
from storage.changing import MOST_TOPICS, Changes
from storage.exporting import Exports
from storage.fresh_letters import FreshLetters
from storage.outside import OutsideSignups
from storage.subscribers import Signup, Subscribers
from topics.query import parse

#: The version of the words of our commands, for the record of consent; the site's pages have their own (web/words.py).
WORDING = "2026-11"
_LONGEST_NAME = 100  # characters
_NAMED = re.compile(r"\s*([^=\"“”()]*[^=\"“”()\s])\s+=(?:\s+(.*))?", re.DOTALL)


class Desk:
    """Where readers are added, changed and taken off."""

    def __init__(
        self,
        *,
        subscribers: Subscribers,
        changes: Changes,
        outside: OutsideSignups,
        fresh_letters: FreshLetters,
        address_changes: AddressChanges,
        exports: Exports,
        askings: Askings | None,
        farewells: Farewells,
        clock: Clock,
    ) -> None:
        self._subscribers = subscribers
        self._changes = changes
        self._outside = outside
        self._fresh_letters = fresh_letters
        self._address_changes = address_changes
        self._exports = exports
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
                consent=[
                    Consent(action=Act.VOUCHED if confirmed else Act.ASKED, wording=WORDING, at=now, place="command")
                ],
                choices=choices,
            ),
            now,
            None if confirmed or self._askings is None else self._askings.confirmation(typed, now),
        )

    # -- from the site -------------------------------------------------------------------------------------------------

    def sign_up(self, email: str, topics: Sequence[str], schedule: Schedule | None, place: str, wording: str) -> None:
        """Do what somebody who typed this address on the site may: whose it is, and what became of it, is not told.

        Raises AddressError, QueryError or UsageError for what cannot be read; then nothing was changed. `place` is
        the page and `wording` the version of its words, for the record of what a reader agreed to.
        """
        wished = [wished_topic(text) for text in topics]
        if not 1 <= len({each.query.normal_form for each in wished}) <= MOST_TOPICS:
            raise UsageError(f"a letter is of 1 to {MOST_TOPICS} topics")
        self._sign_up(email, wished, schedule, place, wording)

    def resend(self, email: str, place: str, wording: str) -> None:
        """Let the confirmation letter leave once more, if it may; raises AddressError, and tells nothing else."""
        self._sign_up(email, [], None, place, wording)

    def _sign_up(
        self, email: str, wished: Sequence[WishedTopic], schedule: Schedule | None, place: str, wording: str
    ) -> None:
        typed = address(email).display
        if self._askings is None:
            raise UsageError("readers of this installation are added by its operator")
        now = self._clock.now()
        signup = Signup(
            email=typed,
            address_key=address_key(typed),
            public_id=secrets.token_hex(8),
            topics=wished,
            schedule=schedule,
            state=SubscriberState.PENDING,
            shared=False,
            consent=[Consent(action=Act.ASKED, wording=wording, at=now, place=place)],
            outside=True,
        )
        self._outside.sign_up(signup, self._askings.confirmation(typed, now), self._askings.fresh(now), now)

    def ask_fresh(self, public_id: str) -> bool:
        """Queue the letter with a fresh link for a reader; return False where none is due."""
        if self._askings is None:
            return False
        now = self._clock.now()
        return self._fresh_letters.ask(public_id, self._askings.fresh(now), now)

    def ask_new_address(self, public_id: str, email: str) -> bool:
        """Ask a new address to take over a reader's letters; return False where no letter goes there.

        Raises AddressError.
        """
        typed = address(email).display
        if self._askings is None:
            return False
        now = self._clock.now()
        letter = self._askings.new_address(typed, now)
        return self._address_changes.ask(public_id, typed, address_key(typed), letter, now)

    def everything(self, public_id: str) -> dict[str, Any]:
        """Return all that is kept of a reader, as plain values; raises UnknownError."""
        parts = self._exports.of(public_id)
        return {name: list(part) if isinstance(part, Iterator) else part for name, part in parts}

    def export(self, public_id: str) -> Iterator[str]:
        """Give the same as JSON, a bit at a time, however much it is; raises UnknownError before the first."""
        return as_json(self._exports.of(public_id))

    # -- by command ----------------------------------------------------------------------------------------------------

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

    def pause(self, email: str, until: date | None) -> Subscriber:
        """Let no letter come up to a day in the reader's zone, or until `resume`.

        Raises AddressError, UnknownError, or UsageError for who gets no letters and for a day that is no such day.
        """
        consent = Consent(action=Act.PAUSED_BY_OPERATOR, wording=WORDING, at=self._clock.now(), place="command")
        return self._changes.pause(self.find(email).public_id, None, until, consent)

    def resume(self, email: str) -> Subscriber:
        """Let letters come again; raises AddressError, UnknownError, or UsageError for who did not pause."""
        consent = Consent(action=Act.RESUMED_BY_OPERATOR, wording=WORDING, at=self._clock.now(), place="command")
        return self._changes.resume(self.find(email).public_id, None, consent)

    def unsubscribe(self, email: str) -> None:
        """Stop every letter to an address, and queue a goodbye; raises AddressError or UnknownError."""
        consent = Consent(action=Act.UNSUBSCRIBED_BY_OPERATOR, wording=WORDING, at=self._clock.now(), place="command")
        self._subscribers.unsubscribe(self.find(email).public_id, consent, self._farewells.at(consent.at))

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
