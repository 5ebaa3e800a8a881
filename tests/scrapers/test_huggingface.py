"""The Hugging Face pages: what is read, what is refused, and what each kind of damage is called."""

import html
import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged
from domain.papers import AbstractKind, FetchStatus, Listing
from scrapers.fetch import Fetcher
from scrapers.huggingface import DailySource, SearchSource
from scrapers.huggingface_page import looks_like_huggingface, read_saved
from scrapers.pace import MemoryLedger, Pace
from scrapers.source import Page, Visit

ASKED = date(2026, 3, 4)
PAGES = Path(__file__).parent / "pages" / "huggingface"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "huggingface"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

DAILY = DailySource("huggingface-daily", "https://huggingface.co", timedelta(hours=1))
SEARCH = SearchSource("proteins", "https://mirror.example", "protein", timedelta(hours=6))


def visit(day: date) -> Visit:
    return Visit(day=day, newest=day, since=day)


def page(text: str | bytes) -> Page:
    body = text.encode() if isinstance(text, str) else text
    return Page("https://huggingface.co/papers", 200, {}, body, datetime(2026, 3, 4, 9, tzinfo=UTC))


def recorded(name: str) -> Page:
    return page((PAGES / f"{name}.html").read_bytes())


def item(identifier: object = "2603.00101", title: object = "On Quiet Gradients", **paper: object) -> dict[str, Any]:
    return {
        "paper": {
            "id": identifier,
            "authors": [{"_id": "a1", "name": "Ada Example", "hidden": False}],
            "publishedAt": "2026-03-02T00:00:00.000Z",
            "submittedOnDailyAt": "2026-03-04T00:00:00.000Z",
            "title": title,
            "summary": "We study gradients that\nsay little.",
            "upvotes": 7,
            **paper,
        },
        "publishedAt": "2026-03-01T19:00:00.000Z",
        "numComments": 2,
    }


def html_of(props: object) -> str:
    """A papers page around its data; `props` may be JSON text already."""
    blob = props if isinstance(props, str) else json.dumps(props)
    return (
        '<!doctype html><html class=""><head><meta charset="utf-8" /></head><body class="DailyPapersPage"><main>'
        f'<div class="contents" data-target="DailyPapers" data-props="{html.escape(blob)}"><section></section></div>'
        "</main></body></html>"
    )


def daily(*items: object, **props: object) -> Listing:
    return DAILY.parse(page(html_of({"dailyPapers": list(items), "dateString": "2026-03-04", **props})), visit(ASKED))


def test_a_daily_page_is_read_whole_from_its_own_data() -> None:
    listing = DAILY.parse(recorded("daily"), visit(ASKED))
    assert (listing.status, listing.declared, listing.day, listing.note) == (FetchStatus.OK, 2, ASKED, "")
    harbour, lantern = listing.papers
    assert harbour.title == "Harbour: Docking Sparse Experts to Dense Students"
    assert harbour.ids.arxiv == "2603.01234"
    assert harbour.abstract.endswith(r"keep 98\% of the score at 1times 60 the cost.")
    assert harbour.abstract_kind is AbstractKind.AUTHORS
    assert (harbour.authors, harbour.author_count) == (("Mira Kowalczyk", "José Ángel Ferrer"), 3)
    assert harbour.published == date(2026, 3, 2)
    assert (harbour.url, harbour.pdf_url) == ("https://arxiv.org/abs/2603.01234", "https://arxiv.org/pdf/2603.01234")
    assert (harbour.code_url, harbour.project_url) == (
        "https://github.com/example/harbour",
        "https://harbour.example.org/",
    )
    assert (harbour.organization, harbour.upvotes, harbour.comments, harbour.rank) == ("Low Tide Lab", 41, 3, 1)
    assert lantern.title == "Lantern: Reasoning <think> Tags & Why x < 1 Matters"
    assert (lantern.abstract, lantern.abstract_kind) == ("A look at how tags steer reasoning.", AbstractKind.SUMMARY)
    assert (lantern.rank, lantern.withdrawn) == (2, False)


