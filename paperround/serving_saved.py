"""Feedback by the links of a letter, and the page of what a reader saved, of a house that has a site."""

from digests.links import Links
from domain.fts5 import tokens
from paperround.wiring import House
from topics.stems import Stemmer
from web.app import PageGroup
from web.feedback import FeedbackPages
from web.rendering import Rendering
from web.saved.changes import Tools
from web.saved.pages import SavedPages


def saving_pages(house: House, links: Links, rendering: Rendering) -> list[PageGroup]:
    """Return the groups."""
    feedback = FeedbackPages(
        readers=house.subscribers,
        papers=house.archive,
        likings=house.likings,
        learn=house.learner.learn_for,
        links=links,
        clock=house.clock,
        rendering=rendering,
    )
    saved = SavedPages(
        readers=house.subscribers,
        tools=Tools(house.likings, house.profiles, house.archive, stem_of),
        take=None,  # until libraries are read
        learn=house.learner.learn_for,
        links=links,
        clock=house.clock,
        rendering=rendering,
    )
    return [feedback, saved]


def stem_of(word: str) -> str:
    """Return the stem of one word; "" for what is not one word."""
    found = list(tokens(word))
    if len(found) != 1:
        return ""
    with Stemmer() as stemmer:
        return next(iter(stemmer.stems(found).values()), "")
