"""A reader's own page, by the link in every letter: how they stand, and a form for each thing they may change.

    token → whose it is → GET: the page as it is
                        → POST: the form → (changes.py) → done: 303 to the same page, which says so
                                                        → not so: the page with a sentence, what was typed kept (422)
                                                        → changed in another window meanwhile: the page as it is (409)

The address is half hidden, and whatever a forwarded letter must not be able to do is not here: account.py has it, by a
link that goes to the reader's own mailbox. One who has not confirmed, who left, or whose mailbox is several people's
sees how they stand and changes nothing here but to leave; who left can still ask for that link.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digests.links import Links, Purpose
from domain.answers import Known
from domain.clock import Clock
from domain.errors import ChangedMeanwhile, UnknownError, UsageError
from domain.reader_answers import long_day
from domain.subscriptions import MAY_ASK, REACHED, Choices, Subscriber, SubscriberState
from topics.hints import hints
from web.blocks import Blocks
from web.costly import Lanes
from web.limits import Limiter
from web.lookback import DAYS, Told, told
from web.policy import POLICY_WITH_PLOTS
from web.preferences.changes import DONE, PLACE, Press, Tools, act, pause_days
from web.preferences.forms import BrokenForm, Form, WrongField, form_of, topic_of
from web.preferences.history import history
from web.preferences.sheets import Draft, sheets, topics_of
from web.previews import LookBack
from web.rendering import Rendering
from web.words import DAYS_OF_WEEK, NO_LINK, STATES, UNREADABLE, rhythm, too_many_previews, veiled
from web.zones import zones

_SAFE = ["GET", "HEAD"]
_PREVIEW_PAPERS = 5
#: What is said of one topic, and where that stands.
_OF_TOPICS = frozenset({"amended", "moved", "shared", "unshared"})

MEANWHILE = (
    "This was changed in another window since you opened it. Here is how it is now; your change was not made. "
    "Look it over and press again."
)


class Readers(Protocol):
    """Who a reader is."""

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Return a reader; None if there is none."""
        ...


