"""The way out: one button, a goodbye, and for half an hour after it the way back to fewer letters.

    token → whose it is → a page with one button → POST → gone at once → a goodbye that offers less instead of nothing

GET, HEAD and OPTIONS change nothing, because programs open every link of a mail before people do (mail.md finding 5).
A POST needs no cookie and no login, is answered without a redirect, and may come twice (RFC 8058 section 3.1, 3.2).
Nobody is asked before they leave, and whoever comes back does so by a press of their own (docs/decisions/0029).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.links import Links, Purpose
from digests.mail.farewell import Farewell, Farewells
from domain.clock import Clock
from domain.reader_answers import long_day
from domain.subscriptions import REACHED, Act, Cadence, Consent, Subscriber, zone_of
from web.bodies import pairs
from web.rendering import Rendering
from web.words import WORDING, Notice, goodbye, rhythm, too_late, veiled

#: How long after they left by a page somebody may come back by its buttons.
SECOND_THOUGHT = timedelta(minutes=30)
PAUSE = timedelta(days=30)
_SAFE = ["GET", "HEAD"]
_MOST_FIELDS = 100
_LEAVE = "unsubscribe"  # the field `action` of both forms that stop the letters
_PLACE = "/unsubscribe"
_ONE_CLICK = "one-click"  # the place of whoever pressed a button of their mailbox


class Readers(Protocol):
    """What these pages ask of the records; each method is one transaction and may raise StorageError."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...

    def unsubscribe(self, public_id: str, consent: Consent, farewell: Farewell | None = None) -> bool:
        """Stop every letter to a reader, and queue the goodbye; return whether there is such a reader."""
        ...


class Returns(Protocol):
    """The way back; each method returns whether the reader stands so now."""

    def weekly(self, public_id: str, since: datetime, consent: Consent) -> bool:
        """Let one letter a week come to one who left by a page after `since`."""
        ...

    def paused(self, public_id: str, since: datetime, until: date, consent: Consent) -> bool:
        """Let letters come again on a day to one who left by a page after `since`."""
        ...


async def fields_of(request: Request) -> Sequence[tuple[str, str]]:
    """Return the fields of a body, whatever it is."""
    try:
        return pairs(await request.body(), _MOST_FIELDS)
    except ValueError:
        return ()


class LeavingPages:
    """Serves the way out and the way back."""

    def __init__(
        self,
        *,
        readers: Readers,
        returns: Returns,
        links: Links,
        farewells: Farewells,
        clock: Clock,
        rendering: Rendering,
    ) -> None:
        self._readers = readers
        self._returns = returns
        self._links = links
        self._farewells = farewells
        self._clock = clock
        self._rendering = rendering
        self._goodbye = goodbye(takes_signups=rendering.site.takes_signups)

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/unsubscribe/{{token}}", self.ask, methods=_SAFE)
        app.add_api_route(f"{root}/unsubscribe/{{token}}", self.unsubscribe, methods=["POST"])

    def ask(self, token: str) -> Response:
        """Show one button; change nothing."""
        return self._button(self._readers.by_public_id(self._read(token)))

    def unsubscribe(self, token: str, fields: Annotated[Sequence[tuple[str, str]], Depends(fields_of)]) -> Response:
        """Stop every letter at once, or bring back one who left a moment ago.

        Whatever the body says: `List-Unsubscribe=One-Click` in either encoding, the page's own form, noise or nothing
        at all, a POST to this address means to leave, and a wish to leave must not fail on its form. Only the page's
        own form is known to come from a person, and only that is answered by a letter. The two buttons of the goodbye
        are the one exception, and they can only bring back one who has left.
        """
        public_id = self._read(token)
        match list(fields):
            case [("action", "weekly")]:
                return self._weekly(public_id)
            case [("action", "pause")]:
                return self._pause(public_id)
        is_form = next((value for name, value in fields if name == "action"), "") == _LEAVE
        return self.leave(public_id, _PLACE if is_form else _ONE_CLICK)

    def leave(self, public_id: str, place: str) -> Response:
        """Unsubscribe, and keep where it was said; who was erased gets the same answer, for it is as true."""
        consent = Consent(action=Act.UNSUBSCRIBED, wording=WORDING, at=self._clock.now(), place=place)
        if place == _ONE_CLICK:
            self._readers.unsubscribe(public_id, consent, None)
            return self._rendering.notice(self._goodbye)
        before = self._readers.by_public_id(public_id)
        self._readers.unsubscribe(public_id, consent, self._farewells.at(consent.at))
        if before is None or before.state not in REACHED or before.shared:
            return self._rendering.notice(self._goodbye)
        return self._rendering.page(
            "goodbye.html",
            notice=self._goodbye,
            way=self._links.unsubscribe(public_id).rpartition("/")[2],
            weekly=before.schedule.every is not Cadence.WEEK,
            minutes=SECOND_THOUGHT // timedelta(minutes=1),
        )

    def _weekly(self, public_id: str) -> Response:
        now = self._clock.now()
        consent = Consent(action=Act.CAME_BACK_WEEKLY, wording=WORDING, at=now, place=_PLACE)
        if not self._returns.weekly(public_id, now - SECOND_THOUGHT, consent):
            return self._not_back(public_id)
        reader = self._readers.by_public_id(public_id)
        comes = f"A letter comes {rhythm(reader.schedule)}." if reader else ""
        return self._rendering.notice(Notice("One letter a week", (comes, *_CHANGE)))

    def _pause(self, public_id: str) -> Response:
        now = self._clock.now()
        reader = self._readers.by_public_id(public_id)
        until = now.astimezone(zone_of(reader.schedule.zone if reader else "UTC")).date() + PAUSE
        consent = Consent(action=Act.CAME_BACK_PAUSED, wording=WORDING, at=now, place=_PLACE)
        if not self._returns.paused(public_id, now - SECOND_THOUGHT, until, consent):
            return self._not_back(public_id)
        back = f"No letter comes before {long_day(until)}. The first one brings the best of what you missed."
        return self._rendering.notice(Notice("Your letters are paused", (back, *_CHANGE)))

    def _not_back(self, public_id: str) -> Response:
        """Answer where there is nothing to come back from: one who still reads sees the one button."""
        reader = self._readers.by_public_id(public_id)
        if reader is not None and not reader.state.is_gone:
            return self._button(reader)
        return self._rendering.notice(too_late(takes_signups=self._rendering.site.takes_signups), 410)

    def _button(self, reader: Subscriber | None) -> Response:
        if reader is None or reader.state.is_gone:
            return self._rendering.notice(self._goodbye)
        return self._rendering.page("unsubscribe.html", address=veiled(reader.email))

    def _read(self, token: str) -> str:
        return self._links.read(Purpose.UNSUBSCRIBE, token, self._clock.now())


_CHANGE = ("Each letter carries the links to your topics and to unsubscribe.",)