def test_a_search_page_is_read_from_its_results_and_not_from_the_daily_list_beside_them() -> None:
    listing = SEARCH.parse(recorded("search"), visit(date(2026, 3, 9)))
    assert [paper.title for paper in listing.papers] == ["Moss Grows on Protein Graphs"]
    assert (listing.status, listing.declared, listing.day) == (FetchStatus.OK, 1, date(2026, 3, 9))
    assert listing.papers[0].withdrawn


def test_a_saved_page_says_itself_whether_it_is_a_search() -> None:
    texts = [recorded(name).text() for name in ("daily", "search")]
    assert [len(read_saved(text, day=ASKED).papers) for text in texts] == [2, 1]


def test_mojibake_of_a_mirror_is_repaired() -> None:
    moss = SEARCH.parse(recorded("search_mojibake"), visit(ASKED)).papers[0]
    assert moss.authors == ("Ines Leguéry", "Tomasz Żuk")


def test_an_empty_day_is_told_from_a_broken_page() -> None:
    listing = DAILY.parse(recorded("daily_empty"), visit(date(2026, 3, 7)))
    assert (listing.status, listing.papers, listing.declared) == (FetchStatus.OK_EMPTY, (), 0)
    with pytest.raises(Blocked):
        DAILY.parse(recorded("bot_check"), visit(ASKED))
    with pytest.raises(LayoutChanged, match="cut"):
        DAILY.parse(recorded("daily_cut"), visit(ASKED))


def test_without_its_data_a_daily_page_is_read_from_its_cards_in_part() -> None:
    listing = DAILY.parse(recorded("daily_without_data"), visit(date(2026, 3, 7)))
    assert (listing.status, listing.declared) == (FetchStatus.PARTIAL, None)
    assert listing.day == ASKED, "the page's own address names the day"
    assert [(paper.ids.arxiv, paper.upvotes, paper.comments, paper.author_count) for paper in listing.papers] == [
        ("2603.01234", 41, 3, 3),
        ("2603.00077", 9, None, 1),
    ]
    assert [paper.title for paper in listing.papers] == [paper.title for paper in daily_papers()]
    assert all(not paper.authors and not paper.abstract for paper in listing.papers)


def daily_papers() -> Iterable[Any]:
    return DAILY.parse(recorded("daily"), visit(ASKED)).papers


def test_without_its_data_a_search_page_still_gives_whole_abstracts() -> None:
    listing = SEARCH.parse(recorded("search_without_data"), visit(ASKED))
    assert listing.status is FetchStatus.PARTIAL
    paper = listing.papers[0]
    assert paper.title == "Moss Grows on Protein Graphs"
    assert paper.abstract == "Language models of proteins forget their neighbours. Moss lets a graph remind them."
    assert (paper.author_count, paper.authors, paper.comments) == (2, (), 2)


def test_the_day_is_the_one_the_page_names_when_the_site_clamps_a_day_to_come() -> None:
    assert daily(item(), dateString="2026-02-27").day == date(2026, 2, 27)


def test_the_day_is_what_most_papers_say_when_the_page_names_none() -> None:
    friday = {"submittedOnDailyAt": "2026-02-27T00:00:00.000Z"}
    items = (item("2603.00001", **friday), item("2603.00002", **friday), item("2603.00003"))
    assert daily(*items, dateString=None).day == date(2026, 2, 27)
    assert daily(item(submittedOnDailyAt=[]), dateString="2026-02-31").day == ASKED


def test_one_paper_is_a_whole_day() -> None:
    assert daily(item()).status is FetchStatus.OK


def test_a_paper_shown_twice_is_listed_once_and_versions_are_one_paper() -> None:
    listing = daily(item("2603.00001"), item("2603.00001v2"), item("2603.00002"))
    assert [(paper.ids.arxiv, paper.rank) for paper in listing.papers] == [("2603.00001", 1), ("2603.00002", 2)]
    assert (listing.declared, listing.status) == (2, FetchStatus.OK)


