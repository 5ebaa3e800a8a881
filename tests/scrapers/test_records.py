import json
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.citations.records import shown
from domain.errors import PermanentCollectError
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing, Paper
from scrapers.records import read_json_lines

DAY = date(2026, 3, 20)


def listings(*lines: object) -> list[Listing]:
    raw = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return list(read_json_lines(raw, day=DAY))


def paper(**said: object) -> ListedPaper:
    (listing,) = listings({"title": "One"} | said)
    return listing.papers[0]


def test_a_full_record_is_read() -> None:
    record = {
        "source": "elsewhere",
        "arxiv_id": "2401.01234v3",
        "doi": "https://doi.org/10.1234/ABC.5",
        "title": "  Lantern:\n  Training at Night ",
        "abstract": "We train\nat night.",
        "authors": ["Anna Holm", {"name": "Maxence Leguรฉry"}, {"name": None}, "", 7],
        "published": "2024-01-02T17:59:36.000Z",
        "listed": "2024-01-04",
        "upvotes": 10,
        "comments": 1,
        "keywords": ["night"],
        "categories": ["cs.CL", None],
        "github": "https://github.com/example/lantern",
        "url": "https://huggingface.co/papers/2401.01234",
        "first_seen": "2024-01-05T06:00:00+02:00",
    }
    (listing,) = listings(record)
    assert (listing.source, listing.day, listing.status, listing.backlog) == (
        "records",
        date(2024, 1, 4),
        FetchStatus.OK,
        True,
    )
    assert listing.papers == (
        ListedPaper(
            title="Lantern: Training at Night",
            rank=1,
            ids=Identifiers(arxiv="2401.01234", doi="10.1234/abc.5"),
            abstract="We train at night.",
            abstract_kind=AbstractKind.AUTHORS,
            authors=("Anna Holm", "Maxence Leguéry"),
            author_count=2,
            published=date(2024, 1, 2),
            url="https://huggingface.co/papers/2401.01234",
            code_url="https://github.com/example/lantern",
            categories=("cs.CL",),
            upvotes=10,
            comments=1,
            first_seen=datetime(2024, 1, 5, 4, tzinfo=UTC),
            day=date(2024, 1, 4),
        ),
    )


def test_a_title_alone_is_a_record_of_the_visits_day() -> None:
    (listing,) = listings({"title": "One"})
    assert listing.day == DAY
    assert listing.papers == (ListedPaper(title="One", rank=1, day=DAY),)


@pytest.mark.parametrize(
    ("said", "ids", "url"),
    [
        ({"arxiv_id": "2401.01234"}, Identifiers(arxiv="2401.01234"), "https://arxiv.org/abs/2401.01234"),
        ({"doi": "10.1234/a b"}, Identifiers(doi="10.1234/a"), "https://doi.org/10.1234/a"),
        ({"doi": "10.48550/arXiv.2401.01234"}, Identifiers(arxiv="2401.01234"), "https://arxiv.org/abs/2401.01234"),
        ({"url": "https://arxiv.org/abs/2401.01234v2"}, Identifiers(arxiv="2401.01234"), None),
        ({"url": "https://openreview.net/forum?id=abcDEF12"}, Identifiers(openreview="abcDEF12"), None),
        ({"arxiv_id": None, "doi": ""}, Identifiers(), ""),
        ({"url": "javascript:alert(1)"}, Identifiers(), ""),
        ({"url": 'https://x.example/"><script>'}, Identifiers(), ""),
        ({"url": "https://x.example/\r\nBcc: a@b"}, Identifiers(), ""),
    ],
)
def test_ids_and_addresses_are_found_or_left_out(said: dict[str, object], ids: Identifiers, url: str | None) -> None:
    read = paper(**said)
    assert read.ids == ids
    assert read.url == (said["url"] if url is None else url)


@pytest.mark.parametrize("value", ["2024-02-31", "2024", "soon", 20240101, None, "2024-01-021", {}])
def test_a_date_that_cannot_be_read_is_no_date(value: object) -> None:
    (listing,) = listings(
        {"title": "One", "published": value, "listed": value, "first_seen": value, "submitted": value}
    )
    read = listing.papers[0]
    assert (read.published, listing.day, read.first_seen) == (None, DAY, None) or value == "2024"


@pytest.mark.parametrize("value", ["0001-01-01", "1990-12-31", "2026-03-22", "9999-12-31"])
def test_a_day_that_no_listing_has_is_not_believed(value: str) -> None:
    (listing,) = listings({"title": "One", "listed": value, "first_seen": "2024-01-05T06:00:00Z"})
    assert listing.day == date(2024, 1, 5)
    (listing,) = listings({"title": "One", "listed": value, "first_seen": f"{value}T06:00:00Z"})
    assert (listing.day, listing.papers[0].first_seen) == (DAY, None)


