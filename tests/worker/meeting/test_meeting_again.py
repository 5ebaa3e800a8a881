"""A paper that changes meets again the topics that may answer otherwise, and is news there once."""

from datetime import timedelta

import pytest

from domain.papers import Identifiers


@pytest.fixture
def mira(days):
    """Let Mira have her first letter; what comes now is news to her, or is not."""

    def has(*topics: str) -> None:
        days.reader("mira", *topics)
        days.letters()

    return has


def test_a_paper_is_news_when_its_votes_cross_what_is_asked_and_only_then(days, paper, mira):
    mira("tides upvotes>=20")
    told = []
    for votes in (19, 25, 40, 18, 30):
        days.listed(paper(1, "Tides", upvotes=votes))
        told.append([letter.papers for letter in days.letters().values()])
    assert told == [[], [[1]], [], [], []]


def test_votes_that_fell_before_the_letter_keep_a_paper_out(days, paper, mira):
    mira("tides upvotes>=20")
    days.listed(paper(1, "Tides", upvotes=25), paper(2, "Tides and more", upvotes=30))
    assert days.matched() == 2
    days.listed(paper(1, "Tides", upvotes=15))
    assert days.letters()["mira"].papers == [2]


def test_a_paper_that_gains_a_category_meets_the_topics_that_ask_for_it(days, paper, mira):
    mira("tides cat:cs", "cat:cs.CL -tides")
    days.listed(paper(1, "Tides", categories=("math.ST",)), paper(2, "Rivers"))
    assert days.letters() == {}
    days.listed(paper(1, "Tides", categories=("cs.LG",)), paper(2, "Rivers", categories=("cs.CL",)))
    assert sorted(days.letters()["mira"].papers) == [1, 2]
    days.listed(paper(1, "Tides", categories=("cs.CL",)))
    assert days.letters() == {}


def test_a_paper_that_another_source_lists_meets_the_topics_that_ask_for_the_source(days, paper, mira):
    mira("tides source:arxiv", "tides -source:arxiv")
    days.listed(paper(1, "Tides"))
    assert "tides -source:arxiv (1 paper)" in days.letters()["mira"].text
    days.listed(paper(2, "Tides and mud"))
    days.listed(paper(2, "Tides and mud"), source="arxiv:cs.CL")
    letter = days.letters()["mira"]
    assert letter.papers == [2]
    assert "tides source:arxiv (1 paper)" in letter.text
    assert "tides -source:arxiv (" not in letter.text


@pytest.mark.usefixtures("others")
def test_a_related_paper_that_becomes_exact_is_told_as_exact(days, paper, mira):
    mira("tides mud")
    days.listed(paper(1, "Tides"))
    assert days.matched() == 1
    days.listed(paper(1, "Tides", "Of mud they are made."))
    letter = days.letters()["mira"]
    assert (letter.papers, letter.related) == ([1], [])
    assert days.letters() == {}


@pytest.mark.usefixtures("others")
def test_a_related_paper_that_was_sent_is_not_sent_again_as_exact(days, paper, mira):
    mira("tides mud")
    days.listed(paper(1, "Tides"))
    assert days.letters()["mira"].related == [1]
    days.listed(paper(1, "Tides", "Of mud they are made."))
    assert days.matched() == 1
    assert days.letters() == {}


def test_two_records_that_are_one_paper_are_told_once_with_their_new_words(days, paper, mira):
    mira("tides", "mud", "harbours")
    both = Identifiers(arxiv="2611.00001", doi="10.9999/tides.1")
    days.listed(paper(1, "Tides"))
    days.listed(paper(1, "Mud", ids=Identifiers(doi="10.9999/tides.1")), source="journal")
    assert days.matched() == 2
    days.listed(paper(1, "Tides", "In harbours they turn.", ids=both))
    assert days.house.archive.stats()["papers"] == 1
    letter = days.letters()["mira"]
    assert letter.papers == [1]
    assert "harbours" in letter.text
    assert days.letters() == {}


def test_a_paper_that_changed_before_it_was_met_is_met_once_as_it_is(days, paper, mira):
    mira("tides", "-tides mud")
    days.listed(paper(1, "Mud"), paper(2, "Mud as well"))
    days.listed(paper(1, "Mud", "And tides."))
    assert days.house.topics.newest_change() > 0
    assert days.matched() == 2
    assert days.house.topics.newest_change() == 0, "it is not met once more"
    assert sorted(days.letters()["mira"].papers) == [1, 2]


def test_matching_twice_adds_nothing(days, paper):
    days.reader("mira", "tides", "tides mud")
    days.listed(paper(1, "Tides", upvotes=1), paper(2, "Tides", "And mud."))
    days.listed(paper(2, "Tides", "And mud."), source="arxiv")
    assert days.matched() > 0
    again = days.house.matcher.match(days.clock.now())
    assert (again.papers, again.matches, again.new_topics) == (0, 0, 0)


def test_a_new_topic_meets_what_a_letter_of_an_earlier_slot_looks_back_over(days, others, paper):
    days.listed(paper(1, "Tides"))
    slot = days.clock.now() + timedelta(hours=1)
    days.clock.set(slot + timedelta(days=20))
    days.reader("mira", "tides")
    assert days.house.matcher.match(days.clock.now(), slot=slot).matches == 1

    days.reader("jun", "tides OR waves")
    assert days.house.matcher.match(days.clock.now()).matches == 0, "beyond what a letter of today looks back over"

    days.reader("ada", "tides OR ebb")
    years_ago = slot - timedelta(days=4_000)
    days.clock.set(slot + timedelta(days=98))
    assert days.house.matcher.match(days.clock.now(), slot=years_ago).matches == 0, "90 days back at most"
