"""The link of the first letter: confirm.

token → whose it is (links) → how they stand (readers) → a page with at most one button → POST → changed, once
"""

from typing import Protocol

from fastapi import FastAPI
from starlette.responses import Response

from digests.links import Links, Purpose
from digests.readable import clean
from domain.clock import Clock
from domain.subscriptions import Consent, Subscriber, SubscriberState
from web.rendering import Rendering
from web.words import (
    CONFIRMED,
    NOT_OPEN,
    WORDING,
    rhythm,
    veiled,
)

_SAFE = ["GET", "HEAD"]
_GONE = frozenset({SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED})


class Readers(Protocol):
    """What these pages ask of the records; each method is one transaction and may raise StorageError."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...

    def confirm(self, public_id: str, consent: Consent) -> bool:
        """Confirm a pending reader; return whether the reader is confirmed now."""
        ...


class ReaderPages:
    """Serves the links that `links` signed."""

    def __init__(self, readers: Readers, links: Links, clock: Clock, rendering: Rendering) -> None:
        self._readers = readers
        self._links = links
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, prefix: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{prefix}/confirm/{{token}}", self.ask_confirm, methods=_SAFE)
        app.add_api_route(f"{prefix}/confirm/{{token}}", self.confirm, methods=["POST"])

    def ask_confirm(self, token: str) -> Response:
        """Show one button; change nothing."""
        return self._confirm_page(self._read(Purpose.CONFIRM, token))

    def confirm(self, token: str) -> Response:
        """Confirm the address; the same answer twice."""
        public_id = self._read(Purpose.CONFIRM, token)
        if self._readers.confirm(public_id, self._consent("confirmed")):
            return self._rendering.notice(CONFIRMED)
        return self._confirm_page(public_id)

    def _read(self, purpose: Purpose, token: str) -> str:
        return self._links.read(purpose, token, self._clock.now())

    def _consent(self, action: str) -> Consent:
        return Consent(action=action, wording=WORDING, at=self._clock.now())

    def _confirm_page(self, public_id: str) -> Response:
        reader = self._readers.by_public_id(public_id)
        if reader is None or reader.state in _GONE:
            return self._rendering.notice(NOT_OPEN, 410)
        if reader.state is SubscriberState.PENDING:
            return self._rendering.page(
                "confirm.html",
                address=veiled(reader.email),
                rhythm=rhythm(reader.schedule),
                topics=[clean(each.name) for each in reader.subscriptions],
            )
        return self._rendering.notice(CONFIRMED)
