"""POST /webhooks/{provider}: what mail providers tell of letters, proven, found among our deliveries, recorded once.

    body → the provider's own module proves and reads it (digests/mail/webhooks) → which letter of ours? → recorded

The answer decides whether a provider sends it again, so each is chosen for what SNS and Mailgun do with it:

| answer | when | SNS | Mailgun |
|---|---|---|---|
| 200 | recorded, known already, of no letter of ours, or nothing to record | done | done |
| 400, 413 | not what the provider documents | never again | again, for eight hours |
| 403 | not proven | never again | again, for eight hours: time to correct a key that was set wrongly |
| 404 | no such provider, or not set up here | never again | again, for eight hours |
| 503 | the database is busy, or a certificate could not be fetched | again, for a minute, at most an hour | again |

Nothing of a body, a key or an address is written to the log.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digests.mail.webhooks.told import Provider, Report
from domain.clock import Clock
from domain.errors import ForgedWebhook, PaperroundError, UnprovenWebhook, WebhookError
from domain.letter_events import LetterEvent, LetterEventKind
from web.rendering import Rendering
from web.words import NO_PAGE

log = logging.getLogger("paperround.web")
LARGEST_WEBHOOK = 262_144  # octets: the largest message of SNS
_LARGEST_KEPT = 65_536  # octets of a report that is kept as it came
_KEPT = frozenset({LetterEventKind.BOUNCE, LetterEventKind.COMPLAINT})
_QUIET = timedelta(hours=1)  # a flood of forged messages is one line an hour for each provider and reason
_RETRY = {"Retry-After": "60"}


class LetterEvents(Protocol):
    """What webhooks ask of the records; each method is one transaction and may raise StorageError."""

    def record(self, events: Sequence[LetterEvent], now: datetime) -> int:
        """Keep what is new of `events`, with all that follows from it; return how many were new."""
        ...

    def delivery_of(self, message_id: str) -> int | None:
        """Return the delivery that left with a Message-ID, or with one that has this left part; None if none did."""
        ...


def _nothing(now: datetime) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The providers that are set up, and where their reports go."""

    providers: Mapping[str, Provider]
    events: LetterEvents
    recorded: Callable[[datetime], object] = _nothing  #: called after something new was recorded


async def body_of(request: Request) -> bytes:
    """Return the body, which the guard has read already."""
    return await request.body()


class WebhookPages:
    """Serves the addresses that providers post to."""

    def __init__(self, webhooks: Webhooks, clock: Clock, rendering: Rendering) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._rendering = rendering
        self._told: dict[tuple[str, str], datetime] = {}

    def mount(self, app: FastAPI, prefix: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{prefix}/webhooks/{{provider}}", self.take, methods=["POST"])

    def take(self, provider: str, body: Annotated[bytes, Depends(body_of)], request: Request) -> Response:
        """Take one message of a provider."""
        reader = self._webhooks.providers.get(provider)
        if reader is None:
            return self._rendering.notice(NO_PAGE, 404)
        now = self._clock.now()
        try:
            told = reader.read(dict(request.headers), body, now)
        except WebhookError as error:
            return self._refuse(provider, error, now)
        if told.note:
            log.info("webhook %s: %s", provider, told.note)
        events = [event for each in told.reports if (event := self._event(provider, each, body, now)) is not None]
        new = self._webhooks.events.record(events, now) if events else 0
        if new:
            log.info("webhook %s: %s", provider, ", ".join(f"{each.kind} {each.status}".strip() for each in events))
            self._follow(now)
        elif len(events) < len(told.reports):
            log.info("webhook %s: a report of a letter that is not ours, or is no longer kept", provider)
        return PlainTextResponse("recorded\n" if new else "nothing new\n")

    def _event(self, provider: str, report: Report, body: bytes, now: datetime) -> LetterEvent | None:
        """Return a report as an event of one of our deliveries; None where it is of none."""
        known = map(self._webhooks.events.delivery_of, report.letters)
        delivery = next((each for each in known if each is not None), None)
        if delivery is None:
            return None
        return LetterEvent(
            source=provider,
            source_event_id=report.event_id,
            delivery_id=delivery,
            kind=report.kind,
            at=min(report.at, now),  # a clock that is ahead must not outlive a window of days
            status=report.status,
            detail=report.detail,
            raw=body[:_LARGEST_KEPT] if report.kind in _KEPT else None,
        )

    def _follow(self, now: datetime) -> None:
        """Do what follows. It is recorded by now: should this fail, the provider need not send it again."""
        try:
            self._webhooks.recorded(now)
        except PaperroundError as error:
            log.warning("after a webhook: %s", error)

    def _refuse(self, provider: str, error: WebhookError, now: datetime) -> Response:
        reason = str(error)
        said = self._told.get((provider, reason))
        if said is None or not said <= now < said + _QUIET:
            if len(self._told) >= 100:
                self._told.clear()
            self._told[provider, reason] = now
            log.warning("webhook %s: refused, %s", provider, reason)
        if isinstance(error, UnprovenWebhook):
            return PlainTextResponse("not now\n", 503, headers=_RETRY)
        return PlainTextResponse("refused\n", 403 if isinstance(error, ForgedWebhook) else 400)
