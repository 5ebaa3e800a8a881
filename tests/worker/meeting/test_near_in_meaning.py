"""Letters where papers are read for their meaning: what is near without the words, and the order of what has them."""

import pytest

from domain.topics import NEAR_IN_MEANING
from tests.worker.meanings import nearness
from topics.matching import MOST_RELATED

pytestmark = pytest.mark.usefixtures("others")

BOTH = "Related, with part of the words or near in meaning:"


@pytest.fixture
def reads(days):
    """Read the archive's papers for their meaning."""
    days.house.nearness = nearness(days.house.archive)


@pytest.mark.usefixtures("reads")
def test_a_paper_with_none_of_the_words_is_related_where_it_means_the_same(days, paper):
    days.reader("mira", "tides mud")
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood."), paper(2, "Wool", "Of foxes."))
    letter = days.letters()["mira"]
    assert letter.papers == [1]
    assert BOTH in letter.text
    assert NEAR_IN_MEANING in letter.text.replace(BOTH, "")
    assert "1 related one has part of the words or is near in meaning." in letter.text


@pytest.mark.usefixtures("reads")
@pytest.mark.parametrize("topic", ["tides mud -ebb", "tides mud author:sato", "tides mud upvotes>=3"])
def test_what_a_topic_excludes_or_asks_of_facts_holds_for_what_is_near(days, paper, topic):
    days.reader("mira", topic, related=True)
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood.", authors=("Mira Okafor",), author_count=1, upvotes=1))
    assert days.letters() == {}


@pytest.mark.usefixtures("reads")
def test_who_wants_no_related_papers_gets_none_that_are_near(days, paper):
    days.reader("mira", "tides mud", related=False)
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood."))
    assert days.letters() == {}


@pytest.mark.usefixtures("reads")
def test_near_papers_and_part_matches_are_kept_up_to_ten_together(days, paper):
    days.reader("mira", "tides mud")
    days.letters()
    days.listed(
        *(paper(n, "The ebb", f"Of silt in place {n}.") for n in range(1, 9)),
        *(paper(n, "Tides", f"Of rain in place {n}.") for n in range(101, 109)),
    )
    assert days.matched() == MOST_RELATED
    assert len(days.letters()["mira"].papers) == 3


@pytest.mark.usefixtures("reads")
def test_of_equals_by_their_words_the_nearer_comes_first(days, paper):
    days.reader("mira", "tides")
    days.letters()
    days.listed(
        paper(1, "Tides", "Of foxes and ports and salt."),
        paper(2, "Tides", "Of ebb and flood and moon."),
        paper(3, "Tides", "Of foxes and rain and moon."),
    )
    assert days.letters()["mira"].papers == [2, 3, 1]


def test_a_paper_that_was_not_read_is_near_to_nothing_and_stands_where_its_words_put_it(days, paper):
    days.reader("mira", "tides mud")
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood."), paper(2, "Tides", "Of mud."))
    unread = {each.id for each in days.house.archive.every()}
    days.house.nearness = nearness(days.house.archive, unread)
    assert days.letters()["mira"].papers == [2]


def test_without_meaning_letters_are_as_they_were(days, paper):
    days.reader("mira", "tides mud")
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood."), paper(2, "Tides", "Of rain."))
    letter = days.letters()["mira"]
    assert letter.papers == [2]
    assert "Related, with part of the words:" in letter.text


@pytest.mark.usefixtures("reads")
def test_a_near_paper_that_changes_stays_while_it_is_near(days, paper):
    days.reader("mira", "tides mud")
    days.letters()
    days.listed(paper(1, "The ebb", "Of silt and flood."), paper(2, "The moon", "Of loam and flood."))
    days.matched()
    days.listed(paper(1, "The ebb", "Of silt and flood and moon."), paper(2, "Foxes", "Of wool and salt."))
    assert days.letters()["mira"].papers == [1]
