import gzip
import html
import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, PermanentCollectError, RefusedAnswer, UsageError
from domain.papers import FetchStatus, Listing
from scrapers.importing import KINDS, read_file

CAPTURES = Path(__file__).parent / "captures"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
DAY = date(2026, 3, 20)
RECORDS = b'{"title": "One", "listed": "2026-01-01"}\n{"title": "Two"}\n'


def read(data: bytes, *, kind: str | None = None, backlog: bool | None = None, day: date = DAY) -> list[Listing]:
    return list(read_file("saved.file", data, day=day, kind=kind, backlog=backlog))


def page(*, query: str = "", charset: str = "utf-8", title: str = "Lantern", **says: object) -> bytes:
    listed = "2026-03-17T00:00:00.000Z"
    paper = {"id": "2603.01234", "title": title, "summary": "At night.", "authors": [], "submittedOnDailyAt": listed}
    item = {"paper": paper, "title": title}
    props = {
        "dailyPapers": [item],
        "searchResults": [item, {"paper": {"id": "2603.01235", "title": "Tide"}}],
        "dateString": "2026-03-18",
        "query": {"q": query} if query else {},
        **says,
    }
    blob = html.escape(json.dumps(props, ensure_ascii=False))
    text = f'<!doctype html><meta charset="{charset}"><div data-target="DailyPapers" data-props="{blob}"></div>'
    return text.encode(charset)


@pytest.mark.parametrize(
    ("data", "source", "count", "day", "backlog"),
    [
        (page(), "huggingface-daily", 1, date(2026, 3, 18), False),
        (page(query="night"), "huggingface-search", 2, DAY, False),
        ((CAPTURES / "footers.txt").read_bytes(), "huggingface-capture", 5, date(2026, 2, 9), False),
        ((CAPTURES / "keyword.txt").read_bytes(), "keyword-capture", 5, DAY, False),
        (b'{"title": "One"}', "records", 1, DAY, True),
        (b'\n{"title": "One"}', "records", 1, DAY, True),
    ],
)
def test_each_kind_is_told_by_its_content(data: bytes, source: str, count: int, day: date, backlog: bool) -> None:
    for saved in (data, gzip.compress(data, mtime=0), b"\xef\xbb\xbf" + data):
        (listing,) = read(saved)
        assert (listing.source, len(listing.papers), listing.day, listing.backlog) == (source, count, day, backlog)
        assert listing.status is FetchStatus.OK
    assert read(data, kind=source) == read(data)
    assert [listing.backlog for listing in read(data, backlog=not backlog)] == [not backlog]


def test_records_of_several_days_are_several_listings() -> None:
    assert [(listing.day, listing.papers[0].title) for listing in read(RECORDS)] == [
        (date(2026, 1, 1), "One"),
        (DAY, "Two"),
    ]


def test_a_wrong_kind_is_refused_at_once_with_the_legal_ones() -> None:
    with pytest.raises(UsageError) as refusal:
        read_file("saved.file", b"", day=DAY, kind="feed", backlog=None)
    assert str(refusal.value) == f"kind must be one of {', '.join(KINDS)}, not 'feed'"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_than_told_is_refused(kind: str) -> None:
    with pytest.raises(CollectError):
        read(b"Dear diary,\ntoday I read nothing.", kind=kind)


