"""The pages that a reader's signed links open, of a house that has a site."""

from dataclasses import fields
from functools import partial

from domain.subscriptions import Choices
from paperround.knowing import known_of
from paperround.serving_saved import saving_pages
from paperround.wiring import House
from storage.coming_back import Returns
from web.app import PageGroup
from web.bad_links import BadLinks
from web.blocks import Blocks
from web.costly import Lanes
from web.leaving import LeavingPages
from web.limits import Limiter
from web.preferences.account import AccountPages
from web.preferences.changes import Tools
from web.preferences.page import PreferencePages
from web.rendering import Rendering


def reader_pages(
    house: House, rendering: Rendering, blocks: Blocks, *, previews: Limiter, lanes: Lanes
) -> list[PageGroup]:
    """Return the groups; none for a personal installation, which signs no links."""
    if house.links is None:
        return []
    digest = house.settings.digest
    leaving = LeavingPages(
        readers=house.subscribers,
        returns=Returns(house.database),
        links=house.links,
        farewells=house.farewells,
        clock=house.clock,
        rendering=rendering,
    )
    preferences = PreferencePages(
        readers=house.subscribers,
        tools=Tools(house.changes, house.shared_topics, house.desk.ask_fresh),
        preview=house.previewer.preview,
        blocks=blocks,
        known=partial(known_of, house),
        leave=leaving.leave,
        usual=Choices(**{each.name: getattr(digest, each.name) for each in fields(Choices)}),
        links=house.links,
        clock=house.clock,
        previews=previews,
        lanes=lanes,
        rendering=rendering,
    )
    account = AccountPages(
        readers=house.subscribers,
        desk=house.desk,
        moves=house.address_changes,
        links=house.links,
        clock=house.clock,
        rendering=rendering,
    )
    return [leaving, preferences, account, *saving_pages(house, house.links, lanes, rendering), BadLinks(rendering)]
