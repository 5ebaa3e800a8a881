"""The sign-up: one form, one answer.

    GET   the form, with the instant at which it was given
    POST  what cannot be read → the form again, what was typed kept, the error beside its field; nothing was changed
          too many from one network → so it says
          a program's → dropped
          else → the desk, which says yes to nobody but a mailbox
          → the same page for every address, as soon after the request for one as for another

Whether an address is known shows neither in the words nor, but for a trace, in the time: the answer waits for a moment
that the work usually ends before, and where others write for longer than that, for the next such moment. Of two works
that end on two sides of such a moment one is told from the other.
"""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import anyio
import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.addresses import address_key
from domain.clock import Clock
from domain.errors import AddressError, UsageError
from domain.subscriptions import WEEKDAYS, Schedule
from web.limits import Limiter
from web.policy import POLICY_WITH_PLOTS
from web.rendering import Rendering
from web.signup_form import (
    GIVEN,
    MOST_TOPICS,
    NOTHING_WRONG,
    TRAP,
    ReadTopic,
    Stamps,
    Typed,
    Wrongs,
    typed,
    wrongs,
)
from web.words import ASKED, DAYS_OF_WEEK, NOT_A_FORM, UNREADABLE, WORDING, closed, too_many
from web.zones import zones

#: Where consent was given, as its record says.
PLACE = "/subscribe"
_URLENCODED = "application/x-www-form-urlencoded"
_HEADERS = {"Content-Security-Policy": POLICY_WITH_PLOTS}  # the preview that the script fetches has a plot


class Desk(Protocol):
    """Who takes a sign-up."""

    def sign_up(self, email: str, topics: Sequence[str], schedule: Schedule | None, place: str, wording: str) -> None:
        """Ask an address to confirm, or do nothing where it must not be asked: nobody is told which.

        Raises AddressError, QueryError, UsageError or StorageError; then nothing was changed.
        """
        ...


class SignupForm:
    """What the form's template shows; `allowed` are the domains that addresses may have, None: any."""

    def __init__(self, stamps: Stamps, allowed: frozenset[str] | None, clock: Clock) -> None:
        self._stamps = stamps
        self.allowed = allowed
        self._clock = clock

    def values(self, form: Typed, wrong: Wrongs = NOTHING_WRONG, *, guess: bool = True) -> Mapping[str, object]:
        """Return its values; `guess` lets the script put the browser's time zone in."""
        return {
            "form": form,
            "wrong": wrong,
            "guess": guess,
            "given": self._stamps.stamp(self._clock.now()),
            "names": {"trap": TRAP, "given": GIVEN},
            "weekdays": tuple(zip(WEEKDAYS, DAYS_OF_WEEK, strict=True)),
            "zones": zones(),
            "domains": sorted(self.allowed or ()),
            "most_topics": MOST_TOPICS,
        }

    def is_by_hand(self, form: Typed, now: datetime) -> bool:
        """Whether a form may be a person's: the hidden field is empty, and the time is right where there is one.

        A script that sends the fields of interface.md alone has no time to show; the limits hold for it as for all.
        """
        return not form.trap and (form.given is None or self._stamps.is_good(form.given, now))


class SignupPages:
    """Serves the form."""

    def __init__(
        self,
        *,
        desk: Desk,
        read: ReadTopic,
        form: SignupForm,
        limiter: Limiter,
        clock: Clock,
        rendering: Rendering,
        same_seconds: float,
    ) -> None:
        self._desk = desk
        self._read = read
        self._form = form
        self._limiter = limiter
        self._clock = clock
        self._rendering = rendering
        self._same_seconds = same_seconds

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/subscribe", self.ask, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/subscribe", self.take, methods=["POST"])

    def ask(self, request: Request) -> Response:
        """Show the form; each `topic` of the address is one of its rows."""
        topics = tuple(topic for topic in request.query_params.getlist("topic") if topic.strip())
        return self._page(Typed(topics=topics))

    async def take(self, request: Request) -> Response:
        """Take a form; the answer is the same for every address."""
        begun = time.monotonic()
        if request.headers.get("content-type", _URLENCODED).partition(";")[0].strip().lower() != _URLENCODED:
            return self._rendering.notice(NOT_A_FORM, 415)
        try:
            form = typed(await request.body())
        except UsageError:
            return self._rendering.notice(UNREADABLE, 400)
        answer = await anyio.to_thread.run_sync(self._taken, request, form)
        if answer is not None:
            return answer
        await anyio.sleep(_until_the_next(self._same_seconds, time.monotonic() - begun))
        return self._rendering.notice(ASKED)

    def _taken(self, request: Request, form: Typed) -> Response | None:
        """Do what a form asks; return an answer where that cannot be the common one."""
        if wrong := wrongs(form, self._read, self._form.allowed):
            return self._page(form, wrong, 422)
        if seconds := self._limiter.wait(request):
            return self._rendering.notice(too_many(seconds), 429, {"Retry-After": str(seconds)})
        if self._form.is_by_hand(form, self._clock.now()):
            try:
                self._desk.sign_up(form.email, form.topics, form.schedule, PLACE, WORDING)
            except UsageError as error:
                return self._page(form, Wrongs({"topic": f"{error}."}), 422)
        return None

    def _page(self, form: Typed, wrong: Wrongs = NOTHING_WRONG, status: int = 200) -> Response:
        values = self._form.values(form, wrong, guess=not form.has_schedule)
        return self._rendering.page("subscribe.html", status, headers=_HEADERS, **values)


class ClosedPages:
    """Says instead of the form whom to ask; `contact` is an address, "" where nobody is named."""

    def __init__(self, contact: str, rendering: Rendering) -> None:
        self._notice = closed(contact)
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/subscribe", self.tell, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/subscribe", self.refuse, methods=["POST"])

    def tell(self) -> Response:
        """Say it."""
        return self._rendering.notice(self._notice)

    def refuse(self) -> Response:
        """Say it to who sends a form all the same."""
        return self._rendering.notice(self._notice, 403)


def domains_of(names: Sequence[str]) -> frozenset[str]:
    """Return domains as addresses are compared, as A-labels in lower case; one that no address can have is left out."""
    return frozenset(filter(None, map(_domain, names)))


def _until_the_next(step: float, taken: float) -> float:
    """Return how long to wait until a whole number of steps, at least one, have gone by."""
    return max(1, math.ceil(taken / step)) * step - taken if step > 0 else 0.0


def _domain(name: str) -> str:
    try:
        return address_key(f"x@{name.strip().removeprefix('@')}").removeprefix("x@")
    except AddressError:
        return ""
