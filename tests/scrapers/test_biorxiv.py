"""bioRxiv and medRxiv: pages of a day, versions of a preprint, and what a wrong answer comes to."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, Throttled
from domain.papers import AbstractKind, Announcement, FetchStatus, ListedPaper, Listing
from scrapers.biorxiv import BiorxivSource, looks_like_answer, read_answer
from scrapers.source import Page, Visit

DAY = date(2026, 3, 3)
PAGES = Path(__file__).parent / "pages" / "biorxiv"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "biorxiv"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

ROOT = "https://api.biorxiv.org"
SOURCE = BiorxivSource("biorxiv", ROOT, "biorxiv", (), timedelta(hours=6))
VISIT = Visit(day=DAY, newest=DAY + timedelta(days=1), since=DAY)
FIRST = f"{ROOT}/details/biorxiv/2026-03-03/2026-03-03/0/json"


def page(text: str, url: str = FIRST) -> Page:
    return Page(url, 200, {}, text.encode(), datetime(2026, 3, 4, 9, tzinfo=UTC))


def recorded(name: str) -> str:
    return (PAGES / name).read_text()


def answer(*records: object, **message: object) -> str:
    said = {"status": "ok", "cursor": 0, "count": len(records), "total": len(records), **message}
    return json.dumps({"messages": [said], "collection": records})


def record(number: int = 1, **said: Any) -> dict[str, Any]:
    return {
        "doi": f"10.1101/2026.03.01.{700_000 + number}",
        "title": f"Preprint {number}",
        "authors": "Moss, A.",
        "date": "2026-03-03",
        "version": "1",
        "abstract": "We look.",
        "published": "NA",
        **said,
    }


def parsed(*records: object, **message: object) -> Listing:
    return SOURCE.parse(page(answer(*records, **message)), VISIT)


def only(**said: object) -> ListedPaper:
    (paper,) = parsed(record(**said)).papers
    return paper


def test_what_json_escapes_and_nothing_can_store_is_left_out() -> None:
    paper = only(doi="10.1101/2026.03.01.7\ud80000001\0", title="Half\udfff a vole", published="10.5555/a\ud800b")
    assert (paper.ids.doi, paper.title) == ("10.1101/2026.03.01.700001", "Half a vole")
    assert (paper.url, paper.journal) == ("https://www.biorxiv.org/content/10.1101/2026.03.01.700001v1", "10.5555/ab")


def test_a_page_is_read_and_names_the_next_by_its_own_count() -> None:
    listing = SOURCE.parse(page(recorded("day.json")), VISIT)
    assert (listing.status, listing.declared, listing.day, listing.rejected) == (FetchStatus.OK, 4, DAY, 0)
    vole, maps, twice = listing.papers
    assert vole.title == "Sleep in the invented Microtus vole"
    assert vole.ids.doi == "10.1101/2026.03.01.700001"
    assert (vole.abstract, vole.abstract_kind) == ("Voles sleep in bouts.", AbstractKind.AUTHORS)
    assert vole.authors == ("A. Moss", "B. C. Reed", "The Vole Consortium", "E. van Ness")
    assert (vole.published, vole.version, vole.announcement) == (DAY, 1, Announcement.NEW)
    assert vole.categories == ("animal behavior and cognition",)
    assert vole.url == "https://www.biorxiv.org/content/10.1101/2026.03.01.700001v1"
    assert vole.pdf_url == f"{vole.url}.full.pdf"
    assert not vole.only_if_known
    assert (maps.ids.doi, maps.journal) == ("10.64898/2026.02.01.600002", "10.1038/s41000-026-00001-2")
    assert (maps.version, maps.announcement, maps.only_if_known) == (2, Announcement.REPLACE, True)
    assert maps.published is None
    assert (twice.title, twice.version) == ("Two versions in one day, corrected", 2)
    assert (twice.announcement, twice.only_if_known, twice.published) == (Announcement.NEW, False, DAY)
    assert listing.next is not None
    assert listing.next.url == f"{ROOT}/details/biorxiv/2026-03-03/2026-03-03/4/json"


def test_the_last_page_ends_the_day() -> None:
    listing = SOURCE.parse(page(recorded("rest.json"), FIRST.replace("/0/json", "/4/json")), VISIT)
    assert (listing.status, listing.next) == (FetchStatus.OK, None)
    claim, trial = listing.papers
    assert (claim.withdrawn, claim.version) == (True, 3)
    assert not trial.withdrawn  # although its patients were
    assert trial.url == "https://www.medrxiv.org/content/10.1101/2026.03.03.26700005v1"


def test_a_day_without_posts_is_empty_and_no_failure() -> None:
    listing = SOURCE.parse(page(recorded("empty.json")), VISIT)
    assert (listing.status, listing.declared, listing.next) == (FetchStatus.OK_EMPTY, 0, None)
    assert parsed(total="0").status is FetchStatus.OK_EMPTY


def test_the_whole_of_a_day_or_each_category_is_asked_for() -> None:
    (request,) = SOURCE.requests(VISIT)
    assert (request.url, request.pace, request.is_page) == (FIRST, 1.0, False)
    assert request.accept == "application/json"
    some = replace(SOURCE, server="medrxiv", categories=("Cancer Biology", "hiv-aids"))
    assert [request.url for request in some.requests(VISIT)] == [
        f"{ROOT}/details/medrxiv/2026-03-03/2026-03-03/0/json?category=cancer_biology",
        f"{ROOT}/details/medrxiv/2026-03-03/2026-03-03/0/json?category=hiv_aids",
    ]
    assert (some.kind, some.label) == ("medrxiv", "medRxiv: Cancer Biology, hiv-aids")
    assert (SOURCE.kind, SOURCE.label, SOURCE.calendar.zone) == ("biorxiv", "bioRxiv", "America/New_York")
    assert (SOURCE.calendar.still_filling, SOURCE.calendar.look_back, SOURCE.calendar.first_load) == (3, 90, 14)


def test_a_category_is_kept_from_page_to_page() -> None:
    url = f"{ROOT}/details/biorxiv/2026-03-03/2026-03-03/30/json?category=cell_biology"
    text = answer(*map(record, range(30)), cursor="30", total="75", category="cell biology")
    listing = SOURCE.parse(page(text, url), VISIT)
    assert listing.next is not None
    assert listing.next.url == url.replace("/30/", "/60/")


@pytest.mark.parametrize("size", [30, 100, 7])
def test_no_record_is_skipped_whatever_the_page_size(size: int) -> None:
    everything = [record(number) for number in range(143)]
    request, seen = next(iter(SOURCE.requests(VISIT))), 0
    while request:
        first = int(request.url.split("/")[-2])
        text = answer(*everything[first : first + size], cursor=first, total="143")
        listing = SOURCE.parse(page(text, request.url), VISIT)
        seen, request = seen + len(listing.papers), listing.next
    assert seen == 143


def test_an_answer_that_begins_elsewhere_ends_the_walk() -> None:
    text = answer(*map(record, range(30)), cursor=0, total=75)
    listing = SOURCE.parse(page(text, FIRST.replace("/0/json", "/30/json")), VISIT)
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)
    assert "begins at record 0, not at 30" in listing.note


@pytest.mark.parametrize(
    ("total", "note"),
    [
        (None, "does not say how many records there are"),
        ("many", "does not say how many records there are"),
        (7, "declares 7 records and goes to 30"),
    ],
)
def test_an_answer_that_does_not_say_what_is_left_is_partial(total: object, note: str) -> None:
    listing = parsed(*map(record, range(30)), total=total)
    assert (listing.status, len(listing.papers), listing.next) == (FetchStatus.PARTIAL, 30, None)
    assert note in listing.note


def test_a_short_page_is_the_last_though_it_does_not_say_so() -> None:
    listing = parsed(*map(record, range(29)), total=None)
    assert (listing.status, listing.note, listing.next) == (FetchStatus.OK, "", None)


def test_a_total_may_be_written_with_a_comma() -> None:
    listing = parsed(*map(record, range(30)), total="1,234")
    assert listing.status is FetchStatus.OK
    assert listing.next is not None


def test_records_of_categories_that_were_not_asked_for_are_left_out_and_told() -> None:
    some = replace(SOURCE, categories=("Cell Biology", "HIV/AIDS"))
    first, second = some.requests(VISIT)
    said = ("cell_biology", " Cell  biology", "", "Ecology", "hiv aids")
    text = answer(*(record(number, category=category) for number, category in enumerate(said)))
    listing = some.parse(page(text, first.url), VISIT)
    assert [(paper.title, paper.rank) for paper in listing.papers] == [
        ("Preprint 0", 1), ("Preprint 1", 2), ("Preprint 2", 3),
    ]  # fmt: skip
    assert listing.status is FetchStatus.OK
    assert listing.note == "2 of 5 papers are of categories that were not asked for and were left out"
    assert [paper.title for paper in some.parse(page(text, second.url), VISIT).papers] == ["Preprint 2", "Preprint 4"]
    assert len(SOURCE.parse(page(text), VISIT).papers) == 5
    none = some.parse(page(answer(record(category="Ecology")), first.url), VISIT)
    assert (none.status, none.papers) == (FetchStatus.OK_EMPTY, ())


def test_names_keep_their_suffix_and_two_people_of_one_name_are_two() -> None:
    authors = only(authors="Smith, J. A., Jr.; Wang, Y.; Li, J.; Wang, Y.").authors
    assert authors == ("J. A. Smith Jr.", "Y. Wang", "J. Li", "Y. Wang")


def test_fewer_records_than_declared_are_partial() -> None:
    listing = parsed(record(1), record(2), count=30, total=30)
    assert (listing.status, listing.declared, len(listing.papers)) == (FetchStatus.PARTIAL, 30, 2)
    assert listing.note == "the answer declares 30 records and holds 2"


def test_a_bad_record_is_rejected_and_counted() -> None:
    listing = parsed(record(1), record(2, doi="NA"))
    assert (listing.status, listing.rejected, len(listing.papers)) == (FetchStatus.PARTIAL, 1, 1)
    with pytest.raises(LayoutChanged, match="2 of 3"):
        parsed(record(1), record(2, title=" "), record(3, doi=None))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "withdrawn"}, True),
        ({"title": "Withdrawn: a claim"}, True),
        ({"abstract": "WITHDRAWN STATEMENT The authors request it."}, True),
        ({"abstract": "This manuscript has been withdrawn by bioRxiv."}, True),
        ({"abstract": "The authors have withdrawn their manuscript."}, True),
        ({"abstract": "Ten animals were withdrawn from the study."}, False),
        ({"title": "On withdrawn patients"}, False),
    ],
)
def test_a_withdrawal_is_told_from_withdrawn_patients(said: dict[str, str], *, expected: bool) -> None:
    assert only(**said).withdrawn is expected


def test_what_is_missing_stays_missing() -> None:
    paper = only(
        version=None, abstract="NA", date="soon", authors=None, category=7, published="10.1101/2026.03.01.700001"
    )
    assert (paper.version, paper.announcement, paper.only_if_known) == (None, None, False)
    assert (paper.abstract, paper.abstract_kind, paper.published) == ("", AbstractKind.NONE, None)
    assert (paper.authors, paper.categories, paper.journal) == ((), (), "")
    assert only(date="2031-01-01").published is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Rate exceeded.", Throttled),
        ("Too many requests", Throttled),
        ("<!doctype html><title>Just a moment</title>", Blocked),
        ("", LayoutChanged),
        (recorded("day.json")[:900], LayoutChanged),
        ('{"messages": [{"status": "ok"}]}', LayoutChanged),
        ('{"messages": [], "collection": []}', LayoutChanged),
        ('{"messages": [{"status": "error: bad interval"}], "collection": []}', LayoutChanged),
        ('{"messages": [{"status": "ok", "count": 30, "total": "75"}], "collection": []}', LayoutChanged),
        ('{"collection": ' + "[" * 100_000, LayoutChanged),
    ],
)
def test_a_wrong_answer_is_called_what_it_is(text: str, error: type[CollectError]) -> None:
    with pytest.raises(error):
        SOURCE.parse(page(text), VISIT)


def test_a_saved_answer_is_known_and_read() -> None:
    for name in ("day.json", "rest.json", "empty.json"):
        assert looks_like_answer(recorded(name))
    assert not looks_like_answer('{"title": "A", "doi": "10.1101/1"}')
    assert not looks_like_answer('{"collection": [{"name": "x"}]}')
    listing = read_answer(recorded("day.json"), source="biorxiv", day=DAY, visited=DAY)
    assert (len(listing.papers), listing.next) == (3, None)


@needs_samples
@pytest.mark.parametrize("name", ["paper-to-post_biorxiv_response.json", "paperclaw_biorxiv.json"])
def test_each_sample_is_read_whole(name: str) -> None:
    text = (SAMPLES / name).read_text()
    assert looks_like_answer(text)
    listing = read_answer(text, source="x", day=date(2026, 7, 1), visited=date(2026, 7, 1))
    assert (listing.status, len(listing.papers), listing.rejected) == (FetchStatus.OK, 2, 0)
    assert all(paper.published and paper.abstract and paper.authors for paper in listing.papers)


# -- hostility ---------------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def is_sound(text: str) -> None:
    try:
        listing = SOURCE.parse(page(text), VISIT)
    except CollectError:
        return
    assert all(paper.title and paper.ids.doi for paper in listing.papers)
    assert len({paper.ids.doi for paper in listing.papers}) == len(listing.papers)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(record())), ANYTHING, max_size=6), max_size=4),
    st.dictionaries(st.sampled_from(("status", "cursor", "count", "total")), ANYTHING),
)
def test_no_value_breaks_the_reader(changes: list[dict[str, object]], message: dict[str, object]) -> None:
    is_sound(answer(*(record(number, **change) for number, change in enumerate(changes)), **message))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(("day.json", "rest.json", "empty.json")), st.data())
def test_no_cut_or_swap_breaks_the_reader(name: str, data: st.DataObject) -> None:
    text = recorded(name)
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    is_sound(text[:start] + data.draw(st.text(max_size=3)) + text[end:])