def test_a_page_that_is_no_list_says_so() -> None:
    with pytest.raises(Blocked, match=r"^the page holds no papers"):
        read(b"<html><body>Are you human?</body></html>", kind="huggingface-daily")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (gzip.compress(b"", mtime=0), "is none of"),
        (b"Dear diary,\ntoday I read nothing.", "is none of: a saved Hugging Face papers page"),
        (b"<html><body>Are you human?</body></html>", "is none of"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is not UTF-8 text, from byte 1"),
        ("Caf\u00e9".encode("latin-1"), "is not UTF-8 text, from byte 4"),
        ((CAPTURES / "footers.txt").read_text().encode("utf-16"), "is not UTF-8 text"),
        (bytes(1000), "is none of"),
        (gzip.compress(RECORDS, mtime=0)[:-10], "gzip file is damaged or cut"),
        (b"\x1f\x8bnonsense", "gzip file is damaged or cut"),
        (b'[{"title": "One"}]', "is none of"),
        (b"{\n", "no line is a record: line 1 is not JSON"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(PermanentCollectError) as refusal:
        read(data)
    assert type(refusal.value) is PermanentCollectError, "a later version would not read it either"
    assert refusal.value.status is FetchStatus.FAILED
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "saved.file" not in str(refusal.value), "the report names the file"


@pytest.mark.parametrize("data", [page()[:300], page().replace(b"dailyPapers", b"papersOfTheDay")])
def test_a_page_that_is_known_and_damaged_is_a_changed_layout(data: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read(data)


@pytest.mark.parametrize(
    ("says", "source"),
    [
        ({"isTrending": True}, "huggingface-trending"),
        ({"periodType": "week"}, "huggingface-week"),
        ({"periodType": "month", "isTrending": False}, "huggingface-month"),
    ],
)
def test_a_page_of_a_longer_time_has_the_day_of_the_visit_and_its_own_name(
    says: dict[str, object], source: str
) -> None:
    for kind in (None, "huggingface-daily"):
        (listing,) = read(page(**says), kind=kind)
        assert (listing.source, listing.day, len(listing.papers)) == (source, DAY, 1)


def test_a_saved_search_is_no_daily_page() -> None:
    with pytest.raises(LayoutChanged, match="search"):
        read(page(query="night"), kind="huggingface-daily")


def test_a_page_in_its_own_charset_is_read() -> None:
    (listing,) = read(page(charset="windows-1252", title="Café"))
    assert listing.papers[0].title == "Café"


def test_a_huge_file_is_refused_without_reading_all_of_it() -> None:
    began = time.process_time()
    with pytest.raises(RefusedAnswer, match="larger than 67,108,864 bytes"):
        read(b"a" * 200_000_000)
    with pytest.raises(RefusedAnswer, match="larger than 67,108,864 bytes"):
        read(gzip.compress(b"a" * 100_000_000, compresslevel=1, mtime=0))
    assert time.process_time() - began < 5


def test_a_line_without_end_is_one_bad_record() -> None:
    data = b'{"title": "One"}\n{' + b"a" * 5_000_000 + b'\n{"title": "Three"}\n'
    (listing,) = read(gzip.compress(data, mtime=0))
    assert [paper.title for paper in listing.papers] == ["One", "Three"]
    assert listing.note == "1 of 3 lines was skipped: line 2 is longer than 1,048,576 bytes"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for kind in (None, *KINDS):
        try:
            read(data, kind=kind)
        except CollectError:
            continue


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_the_shared_corpus_is_a_file_of_records() -> None:
    data = (SHARED / "corpus" / "papers-20k.jsonl.gz").read_bytes()
    parts = read(data)
    assert sum(len(part.papers) for part in parts) == 20_000
    assert {part.status for part in parts} == {FetchStatus.OK}
    assert max(len(part.papers) for part in parts) <= 500
    assert all(paper.ids.arxiv and paper.abstract and paper.url for part in parts for paper in part.papers)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
@pytest.mark.parametrize(("seed", "count"), [("000", 5), ("001", 28), ("002", 61)])
def test_the_shared_seeds_are_told_by_their_content(seed: str, count: int) -> None:
    (path,) = (SHARED / "seeds").glob(f"{seed}_*.txt")
    (listing,) = read(path.read_bytes(), day=date(2025, 12, 2))
    assert len(listing.papers) == count
    assert not listing.backlog


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_the_shared_trending_page_is_of_the_day_of_the_visit() -> None:
    (listing,) = read((SHARED / "samples" / "huggingface" / "trending.html").read_bytes())
    assert (listing.source, listing.day, len(listing.papers)) == ("huggingface-trending", DAY, 50)
    assert listing.status is FetchStatus.OK
