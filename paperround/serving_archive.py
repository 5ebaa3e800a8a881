"""The pages of the archive, built for a house: search, papers, days, trending, and what crawlers are told."""

from collections.abc import Iterator

from paperround.wiring import House
from storage.days import ListingDays
from storage.mapping import Mapped
from web.app import PageGroup
from web.costly import Lanes
from web.limits import Limiter
from web.papers.days import DayPages
from web.papers.maps import MapPages
from web.papers.paper import PaperPages
from web.papers.search import SearchPages
from web.papers.similar import Counts, Similar
from web.papers.trending import TrendingPages
from web.rendering import Rendering


def archive_pages(house: House, rendering: Rendering, searches: Limiter, lanes: Lanes) -> Iterator[PageGroup]:
    """Give the groups of pages that show papers; the search before the papers, whose addresses go on from its own."""
    labels, clock = house.labels, house.clock
    days = ListingDays(house.database)
    similar = Similar(
        search=house.search,
        archive=house.archive,
        counts=Counts(house.census.of),
        between=house.nearness.between if house.nearness else None,
    )
    yield SearchPages(
        search=house.search, labels=labels, clock=clock, lanes=lanes, limiter=searches, rendering=rendering
    )
    yield PaperPages(archive=house.archive, similar=similar, labels=labels, clock=clock, rendering=rendering)
    yield DayPages(
        days=days,
        archive=house.archive,
        search=house.search,
        labels=labels,
        asked=[source.name for source in house.sources],
        clock=clock,
        rendering=rendering,
    )
    yield TrendingPages(days=days, archive=house.archive, labels=labels, clock=clock, rendering=rendering)
    yield MapPages(mapped=Mapped(house.database), days=days, rendering=rendering)