def test_what_papers_export_writes_is_read_back() -> None:
    kept = Paper(
        id=7,
        key="arxiv:2401.01234",
        ids=Identifiers(arxiv="2401.01234", doi="10.1002/(sici)1097<693::aid-asi4>3.0.co;2-o", openreview="abcDEF12-_"),
        title="Lantern: Training <at> Night",
        abstract="We train at night.",
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Anna Holm", "Chidi Okafor"),
        author_count=5,
        published=date(2024, 1, 2),
        first_seen=datetime(2024, 1, 5, 4, 0, 1, 250, tzinfo=UTC),
        listed=date(2024, 1, 4),
        first_listed=date(2024, 1, 3),
        url="https://arxiv.org/abs/2401.01234",
        pdf_url="https://arxiv.org/pdf/2401.01234",
        code_url="https://github.com/example/lantern",
        project_url="https://lantern.example/",
        organization="Institute of Lamps",
        categories=("cs.CL", "cs.AI"),
        sources=("huggingface-daily", "arxiv:cs.CL"),
        upvotes=10,
        comments=0,
        withdrawn=True,
        version=3,
    )
    written = shown(kept)
    (listing,) = listings(written)
    (read,) = listing.papers
    homes = {name for name in written if hasattr(read, name)}
    assert {name: getattr(read, name) for name in homes} == {name: getattr(kept, name) for name in homes}
    assert (read.ids, read.day) == (kept.ids, kept.listed)
    assert written.keys() - homes == {"listed", "arxiv_id", "doi", "openreview_id"}
    every = {field.name for field in fields(Paper)}
    assert every - homes == {"id", "ids", "listed", "backlog"}, "an export leaves nothing out but these"


OWN = {"key": "", "sources": [], "abstract_kind": "abstract", "first_listed": None}


def test_what_an_archive_kept_is_not_repaired_a_second_time() -> None:
    damage = "Maxence Leguรฉry"
    read = paper(**OWN, title=damage, abstract=damage, authors=[damage], organization=damage, categories=[damage])
    said = (read.title, read.abstract, *read.authors, read.organization, *read.categories)
    assert said == (damage,) * 5
    assert paper(title=damage).title == "Maxence Leguéry"


def test_an_archives_paper_has_the_ids_and_the_address_that_it_states_and_no_others() -> None:
    address = "https://arxiv.org/abs/2401.01234"
    assert paper(**OWN, url=address).ids == Identifiers()
    assert paper(**OWN, arxiv_id="2401.01234").url == ""


@pytest.mark.parametrize(
    ("key", "ids", "believed"),
    [
        ("arxiv:2401.01234", {"arxiv_id": "2401.01234"}, True),
        ("doi:10.1234/a", {"arxiv_id": "2401.01234", "doi": "10.1234/a"}, True),
        ("openreview:abcDEF12", {"openreview_id": "abcDEF12"}, True),
        ("title:0123456789abcdef", {}, True),
        ("title:0123456789abcdef", {"doi": "10.1234/a"}, False),
        ("arxiv:2401.99999", {"arxiv_id": "2401.01234"}, False),
        ("arxiv:2401.01234", {}, False),
        ("title:0123456789ABCDEF", {}, False),
        ("title:0123456789abcdef\n", {}, True),
        ("title:0123456789abcdef0", {}, False),
        (7, {}, False),
    ],
)
def test_a_key_is_believed_where_its_paper_could_have_it(key: object, ids: dict[str, str], believed: bool) -> None:
    assert paper(**(OWN | {"key": key} | ids)).key == (str(key).strip() if believed else "")


def test_others_do_not_say_where_an_archive_had_a_paper_from() -> None:
    read = paper(key="title:0123456789abcdef", sources=["huggingface-daily"], first_listed="2024-01-01")
    assert (read.key, read.sources, read.first_listed) == ("", (), None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sources", "daily"),
        ("sources", [None, {}]),
        ("abstract_kind", "poem"),
        ("first_listed", "2026-03-21"),
        ("key", []),
    ],
)
def test_what_no_archive_wrote_is_left_out(field: str, value: object) -> None:
    said = OWN | {"abstract": "We train.", "listed": "2026-03-20"}
    assert paper(**(said | {field: value})) == paper(**said)


def test_an_archives_line_may_be_as_long_as_what_it_holds() -> None:
    names = [f"Author Number {n} of the Long Collaboration" for n in range(10_000)]
    read = paper(**OWN, title="𝔸" * 3_000, abstract="𝔹" * 500_000, authors=names)
    assert (len(read.title), len(read.abstract), len(read.authors)) == (3_000, 500_000, 10_000)