def test_a_few_bad_records_are_left_out_and_counted() -> None:
    listing = daily(*(item(f"2603.{number:05}") for number in range(1, 30)), item(identifier="no id"))
    assert (listing.status, len(listing.papers), listing.declared) == (FetchStatus.PARTIAL, 29, 30)
    assert listing.rejected == 1
    assert "1 of 30" in listing.note


@pytest.mark.parametrize(
    "bad", [item(identifier=None), item(title=" \n"), item(title=["x"]), None, [], 3, {"paper": []}]
)
def test_a_page_of_bad_records_is_a_changed_layout(bad: object) -> None:
    with pytest.raises(LayoutChanged, match="2 of 2"):
        daily(bad, bad)
    with pytest.raises(LayoutChanged, match="1 of 1"):
        daily(bad)


def test_a_date_that_no_calendar_has_or_that_cannot_be_is_no_date() -> None:
    dates = ["2026-02-31", "9999-12-31T00:00:00.000Z", None, 20260302, "yesterday", "2026-W09-1", {}, "٢٠٢٦-٠٣-٠٢"]
    papers = daily(*(item(f"2603.{n:05}", publishedAt=value) for n, value in enumerate(dates, 1))).papers
    assert [paper.published for paper in papers] == [None] * len(dates)


def test_addresses_that_are_not_http_are_dropped() -> None:
    bad = ["javascript:alert(1)", "file:///etc/passwd", "https://", 'https://a"b', "https://a b", 7, None, "https://[x"]
    papers = daily(
        *(item(f"2603.{n:05}", githubRepo=value, projectPage=value) for n, value in enumerate(bad, 1))
    ).papers
    assert {paper.code_url for paper in papers} == {paper.project_url for paper in papers} == {""}


def test_numbers_may_come_as_text_and_nonsense_is_no_number() -> None:
    votes = ["12", 12, -1, True, None, "many", 2**40, 1.5, "²", {}]
    papers = daily(*(item(f"2603.{n:05}", upvotes=value) for n, value in enumerate(votes, 1))).papers
    assert [paper.upvotes for paper in papers] == [12, 12, *[None] * 8]


def test_hidden_and_nameless_authors_count_but_are_not_named() -> None:
    authors = [{"name": "Ada"}, {"name": "Bob", "hidden": True}, {"name": None}, "Carl", None, {"user": {"name": "x"}}]
    paper = daily(item(authors=authors)).papers[0]
    assert (paper.authors, paper.author_count) == (("Ada",), 6)
    assert daily(item(authors={"name": "Ada"})).papers[0].author_count == 0


def test_three_thousand_authors_are_all_read() -> None:
    paper = daily(item(authors=[{"name": f"Author {n}"} for n in range(3_300)])).papers[0]
    assert (len(paper.authors), paper.author_count) == (3_300, 3_300)


def test_a_paper_without_any_abstract_is_kept() -> None:
    paper = daily(item(summary=None, ai_summary=None)).papers[0]
    assert (paper.abstract, paper.abstract_kind) == ("", AbstractKind.NONE)


def test_control_characters_never_reach_a_title() -> None:
    title = "Loss < 1: a & b <script>\x00\ud800\r\nBcc: x"
    found = daily(item(title=title)).papers[0].title
    assert found.startswith("Loss < 1: a & b <script>")
    assert not re.search(r"[\x00-\x1f\ud800-\udfff]", found)


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ('{"dailyPapers": [', "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ("", "broken JSON"),
        ({}, "no list named dailyPapers"),
        ({"dailyPapers": {"0": item()}}, "no list named dailyPapers"),
        ({"dailyPapers": [item()], "searchResults": [], "query": {"q": "x"}}, "answers a search"),
    ],
)
def test_data_that_is_not_the_list_asked_for_is_a_changed_layout(props: object, words: str) -> None:
    with pytest.raises(LayoutChanged, match=words):
        DAILY.parse(page(html_of(props)), visit(ASKED))


