"""The source of arXiv's list pages: what it asks for, what it takes for its own, and pages damaged at random."""

import re
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, RefusedAnswer, Unreachable
from domain.papers import Announcement, Identifiers, Listing
from scrapers.arxiv import ANNOUNCED, LISTINGS
from scrapers.arxiv_list_page import looks_like_list, read_list
from scrapers.arxiv_listing import ListingSource
from scrapers.source import HasAlternatives, HasPaperPages, Page, Source, Visit

WEDNESDAY = date(2026, 8, 12)
VISIT = Visit(day=WEDNESDAY, newest=WEDNESDAY, since=WEDNESDAY)
EARLIER = replace(VISIT, day=date(2026, 8, 5))
PAGES = Path(__file__).parent / "pages" / "arxiv" / "list"
SOURCE = ListingSource("arxiv", "https://arxiv.org", ("cs.CL", "cs.AI"), timedelta(hours=6))


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text()


def read(text: str, url: str = "") -> Listing:
    return read_list(text, url=url, source="arxiv", day=WEDNESDAY, visited=WEDNESDAY, announce=ANNOUNCED)


def page(text: str, url: str = "https://arxiv.org/list/cs.CL/new") -> Page:
    return Page(url, 200, {}, text.encode(), datetime(2026, 8, 12, 1, tzinfo=UTC))


def test_the_source_asks_for_the_list_of_each_category_and_the_catch_up_of_an_earlier_day() -> None:
    assert isinstance(SOURCE, HasAlternatives)
    assert isinstance(SOURCE, HasPaperPages)
    source: Source = SOURCE
    assert (source.label, source.kind, source.calendar) == ("arXiv cs.CL, cs.AI", "arxiv-listing", LISTINGS)
    assert [request.url for request in source.requests(VISIT)] == [
        "https://arxiv.org/list/cs.CL/new",
        "https://arxiv.org/list/cs.AI/new",
    ]
    recent = replace(SOURCE, pages="pastweek", url="http://127.0.0.1:8000", categories=("cs.CL",))
    assert [request.url for request in recent.requests(VISIT)] == ["http://127.0.0.1:8000/list/cs.CL/pastweek"]
    assert [request.url for request in recent.requests(EARLIER)] == [
        "http://127.0.0.1:8000/catchup/cs.CL/2026-08-05?abs=True"
    ]
    assert {request.pace for request in source.requests(EARLIER)} == {15.0}


def test_the_list_of_new_papers_stands_in_for_a_catch_up_that_cannot_be_had() -> None:
    asked = [request.url for request in SOURCE.alternatives(EARLIER, RefusedAnswer("HTTP 400"))]
    assert asked == ["https://arxiv.org/list/cs.CL/new", "https://arxiv.org/list/cs.AI/new"]
    assert not SOURCE.alternatives(VISIT, LayoutChanged("changed"))
    assert not SOURCE.alternatives(EARLIER, Blocked("a bot check"))
    assert not SOURCE.alternatives(EARLIER, Unreachable("no answer"))
    assert not SOURCE.alternatives(EARLIER, read(recorded("catchup")))


def test_a_paper_has_a_page_if_it_has_an_arxiv_id() -> None:
    request = SOURCE.paper_request(Identifiers(arxiv="math/0309136"))
    assert request is not None
    assert request.url == "https://arxiv.org/abs/math/0309136"
    assert SOURCE.paper_request(Identifiers(doi="10.5555/x")) is None


def test_the_source_reads_whatever_page_it_gets() -> None:
    listing = SOURCE.parse(page(recorded("new")), VISIT)
    assert (listing.source, listing.day, listing.declared) == ("arxiv", WEDNESDAY, 6)
    assert listing.papers[4].announcement is Announcement.REPLACE_CROSS  # by the category in the address
    one = SOURCE.parse(page(recorded("abstract"), "https://arxiv.org/abs/2606.01234"), VISIT)
    assert [paper.ids.arxiv for paper in one.papers] == ["2606.01234"]
    with pytest.raises(Blocked):
        SOURCE.parse(page(recorded("bot_check")), VISIT)


