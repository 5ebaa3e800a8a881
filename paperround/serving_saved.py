"""Feedback by the links of a letter, and the page of what a reader saved, of a house that has a site."""

from digests.links import Links
from paperround.wiring import House
from topics.profile import typed_word
from web.app import PageGroup
from web.costly import Lanes
from web.feedback import FeedbackPages
from web.rendering import Rendering
from web.saved.changes import Tools
from web.saved.pages import SavedPages


def saving_pages(house: House, links: Links, lanes: Lanes, rendering: Rendering) -> list[PageGroup]:
    """Return the groups."""
    feedback = FeedbackPages(
        readers=house.subscribers,
        papers=house.archive,
        likings=house.likings,
        links=links,
        clock=house.clock,
        rendering=rendering,
    )
    saved = SavedPages(
        readers=house.subscribers,
        tools=Tools(house.likings, house.profiles, house.archive, typed_word),
        take=house.take_library,
        learn=house.learner.learn_for,
        lanes=lanes,
        links=links,
        clock=house.clock,
        rendering=rendering,
    )
    return [feedback, saved]