def test_a_search_that_is_answered_with_the_daily_list_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged, match="searchResults"):
        SEARCH.parse(page(html_of({"dailyPapers": [item()]})), visit(ASKED))


def test_the_marker_is_found_whatever_surrounds_it() -> None:
    blob = html.escape(json.dumps({"dailyPapers": [item()]}))
    moved = f"<p>\0<section data-props='{blob}' id=x data-target=DailyPapers></section>"
    assert len(read_saved(moved, day=ASKED).papers) == 1
    assert looks_like_huggingface(moved)


def test_requests_name_the_day_and_the_query() -> None:
    assert [request.url for request in DAILY.requests(visit(ASKED))] == [
        "https://huggingface.co/papers/date/2026-03-04"
    ]
    search = SearchSource("s", "http://127.0.0.1:8000", "a&b c+ é", timedelta(hours=1))
    assert [request.url for request in search.requests(visit(ASKED))] == [
        "http://127.0.0.1:8000/papers?q=a%26b+c%2B+%C3%A9"
    ]


def test_papers_pages_are_told_from_other_texts() -> None:
    names = ["daily", "search_mojibake", "daily_cut", "daily_without_data"]
    assert all(looks_like_huggingface(recorded(name).text()) for name in names)
    assert not looks_like_huggingface(recorded("bot_check").text())
    assert not looks_like_huggingface("new\nGet trending papers in your email inbox!\nOn Quiet Gradients\n")


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
known_keys = st.sampled_from(sorted({*item()["paper"], "githubRepo", "organization", "withdrawnAt", "ai_summary"}))


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(known_keys, junk), max_size=4), top=st.dictionaries(known_keys, junk, max_size=2))
def test_a_mutated_item_is_a_listing_or_our_own_error(
    changes: list[tuple[str, object]], top: dict[str, object]
) -> None:
    mutated = item()
    mutated["paper"].update(changes)
    try:
        listing = daily(mutated | top, item("2603.00102"), dateString=next(iter(top.values()), None))
    except CollectError:
        return
    assert all(paper.title and paper.ids.arxiv for paper in listing.papers)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["daily", "search", "daily_without_data"]),
    where=st.floats(0, 1),
    length=st.integers(0, 400),
    inserted=st.text(max_size=12)
    | st.sampled_from(['"', "<?xml?>", "\0", "&#0;", "</div>", "<!--", "]]>", "<a href="]),
)
def test_a_damaged_page_is_a_listing_or_our_own_error(name: str, where: float, length: int, inserted: str) -> None:
    text = recorded(name).text()
    start = int(where * len(text))
    damaged = page((text[:start] + inserted + text[start + length :]).encode("utf-8", "surrogatepass"))
    for source in (DAILY, SEARCH):
        try:
            source.parse(damaged, visit(ASKED))
        except CollectError:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_are_a_listing_or_our_own_error(body: bytes) -> None:
    with pytest.raises(CollectError):
        DAILY.parse(page(body), visit(ASKED))


def own_count(name: str) -> int:
    """What the sample's own JSON declares, read the crude way."""
    text = html.unescape((SAMPLES / f"{name}.html").read_text(encoding="utf-8"))
    key = "searchResults" if "search" in name else "dailyPapers"
    return len(json.JSONDecoder().raw_decode(text[text.index(f'"{key}":') + len(key) + 3 :])[0])


@needs_samples
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("daily_2023-06-13", FetchStatus.OK),
        ("daily_2025-09-16", FetchStatus.OK),
        ("daily_2025-09-17", FetchStatus.OK),
        ("daily_2025-09-18", FetchStatus.OK),
        ("search_protein_language_model", FetchStatus.OK),
        ("trending", FetchStatus.OK),
        ("drift_old_gradient_class_2025-09-16", FetchStatus.OK),
        ("drift_partial_one_paper", FetchStatus.OK),
        ("drift_empty_day", FetchStatus.OK_EMPTY),
    ],
)
def test_samples_give_the_count_that_their_own_data_declares(name: str, status: FetchStatus) -> None:
    listing = read_saved((SAMPLES / f"{name}.html").read_text(encoding="utf-8"), day=ASKED)
    assert listing.status is status
    assert listing.declared == len(listing.papers) == own_count(name)
    assert all(paper.author_count and paper.abstract and paper.published for paper in listing.papers)
    if named := re.search(r"\d{4}-\d\d-\d\d", name):
        assert listing.day == date.fromisoformat(named[0])


