"""Late risers and what is trending: sections of their own, for whoever has them, and never a reason for a letter."""

from datetime import timedelta

from domain.subscriptions import Choices


def test_a_paper_that_was_never_sent_comes_once_when_it_has_taken_off(days, paper):
    days.reader("old", "tides")
    days.listed(paper(1, "Tides"))
    assert days.letters()["old"].papers == [1]
    days.clock.set(days.clock.now() + timedelta(days=9))  # more than a first letter looks back
    days.reader("mira", "tides")
    days.reader("jun", "tides", choices=Choices(late_risers=0))
    assert [letter.papers for letter in days.letters().values()] == [[], []]
    days.listed(paper(1, "Tides", upvotes=80))
    assert days.letters() == {}, "it is no reason for a letter"
    days.listed(paper(2, "Tides of today", upvotes=1))
    letters = days.letters()
    assert {name: letter.papers for name, letter in letters.items()} == {"old": [2], "mira": [2, 1], "jun": [2]}
    assert "Late risers" in letters["mira"].text
    assert "Paper 1 80 votes, listed" in letters["mira"].text
    assert "1 paper answers your topic" in letters["mira"].text
    days.listed(paper(3, "Tides of tomorrow"))
    assert {name: letter.papers for name, letter in days.letters().items()} == {"old": [3], "mira": [3], "jun": [3]}


def test_what_a_flooded_letter_only_counted_may_rise(days, paper):
    days.reader("mira", "tides")
    days.letters()
    days.listed(*(paper(n, "Tides") for n in range(1, 56)))
    named = set(days.letters()["mira"].papers)
    (counted, *_) = set(range(1, 56)) - named
    assert len(named) == 50
    days.listed(paper(counted, "Tides", upvotes=70), paper(99, "Tides and mud"))
    assert days.letters()["mira"].papers == [99, counted]


def test_what_was_sent_never_rises(days, paper):
    days.reader("mira", "tides")
    days.letters()
    days.listed(paper(1, "Tides"))
    assert days.letters()["mira"].papers == [1]
    days.listed(paper(1, "Tides", upvotes=90), paper(2, "Tides and mud"))
    assert days.letters()["mira"].papers == [2]


def test_trending_is_for_those_who_ask_for_it_and_each_paper_once(days, paper):
    days.reader("mira", "tides", choices=Choices(trending=2))
    days.reader("jun", "tides")
    days.letters()
    votes = {1: 5, 2: 50, 3: 500, 4: 0}
    subjects = {1: "Quasars", 2: "Yeast", 3: "Glass", 4: "Wool"}
    days.listed(*(paper(n, subjects[n], upvotes=each) for n, each in votes.items()))
    assert days.letters() == {}, "no reason for a letter"
    days.listed(paper(5, "Tides"))
    letters = days.letters()
    assert (letters["mira"].papers, letters["jun"].papers) == ([5, 3, 2], [5])
    assert "Trending" in letters["mira"].text
    assert "1 paper answers your topic" in letters["mira"].text
    days.listed(paper(6, "Tides and mud"))
    assert days.letters()["mira"].papers == [6, 1]
