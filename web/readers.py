"""The two links of a letter: preferences, unsubscribe. That of the first letter has confirming.py.

    token → whose it is (links) → how they stand (readers) → a page with at most one button → POST → changed, once

GET, HEAD and OPTIONS change nothing, because programs open every link of a mail before people do (mail.md finding 5).
A POST needs no cookie and no login, is answered without a redirect, and may come twice (RFC 8058 section 3.1, 3.2).
"""

from typing import Annotated, Protocol
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.links import BadLink, Links, Purpose
from digests.mail.farewell import Farewell, Farewells
from digests.readable import clean
from domain.clock import Clock
from domain.subscriptions import Consent, Subscriber, SubscriberState
from web.rendering import Rendering
from web.words import (
    EXPIRED,
    GOODBYE,
    NO_LINK,
    STATES,
    UNREADABLE,
    WORDING,
    rhythm,
    veiled,
)

_SAFE = ["GET", "HEAD"]
_LEAVE = "unsubscribe"  # the field `action` of both forms that stop the letters
_GONE = frozenset({SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED})


class Readers(Protocol):
    """What these pages ask of the records; each method is one transaction and may raise StorageError."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...

    def unsubscribe(self, public_id: str, consent: Consent, farewell: Farewell | None = None) -> bool:
        """Stop every letter to a reader, and queue the goodbye; return whether there is such a reader."""
        ...


async def action_of(request: Request) -> str:
    """Return the field `action` of our own forms; "" where there is none."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return fields.get("action", [""])[0]


class ReaderPages:
    """Serves the links that `links` signed."""

    def __init__(
        self, readers: Readers, links: Links, farewells: Farewells | None, clock: Clock, rendering: Rendering
    ) -> None:
        self._readers = readers
        self._links = links
        self._farewells = farewells
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, prefix: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{prefix}/unsubscribe/{{token}}", self.ask_unsubscribe, methods=_SAFE)
        app.add_api_route(f"{prefix}/unsubscribe/{{token}}", self.unsubscribe, methods=["POST"])
        app.add_api_route(f"{prefix}/preferences/{{token}}", self.preferences, methods=_SAFE)
        app.add_api_route(f"{prefix}/preferences/{{token}}", self.change, methods=["POST"])
        app.add_exception_handler(BadLink, self._bad_link)

    def ask_unsubscribe(self, token: str) -> Response:
        """Show one button; change nothing."""
        reader = self._readers.by_public_id(self._read(Purpose.UNSUBSCRIBE, token))
        if reader is None or reader.state in _GONE:
            return self._rendering.notice(GOODBYE)
        return self._rendering.page("unsubscribe.html", address=veiled(reader.email))

    def unsubscribe(self, token: str, action: Annotated[str, Depends(action_of)]) -> Response:
        """Stop every letter at once.

        Whatever the body says: `List-Unsubscribe=One-Click` in either encoding, the page's own form, noise or nothing
        at all, a POST to this address can mean only one thing, and a wish to leave must not fail on its form. Only
        the page's own form is known to come from a person, and only that is answered by a letter.
        """
        return self._leave(self._read(Purpose.UNSUBSCRIBE, token), by_page=action == _LEAVE)

    def preferences(self, token: str) -> Response:
        """Show how a reader stands, the address half hidden: a letter that was passed on carries this link too."""
        reader = self._readers.by_public_id(self._read(Purpose.PREFERENCES, token))
        if reader is None:
            return self._rendering.notice(NO_LINK, 404)
        return self._rendering.page(
            "preferences.html",
            address=veiled(reader.email),
            state=STATES[reader.state],
            rhythm=rhythm(reader.schedule),
            topics=[(clean(each.name), clean(each.query)) for each in reader.subscriptions],
            gone=reader.state in _GONE,
        )

    def change(self, token: str, action: Annotated[str, Depends(action_of)]) -> Response:
        """Do what a button of the page says."""
        public_id = self._read(Purpose.PREFERENCES, token)
        if action != _LEAVE:
            return self._rendering.notice(UNREADABLE, 400)
        return self._leave(public_id, by_page=True)

    def _read(self, purpose: Purpose, token: str) -> str:
        return self._links.read(purpose, token, self._clock.now())

    def _consent(self, action: str) -> Consent:
        return Consent(action=action, wording=WORDING, at=self._clock.now())

    def _leave(self, public_id: str, *, by_page: bool) -> Response:
        """Unsubscribe; a reader who was erased gets the same answer, for it is as true."""
        consent = self._consent("unsubscribed")
        farewell = self._farewells.at(consent.at) if by_page and self._farewells is not None else None
        self._readers.unsubscribe(public_id, consent, farewell)
        return self._rendering.notice(GOODBYE)

    async def _bad_link(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 Starlette's signature
        if isinstance(error, BadLink) and error.expired:
            return self._rendering.notice(EXPIRED, 410)
        return self._rendering.notice(NO_LINK, 404)