@needs_samples
def test_the_sample_without_data_is_read_from_cards_and_the_cut_one_not_at_all() -> None:
    whole, bare, cut = (
        page((SAMPLES / f"{name}_2025-09-16.html").read_bytes())
        for name in ("daily", "drift_no_hydrater", "drift_truncated_mid_json")
    )
    listing = DAILY.parse(bare, visit(ASKED))
    assert listing.status is FetchStatus.PARTIAL
    expected = DAILY.parse(whole, visit(ASKED)).papers
    assert [(paper.ids, paper.title, paper.upvotes) for paper in listing.papers] == [
        (paper.ids, paper.title, paper.upvotes) for paper in expected
    ]
    # A card shows an organization where there is one, and the count of authors elsewhere.
    counts = zip((paper.author_count for paper in listing.papers), expected, strict=True)
    assert all(count == (0 if paper.organization else paper.author_count) for count, paper in counts)
    with pytest.raises(LayoutChanged):
        DAILY.parse(cut, visit(ASKED))


@needs_samples
def test_the_sample_with_mojibake_reads_like_the_one_without() -> None:
    damaged, clean = (
        SEARCH.parse(page((SAMPLES / f"{name}.html").read_bytes()), visit(ASKED)).papers
        for name in ("drift_mojibake_cp874_search_protein", "search_protein_language_model")
    )
    assert [paper.authors for paper in damaged] == [paper.authors for paper in clean]
    assert [paper.title for paper in damaged] == [paper.title for paper in clean]


def collected(source: DailySource | SearchSource, url: str) -> Listing:
    """Fetch over a real socket and read, as `collect` does."""
    pace = Pace(ledger=MemoryLedger(), clock=lambda: 0.0, sleep=lambda _: None)
    with Fetcher(
        contact="", version="0", pace=pace, sleep=lambda _: None, now=lambda: datetime(2026, 3, 4, tzinfo=UTC)
    ) as fetcher:
        (request,) = replace(source, url=url).requests(visit(ASKED))
        return source.parse(fetcher.get(request), visit(ASKED))


def test_pages_are_collected_over_a_real_socket(site: Any) -> None:
    site.answer("/papers/date/2026-03-04", recorded("daily").body)
    site.answer("/papers?q=protein", recorded("search").body)
    assert [len(collected(source, site.url).papers) for source in (DAILY, SEARCH)] == [2, 1]


@needs_samples
def test_the_sample_site_is_collected_over_a_real_socket(site: Any) -> None:
    for name in ("daily_2025-09-18", "drift_no_hydrater_2025-09-16", "drift_empty_day"):
        site.answer("/papers/date/2026-03-04", (SAMPLES / f"{name}.html").read_bytes())
        listing = collected(DAILY, site.url)
        assert listing.day.isoformat() == {"drift_empty_day": "2025-09-20"}.get(name, name[-10:])


# -- pages that were written to hurt -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '<h3><a href="/papers/2603.00001">x' * 200,
        '<h3><a href="/papers/2603.00001">x' * 5_000,
        "".join(f'<h3><a href="/papers/2603.{n:05}">x' for n in range(9_000)),
        '<h3><a href="/papers/2603.00001">' + "<b>x" * 100_000,
        '<h3><a href="/papers/2603.00001">' + "1a" * 500_000,
        "<span>" * 20_000 + '<h3><a href="/papers/2603.00001">x</a></h3>' * 5_000,
        '<h3><a href="/papers/2603.00001">x</a></h3><p><object>' * 5_000,
        '<h3><a href="/papers/2603.00001">x</a></h3>' + "<span>Mar 4" * 50_000,
        f'<h3><a href="/papers/2603.00001"{"".join(f" b{n}" for n in range(200_000))}>x</a>',
    ],
)
def test_hostile_cards_are_read_or_refused_in_good_time(text: str) -> None:
    began = time.process_time()
    with suppress(LayoutChanged):
        assert DAILY.parse(page(text), visit(ASKED)).papers[0].ids.arxiv
    assert time.process_time() - began < 4


