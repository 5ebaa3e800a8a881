from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from storage.archive import Archive
from storage.database import Database


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with Database(url) as opened:
        yield opened


@pytest.fixture
def archive(database: Database) -> Archive:
    return Archive(database)


@pytest.fixture
def listed() -> Callable[..., ListedPaper]:
    def make(title: str = "Probing the Sensitivity of Neural Tides", **values: Any) -> ListedPaper:
        given: dict[str, Any] = {
            "rank": 1,
            "abstract": f"About {title} we write down at some length what moves, and what does not.",
            "abstract_kind": AbstractKind.AUTHORS,
            "authors": ("Mira Okafor", "Jun Sato"),
            "author_count": 2,
        }
        return ListedPaper(title=title, **{**given, **values})

    return make


@pytest.fixture
def listing() -> Callable[..., Listing]:
    def make(*papers: ListedPaper, **values: Any) -> Listing:
        given: dict[str, Any] = {"source": "hf", "day": date(2026, 11, 20), "status": FetchStatus.OK}
        return Listing(papers=papers, **{**given, **values})

    return make
