"""The failure cases of sources.md section 5 that concern Hugging Face, and pages and answers damaged at random."""

import html
import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CollectError, LayoutChanged
from domain.papers import AbstractKind, FetchStatus, Listing
from scrapers.huggingface import DailySource, PeriodSource, SearchSource, TrendingSource
from scrapers.huggingface_page import read_saved
from scrapers.source import Page, Source, Visit

ASKED = date(2026, 3, 4)
VISIT = Visit(day=ASKED, newest=ASKED, since=ASKED)
PAGES = Path(__file__).parent / "pages" / "huggingface"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "huggingface"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
SITE = "https://huggingface.co"
HOUR = timedelta(hours=1)
DAILY = DailySource("daily", SITE, HOUR)
SEARCH = SearchSource("search", SITE, "protein", HOUR)
TRENDING = TrendingSource("trending", SITE, HOUR)
EVERY: tuple[Source, ...] = (
    DAILY,
    PeriodSource("week", SITE, HOUR, "huggingface-week"),
    PeriodSource("month", SITE, HOUR, "huggingface-month"),
    TRENDING,
    SEARCH,
)
ADDRESSES = (f"{SITE}/papers", f"{SITE}/papers/2603.02001", f"{SITE}/api/daily_papers?date=2026-03-04&limit=100&p=1")
VISITED = date(2026, 11, 20)  # after every sample


def page(body: bytes, url: str = ADDRESSES[0]) -> Page:
    return Page(url, 200, {}, body, datetime(2026, 3, 4, 9, tzinfo=UTC))


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text(encoding="utf-8")


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def without_data(text: str) -> str:
    """The page as it is when its own data is gone: the element stays, without marker and data."""
    return re.sub(r'data-target="DailyPapers" data-props="[^"]*"', "", text)


def read_as(source: Source, text: str) -> Listing:
    return source.parse(page(text.encode()), VISIT)


# -- the cards, when the markup moves (rows 1, 2, 3, 5, 6) -------------------------------------------------------------


@pytest.mark.parametrize(
    "moved",
    [
        lambda text: re.sub(r' class="[^"]*"', "", text),
        lambda text: text.replace("<article", "<li").replace("</article", "</li"),
        lambda text: text.replace("<h3", "<h2").replace("</h3", "</h2"),
        lambda text: re.sub(r"<h3[^>]*><a ([^>]*)>([^<]*)</a></h3>", r"<a \1><h3>\2</h3></a>", text),
        lambda text: text.replace('href="/papers/', 'href="https://mirror.example/papers/'),
        lambda text: re.sub(r'href="(/papers/[0-9.]+)"', r'href="\1v2"', text),
        lambda text: text.replace("Submitted by", "3 authors Submitted by Mar 4"),
    ],
)
def test_cards_are_read_wherever_the_markup_moves(moved: object) -> None:
    assert callable(moved)
    text = recorded("daily_without_data")
    expected = read_as(DAILY, text).papers
    assert moved(text) != text
    assert [(paper.ids, paper.title) for paper in read_as(DAILY, moved(text)).papers] == [
        (paper.ids, paper.title) for paper in expected
    ]


def test_cards_keep_their_order_when_only_some_have_a_picture() -> None:
    text = recorded("daily_without_data").replace('<a href="/papers/2603.01234" class="block h-56">', "<a>")
    assert [paper.ids.arxiv for paper in read_as(DAILY, text).papers] == ["2603.01234", "2603.00077"]


def test_a_card_without_a_title_is_no_paper() -> None:
    text = recorded("daily_without_data").replace("Lantern: Reasoning", "").replace("&lt;think&gt; Tags", "")
    text = re.sub(r"(<h3[^>]*><a href=\"/papers/2603.00077\"[^>]*>)[^<]*", r"\1", text)
    assert [paper.ids.arxiv for paper in read_as(DAILY, text).papers] == ["2603.01234"]


# -- dates without a year (row 28), and whose words a text is (row 23) -------------------------------------------------


def test_a_date_without_a_year_is_the_latest_such_day_before_the_visit() -> None:
    listing = read_as(SEARCH, recorded("search_without_data"))
    assert [paper.published for paper in listing.papers] == [date(2025, 11, 9)]
    assert [paper.published for paper in read_as(DAILY, recorded("daily_without_data")).papers] == [None, None]


@pytest.mark.parametrize("said", ["Dec 31, 9999", "Jan 1, 1901"])
def test_a_date_on_a_card_that_cannot_be_is_no_date(said: str) -> None:
    text = recorded("search_without_data")
    moved = re.sub(r"(Published on )?Nov 9(, 2025)?", said, text)
    assert moved != text
    assert [paper.published for paper in read_as(SEARCH, moved).papers] == [None]


def test_what_stands_far_from_a_title_is_neither_its_summary_nor_its_date() -> None:
    text = recorded("trending_without_data")
    text = re.sub(r'<div class="mb-2"><p[^>]*>[^<]*</p></div>', "", text)
    papers = read_as(TRENDING, text).papers
    assert {(paper.abstract, paper.abstract_kind, paper.summary) for paper in papers} == {("", AbstractKind.NONE, "")}


def test_zero_votes_are_zero_and_no_votes_are_unknown() -> None:
    text = recorded("daily_without_data").replace(
        '<div class="leading-none">9</div>', '<div class="leading-none">-</div>'
    )
    text = text.replace('<div class="leading-none">41</div>', "")
    assert [paper.upvotes for paper in read_as(DAILY, text).papers] == [None, 0]


# -- every sample, with and without its data ---------------------------------------------------------------------------


