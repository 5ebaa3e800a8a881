"""Topics that match very many papers, overlap, or are met in several runs: what letters name, count and leave out."""

import re

import pytest

from domain.subscriptions import Choices


@pytest.fixture
def flood(days, paper):
    """List papers of these numbers on tides; the lower the number, the shorter and so the better."""

    def list_(first: int, last: int, abstract: str = "Of rain.", *, backlog: bool = False) -> None:
        papers = (paper(n, f"Tides of place {n}", abstract + " And so on" * (n % 100)) for n in range(first, last + 1))
        days.listed(*papers, backlog=backlog)

    return list_


def test_a_flood_keeps_the_best_fifty_of_each_run_and_counts_the_rest(days, flood):
    days.reader("mira", "tides")
    days.letters()
    flood(101, 170)
    assert days.matched() == 50
    flood(201, 260)
    assert days.matched() == 50
    letter = days.letters()["mira"]
    assert "130 papers answer your topic: 5 in full, 95 by title, 30 only counted." in letter.text
    assert set(letter.papers) <= {*range(101, 151), *range(201, 251)}
    assert letter.text.count("Why:") == 5
    assert days.letters() == {}


def test_a_letter_says_up_to_where_several_topics_only_count(days, flood):
    days.reader("mira", "tides", "tides rain")
    days.letters()
    flood(101, 170)
    letter = days.letters()["mira"]
    assert "Up to 90 papers answer your topics" in letter.text  # fifty, and twenty of either topic


def test_a_first_letter_counts_each_paper_once_whoever_held_the_topic_before(days, flood):
    flood(101, 160)
    days.reader("mira", "tides")
    assert "60 papers answer your topic" in days.letters()["mira"].text
    flood(201, 260)
    days.matched()
    days.reader("jun", "tides")
    assert "120 papers answer your topic" in days.letters()["jun"].text
    for name in ("mira", "jun"):
        days.house.desk.unsubscribe(f"{name}@lab.example")
    flood(301, 310)
    days.reader("eve", "tides")
    assert "130 papers answer your topic" in days.letters()["eve"].text


def test_backlog_crowds_no_news_out_and_is_not_counted_as_news(days, flood):
    days.reader("mira", "tides")
    days.letters()
    flood(101, 170, backlog=True)
    flood(295, 297)
    letter = days.letters()["mira"]
    assert sorted(letter.papers) == [295, 296, 297]
    assert "3 papers answer your topic" in letter.text


def test_three_topics_that_overlap_show_each_paper_once_with_all_its_reasons(days, paper):
    days.reader("mira", "tides", "Silt = mud OR silt", '"spring tides"')
    days.listed(
        paper(1, "Spring tides", "They carry mud."),
        paper(2, "Tides"),
        paper(3, "Silt", "It came with the tides."),
        paper(4, "Rain"),
    )
    letter = days.letters()["mira"]
    assert sorted(letter.papers) == [1, 2, 3]
    assert "3 papers answer your topics" in letter.text
    first = letter.text[letter.text.index("Paper 1") :]
    reasons = re.search(r"Why: (.*?) Also under “Silt”: (.*?) Also under “.spring tides.”: (.*?) 3[.] ", first)
    assert reasons is not None
    assert [("tides" in reasons[1]), ("mud" in reasons[2]), ("spring tides" in reasons[3])] == [True] * 3
    assert letter.text.count("Also under") == 3


def test_each_reader_has_caps_of_their_own(days, flood):
    days.reader("mira", "tides", choices=Choices(papers=2))
    days.reader("jun", "tides", choices=Choices(per_topic=4))
    days.reader("eve", "tides")
    flood(101, 109)
    full = {name: letter.text.count("Why:") for name, letter in days.letters().items()}
    assert full == {"mira": 2, "jun": 4, "eve": 5}
