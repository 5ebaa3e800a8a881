"""The letters whose only purpose is their link, composed for one reader: confirm, a new address, a fresh link.

Nothing that anyone typed stands in them but the address they go to: they may reach a person who never asked.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from digests.links import FRESH_HOURS, Links
from digests.mail.message import Identity, freeze, mailing_slots, message_id
from digests.render import Renderer
from domain.issues import LetterKind, Mailing
from domain.subscriptions import Subscriber

#: How long a confirmation letter is worth sending (mail.md section 2, "Retry, throttle, pause").
CONFIRMATION_AGE = timedelta(days=5)
#: What the one link is called in each letter, and how long that is worth sending.
_SLOTS: Mapping[LetterKind, tuple[str, timedelta]] = {
    LetterKind.CONFIRM: ("confirm", CONFIRMATION_AGE),
    LetterKind.ADDRESS: ("confirm", CONFIRMATION_AGE),
    LetterKind.PREFERENCES: ("preferences", timedelta(hours=FRESH_HOURS)),  # its link is worth nothing later
}


class Askings:
    """Composes them for one installation with a site."""

    def __init__(self, renderer: Renderer, identity: Identity, links: Links) -> None:
        self._renderer = renderer
        self._identity = identity
        self._links = links

    def confirmation(self, email: str, now: datetime) -> Callable[[str, int], Mailing]:
        """Return what composes the letter that asks a new reader to confirm, once their public id is known."""

        def letter(public_id: str, number: int) -> Mailing:
            link = self._links.confirm(public_id, now)
            return self._mailing(LetterKind.CONFIRM, public_id, number, link, now, to=email)

        return letter

    def new_address(self, email: str, now: datetime) -> Callable[[Subscriber, int], Mailing]:
        """Return what composes the letter that asks a new address to take over; `now` is what its link names."""

        def letter(reader: Subscriber, number: int) -> Mailing:
            link = self._links.address(reader.public_id, now)
            return self._mailing(LetterKind.ADDRESS, reader.public_id, number, link, now, to=email)

        return letter

    def fresh(self, now: datetime) -> Callable[[Subscriber, int], Mailing]:
        """Return what composes the letter with a fresh link."""

        def letter(reader: Subscriber, number: int) -> Mailing:
            link = self._links.fresh(reader.public_id, now)
            return self._mailing(LetterKind.PREFERENCES, reader.public_id, number, link, now, to=reader.email)

        return letter

    def _mailing(self, kind: LetterKind, public_id: str, number: int, link: str, now: datetime, *, to: str) -> Mailing:
        """Return the letter to queue: due at once."""
        slot, age = _SLOTS[kind]
        key = f"{kind}:{public_id}:{number}"
        identifier = message_id(key, self._identity)
        return Mailing(
            message_key=key,
            subscriber_id=public_id,
            recipient=to,
            content=freeze(self._renderer.linked(kind), self._identity),
            slots=mailing_slots(recipient=to, message_id=identifier, date=now, links={slot: link}),
            message_id=identifier,
            date=now,
            not_before=now,
            expires_at=now + age,
        )