@needs_samples
@pytest.mark.parametrize(
    ("name", "kind", "papers", "stars", "summaries"),
    [
        ("daily_2023-06-13", "daily", 10, 5, 10),
        ("daily_2025-09-16", "daily", 20, 13, 20),
        ("daily_2025-09-17", "daily", 21, 11, 21),
        ("daily_2025-09-18", "daily", 19, 12, 19),
        ("drift_old_gradient_class_2025-09-16", "daily", 20, 13, 20),
        ("drift_partial_one_paper", "daily", 1, 1, 1),
        ("search_protein_language_model", "search", 24, 14, 24),
        ("drift_mojibake_cp874_search_protein", "search", 24, 14, 24),
        ("trending", "trending", 50, 34, 49),
    ],
)
def test_samples_hold_what_was_counted_by_hand(name: str, kind: str, papers: int, stars: int, summaries: int) -> None:
    text = sample(f"{name}.html")
    listing = read_saved(text, day=VISITED)
    assert (listing.source, listing.status, listing.declared) == (f"huggingface-{kind}", FetchStatus.OK, papers)
    assert len(listing.papers) == papers
    assert sum(paper.stars is not None for paper in listing.papers) == stars
    assert sum(paper.summary != "" for paper in listing.papers) == summaries
    assert all(paper.abstract_kind is AbstractKind.AUTHORS for paper in listing.papers)
    bare = read_saved(without_data(text), day=VISITED)
    assert (bare.source, bare.status, bare.day) == (listing.source, FetchStatus.PARTIAL, listing.day)
    told = [(paper.ids, paper.title, paper.upvotes) for paper in bare.papers]
    assert told == [(paper.ids, paper.title, paper.upvotes) for paper in listing.papers]
    texts = {"daily": AbstractKind.NONE, "search": AbstractKind.AUTHORS, "trending": AbstractKind.SUMMARY}
    assert {paper.abstract_kind for paper in bare.papers} == {texts[kind]}


@needs_samples
def test_the_dates_and_summaries_on_cards_are_those_of_the_data() -> None:
    text = sample("trending.html")
    seen = date(2025, 12, 31)  # in the year of the sample, whose own dates are without year
    listing, bare = (read_saved(each, day=seen).papers for each in (text, without_data(text)))
    pairs = list(zip(listing, bare, strict=True))
    assert all(card.summary == paper.summary for paper, card in pairs if paper.summary)
    assert [card.published for _, card in pairs] == [paper.published for paper, _ in pairs]


@needs_samples
def test_the_sample_fragments_are_a_changed_layout() -> None:
    for source in EVERY:
        with pytest.raises(LayoutChanged, match="broken JSON"):
            read_as(source, sample("literal_fragments.html"))


@needs_samples
def test_the_sample_cut_in_the_middle_of_its_data_sends_the_daily_source_to_the_api() -> None:
    with pytest.raises(LayoutChanged) as refusal:
        read_as(DAILY, sample("drift_truncated_mid_json_2025-09-16.html"))
    assert len(list(DAILY.alternatives(VISIT, refusal.value))) == 1


# -- damage at random --------------------------------------------------------------------------------------------------


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Cut, swap, double or flip a little of a page."""
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    end = min(end, start + chance.choice([1, 40, 4_000]))
    middle = chance.randrange(start, end + 1)
    flipped = bytes(value ^ (1 << chance.randrange(8)) for value in body[start:end][:8])
    return chance.choice(
        [
            body[:start],
            body[start:],
            body[:start] + body[end:],
            body[:start] + body[middle:end] + body[start:middle] + body[end:],
            body[:end] + body[start:],
            body[:start] + flipped + body[start + len(flipped) :],
        ]
    )


def check(source: Source, seen: Page) -> None:
    try:
        listing = source.parse(seen, VISIT)
    except CollectError:
        return
    assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
    assert listing.declared is None or listing.declared == len(listing.papers) + listing.rejected
    assert [paper.rank for paper in listing.papers] == list(range(1, len(listing.papers) + 1))


@pytest.mark.parametrize("path", sorted(PAGES.iterdir()), ids=lambda path: path.name)
def test_a_damaged_recording_is_a_listing_or_our_own_error(path: Path) -> None:
    chance = random.Random(path.name)  # noqa: S311 - the same damage on every run, no secret
    body = path.read_bytes()
    for _ in range(120):
        check(chance.choice(EVERY), page(damaged(body, chance), chance.choice(ADDRESSES)))


@needs_samples
@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.rglob("*.*")))
def test_a_damaged_sample_is_a_listing_or_our_own_error(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - the same damage on every run, no secret
    (path,) = SAMPLES.rglob(name)
    body = path.read_bytes()
    own = [source for source in EVERY if source.name in name] or [DAILY]
    for _ in range(16 if len(body) < 1_000_000 else 3):
        check(chance.choice(own), page(damaged(body, chance), ADDRESSES[2 if name.endswith("json") else 0]))


@settings(max_examples=100, deadline=None)
@given(
    source=st.sampled_from(EVERY),
    url=st.sampled_from(ADDRESSES),
    body=st.binary(max_size=120)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.sampled_from(
        [b"[", b"{", b"[]", b"{}", b"[null]", b"\xff\xfe[", b"<h1>", b"<a", b"<?xml?><a href='/papers/1'>"]
    ),
)
def test_any_bytes_are_a_listing_or_our_own_error(source: Source, url: str, body: bytes) -> None:
    check(source, page(body, url))


def test_a_page_of_thousands_of_papers_is_read_in_one_go() -> None:
    items = [{"paper": {"id": f"2603.{number:05}", "title": f"Paper {number}"}} for number in range(20_000)]
    blob = html.escape(json.dumps({"dailyPapers": items, "dateString": "2026-03-04"}))
    listing = read_as(DAILY, f'<div data-target="DailyPapers" data-props="{blob}"></div>')
    assert (len(listing.papers), listing.declared) == (20_000, 20_000)
