"""The pages of shared topics, one feed each, and the list of those that the operator shares.

A page is there while its topic is shared. It says what the topic asks and what it would have brought, and nothing of
who shares it. Search engines may keep the operator's alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Protocol
from urllib.parse import quote

from fastapi import FastAPI
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from digests.readable import clean
from digests.views import PaperView, view
from digests.wording import counted, cut, full_date, weekday_date
from domain.errors import QueryError
from domain.issues import Entry
from domain.topics import Query
from storage.shared_topics import SharedTopic
from topics.query import parse
from web.addresses import paper_path
from web.costly import Lanes
from web.looked_back import Chosen, LookBack
from web.plots.drawing import plot
from web.plots.scales import spans
from web.plots.values import Panel, Series
from web.policy import POLICY_WITH_PLOTS
from web.rendering import Rendering
from web.shared.feed import Feed, feed
from web.shared.lookback import Newest, newest
from web.words import NO_TOPIC

DAYS, MANY_DAYS = 14, 90
_SHOWN, _IN_FEED = 25, 50  # papers
_LONGEST_NAME = 200
_ABSTRACT = 420  # characters, as in letters
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_IN_NAMES = frozenset('="“”()')  # a form takes what has them for a query
_WEB = ["GET", "HEAD"]


class Shared(Protocol):
    """Where the shared topics are."""

    def by_public_id(self, public_id: str) -> SharedTopic | None:
        """Return the topic of a page; None where nobody shares it."""
        ...

    def all(self) -> Sequence[SharedTopic]:
        """Return every shared topic, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Day:
    """The papers of one listing day: each with the address of its page."""

    name: str
    papers: tuple[tuple[PaperView, str], ...]


class TopicPages:
    """Serves the pages; `labels` is source name → what readers call it."""

    def __init__(
        self, shared: Shared, look_back: LookBack, labels: Mapping[str, str], lanes: Lanes, rendering: Rendering
    ) -> None:
        self._shared = shared
        self._look_back = look_back
        self._labels = labels
        self._lanes = lanes
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/topics", self.listed, methods=_WEB)
        app.add_api_route(f"{root}/topics/{{public_id}}.atom", self.follow, methods=_WEB)
        app.add_api_route(f"{root}/topics/{{public_id}}", self.show, methods=_WEB)

    def listed(self) -> Response:
        """Show what the operator shares."""
        rows = [(each.public_id, _name(each), clean(each.query)) for each in operators(self._shared)]
        return self._rendering.public("topics.html", "/topics", indexed=bool(rows), topics=rows)

    async def show(self, public_id: str, request: Request) -> Response:
        """Show one topic: what it asks, its last days, the newest papers that answer it."""
        return await self._lanes.run(partial(self._shown, public_id, request))

    async def follow(self, public_id: str) -> Response:
        """Give one topic as an Atom feed."""
        return await self._lanes.run(partial(self._followed, public_id))

    def _shown(self, public_id: str, request: Request) -> Response:
        found = shared_topic(self._shared, public_id)
        if found is None:
            return self._rendering.notice(NO_TOPIC, 404)
        topic, query = found
        days = MANY_DAYS if request.query_params.get("days") == str(MANY_DAYS) else DAYS
        looked = newest(self._look_back, query, days, _SHOWN)
        return self._rendering.public(
            "topic.html",
            f"/topics/{topic.public_id}",
            indexed=topic.by_operator,
            headers={"Content-Security-Policy": POLICY_WITH_PLOTS},
            topic=topic,
            name=_name(topic),
            query=clean(topic.query),
            wish=quote(_wish(topic), safe=""),
            words=quote(topic.query, safe=""),
            told="" if looked is None else _told(looked, days),
            plot="" if looked is None else Markup(plot(_panel(looked, days))),  # noqa: S704 drawing.py escapes
            other=MANY_DAYS if days == DAYS else DAYS,
            days=() if looked is None else self._by_day(looked),
            shown=0 if looked is None else len(looked.papers),
            total=0 if looked is None else looked.total,
            others=any(each.public_id != topic.public_id for each in operators(self._shared)),
        )

    def _followed(self, public_id: str) -> Response:
        found = shared_topic(self._shared, public_id)
        if found is None:
            return self._rendering.notice(NO_TOPIC, 404)
        topic, query = found
        looked = newest(self._look_back, query, DAYS, _IN_FEED)
        site = self._rendering.site
        text = feed(
            Feed(
                path=f"/topics/{topic.public_id}",
                name=_name(topic),
                query=clean(topic.query),
                since=topic.at,
                root=site.base_url or site.prefix,
                maker=site.name,
            ),
            () if looked is None else looked.papers,
        )
        kind = "application/atom+xml; charset=utf-8"
        return self._rendering.fixed(text, kind, indexed=topic.by_operator)

    def _by_day(self, looked: Newest) -> tuple[Day, ...]:
        by_day = groupby(looked.papers, key=lambda each: each.paper.listed)
        return tuple(
            Day(weekday_date(day), tuple(self._viewed(each, looked.last) for each in papers)) for day, papers in by_day
        )

    def _viewed(self, chosen: Chosen, today: date) -> tuple[PaperView, str]:
        entry = Entry(chosen.paper, 0, chosen.why, chosen.tier)
        viewed = view(entry, year=today.year, abstract_chars=_ABSTRACT, labels=self._labels)
        return viewed, f"{self._rendering.prefix}{paper_path(chosen.paper.key)}"


def operators(shared: Shared) -> list[SharedTopic]:
    """Return the topics that the operator shares, by name."""
    return sorted((each for each in shared.all() if each.by_operator), key=lambda each: each.name.casefold())


def shared_topic(shared: Shared, public_id: str) -> tuple[SharedTopic, Query] | None:
    """Return a topic that is shared and its query; None where none is, or where it cannot be read any more."""
    topic = shared.by_public_id(public_id) if _ID.fullmatch(public_id) else None
    if topic is None:
        return None
    try:
        return topic, parse(topic.query)
    except QueryError:
        return None


def _name(topic: SharedTopic) -> str:
    return cut(clean(topic.name), _LONGEST_NAME) or "Untitled topic"


def _wish(topic: SharedTopic) -> str:
    """Return what the form to subscribe reads: "NAME = QUERY", or the query where the name says no more."""
    named = topic.name and topic.name != topic.query and not set(topic.name) & _NOT_IN_NAMES
    return f"{topic.name} = {topic.query}" if named else topic.query


def _told(looked: Newest, days: int) -> str:
    found = counted(looked.total, "paper") if looked.total else "No paper"
    verb = "answers" if looked.total <= 1 else "answer"
    return f"{found} of the {counted(days, 'day')} up to {full_date(looked.last)} {verb} it."


def _panel(looked: Newest, days: int) -> Panel:
    return Panel(
        title=f"Papers each {spans(looked.first, days)[0].unit}",
        note="that answer this topic, by the day when they were listed",
        first=looked.first,
        series=(Series("papers", looked.per_day),),
        nothing=f"no paper in {counted(days, 'day')}",
    )