def test_more_cards_than_any_page_has_are_a_changed_layout() -> None:
    for text in ('<h3><a href="/papers/2603.00001">x</a></h3>' * 20_001, '<h3><a href="/papers/2603.00001">x' * 30):
        with pytest.raises(LayoutChanged, match="nests or repeats"):
            DAILY.parse(page(text), visit(ASKED))


def test_a_link_that_holds_a_book_is_cut() -> None:
    text = '<h3><a href="/papers/2603.00001">x</a></h3><a href="/papers/2603.00001"><p>' + "<b>word </b>" * 40_000
    assert len(DAILY.parse(page(text), visit(ASKED)).papers[0].abstract) <= 20_000


def test_an_element_with_many_attributes_is_refused_in_good_time() -> None:
    attributes = "".join(f" b{n}" for n in range(200_000))
    text = html_of({"dailyPapers": [item()]}).replace("<main>", f"<main{attributes}>")
    began = time.process_time()
    with pytest.raises(LayoutChanged, match="1,000 attributes"):
        DAILY.parse(page(text), visit(ASKED))
    assert time.process_time() - began < 4


# -- which list a page is, and of which day ----------------------------------------------------------------------------


@pytest.mark.parametrize("says", [{"isTrending": True}, {"periodType": "week"}, {"periodType": "month"}])
def test_a_list_of_a_longer_time_is_no_daily_page(says: dict[str, object]) -> None:
    with pytest.raises(LayoutChanged, match="a daily page was asked for, but the page is one of huggingface-"):
        daily(item(), **says)


@pytest.mark.parametrize("period", ["year", 7, ["day"]])
def test_a_period_that_is_not_known_is_a_changed_layout(period: object) -> None:
    with pytest.raises(LayoutChanged, match="neither day, week nor month"):
        daily(item(), periodType=period)


def test_a_daily_page_may_say_that_it_is_one_or_nothing() -> None:
    for says in ({"periodType": "day", "isTrending": False}, {"periodType": None}, {}):
        assert daily(item(), **says).day == ASKED


@pytest.mark.parametrize("named", ["0001-01-01", "1990-12-31", "2026-03-06", "9999-12-31"])
def test_a_day_that_cannot_be_is_not_believed(named: str) -> None:
    assert daily(item(submittedOnDailyAt=named), dateString=named).day == ASKED
    assert daily(item(submittedOnDailyAt="2026-03-02"), dateString=named).day == date(2026, 3, 2)
    cards = recorded("daily_without_data").text().replace("/papers/date/2026-03-04", f"/papers/date/{named}")
    assert DAILY.parse(page(cards), visit(ASKED)).day == ASKED


def test_a_day_up_to_the_day_after_the_fetch_is_believed_whatever_day_was_asked_for() -> None:
    text = html_of({"dailyPapers": [item()], "dateString": "2026-03-05"})
    assert DAILY.parse(page(text), visit(date(2025, 1, 1))).day == date(2026, 3, 5)
    assert DAILY.parse(page(text.replace("2026-03-05", "1991-01-01")), visit(ASKED)).day == date(1991, 1, 1)


def test_one_damaged_letter_at_a_words_end_is_repaired_where_the_page_is_damaged_elsewhere() -> None:
    thai, damaged = (
        daily(item(authors=[{"name": "Chris Rรฉ"}, {"name": other}])).papers[0] for other in ("Ada Moss", "Leguรฉry")
    )
    assert (thai.authors[0], damaged.authors) == ("Chris Rรฉ", ("Chris Ré", "Leguéry"))