def test_a_list_of_an_earlier_day_than_asked_keeps_its_day() -> None:
    stale = recorded("new").replace("Wednesday, 12 August", "Tuesday, 11 August")
    assert SOURCE.parse(page(stale), VISIT).day == date(2026, 8, 11)


def test_list_pages_are_told_from_other_texts() -> None:
    for name in ("new", "new_empty", "recent", "catchup", "catchup_empty", "catchup_beyond"):
        assert looks_like_list(recorded(name)), name
    for name in ("bot_check", "abstract", "abstract_withdrawn"):
        assert not looks_like_list(recorded(name)), name


# -- damage, and cost --------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(sorted(path.stem for path in PAGES.iterdir()))


@given(name=NAMES, data=st.data())
@settings(max_examples=1_000, deadline=None)
def test_cuts_and_flipped_bytes_never_surprise(name: str, data: st.DataObject) -> None:
    body = bytearray((PAGES / f"{name}.html").read_bytes())
    start = data.draw(st.integers(0, len(body)))
    del body[start : start + data.draw(st.integers(0, 400))]
    for _ in range(data.draw(st.integers(0, 6))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.sampled_from([len(body), start])) :]
    with suppress(CollectError):
        answer = Page("https://arxiv.org/list/cs.CL/new", 200, {}, bytes(body), datetime(2026, 8, 12, tzinfo=UTC))
        for paper in SOURCE.parse(answer, VISIT).papers:
            assert paper.title
            assert paper.ids.arxiv


PIECES = """
<dt> <dd> <dl> </dd> <h3> </h3> </a> <!-- &#0; &#xd800; <svg> <div\tclass=list-title> <a\thref='/abs/2601.00001'>
12\tAugust\t2026 Mon,\t [7]
Total\tof\t9,,,\tentries Showing\tup\tto\t,,\tentries\tper\tpage (showing\t,\tof\t,\tentries)
<?xml\tencoding='x'?> \ud800 withdrawn\tby (replaced) <br> <span\tclass=descriptor> New\tsubmissions
"""
ADDRESSES = (
    "",
    "http://[",
    "https://arxiv.org/list/?skip=²",
    "https://arxiv.org/catchup/?page=-1",
    "//arxiv.org/list/",
)


@given(
    text=st.lists(st.sampled_from([piece.replace("\t", " ") for piece in re.split(r"[ \n]+", PIECES)])).map("".join)
    | st.text(),
    url=st.sampled_from(ADDRESSES) | st.text(),
)
@example(text="<dt>", url="https://arxiv.org/catchup/x/y?page=" + "9" * 5000)
@settings(max_examples=400, deadline=None)
def test_no_text_and_no_address_surprises(text: str, url: str) -> None:
    with suppress(CollectError):
        read(text, url)
    looks_like_list(text)


def seconds(text: str) -> float:
    began = time.process_time()
    with suppress(CollectError):
        read(text)
    return time.process_time() - began


@pytest.mark.parametrize(
    "piece",
    [
        "<dt>",
        "<dd>",
        "<dl><dt><dd>",
        "<div>",
        "</div>",
        "<h3>",
        "<dl ",
        "<a ",
        "<p>No ",
        "<dt><a href='/abs/2601.00001'>",
        "<dt><div class='list-title'>x</div>",
        "<dt></dt><dd><div class=list-title>x</div></dd>",
        "<dt><dd><div class=list-title>x<div class=list-authors>",
        "<span class=descriptor>",
        "Total of ",
        "showing 1 ",
        "withdrawn ",
        "this paper ",
    ],
)
def test_a_hostile_page_costs_no_more_than_its_length(piece: str) -> None:
    assert seconds(piece * (400_000 // len(piece))) < 3.0
