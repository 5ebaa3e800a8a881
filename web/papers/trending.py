"""What the most votes go to, for its age: the order that letters know as trending (digests/trending.py)."""

from collections.abc import Mapping
from datetime import date, timedelta

from fastapi import FastAPI
from starlette.responses import Response

from digests.trending import hotness
from digests.wording import counted
from domain.clock import Clock
from storage.archive import Archive
from storage.days import ListingDays, Voted
from web.addresses import TRENDING
from web.papers.showing import shown
from web.rendering import Rendering

_MOST = 25  # papers
_WITHIN = timedelta(days=13)  # before the newest listing day


class TrendingPages:
    """Serves one page; `labels` is configured source name → what readers call it."""

    def __init__(
        self, *, days: ListingDays, archive: Archive, labels: Mapping[str, str], clock: Clock, rendering: Rendering
    ) -> None:
        self._days = days
        self._archive = archive
        self._labels = labels
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/trending", self.trending, methods=["GET", "HEAD"])

    def trending(self) -> Response:
        """Show the papers with the most votes for their age."""
        newest = self._archive.newest_day()
        hot: list[Voted] = []
        if newest is not None:
            voted = self._days.voted(newest - min(_WITHIN, newest - date.min))
            hot = sorted(voted, key=lambda each: (-_heat(each, newest), -each.paper_id))[:_MOST]
        known = {each.id: each for each in self._archive.papers(each.paper_id for each in hot)}
        year = self._clock.now().year
        return self._rendering.public(
            "archive/trending.html",
            TRENDING,
            papers=[
                shown(known[each.paper_id], _why(each, newest or each.day), year=year, labels=self._labels)
                for each in hot
                if each.paper_id in known
            ],
        )


def _heat(voted: Voted, today: date) -> float:
    return hotness(voted.upvotes, today - voted.day)


def _why(voted: Voted, today: date) -> str:
    days = (today - voted.day).days
    votes = counted(voted.upvotes, "vote")
    return f"{votes} in {counted(days, 'day')}" if days > 0 else f"{votes} on its first day"
