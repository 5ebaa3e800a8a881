"""The search page: what it finds, what narrows it, and what it says of what cannot be read."""

import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import QueryError
from web.lookback import fault


def found(answer):
    return re.search(r'role="status">([^<]*)', answer.text)[1].strip()


def titles(answer):
    return re.findall(r'class="title" dir="auto"><a href="([^"]*)"', answer.text)


def test_without_a_question_the_newest_papers_are_shown(library):
    answer = library.get("/papers")

    assert answer.status == 200
    assert found(answer) == "61 papers, newest here first."
    assert len(titles(answer)) == 25
    assert '<link rel="canonical" href="https://digests.example.org/papers">' in answer.text
    assert "x-robots-tag" not in answer.headers


def test_words_are_marked_without_a_style_of_their_own_and_the_reason_is_that_of_letters(library):
    answer = library.get("/papers?q=harbour+sediment")

    assert "<mark>harbour</mark>" in answer.text
    assert "style=" not in answer.text
    assert "Why: “harbour” in title · “sediment” in abstract" in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    assert '<link rel="canonical" href="https://digests.example.org/papers?q=harbour+sediment">' in answer.text


def test_a_paper_that_an_author_is_found_by_says_so(library):
    assert "Why: found by its authors or categories" in library.get("/papers?q=okafor").text


def test_facets_are_links_with_the_counts_that_they_lead_to(library):
    answer = library.get("/papers?q=tides")
    links = re.findall(r'<a href="(/papers\?[^"]*)">[^<]*</a> ([0-9,]+)', answer.text)

    assert len(links) >= 5
    for path, papers in links:
        assert found(library.get(unescape(path))).startswith(f"{papers} paper")


def test_what_is_chosen_can_be_left_out_again(library):
    answer = library.get("/papers?q=tides&source=arxiv:cs.LG&code=1&since=2026-11-20")

    assert found(answer) == "2 papers, best match first."
    assert 'aria-label="Without arXiv cs.LG"' in answer.text
    assert 'aria-label="Without has code"' in answer.text
    assert "/papers?q=tides&amp;source=arxiv%3Acs.LG&amp;since=2026-11-20" in answer.text


@pytest.mark.parametrize("sort", ["relevance", "newest", "published", "votes"])
def test_every_order_can_be_leafed_through_to_its_end_without_a_gap(library, sort):
    pages = [titles(library.get(f"/papers?q=tides&sort={sort}&page={page}")) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [25, 25, 11]
    assert len({each for page in pages for each in page}) == 61


def test_pages_are_named_by_number(library):
    answer = library.get("/papers?page=2")

    assert '<span aria-current="page">2</span>' in answer.text
    assert '<a href="/papers?page=3" aria-label="Page 3">3</a>' in answer.text
    assert '<a href="/papers" aria-label="Page 1">1</a>' in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize("page", ["1000000000", "9" * 400, "41", "40"])
def test_a_page_that_is_not_there_is_a_calm_answer_with_the_form_as_it_was(library, page):
    answer = library.get(f"/papers?q=tides&page={page}")

    assert answer.status == 404
    assert 'value="tides"' in answer.text
    assert '<a href="/papers?q=tides">To the first page</a>' in answer.text


def test_whoever_leafs_far_beyond_the_end_is_told_how_many_pages_there_are(library):
    near, far = library.get("/papers?page=40"), library.get("/papers?page=1000000000")

    assert (near.status, far.status) == (404, 404)
    assert re.search(r"There are \d+ pages of this\.", near.text)[0] in far.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sort=foo", "There is no such order."),
        ("since=9999-99-99", "“From” is no day of the calendar."),
        ("until=20261120", "“To” is no day of the calendar."),
        ("since=2026-11-20&until=2026-11-01", "The first day comes after the last."),
        ("page=-1", "A page has a number, from 1 on."),
        ("page=zwei", "A page has a number, from 1 on."),
        ("code=perhaps", "“code” is 1 for papers with code"),
        (f"category={'x' * 300}", "No category has so long a name."),
        ("q=%22tides", "This quote is never closed (column 1)."),
        (f"q={'x' * 3000}", "A topic has at most 1,000 characters"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence_and_keeps_the_form(library, asked, said):
    answer = library.get(f"/papers?{asked}")

    assert answer.status == 400
    assert said in unescape(answer.text)
    assert 'role="search"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_query_that_cannot_be_read_points_at_the_place_and_links_what_was_meant(library):
    answer = library.get(f"/papers?{urlencode({'q': 'titel:tides', 'sort': 'votes'})}")

    assert "titel:tides\n^</pre>" in answer.text
    assert '<a href="/papers?q=title%3Atides&amp;sort=votes" dir="auto">title:tides</a>' in answer.text


def test_a_caret_stands_under_wide_letters_and_in_the_middle_of_long_queries():
    assert fault("潮汐 (", QueryError("it opens", 4)).caret == "     ^"
    assert fault("a\u0301b(", QueryError("it opens", 4)).caret == "  ^"
    long = fault("x" * 500 + "(" + "y" * 500, QueryError("it opens", 501))
    assert long.excerpt[len(long.caret) - 1] == "("
    assert long.excerpt.startswith("…")
    assert long.excerpt.endswith("…")


def test_where_nothing_is_found_it_says_what_to_do(library):
    answer = library.get("/papers?q=zebra+crossing&category=cs.XX")

    assert answer.status == 200
    assert found(answer) == "No paper was found."
    assert "No paper in the archive is of the category “cs.XX”." in answer.text
    assert "Fewer words find more" in answer.text


def test_what_was_typed_is_shown_as_text(library):
    asked = dict.fromkeys(("q", "source", "category", "since", "until", "sort", "code"), '"><script>alert(1)</script>')
    for name, value in asked.items():
        answer = library.get(f"/papers?{urlencode({'q': 'tides', name: value})}")
        assert answer.status in {200, 400}
        assert "<script>alert" not in answer.text


def test_a_browser_that_has_the_page_is_not_sent_it_again(library):
    first = library.get("/papers?q=tides")
    again = library.get("/papers?q=tides", **{"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=60"
    assert (again.status, again.text) == (304, "")


def test_below_a_path_every_link_begins_with_it(serving):
    library = serving(base_url="https://lab.example/reading")
    answer = library.get("/reading/papers?q=tides")

    assert answer.status == 200
    assert not re.findall(r'href="/(?!reading/)', answer.text)
    assert 'href="https://lab.example/reading/papers?q=tides"' in answer.text
    assert library.get("/reading/papers/2611.00001").headers["location"] == "/reading/papers/arxiv:2611.00001"


_NAMES = st.sampled_from(["q", "source", "category", "since", "until", "code", "sort", "page", "after", "x"])
_VALUES = st.one_of(
    st.text(max_size=40).map(lambda text: quote(text.encode("utf-8", "surrogatepass"))),
    st.binary(max_size=20).map(quote),
    st.sampled_from(["tides", "(tides", "-tides", "tid*", "cat:cs", "upvotes%3E=3", "2026-11-20", "0001-01-01", "votes",
                     "9999-12-31", "1", "39", "relevance", "source:arxiv", "author:okafor", "%00", "%ff", "%", ""]),
)  # fmt: skip


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=5))
def test_no_address_of_a_search_is_an_error_of_ours(library, pairs):
    answer = library.get("/papers?" + "&".join(f"{name}={value}" for name, value in pairs))

    assert answer.status in {200, 400, 404}
    assert 'role="search"' in answer.text
