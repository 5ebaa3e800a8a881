"""The page of one paper on Hugging Face: its own data, and the markup where that is missing."""

import html
import json
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged
from domain.papers import AbstractKind, FetchStatus, Listing
from scrapers.huggingface_page import looks_like_huggingface, read_saved
from scrapers.huggingface_paper import looks_like_paper_page, read_paper_page

DAY = date(2026, 3, 9)
PAGES = Path(__file__).parent / "pages" / "huggingface"
ADDRESS = '<meta property="og:url" content="https://huggingface.co/papers/2603.02001" />'
ABSTRACT = (
    "Small models crack when they are trained hot. Kiln lowers the heat by half and loses nothing."  # of the page
)


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text(encoding="utf-8")


def read(text: str) -> Listing:
    return read_paper_page(text, source="daily", day=DAY, visited=DAY)


def html_of(props: object) -> str:
    blob = props if isinstance(props, str) else json.dumps(props)
    return f"<main>{ADDRESS}<div data-props='{html.escape(blob)}' data-target=PaperContent><h1>x</h1></div></main>"


def test_a_paper_page_is_a_listing_of_that_paper_on_the_day_it_was_listed() -> None:
    listing = read(recorded("paper"))
    assert (listing.source, listing.day, listing.status, listing.note) == (
        "daily",
        date(2026, 3, 2),
        FetchStatus.OK,
        "",
    )
    (paper,) = listing.papers
    assert (paper.ids.arxiv, paper.title) == ("2603.02001", "Kiln: Firing Small Models at Low Heat")
    assert (paper.abstract, paper.abstract_kind) == (ABSTRACT, AbstractKind.AUTHORS)
    assert paper.summary == "Kiln trains small models at half the learning rate."
    assert (paper.authors, paper.author_count) == (("Noor Adeyemi", "Pál Szűcs"), 2)
    assert (paper.upvotes, paper.stars, paper.organization) == (52, 310, "Ember Works")
    assert paper.comments == 2, "a changed title is no comment"
    assert paper.published == date(2026, 2, 27)


def test_without_its_data_the_markup_gives_title_abstract_and_id_in_part() -> None:
    listing = read(recorded("paper_without_data"))
    assert (listing.status, listing.day) == (FetchStatus.PARTIAL, DAY)
    assert "its markup was read" in listing.note
    (paper,) = listing.papers
    assert (paper.ids.arxiv, paper.title) == ("2603.02001", "Kiln: Firing Small Models at Low Heat")
    assert (paper.abstract, paper.abstract_kind) == (ABSTRACT, AbstractKind.AUTHORS), "neither summary nor comment"
    assert (paper.url, paper.authors) == ("https://arxiv.org/abs/2603.02001", ())


@pytest.mark.parametrize(
    ("block", "abstract"),
    [
        ("<div><h2>Abstract</h2>\n<p>Whole  text.</p></div>", "Whole text."),
        ("<div><h2><!--[-->Abstract</h2>Whole\ntext.</div>", "Whole text."),
        (
            "<h2>Abstract</h2><p>Whole <b>te</b>xt.</p><h2>Community</h2><p>And a much longer comment.</p>",
            "Whole text.",
        ),
        ("<h3>Abstract</h3><p>Whole text.</p>", "Whole text."),
        ("<h2>Abstract</h2>", ""),
        ("<p>Abstract</p><p>Whole text.</p>", ""),
        ("", ""),
    ],
)
def test_the_abstract_is_what_follows_its_heading(block: str, abstract: str) -> None:
    paper = read(f"{ADDRESS}<h1>On <i>Kilns</i></h1>{block}").papers[0]
    assert (paper.title, paper.abstract) == ("On Kilns", abstract)
    assert paper.abstract_kind is (AbstractKind.AUTHORS if abstract else AbstractKind.NONE)


def test_a_paper_that_was_never_listed_is_of_the_visit() -> None:
    for listed in (None, "2031-01-01T00:00:00.000Z", "yesterday"):
        paper = {"id": "2603.02001", "title": "Kiln", "submittedOnDailyAt": listed}
        assert read(html_of({"paper": paper})).day == DAY


