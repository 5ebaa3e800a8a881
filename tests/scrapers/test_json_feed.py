"""JSON Feed: what is read of either version, and what damaged JSON comes to."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CollectError, LayoutChanged
from domain.papers import AbstractKind, FetchStatus, Listing
from scrapers.json_feed import looks_like_json_feed, read_json_feed

DAY = date(2026, 3, 5)
RECORDED = (Path(__file__).parent / "pages" / "feeds" / "feed.json").read_text()
VERSION = "https://jsonfeed.org/version/1"


def read(text: str) -> Listing:
    return read_json_feed(text, source="x", day=DAY, visited=DAY)


def feed(*items: object, **said: object) -> str:
    return json.dumps({"version": VERSION, "title": "x", "items": items, **said})


def item(number: int = 1, **said: Any) -> dict[str, Any]:
    return {"id": str(number), "url": f"https://site.example/{number}", "title": f"Paper {number}", **said}


def test_a_feed_is_read_with_the_work_that_an_item_is_about() -> None:
    listing = read(RECORDED)
    assert (listing.status, listing.rejected, listing.day, listing.next) == (FetchStatus.PARTIAL, 1, DAY, None)
    ladders, older = listing.papers
    assert ladders.title == "Ladders & their rungs"
    assert (ladders.ids.arxiv, ladders.url) == ("2603.00099", "https://reading.example/17")
    assert ladders.abstract.startswith("Ladders are sold by their length and used by their rungs.")
    assert (ladders.abstract_kind, ladders.authors) == (AbstractKind.AUTHORS, ("Ada Moss", "Bo Reed"))
    assert (ladders.published, ladders.categories) == (date(2026, 3, 3), ("mechanics", "ladders"))
    assert (older.authors, older.abstract) == (("Cy Fell",), "Plain text.")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (RECORDED, True),
        ('\ufeff {"version":"https:\\/\\/jsonfeed.org\\/version\\/1"}', True),
        (
            feed(item(1, content_text="x" * 200_000)).replace('"version": ', '"was": ')[:-1]
            + f', "version": "{VERSION}"}}',
            True,
        ),
        ('{"version": "1.0", "items": []}', False),
        (f'["version", "{VERSION}"]', False),
        ("<rss/>", False),
        ("", False),
    ],
)
def test_a_json_feed_is_known_by_its_version(text: str, *, is_one: bool) -> None:
    assert looks_like_json_feed(text) is is_one


def test_an_empty_feed_is_empty_and_no_failure() -> None:
    assert read(feed()).status is FetchStatus.OK_EMPTY


def test_a_feed_of_more_items_than_are_read_is_partial() -> None:
    listing = read(feed(*(item(number) for number in range(2_500))))
    assert (listing.status, len(listing.papers)) == (FetchStatus.PARTIAL, 2_000)
    assert listing.note == "only the first 2,000 of 2,500 items were read"


@pytest.mark.parametrize(
    "text",
    [
        RECORDED[:-20],
        "",
        "[]",
        "7",
        '{"version": "https://jsonfeed.org/version/1"}',
        '{"version": 1, "items": []}',
        '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000,
        '{"version": "https://jsonfeed.org/version/1", "items": [' + "9" * 10_000 + "]}",
        feed(7, "x", None),
        feed({"id": "1"}, {"title": 7}, item()),
    ],
)
def test_what_cannot_be_trusted_is_refused(text: str) -> None:
    with pytest.raises(LayoutChanged):
        read(text)


def test_what_json_escapes_and_nothing_can_store_is_left_out() -> None:
    damaged = "https://doi.org/10.5555/a\ud800b\0c"
    (paper,) = read(feed(item(url=damaged, id=damaged, title="Halves\ud800 of a character"))).papers
    assert (paper.title, paper.ids.doi) == ("Halves of a character", "10.5555/abc")
    assert paper.url == "https://doi.org/10.5555/abc"
    assert read(feed(item(url="https://site.example/é\ud800"))).papers[0].url == "https://site.example/%C3%A9"


CHARACTERS = st.characters() | st.characters(categories=["Cs"])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.text(CHARACTERS, max_size=9).map("https://doi.org/10.5555/{}".format),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "url")), inner, max_size=3),
    max_leaves=5,
)
TEXTS = ("id", "url", "external_url", "title", "content_html", "content_text", "summary", "date_published")
FIELDS = (*TEXTS, "author", "authors", "tags")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=8),
        max_size=5,
    )
)
def test_no_value_breaks_the_reader(items: list[dict[str, object]]) -> None:
    try:
        listing = read(feed(*items))
    except CollectError:
        return
    assert all(paper.title for paper in listing.papers)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(RECORDED)), st.integers(0, len(RECORDED)), st.text(max_size=3))
def test_no_cut_breaks_the_reader(one: int, two: int, between: str) -> None:
    try:
        listing = read(RECORDED[: min(one, two)] + between + RECORDED[max(one, two) :])
    except CollectError:
        return
    assert all(paper.title for paper in listing.papers)
