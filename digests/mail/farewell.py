"""The last letter, composed once it is known that a reader left.

Where a person left by a page, or the operator took them off, a goodbye says that it is done: it is the receipt for one
who left, and the warning for one whose letter was passed on to somebody who left for them. Never after a one-click
request (RFC 8058), which a mailbox sends by itself: whoever pressed "unsubscribe" there wants no further mail.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from digests.links import Links
from digests.mail.message import Identity, freeze, mailing_slots, message_id
from digests.render import Renderer
from domain.errors import AddressError, UsageError
from domain.issues import Mailing
from domain.subscriptions import Subscriber

#: How long a goodbye is worth sending: later it would only puzzle.
GOODBYE_AGE = timedelta(days=2)

#: (the reader, as they were before; what makes the key one of its own) → the letter to queue, None for none.
Farewell = Callable[[Subscriber, int], Mailing | None]


class Farewells:
    """Composes goodbyes of one installation; `links` is None where it has no site."""

    def __init__(self, renderer: Renderer, identity: Identity, links: Links | None) -> None:
        self._renderer = renderer
        self._identity = identity
        self._links = links

    def at(self, now: datetime) -> Farewell:
        """Return what composes the letter for one who leaves at `now` (aware).

        It gives None for an address that no letter can be written to: a wish to leave never fails on its answer.
        """

        def farewell(reader: Subscriber, number: int) -> Mailing | None:
            try:
                return self._mailing(reader, number, now)
            except (AddressError, UsageError):
                return None

        return farewell

    def _mailing(self, reader: Subscriber, number: int, now: datetime) -> Mailing:
        """Return the letter: due at once; a shared mailbox gets no link by which one person could act for all."""
        key = f"goodbye:{reader.public_id}:{number}"
        identifier = message_id(key, self._identity)
        links = {}
        if self._links is not None and not reader.shared:
            links["preferences"] = self._links.preferences(reader.public_id)
        return Mailing(
            message_key=key,
            subscriber_id=reader.public_id,
            recipient=reader.email,
            content=freeze(self._renderer.goodbye(fresh=bool(links)), self._identity),
            slots=mailing_slots(recipient=reader.email, message_id=identifier, date=now, links=links),
            message_id=identifier,
            date=now,
            not_before=now,
            expires_at=now + GOODBYE_AGE,
        )
