"""JSON Lines out of one archive and into a fresh one: the same papers, in the same order, byte for byte."""

import gzip
import io
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.citations.formats import FORMATS
from domain.errors import CollectError
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from paperround.taking import take
from scrapers.importing import read_file
from scrapers.text import collapse
from storage.archive import Archive
from storage.database import Database

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
DAY = date(2026, 10, 20)
NOW = datetime(2026, 10, 20, 9, 30, 1, 250, tzinfo=UTC)

Fresh = Callable[[], AbstractContextManager[Database]]


def exported(archive: Archive, form: str = "jsonl") -> bytes:
    out = io.BytesIO()
    take(archive.every(), FORMATS[form], archive.journals, out, stop=threading.Event(), advance=lambda _: None)
    return out.getvalue()


def imported(archive: Archive, name: str, data: bytes) -> None:
    before = archive.newest_id()
    for listing in read_file(name, data, day=DAY, kind=None, backlog=None):
        archive.add(listing, NOW + timedelta(days=1), apart_from=before)


def round_trip(fresh: Fresh, listings: Iterable[Listing]) -> None:
    with fresh() as here, fresh() as there:
        home, fresh = Archive(here), Archive(there)
        for listing in listings:
            home.add(listing, NOW)
        first = exported(home)
        imported(fresh, "export.jsonl", first)
        assert exported(fresh) == first
        imported(fresh, "export.jsonl", first)
        assert exported(fresh) == first, "a second import changes nothing"


def listings_of(files: Iterable[Path]) -> Iterable[Listing]:
    for file in files:
        try:
            yield from read_file(file.name, file.read_bytes(), day=DAY, kind=None, backlog=None)
        except CollectError:
            continue  # some samples are there to be refused


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_all_samples_and_seeds_go_round(fresh: Fresh) -> None:
    files = sorted(file for folder in ("samples", "seeds") for file in (SHARED / folder).rglob("*") if file.is_file())
    round_trip(fresh, listings_of(files))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
def test_five_thousand_papers_go_round(fresh: Fresh) -> None:
    with gzip.open(SHARED / "corpus" / "papers-20k.jsonl.gz") as lines:
        round_trip(fresh, read_file("papers.jsonl", b"".join(islice(lines, 5_000)), day=DAY, kind=None, backlog=None))


# -- archives that nobody has seen -------------------------------------------------------------------------------------

TEXT = st.text(max_size=40).map(collapse)
FREE = st.sampled_from(
    ["รถ in Bangkok", "Leguรฉry", 'Schr\\"odinger $\\alpha$', "=cmd|' /C calc'!A0", "\u202eabc", "𝔸"]
)
TITLE = st.one_of(TEXT.filter(bool), FREE, st.sampled_from(["Editorial", "Small Steps, Large Effects of Nothing"]))
IDS = st.builds(
    Identifiers,
    arxiv=st.none() | st.integers(1, 9).map("2401.{:05}".format),
    doi=st.none() | st.integers(1, 9).map("10.1234/a.{}".format),
    openreview=st.none() | st.integers(1, 9).map("abcDEF{}".format),
)
ADDRESS = st.sampled_from(["", "https://arxiv.org/abs/2401.00009", "https://x.example/~a_b?c=%20"])
COUNT = st.none() | st.integers(0, 2**31 - 1)
DAYS = st.dates(date(1991, 1, 1), DAY)


@st.composite
def listed_papers(draw: st.DrawFn) -> ListedPaper:
    abstract = draw(st.one_of(TEXT, FREE))
    kinds = [AbstractKind.AUTHORS, AbstractKind.SUMMARY] if abstract else [AbstractKind.NONE]
    return ListedPaper(
        title=draw(TITLE),
        rank=draw(st.integers(1, 50)),
        ids=draw(IDS),
        abstract=abstract,
        abstract_kind=draw(st.sampled_from(kinds)),
        authors=tuple(draw(st.lists(st.one_of(TEXT.filter(bool), FREE), max_size=3))),
        author_count=draw(st.integers(0, 5_000)),
        published=draw(st.none() | st.dates()),
        url=draw(ADDRESS),
        pdf_url=draw(ADDRESS),
        code_url=draw(ADDRESS),
        project_url=draw(ADDRESS),
        categories=tuple(draw(st.lists(st.one_of(TEXT.filter(bool), FREE), max_size=3, unique=True))),
        organization=draw(st.one_of(TEXT, FREE)),
        version=draw(COUNT),
        upvotes=draw(COUNT),
        comments=draw(COUNT),
        withdrawn=draw(st.booleans()),
        day=draw(st.none() | DAYS),
    )


@st.composite
def some_listings(draw: st.DrawFn) -> Listing:
    return Listing(
        source=draw(st.sampled_from(["daily", "arxiv:cs.CL", 'Ünïcode; "feed", รถ'])),
        day=draw(DAYS),
        papers=tuple(draw(st.lists(listed_papers(), max_size=4))),
        status=FetchStatus.OK,
        backlog=draw(st.booleans()),
    )


@settings(deadline=None, max_examples=30)
@given(found=st.lists(some_listings(), max_size=4).filter(lambda found: any(each.papers for each in found)))
def test_whatever_an_archive_holds_goes_round(fresh: Fresh, found: list[Listing]) -> None:
    round_trip(fresh, found)


@pytest.mark.parametrize("form", FORMATS)
def test_two_exports_of_one_archive_are_equal(fresh: Fresh, form: str) -> None:
    papers = tuple(ListedPaper(title=f"Paper {n}", rank=n, journal="Annals" if n % 3 else "") for n in range(1, 1_200))
    with fresh() as database:
        archive = Archive(database)
        archive.add(Listing(source="daily", day=DAY, papers=papers, status=FetchStatus.OK), NOW)
        assert exported(archive, form) == exported(archive, form)
