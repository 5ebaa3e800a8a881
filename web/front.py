"""The first page: what this is, a topic to try, and the papers of the newest day."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from fastapi import FastAPI
from starlette.responses import Response

from digests.wording import counted, weekday_date
from domain.papers import Paper
from storage.archive import Archive
from storage.filters import Filters
from storage.paging import Order
from storage.search import Search
from web.blocks import Blocks
from web.policy import POLICY_WITH_PLOTS
from web.rendering import Rendering

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Day:
    """A listing day: some of its papers, and how many there are."""

    day: date
    papers: tuple[Paper, ...]
    total: int


class Newest(Protocol):
    """Where the newest papers come from."""

    def newest(self, limit: int) -> Day | None:
        """Return the newest listing day, most voted papers first; None for an empty archive. May raise StorageError."""
        ...


class ArchiveNewest:
    """The newest day of an archive."""

    def __init__(self, archive: Archive, search: Search) -> None:
        self._archive = archive
        self._search = search

    def newest(self, limit: int) -> Day | None:
        """Return the newest day's papers, most voted first, then those without votes, the last seen first."""
        day = self._archive.newest_day()
        if day is None:
            return None
        found = self._search.search(None, limit, filters=Filters(since=day), order=Order.UPVOTES)
        return Day(day, found.papers, found.total)


class FrontPages:
    """Serves the site's root."""

    def __init__(self, newest: Newest, blocks: Blocks, rendering: Rendering) -> None:
        self._newest = newest
        self._blocks = blocks
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        for path in {f"{root}/", root} - {""}:
            app.add_api_route(path, self.front, methods=["GET", "HEAD"])

    def front(self) -> Response:
        """Show the first page, the one that search engines may keep."""
        newest = self._newest.newest(_SHOWN)
        return self._rendering.public(
            "front.html",
            "/",
            is_front=True,
            headers={"Content-Security-Policy": POLICY_WITH_PLOTS},  # the preview that the script fetches has one
            blocks=[self._blocks.block(paper, newest.day.year) for paper in newest.papers] if newest else [],
            day=newest.day.isoformat() if newest else "",
            day_in_words=weekday_date(newest.day) if newest else "",
            papers_of_day=counted(newest.total, "paper") if newest else "",
            more=newest is not None and newest.total > len(newest.papers),
        )