def test_comments_are_unknown_where_the_page_does_not_list_them() -> None:
    paper = {"id": "2603.02001", "title": "Kiln"}
    for value, count in ((None, None), ({"id": 1}, None), ([], 0), ([{}, 7, {"type": "event"}], 2)):
        assert read(html_of({"paper": paper, "comments": value})).papers[0].comments == count


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ('{"paper": ', "broken JSON"),
        ("[]", "not an object"),
        ({}, "1 of 1 records"),
        ({"paper": {"id": "2603.02001"}}, "1 of 1 records"),
        ({"paper": {"title": "Kiln"}}, "1 of 1 records"),
        ({"paper": [{"id": "2603.02001", "title": "Kiln"}]}, "1 of 1 records"),
    ],
)
def test_data_without_the_paper_is_a_changed_layout(props: object, words: str) -> None:
    with pytest.raises(LayoutChanged, match=words):
        read(html_of(props))


def test_a_page_cut_inside_its_data_is_a_changed_layout() -> None:
    text = recorded("paper")
    with pytest.raises(LayoutChanged, match="cut"):
        read(text[: text.index("upvotes")])


@pytest.mark.parametrize(
    "text",
    ["", "<h1>Sign in</h1>", f"{ADDRESS}<h2>Kiln</h2>", f"{ADDRESS}<h1> </h1>", "<h1>x</h1><a href='/papers/2603.1'>"],
)
def test_a_page_without_title_or_id_is_blocked(text: str) -> None:
    with pytest.raises(Blocked):
        read(text)
    with pytest.raises(Blocked):
        read(recorded("bot_check"))


def test_paper_pages_are_told_from_lists_and_other_texts() -> None:
    for name in ("paper", "paper_without_data"):
        assert looks_like_paper_page(recorded(name))
        assert looks_like_huggingface(recorded(name))
        assert read_saved(recorded(name), day=DAY).source == "huggingface-paper"
    for name in ("daily", "daily_without_data", "week", "trending", "search", "bot_check"):
        assert not looks_like_paper_page(recorded(name))


def test_mojibake_of_a_mirror_is_repaired() -> None:
    text = f"{ADDRESS}<h1>Musรฉes of Quiet</h1><h2>Abstract</h2><p>By Ines Leguรฉry.</p>"
    paper = read(text).papers[0]
    assert (paper.title, paper.abstract) == ("Musées of Quiet", "By Ines Leguéry.")


# -- pages that were written to hurt -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{ADDRESS}<h1>" + "<b>x" * 30_000,
        f"{ADDRESS}<h1>x</h1><h2>Abstract</h2>" + "<div>x" * 30_000,
        f"{ADDRESS}<h1>x</h1><h2>Abstract</h2>" + "<p>word" * 30_000,
        f"{ADDRESS}<h1>x</h1>" + "<h2>Abstrac</h2>" * 15_000,
        "<b>" * 30_000 + f"{ADDRESS}<h1>x</h1><h2>Abstract</h2>" + "x<b>" * 10_000,
        "<meta og:url" * 100_000 + "<h1>x",
        "<meta " + "og:url" * 100_000 + "><h1>x",
        "data-target " * 100_000 + "<h1>x",
        f"<?xml version='1.0'?>{ADDRESS}<h1>x</h1>",
    ],
)
def test_hostile_pages_are_read_or_refused_in_good_time(text: str) -> None:
    began = time.process_time()
    looks_like_paper_page(text)
    with suppress(CollectError):
        assert len(read(text).papers[0].abstract) <= 20_000
    assert time.process_time() - began < 4


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["paper", "paper_without_data"]),
    where=st.floats(0, 1),
    length=st.integers(0, 400),
    inserted=st.text(max_size=12)
    | st.sampled_from(['"', "<?xml?>", "\0", "&#0;", "</div>", "<!--", "]]>", "<h2>Abstract</h2>"]),
)
def test_a_damaged_page_is_a_listing_or_our_own_error(name: str, where: float, length: int, inserted: str) -> None:
    text = recorded(name)
    start = int(where * len(text))
    with suppress(CollectError):
        listing = read(text[:start] + inserted + text[start + length :])
        assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
