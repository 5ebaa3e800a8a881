"""A site over a small archive of its own, which no test changes: papers of several weeks, a rich and a hostile one."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.papers import (
    AbstractKind,
    Announcement,
    Fetched,
    FetchStatus,
    Identifiers,
    ListedPaper,
    Listing,
    Standing,
)
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from storage.database import Database
from web.limits import Measures
from web.server import serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
FRIDAY = date(2026, 11, 20)
SITE = "https://digests.example.org"
HOSTILE = "<script>alert(1)</script> \" onload='x' & {{ 7*7 }}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  #: names in lower case
    text: str


@dataclass
class Library:
    address: tuple[str, int]
    house: House
    ask: Callable[..., Any] = field(repr=False)

    def get(self, path, **headers):
        return self.ask(self.address, "GET", path, headers=headers)


def listed(number: int, title: str, **values: Any) -> ListedPaper:
    given = {
        "rank": number,
        "ids": Identifiers(arxiv=f"2611.{number:05}"),
        "abstract": f"In number {number} we push tides through estuaries until the sediment gives way.",
        "abstract_kind": AbstractKind.AUTHORS,
        "authors": ("Mira Okafor", "Jan van der Berg"),
        "author_count": 2,
        "published": FRIDAY,
        "url": f"https://arxiv.org/abs/2611.{number:05}",
        "pdf_url": f"https://arxiv.org/pdf/2611.{number:05}",
        "categories": ("cs.LG",),
    }
    return ListedPaper(title=title, **{**given, **values})


def listing(*papers: ListedPaper, day: date = FRIDAY, source: str = "arxiv:cs.LG") -> Listing:
    standing = Standing.REPOSITORY if source.startswith("arxiv") else Standing.AGGREGATOR
    return Listing(source=source, day=day, papers=papers, status=FetchStatus.OK, standing=standing)


def _fill(house: House) -> None:
    archive = house.archive
    for back in range(40, 0, -1):
        day = FRIDAY - timedelta(days=back)
        if day.weekday() < 5:
            said = {"abstract": "A probe bounds the norm of sediment."} if back < 6 else {}
            papers = [
                listed(back * 10 + n, f"Tides {back} of harbour {n}", upvotes=back, published=day, **said)
                for n in (1, 2)
            ]
            archive.add(listing(*papers, day=day), NOW - timedelta(days=back))
    rich = listed(
        1,
        r"Bounding the $\ell_1$ Norm of Schr\"odinger Tides",
        abstract=r"A probe with $10^{-3}$ bounds sediment of estuaries in many a harbour.",
        authors=tuple(f"Ada B{'e' * n}rg" for n in range(1, 31)),
        author_count=44,
        code_url="https://github.com/lantern/tides",
        project_url="https://lantern.example/tides",
        organization="Lantern Lab",
        upvotes=41,
        comment="12 pages",
        journal="Annals of Lamps",
        summary="A machine says it is about tides.",
    )
    old = listed(2, "Old name of a tide", ids=Identifiers(), url="https://example.org/old", abstract="")
    hostile = listed(
        3,
        HOSTILE,
        ids=Identifiers(doi='10.1101/a<b>"&c'),
        abstract=f"{HOSTILE} in tides.",
        authors=(HOSTILE,),
        author_count=1,
        categories=("<i>cs",),
        url="javascript:alert(1)",
        pdf_url="javascript:alert(2)",
        code_url="javascript:alert(3)",
        organization=HOSTILE,
        comment=HOSTILE,
    )
    archive.add(listing(rich, old, hostile), NOW)
    archive.add(listing(replace(rich, version=2, announcement=Announcement.REPLACE), day=FRIDAY), NOW)
    told = listed(1, "Bounding the ell_1 norm of tides", abstract="Other words for sediment.", upvotes=41, rank=7)
    archive.add(listing(told, source="huggingface-daily"), NOW)
    saturday = date(2026, 11, 14)
    for source, status in (("arxiv:cs.LG", FetchStatus.OK_EMPTY), ("huggingface-daily", FetchStatus.LAYOUT_CHANGED)):
        asked = Fetched(
            source=source,
            url="https://lists.example/",
            day=saturday,
            at=NOW,
            seconds=1,
            bytes=9,
            http=200,
            status=status,
        )
        house.fetches.record(asked)


MANY = Measures(searches="100000/minute")
SOURCES = [
    {"name": "huggingface-daily", "kind": "huggingface-daily"},
    {"name": "arxiv:cs.LG", "kind": "arxiv-listing", "categories": ["cs.LG"]},
]


def settings_of(url: str, **web: Any):
    given = {"base_url": SITE, "secret_key": "a key of the tests, which is long enough", **web}
    mail = {"from": "Paperround <digests@lab.example>"}
    return build({"database": {"url": url}, "web": given, "mail": mail, "source": SOURCES}, Path.cwd())


@pytest.fixture(scope="session")
def filled(tmp_path_factory, sqlite_archive) -> str:
    """The URL of the archive."""
    url = f"sqlite:///{tmp_path_factory.mktemp('library')}/archive.db"
    with House(settings_of(url), clock=FixedClock(NOW), database=Database(url)) as house:
        _fill(house)
    return url


@pytest.fixture
def serving(filled, asking) -> Iterator[Callable[..., Library]]:
    """Serve the same archive by other settings."""
    with ExitStack() as stack:

        def make(**web: Any) -> Library:
            house = stack.enter_context(
                House(settings_of(filled, **web), clock=FixedClock(NOW), database=Database(filled))
            )
            return Library(
                stack.enter_context(serve(make_site(house, MANY), "127.0.0.1", 0, threading.Event())),
                house,
                asking,
            )

        yield make


@pytest.fixture(scope="session")
def library(filled, asking) -> Iterator[Library]:
    with (
        House(settings_of(filled), clock=FixedClock(NOW), database=Database(filled)) as house,
        serve(make_site(house, MANY), "127.0.0.1", 0, threading.Event()) as address,
    ):
        yield Library(address, house, asking)


@pytest.fixture(scope="session")
def asking():
    """Ask over loopback, with one connection for each question."""

    def go(address, method, path, headers=None):
        with closing(http.client.HTTPConnection(*address, timeout=20)) as connection:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode("utf-8"))

    return go
