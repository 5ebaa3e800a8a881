"""The answers of the Hugging Face API: lists of a day, a week or a month, of a search, and one paper."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CollectError, LayoutChanged, PermanentCollectError
from domain.papers import AbstractKind, FetchStatus, Listing
from scrapers.huggingface_api import looks_like_answer, read_answer
from scrapers.huggingface_page import looks_like_huggingface, read_saved

DAY = date(2026, 3, 5)
PAGES = Path(__file__).parent / "pages" / "huggingface"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "huggingface" / "api"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
ANSWERS = ("answer_day", "answer_month", "answer_search", "answer_paper")


def recorded(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def read(text: str, kind: str = "", day: date = DAY) -> Listing:
    return read_answer(text, source="api", day=day, visited=day, kind=kind)


def item(identifier: object = "2603.00101", **paper: object) -> dict[str, Any]:
    return {"paper": {"id": identifier, "title": "On Quiet Gradients", **paper}, "numComments": 2}


def test_a_day_is_read_whole() -> None:
    listing = read(recorded("answer_day.json"), "huggingface-daily")
    assert (listing.status, listing.declared, listing.rejected, listing.note) == (FetchStatus.OK, 2, 0, "")
    assert (listing.source, listing.day, listing.next) == ("api", date(2026, 3, 4), None)
    weir, sluice = listing.papers
    assert (weir.title, weir.ids.arxiv, weir.rank, weir.day) == ("Weir: Holding Back Tokens", "2603.02002", 1, None)
    assert weir.abstract.startswith("Decoders spill tokens")
    assert (weir.abstract_kind, weir.summary) == (AbstractKind.AUTHORS, "Weir delays tokens that are not read.")
    assert (weir.authors, weir.author_count) == (("Ana Ruiz", "Ole Berg", "Tim Falk"), 3)
    assert (weir.keywords, weir.stars, weir.upvotes, weir.comments) == (("decoding",), None, 18, 0)
    assert weir.published == date(2026, 3, 1), "not the item's own, which is the day before"
    assert (sluice.upvotes, sluice.comments, sluice.categories) == (0, 1, ())


def test_in_a_month_each_paper_keeps_its_own_day() -> None:
    for kind in ("huggingface-month", "huggingface-week", "huggingface-daily", ""):
        listing = read(recorded("answer_month.json"), kind)
        assert [paper.day and paper.day.day for paper in listing.papers] == [2, 3, 4]
        assert listing.day == DAY
    kiln = listing.papers[0]
    assert kiln.title == "Kiln: Firing Small Models at Low Heat"
    assert (kiln.stars, kiln.organization, kiln.code_url) == (310, "Ember Works", "https://github.com/example/kiln")
    assert kiln.keywords == ("learning rate", "small language models")


def test_a_month_of_one_day_still_keeps_it_with_the_papers() -> None:
    listing = read(recorded("answer_day.json"), "huggingface-month")
    assert (listing.day, {paper.day for paper in listing.papers}) == (DAY, {date(2026, 3, 4)})


def test_what_a_search_finds_need_never_have_been_listed() -> None:
    for kind in ("huggingface-search", ""):
        listing = read(recorded("answer_search.json"), kind)
        assert [(paper.ids.arxiv, paper.day) for paper in listing.papers] == [
            ("2406.07007", None),
            ("1809.00042", None),
        ]
        assert (listing.day, listing.status) == (DAY, FetchStatus.OK)


def test_a_paper_is_a_listing_of_one() -> None:
    for kind in ("huggingface-paper", ""):
        listing = read(recorded("answer_paper.json"), kind)
        assert (listing.day, listing.status, listing.declared) == (date(2026, 3, 2), FetchStatus.OK, 1)
        assert listing.papers[0].abstract.startswith("Small models crack")


def test_an_empty_answer_is_an_empty_listing() -> None:
    for text in ("[]", " [ ] \n"):
        listing = read(text, "huggingface-daily")
        assert (listing.status, listing.papers, listing.declared) == (FetchStatus.OK_EMPTY, (), 0)
        assert (listing.day, listing.note) == (DAY, "")


def test_saved_answers_are_named_by_what_they_are() -> None:
    found = [(name, read_saved(recorded(f"{name}.json"), day=DAY).source) for name in ANSWERS]
    assert found == [
        ("answer_day", "huggingface-daily"),
        ("answer_month", "huggingface-daily"),
        ("answer_search", "huggingface-search"),
        ("answer_paper", "huggingface-paper"),
    ]


def test_answers_are_told_from_other_texts() -> None:
    for name in ANSWERS:
        assert looks_like_answer(recorded(f"{name}.json"))
        assert looks_like_huggingface(recorded(f"{name}.json"))
    assert looks_like_answer("[]")
    for other in ("", "[", "{", '[{"title": "One"}]', '{"title": "One", "listed": "2026-01-01"}', "[1, 2]", "<p>[]"):
        assert not looks_like_answer(other), other


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('[{"paper": ', "", "broken JSON"),
        ("", "", "broken JSON"),
        ("[" * 100_000, "", "broken JSON"),
        ('{"id": 1' + "0" * 5_000 + "}", "", "broken JSON"),
        ("null", "", "neither a list of papers nor a paper"),
        ("7", "huggingface-daily", "not a list of papers"),
        ("{}", "", "neither a list of papers nor a paper"),
        ('{"id": "2603.00001", "title": "x"}', "huggingface-daily", "not a list of papers"),
        ('[{"paper": {"id": "2603.00001", "title": "x"}}]', "huggingface-paper", "not a paper"),
        ('{"id": "2603.00001"}', "", "1 of 1 records"),
        ("[7, 8]", "", "2 of 2 records"),
    ],
)
def test_what_is_no_answer_is_a_changed_layout(text: str, kind: str, words: str) -> None:
    with pytest.raises(LayoutChanged, match=words):
        read(text, kind)


def test_an_error_is_told_in_its_own_words() -> None:
    with pytest.raises(PermanentCollectError, match="Invalid date") as refusal:
        read('{"error": "Invalid date\\n  given"}')
    assert str(refusal.value) == "the API answers with an error: Invalid date given"


def test_a_bad_record_is_left_out_and_counted_and_many_are_a_changed_layout() -> None:
    good = [item(f"2603.{number:05}") for number in range(39)]
    listing = read(json.dumps([*good, item("no id"), item("2603.09999", title=None)]))
    assert (listing.status, listing.rejected, listing.declared, len(listing.papers)) == (FetchStatus.PARTIAL, 2, 41, 39)
    assert listing.note == "2 of 41 records had no paper id or no title and were left out"
    with pytest.raises(LayoutChanged, match="3 of 42"):
        read(json.dumps([*good, *[item("no id")] * 3]))


def test_keywords_are_bounded_and_each_is_told_once() -> None:
    many = [f"word {n}" for n in range(90)]
    odd = ["one", "one", " one ", "", None, 7, ["x"], "y" * 101, "z" * 100, "two\n words"]
    for value, expected in (
        (many, tuple(many[:50])),
        (odd, ("one", "z" * 100, "two words")),
        ("one, two", ()),
        ({"one": 1}, ()),
        (None, ()),
    ):
        assert read(json.dumps([item(ai_keywords=value)])).papers[0].keywords == expected


def test_a_summary_stands_beside_the_abstract_and_in_for_a_missing_one() -> None:
    both, alone, neither = read(
        json.dumps(
            [
                item("2603.00001", summary="The abstract.", ai_summary="The gist."),
                item("2603.00002", summary=" ", ai_summary="The gist."),
                item("2603.00003", ai_summary=["x"]),
            ]
        )
    ).papers
    assert (both.abstract, both.abstract_kind, both.summary) == ("The abstract.", AbstractKind.AUTHORS, "The gist.")
    assert (alone.abstract, alone.abstract_kind, alone.summary) == ("The gist.", AbstractKind.SUMMARY, "The gist.")
    assert (neither.abstract, neither.abstract_kind, neither.summary) == ("", AbstractKind.NONE, "")


def test_stars_are_a_plausible_number_or_nothing() -> None:
    papers = read(json.dumps([item(f"2603.{n:05}", githubStars=v) for n, v in enumerate([0, 12, -1, "7", 2**31, 1.5])]))
    assert [paper.stars for paper in papers.papers] == [0, 12, None, 7, None, None]


def test_mojibake_in_an_answer_is_repaired_however_it_is_escaped() -> None:
    authors = [{"name": "Ines Leguรฉry"}, {"name": "Chris Rรฉ"}]
    for plain in (True, False):
        paper = read(json.dumps([item(authors=authors)], ensure_ascii=plain)).papers[0]
        assert paper.authors == ("Ines Leguéry", "Chris Ré")


# -- the shared samples ------------------------------------------------------------------------------------------------


@needs_samples
@pytest.mark.parametrize(
    ("name", "papers", "days", "stars", "summaries", "organizations"),
    [
        ("daily_papers_2023-06", 256, 22, 124, 256, 3),
        ("daily_papers_2025-09", 535, 22, 342, 530, 117),
        ("daily_papers_2026-06-12", 30, 1, 16, 30, 16),
    ],
)
def test_samples_are_read_whole(
    name: str, papers: int, days: int, stars: int, summaries: int, organizations: int
) -> None:
    text = (SAMPLES / f"{name}.json").read_text(encoding="utf-8")
    assert looks_like_answer(text)
    visited = date(2026, 11, 20)
    listing = read(text, day=visited)
    assert (listing.status, listing.declared, listing.rejected) == (FetchStatus.OK, papers, 0)
    assert len({paper.ids.arxiv for paper in listing.papers}) == len(listing.papers) == papers
    assert len({paper.day for paper in listing.papers}) == days
    assert listing.day == (visited if days > 1 else date(2026, 6, 12))
    assert sum(paper.stars is not None for paper in listing.papers) == stars
    assert sum(paper.summary != "" for paper in listing.papers) == summaries
    assert sum(paper.organization != "" for paper in listing.papers) == organizations
    assert sum(paper.withdrawn for paper in listing.papers) == (name == "daily_papers_2023-06")
    assert {paper.abstract_kind for paper in listing.papers} == {AbstractKind.AUTHORS}
    assert all(paper.author_count and paper.published and paper.upvotes is not None for paper in listing.papers)
    assert max(len(paper.keywords) for paper in listing.papers) == {256: 25, 535: 33, 30: 14}[papers]


@needs_samples
def test_a_sample_month_holds_its_fullest_days() -> None:
    text = (SAMPLES / "daily_papers_2025-09.json").read_text(encoding="utf-8")
    days = Counter(paper.day for paper in read(text, "huggingface-month").papers)
    assert days.most_common(2) == [(date(2025, 9, 30), 82), (date(2025, 9, 29), 43)]
    assert days[date(2025, 9, 16)] == 20


@needs_samples
def test_a_sample_day_reads_the_same_from_its_page_and_from_the_api() -> None:
    wanted = date(2025, 9, 17)
    page = read_saved((SAMPLES.parent / "daily_2025-09-17.html").read_text(encoding="utf-8"), day=wanted)
    items = json.loads((SAMPLES / "daily_papers_2025-09.json").read_text(encoding="utf-8"))
    answer = json.dumps([each for each in items if each["paper"]["submittedOnDailyAt"].startswith(str(wanted))])
    listing = read(answer, "huggingface-daily", day=wanted)
    assert (listing.day, len(listing.papers)) == (wanted, 21)
    told = {paper.ids.arxiv: (paper.title, paper.abstract, paper.authors) for paper in listing.papers}
    assert told == {paper.ids.arxiv: (paper.title, paper.abstract, paper.authors) for paper in page.papers}


# -- damage ------------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(ANSWERS),
    kind=st.sampled_from(["", "huggingface-daily", "huggingface-week", "huggingface-search", "huggingface-paper"]),
    where=st.floats(0, 1),
    length=st.integers(0, 300),
    inserted=st.text(max_size=8) | st.sampled_from(['"', "[", "]", "{", "}", "\\u", "null", "1e999", "\\ud800", "\0"]),
)
def test_a_damaged_answer_is_a_listing_or_our_own_error(
    name: str, kind: str, where: float, length: int, inserted: str
) -> None:
    text = recorded(f"{name}.json")
    start = int(where * len(text))
    damaged = text[:start] + inserted + text[start + length :]
    for reading in (lambda: read(damaged, kind), lambda: read_saved(damaged, day=DAY)):
        try:
            listing = reading()
        except CollectError:
            continue
        assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
        assert all(len(paper.keywords) <= 50 for paper in listing.papers)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["paper", "id", "title", "error", "submittedOnDailyAt"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_listing_or_our_own_error(value: object) -> None:
    try:
        listing = read(json.dumps(value))
    except CollectError:
        return
    assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
