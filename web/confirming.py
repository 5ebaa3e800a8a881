"""The link of the first letter: a page with one button, and what pressing it says.

    token → whose it is (links) → how they stand (readers) → the page with the button → POST → confirmed, once

GET, HEAD and OPTIONS change nothing, because programs open every link of a mail before people do (mail.md finding 5),
and no script presses the button. A POST needs no cookie and no login, and may come twice.
"""

from typing import Protocol

from fastapi import FastAPI
from starlette.responses import Response

from digests.links import CONFIRM_HOURS, BadLink, Links, Purpose
from digests.readable import clean
from domain.clock import Clock
from domain.subscriptions import Consent, Subscriber, SubscriberState
from web.rendering import Rendering
from web.words import CONFIRMED, NO_LINK, WORDING, not_open, rhythm, veiled

#: Where consent was given, as its record says.
PLACE = "/confirm"
#: Who is asked. One whose address is suppressed holds such a link only after asking anew, which counts for something
#: after a complaint; whether it does, the records say when the button is pressed.
_ASKED = frozenset({SubscriberState.PENDING, SubscriberState.SUPPRESSED})


class Readers(Protocol):
    """What these pages ask of the records; each method is one transaction and may raise StorageError."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...

    def confirm(self, public_id: str, consent: Consent) -> bool:
        """Confirm a pending reader; return whether the reader is confirmed now."""
        ...


class ConfirmPages:
    """Serves the links that `links` signed to confirm."""

    def __init__(self, readers: Readers, links: Links, clock: Clock, rendering: Rendering) -> None:
        self._readers = readers
        self._links = links
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/confirm/{{token}}", self.ask, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/confirm/{{token}}", self.confirm, methods=["POST"])

    def ask(self, token: str) -> Response:
        """Show one button; change nothing."""
        try:
            public_id = self._read(token)
        except BadLink as error:
            return self._bad(error)
        return self._stands(public_id, _ASKED)

    def confirm(self, token: str) -> Response:
        """Confirm the address; the same answer twice."""
        try:
            public_id = self._read(token)
        except BadLink as error:
            return self._bad(error)
        if self._readers.confirm(public_id, Consent("confirmed", WORDING, self._clock.now(), PLACE)):
            return self._rendering.notice(CONFIRMED)
        return self._stands(public_id, frozenset({SubscriberState.PENDING}))

    def _read(self, token: str) -> str:
        return self._links.read(Purpose.CONFIRM, token, self._clock.now())

    def _stands(self, public_id: str, asked: frozenset[SubscriberState]) -> Response:
        """Show the button to who is asked, and to others how they stand."""
        reader = self._readers.by_public_id(public_id)
        if reader is not None and reader.state in asked:
            return self._rendering.page(
                "confirm.html",
                address=veiled(reader.email),
                rhythm=rhythm(reader.schedule),
                topics=[clean(each.name) for each in reader.subscriptions],
            )
        if reader is None or reader.state.is_gone:
            return self._rendering.notice(not_open(takes_signups=self._rendering.site.takes_signups), 410)
        return self._rendering.notice(CONFIRMED)

    def _bad(self, error: BadLink) -> Response:
        if error.expired:
            return self._rendering.page("expired.html", 410, hours=CONFIRM_HOURS)
        return self._rendering.notice(NO_LINK, 404)