def test_other_dates_and_counts() -> None:
    assert paper(submitted="Wed, 1 Mar 2023 19:00:02 GMT").published == date(2023, 3, 1)
    assert paper(first_seen="2024-01-05T06:00:00").first_seen == datetime(2024, 1, 5, 6, tzinfo=UTC)
    assert [paper(upvotes=value).upvotes for value in (0, -1, True, 2.5, "3", 2**40)] == [
        0,
        None,
        None,
        None,
        None,
        None,
    ]
    assert paper(authors="Anna Holm").authors == ()
    assert len(paper(authors=["A"] * 3_300).authors) == 3_300


def test_hostile_text_is_stored_as_text() -> None:
    (listing,) = listings(b'{"title": "Loss < 1: a & b <script>\\u202e\\u0000\\ud800"}')
    assert listing.papers[0].title == "Loss < 1: a & b <script>\u202e"


def test_what_json_escapes_and_nothing_can_store_is_left_out_of_ids_too() -> None:
    read = paper(doi="10.5555/a\ud800b\0c")
    assert (read.ids.doi, read.url) == ("10.5555/abc", "https://doi.org/10.5555/abc")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "is not JSON"),
        (b'{"title": "Caf\xe9"}', "is not UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (b'"One"', "is not a JSON object"),
        (b"{}", "has no title"),
        (b'{"title": 5}', "has no title"),
        (b'{"title": " "}', "has no title"),
        (b'{"title": "' + b"a" * 2_000 + b'"}', "has a title of 2000 characters"),
        (b'{"title": "One", "arxiv_id": 2401.01230}', "has arxiv_id '2401.0123', which is none"),
        (b'{"title": "One", "openreview_id": "a b"}', "has openreview_id 'a b', which is none"),
        (b'{"title": "One", "doi": "none"}', "has doi 'none', which is none"),
        (b'{"title": "' + b" " * 2**24 + b'"}', "is longer than 16,777,216 bytes"),
    ],
)
def test_a_bad_line_is_skipped_counted_and_named(line: bytes, reason: str) -> None:
    (listing,) = listings({"title": "One"}, b"  \n", line, {"title": "Two"})
    assert [paper.title for paper in listing.papers] == ["One", "Two"]
    assert listing.status is FetchStatus.PARTIAL
    assert listing.note == f"1 of 3 lines was skipped: line 3 {reason}"
    with pytest.raises(PermanentCollectError, match="no line is a record: line 1 is not JSON"):
        listings(b"x", line)


def test_no_records_at_all_are_an_error() -> None:
    with pytest.raises(PermanentCollectError, match="there is no record in it"):
        listings(b"\n", b" ")


def test_papers_leave_in_order_in_parts_of_500_with_ranks_by_day_that_go_on() -> None:
    records = [{"title": f"Paper {n}", "listed": f"2026-01-{2 - n % 2:02}"} for n in range(1_200)]
    parts = listings(*records, b"x", b"y")
    assert [(part.day.day, len(part.papers)) for part in parts] == [(2, 500), (2, 500), (2, 200)]
    papers = [each for part in parts for each in part.papers]
    assert [each.title for each in papers] == [record["title"] for record in records]
    assert [(each.day and each.day.day, each.rank) for each in papers] == [
        (2 - n % 2, 1 + n // 2) for n in range(1_200)
    ]
    assert [part.status for part in parts] == [FetchStatus.OK] * 2 + [FetchStatus.PARTIAL]
    assert parts[-1].note == "2 of 1202 lines were skipped: line 1201 is not JSON"


def test_only_a_listing_is_held_in_memory() -> None:
    taken = 0

    def lines() -> Iterator[bytes]:
        nonlocal taken
        while True:  # a file without end
            taken += 1
            yield b'{"title": "Paper %d"}' % taken

    began = time.process_time()
    reader = read_json_lines(lines(), day=DAY)
    assert sum(len(next(reader).papers) for _ in range(40)) == 20_000
    assert taken <= 20_500
    assert time.process_time() - began < 5


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["title", "abstract", "authors", "arxiv_id", "doi", "url", "published", "listed", "first_seen", "submitted"]
FIELDS += ["key", "sources", "abstract_kind", "first_listed", "version", "withdrawn", "organization"]


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | st.binary(max_size=30), max_size=5))
def test_any_lines_are_read_or_refused(lines: list[object]) -> None:
    try:
        for listing in listings(*lines):
            assert all(paper.title for paper in listing.papers)
    except PermanentCollectError:
        return
