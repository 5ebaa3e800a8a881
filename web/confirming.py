"""The link of the first letter: a page with one button, and what pressing it says.

    token → whose it is (links) → how they stand (readers) → the page with the button → POST → confirmed, once
    → the way on: to the reader's own page

GET, HEAD and OPTIONS change nothing, because programs open every link of a mail before people do (mail.md finding 5),
and no script presses the button. A POST needs no cookie and no login, and may come twice.

A link that is too old has another button: it asks for a new link, within the limits of any sign-up. The answer is the
same whoever it is, and nobody is confirmed by it.
"""

from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.links import CONFIRM_HOURS, BadLink, Links, Purpose
from digests.readable import clean
from domain.clock import Clock
from domain.subscriptions import Act, Consent, Subscriber, SubscriberState
from web.limits import Limiter
from web.rendering import Rendering
from web.words import ASKED, CONFIRMED, STILL_CONFIRMED, WORDING, Notice, not_open, rhythm, too_many, veiled

#: Where consent was given, as its record says.
PLACE = "/confirm"
_AGAIN = b"action=resend"
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


class Desk(Protocol):
    """Who sends the letter again."""

    def resend(self, email: str, place: str, wording: str) -> None:
        """Let the confirmation letter leave once more, if it may; tells nothing else."""
        ...


async def _asks_again(request: Request) -> bool:
    """Whether a form is that of the page of an old link."""
    return await request.body() == _AGAIN


class ConfirmPages:
    """Serves the links that `links` signed to confirm; without a `desk` an old one is of no use."""

    def __init__(
        self,
        readers: Readers,
        links: Links,
        clock: Clock,
        rendering: Rendering,
        *,
        desk: Desk | None = None,
        limiter: Limiter | None = None,
    ) -> None:
        self._readers = readers
        self._desk = desk
        self._limiter = limiter
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
            return self._too_old(error)
        return self._stands(public_id, _ASKED)

    def confirm(self, request: Request, token: str, asks_again: Annotated[bool, Depends(_asks_again)]) -> Response:
        """Confirm the address, once, though the button may be pressed twice; or send what is too old again."""
        try:
            public_id = self._read(token)
        except BadLink as error:
            if error.expired and asks_again and self._desk is not None:
                return self._again(request, token, self._desk)
            return self._too_old(error)
        if asks_again:
            return self._stands(public_id, _ASKED)
        before = self._readers.by_public_id(public_id)
        if self._readers.confirm(public_id, Consent(Act.CONFIRMED, WORDING, self._clock.now(), PLACE)):
            is_new = before is not None and before.state in _ASKED
            return self._confirmed(public_id, CONFIRMED if is_new else STILL_CONFIRMED)
        return self._stands(public_id, frozenset({SubscriberState.PENDING}))

    def _read(self, token: str) -> str:
        return self._links.read(Purpose.CONFIRM, token, self._clock.now())

    def _again(self, request: Request, token: str, desk: Desk) -> Response:
        if self._limiter is not None and (seconds := self._limiter.wait(request)):
            return self._rendering.notice(too_many(seconds), 429, {"Retry-After": str(seconds)})
        reader = self._readers.by_public_id(self._links.whose(Purpose.CONFIRM, token))
        if reader is not None:
            desk.resend(reader.email, PLACE, WORDING)
        return self._rendering.notice(ASKED)

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
        return self._confirmed(public_id, STILL_CONFIRMED)

    def _confirmed(self, public_id: str, notice: Notice) -> Response:
        """Say it, with the way on."""
        return self._rendering.page("confirmed.html", notice=notice, topics=self._links.preferences(public_id))

    def _too_old(self, error: BadLink) -> Response:
        """Offer a new link for one that was ours; any other is bad_links.py's."""
        if not error.expired:
            raise error
        return self._rendering.page("expired.html", 410, hours=CONFIRM_HOURS, again=self._desk is not None)
