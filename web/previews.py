"""A topic is tried: what it would have brought in the last two weeks, before any address is asked for.

    topic → too many from one network? → read (a bad one: what is wrong, and what was meant)
        → looked back, a few at once → numbers, days, papers → the form, with the topic filled in

With `fragment=1` comes only what the script puts in place, which is the same for everyone; the whole page carries a
form with the instant at which it was given, so nobody keeps it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import QueryError, UsageError
from domain.topics import Query
from topics.hints import hints
from web.blocks import Blocks
from web.costly import BUSY_SECONDS, Crowded, Lanes
from web.limits import Limiter
from web.lookback import DAYS, Fault, fault, told
from web.looked_back import LookedBack
from web.policy import POLICY_WITH_PLOTS
from web.rendering import Rendering
from web.signup import SignupForm
from web.signup_form import ReadTopic, Typed
from web.words import PREVIEWS_BUSY, too_many_previews

_SHOWN = 10  # papers
_HEADERS = {"Content-Security-Policy": POLICY_WITH_PLOTS}
_PART = {"X-Part": "preview"}  # by it the script knows that an answer is ours: site.js

#: (query, days, at most so many papers) → what it would have brought. May raise StorageError.
LookBack = Callable[[Query, int, int], LookedBack]


class PreviewPages:
    """Serves them; `form` is None where nobody can sign up."""

    def __init__(
        self,
        *,
        look_back: LookBack,
        read: ReadTopic,
        blocks: Blocks,
        form: SignupForm | None,
        limiter: Limiter,
        lanes: Lanes,
        rendering: Rendering,
    ) -> None:
        self._look_back = look_back
        self._read = read
        self._blocks = blocks
        self._form = form
        self._limiter = limiter
        self._rendering = rendering
        self._lanes = lanes

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/topics/preview", self.preview, methods=["GET", "HEAD"])

    async def preview(self, request: Request) -> Response:
        """Show what a topic would have brought."""
        text = request.query_params.get("q", "")
        is_part = request.query_params.get("fragment") == "1"
        if not text.strip():
            return self._answer(text, is_part=is_part)
        if seconds := self._limiter.wait(request):
            return self._later(too_many_previews(seconds), 429, seconds, is_part=is_part)
        try:
            return await self._lanes.run(partial(self._previewed, text, is_part=is_part))
        except Crowded:
            return self._later(PREVIEWS_BUSY, 503, BUSY_SECONDS, is_part=is_part)

    def _previewed(self, text: str, *, is_part: bool) -> Response:
        try:
            topic = self._read(text)
        except QueryError as error:
            return self._refused(text, fault(text, error), is_part=is_part)
        except UsageError as error:
            return self._refused(text, Fault(f"{str(error)[:1].upper()}{str(error)[1:]}."), is_part=is_part)
        found = self._look_back(topic.query, DAYS, _SHOWN)
        shown = told(topic, found, hints(text), self._blocks)
        return self._answer(text, shown, is_part=is_part)

    def _answer(self, text: str, shown: object = None, *, is_part: bool) -> Response:
        """Return a preview, or the page that waits for a topic; kept by others where there is no form on it."""
        if self._form is None or is_part:
            template = "previewed.html" if is_part else "preview.html"
            path = f"/topics/preview?{urlencode({'q': text})}"
            values, headers = self._values(text, shown, None), _HEADERS | (_PART if is_part else {})
            return self._rendering.public(template, path, indexed=False, headers=headers, **values)
        values = self._values(text, shown, None) | self._filled(text)
        return self._rendering.page("preview.html", 200, headers=_HEADERS, **values)

    def _refused(self, text: str, wrong: Fault, *, is_part: bool) -> Response:
        # To the script a topic that is not written to its end is nothing wrong.
        template, status = ("previewed.html", 200) if is_part else ("preview.html", 422)
        return self._rendering.page(
            template, status, headers=_PART if is_part else None, **self._values(text, None, wrong)
        )

    def _later(self, notice: object, status: int, seconds: int, *, is_part: bool) -> Response:
        template = "notice_part.html" if is_part else "notice.html"
        headers = {"Retry-After": str(seconds)} | (_PART if is_part else {})
        return self._rendering.page(template, status, headers=headers, notice=notice)

    def _values(self, text: str, shown: object, wrong: Fault | None) -> dict[str, Any]:
        return {"topic": text, "told": shown, "wrong_topic": wrong, "days": DAYS}

    def _filled(self, text: str) -> dict[str, object]:
        return dict(self._form.values(Typed(topics=(text,) if text.strip() else ()))) if self._form else {}