class PreferencePages:
    """Serves a reader's own page."""

    def __init__(
        self,
        *,
        readers: Readers,
        tools: Tools,
        preview: LookBack,
        blocks: Blocks,
        known: Callable[[Subscriber], Known],
        leave: Callable[[str, str], Response],
        usual: Choices,
        links: Links,
        clock: Clock,
        previews: Limiter,
        lanes: Lanes,
        rendering: Rendering,
    ) -> None:
        self._readers = readers
        self._tools = tools
        self._look = preview
        self._blocks = blocks
        self._known = known
        self._leave = leave
        self._usual = usual  # what letters hold where the reader chose nothing
        self._links = links
        self._clock = clock
        self._previews = previews
        self._lanes = lanes
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/preferences/{{token}}", self.show, methods=_SAFE)
        app.add_api_route(f"{root}/preferences/{{token}}", self.change, methods=["POST"])

    def show(self, token: str, request: Request) -> Response:
        """Show how a reader stands; change nothing."""
        reader = self._readers.by_public_id(self._read(token))
        if reader is None:
            return self._rendering.notice(NO_LINK, 404)
        asked = request.query_params
        changed = next((each.topic_id for each in reader.subscriptions if str(each.topic_id) == asked.get("topic")), 0)
        is_now = asked.get("seen") == str(reader.revision)  # an old link or a made-up one tells of nothing
        return self._page(reader, done=DONE.get(asked.get("done", ""), "") if is_now else "", changed=changed)

    async def change(self, token: str, form: Annotated[Form | None, Depends(form_of)], request: Request) -> Response:
        """Do what a button of the page says; a preview in its turn, as everywhere."""
        if form is None or form.text("action") != "preview":
            return await run_in_threadpool(self._change, token, form)
        if seconds := self._previews.wait(request):
            return self._rendering.notice(too_many_previews(seconds), 429, {"Retry-After": str(seconds)})
        return await self._lanes.run(partial(self._change, token, form))

    def _change(self, token: str, form: Form | None) -> Response:
        public_id = self._read(token)
        if form is None:
            return self._rendering.notice(UNREADABLE, 400)
        action = form.text("action")
        reader = self._readers.by_public_id(public_id)
        if action == "unsubscribe" and (reader is None or not reader.shared):
            return self._leave(public_id, PLACE)  # asks for no revision: to leave never comes too late
        if reader is None:
            return self._rendering.notice(NO_LINK, 404)
        allowed = MAY_ASK if action == "fresh" else REACHED
        if reader.state not in allowed or reader.shared:
            return self._page(reader, 409, problem="Nothing was changed.")
        return self._press(token, reader, form)

    def _press(self, token: str, reader: Subscriber, form: Form) -> Response:
        try:
            if form.text("action") == "preview":
                return self._preview(reader, form)
            done = act(self._tools, Press(reader, form, self._clock.now()))
        except WrongField as error:
            return self._page(reader, 422, draft=Draft(form.fields, error.field, str(error)))
        except UsageError as error:
            return self._refused(reader.public_id, form, error)
        after = self._readers.by_public_id(reader.public_id) or reader
        where = f"{self._rendering.prefix}/preferences/{token}?done={done}&seen={after.revision}"
        if done in _OF_TOPICS:
            topic = form.hidden("topic")
            where += f"&topic={topic}#topic-{topic}"
        return Response(status_code=303, headers={"Location": where})

    def _refused(self, public_id: str, form: Form, error: UsageError) -> Response:
        """Show the page as it is now, with what was typed; what no page of ours sends gets no page."""
        reader = self._readers.by_public_id(public_id)
        if isinstance(error, BrokenForm) or reader is None:
            return self._rendering.notice(UNREADABLE, 400)
        status, problem = 409, "That cannot be done as things are now. Nothing was changed."
        if isinstance(error, ChangedMeanwhile):
            problem = MEANWHILE
        elif isinstance(error, UnknownError):
            status, problem = 422, "That topic is not among yours any more. Nothing was changed."
        return self._page(reader, status, problem=problem, draft=Draft(form.fields))

    def _preview(self, reader: Subscriber, form: Form) -> Response:
        """Show what a topic would have brought, and change nothing."""
        topic = topic_of(form)
        found = self._look(topic.query, DAYS, _PREVIEW_PAPERS)
        previewed = told(topic, found, hints(topic.query.text), self._blocks)
        return self._page(reader, draft=Draft({**form.fields, "action": "add"}), previewed=previewed)

    def _page(
        self,
        reader: Subscriber,
        status: int = 200,
        *,
        done: str = "",
        changed: int = 0,
        problem: str = "",
        draft: Draft | None = None,
        previewed: Told | None = None,
    ) -> Response:
        now = self._clock.now()
        first, last = pause_days(reader, now)
        wrong = draft.sentence if draft is not None else ""
        return self._rendering.page(
            "preferences.html",
            status,
            headers=None if previewed is None else {"Content-Security-Policy": POLICY_WITH_PLOTS},
            token=self._links.preferences(reader.public_id).rpartition("/")[2],
            address=veiled(reader.email),
            state=_state(reader),
            rhythm=rhythm(reader.schedule),
            reader=reader,
            may_change=reader.state in REACHED and not reader.shared,
            may_ask=reader.state in MAY_ASK and not reader.shared,
            pending=reader.state is SubscriberState.PENDING,
            gone=reader.state.is_gone,
            paused=reader.state is SubscriberState.PAUSED,
            topics=topics_of(reader, self._tools.shared.of(reader.id), self._rendering.site, draft),
            sheets=sheets(reader, draft),
            usual=self._usual,
            weekdays=DAYS_OF_WEEK,
            zones=zones(),
            first_day=first.isoformat(),
            last_day=last.isoformat(),
            history=history(reader, self._known(reader), now),
            told=previewed,
            wrong_topic=None,
            done=done,
            changed=changed,
            problem=problem,
            wrong=wrong,
        )

    def _read(self, token: str) -> str:
        return self._links.read(Purpose.PREFERENCES, token, self._clock.now())


def _state(reader: Subscriber) -> str:
    if reader.state is SubscriberState.PAUSED and reader.paused_until is not None:
        return f"paused until {long_day(reader.paused_until)}; no letters come before"
    return STATES[reader.state]
