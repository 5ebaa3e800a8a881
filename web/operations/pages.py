"""GET and POST /operations: how things stand, and the few buttons that an operator needs in a hurry.

    the door (sign_in.py) → GET: one look → words (words.py), tables, plots
                          → POST: the form's stamp → the act, as the command of the same name does it → 303 to the page

Nothing here takes long: collecting is only wished for, and a worker does it, in whatever process it runs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digests.readable import clean
from domain.errors import UnknownError, UsageError
from web.bodies import pairs
from web.operations import words
from web.operations.sign_in import Door, Stamp
from web.operations.values import Desk
from web.plots.archive import panels
from web.plots.drawing import plot
from web.policy import POLICY_WITH_PLOTS
from web.rendering import Rendering
from web.words import UNREADABLE, Notice, veiled

_DAYS = 30  # in the plots
_FIELDS = 20  # of a form; ours have four
_LONGEST_REASON = 200  # characters
_LARGEST_ID = 2**63
_HEADERS = {"Content-Security-Policy": POLICY_WITH_PLOTS, "Cache-Control": "no-store"}

#: What a button did, by the word in the address that the browser is sent to.
DONE: Mapping[str, str] = {
    "collect": "Collecting was asked for. A worker begins within ten seconds; reload to see what came.",
    "pause": "Nothing is sent from now on. Papers and letters are made as ever.",
    "resume": "Letters leave again from the next pass on, within ten seconds.",
    "sent": "That letter counts as sent.",
    "resend": "That letter leaves once more at the next pass, as the same message.",
}


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of our own forms, the first of each name; none where they cannot be read."""
    try:
        return dict(reversed(pairs(await request.body(), _FIELDS)))
    except ValueError:
        return {}


class OperationsPages:
    """Serves the operator's page."""

    def __init__(self, desk: Desk, door: Door, stamp: Stamp, rendering: Rendering) -> None:
        self._desk = desk
        self._door = door
        self._stamp = stamp
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/operations", self.show, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/operations", self.act, methods=["POST"])

    def show(self, request: Request) -> Response:
        """Show how things stand."""
        if (refused := self._door.refused(request)) is not None:
            return refused
        view = self._desk.view()
        return self._rendering.page(
            "operations.html",
            headers=_HEADERS,
            done=self._told(request.query_params, view.now),
            view=view,
            look=view.look,
            answer=words.first(view),
            reasons=words.reasons(view),
            may_resume=words.may_resume(view),
            is_held=view.hold is not None,
            stamp=self._stamp.of(view.now),
            plots=[plot(panel) for panel in panels(self._desk.days(_DAYS))],
            instant=lambda at: words.instant(at, view.now),
            age=lambda at: words.age(view.now - at),
            others=words.others,
            clean=clean,
            veiled=veiled,
            refusal=words.refusal,
            percent=words.percent,
        )

    def act(self, request: Request, form: Annotated[Mapping[str, str], Depends(form_of)]) -> Response:
        """Do what a button says, once; anything else changes nothing."""
        if (refused := self._door.refused(request)) is not None:
            return refused
        action = form.get("action", "")
        if action not in DONE or not self._stamp.is_good(form.get("stamp", ""), self._desk.now()):
            return self._rendering.notice(UNREADABLE, 400)
        try:
            self._do(action, form)
        except (UnknownError, UsageError) as error:
            title = "Nothing was changed"
            return self._rendering.notice(
                Notice(title, (f"{str(error)[:1].upper()}{str(error)[1:]}.", "Please look again.")), 409
            )
        stamp = self._stamp.of_deed(action, self._desk.now())
        where = f"{self._rendering.prefix}/operations?done={action}&stamp={stamp}"
        return RedirectResponse(where, 303, headers=_HEADERS)

    def _told(self, asked: Mapping[str, str], now: datetime) -> str:
        """Return what a button did a moment ago; "" where the address only says so."""
        done = asked.get("done", "")
        return DONE.get(done, "") if self._stamp.is_of_deed(asked.get("stamp", ""), done, now) else ""

    def _do(self, action: str, form: Mapping[str, str]) -> None:
        match action:
            case "collect":
                self._desk.collect()
            case "pause":
                self._desk.pause(clean(form.get("reason", ""))[:_LONGEST_REASON].strip())
            case "resume":
                if words.is_copy(self._desk.view().hold):
                    raise UsageError(words.CHOOSE)
                self._desk.resume()
            case _:
                self._desk.resolve(_number(form.get("delivery", "")), sent=action == "sent")


def _number(text: str) -> int:
    """Return a delivery's number; raises UnknownError for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) < _LARGEST_ID):
        raise UnknownError("there is no such delivery")
    return int(text)
