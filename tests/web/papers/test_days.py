"""Days, weeks and trending: what stood where, and honest words where nothing did."""

import re

import pytest


def test_the_last_days_are_listed_newest_first_with_what_each_source_had(library):
    answer = library.get("/days")
    days = re.findall(r'<a href="/days/([0-9-]+)">', answer.text)

    assert days[:2] == ["2026-11-20", "2026-11-19"]
    assert days == sorted(days, reverse=True)
    assert "arXiv cs.LG 3 · Hugging Face Daily Papers 1" in answer.text
    assert '<a href="/days?month=2026-10">October</a>' in answer.text


def test_a_month_can_be_turned_to(library):
    answer = library.get("/days?month=2026-10")
    days = re.findall(r'<a href="/days/([0-9-]+)">', answer.text)

    assert days[0] == "2026-10-30"
    assert all(day.startswith("2026-10") for day in days)


def test_a_day_shows_each_source_in_its_own_order_and_leads_to_its_neighbours(library):
    answer = library.get("/days/2026-11-20")

    assert answer.status == 200
    assert "Friday 20 November 2026" in answer.text
    assert answer.text.index("arXiv cs.LG, 3 papers") < answer.text.index("Hugging Face Daily Papers, 1 paper")
    assert 'href="/days/2026-11-19" rel="prev"' in answer.text
    assert 'rel="next"' not in answer.text
    assert '<li value="7">' in answer.text
    assert 'href="/weeks/2026-W47"' in answer.text


def test_of_an_empty_day_that_is_said_which_is_known(library):
    answer = library.get("/days/2026-11-14")

    assert answer.status == 200
    assert "No paper stood on a list of this day." in answer.text
    assert "arXiv cs.LG was asked and listed nothing." in answer.text
    assert "Hugging Face Daily Papers could not be read: its layout changed." in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    unknown = library.get("/days/2026-11-15")
    assert "No answer is on record for this day of: arXiv cs.LG, Hugging Face Daily Papers." in unknown.text


def test_a_week_shows_its_days_and_what_had_the_most_votes(library):
    answer = library.get("/weeks/2026-W46")

    assert "9 to 15 November 2026" in answer.text
    votes = [int(each) for each in re.findall(r"▲\u00a0(\d+)", answer.text)]
    assert votes == sorted(votes, reverse=True)
    assert len(votes) == 10
    assert 'href="/weeks/2026-W45" rel="prev"' in answer.text
    assert 'href="/weeks/2026-W47" rel="next"' in answer.text


def test_trending_shows_the_most_votes_for_their_age_and_says_so(library):
    answer = library.get("/trending")
    titles = re.findall(r'class="title" dir="auto"><a href="([^"]*)"', answer.text)

    assert titles[0] == "/papers/arxiv:2611.00001"
    assert "Why: 41 votes on its first day" in answer.text
    assert "Why: 1 vote in 1 day" in answer.text


@pytest.mark.parametrize(
    ("path", "there"),
    [("/days/2026-W47", "/weeks/2026-W47"), ("/days/2026-11", "/days?month=2026-11"),
     ("/weeks/2026-11-20", "/weeks/2026-W47"), ("/weeks/2026-11", "/days?month=2026-11")],
)  # fmt: skip
def test_a_day_a_week_or_a_month_asked_for_in_anothers_place_leads_to_its_own(library, path, there):
    answer = library.get(path)

    assert (answer.status, answer.headers["location"]) == (301, there)


@pytest.mark.parametrize(
    "path",
    ["/days/2026-13-01", "/days/2026-02-30", "/days/yesterday", "/days/20261120", "/days/1999-01-01",
     "/days/9999-12-31", "/days/2026-11-21", "/days/%00", "/days/" + "1" * 5000,
     "/weeks/2026-W54", "/weeks/0000-W01", "/weeks/9999-W52",
     "/weeks/2026-47", "/days?month=2026-13", "/days?month=0000-01", "/days?month=1999-01", "/days?month=x"],
)  # fmt: skip
def test_what_is_no_day_here_is_said_in_a_sentence(library, path):
    answer = library.get(path)

    assert answer.status == 404
    assert "Days are at /days/2026-11-20, weeks at /weeks/2026-W47, months at /days?month=2026-11." in answer.text


@pytest.mark.engines("sqlite")
def test_an_empty_archive_has_calm_pages(personal):
    for path in ("/papers", "/papers?q=tides", "/days", "/trending"):
        assert personal.ask("GET", path).status == 200
    for path in ("/days/2026-11-20", "/weeks/2026-W47", "/papers/arxiv:2611.00001"):
        assert personal.ask("GET", path).status == 404
