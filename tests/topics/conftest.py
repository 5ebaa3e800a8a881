from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from domain.papers import AbstractKind, Identifiers, Paper

MakePaper = Callable[..., Paper]


@pytest.fixture(scope="session")
def a_paper() -> MakePaper:
    """Return a maker of invented papers: a_paper(7, title, abstract)."""

    def make(number: int, title: str = "", abstract: str = "") -> Paper:
        return Paper(
            id=number,
            key=f"title:{number:032x}",
            ids=Identifiers(),
            title=title,
            abstract=abstract,
            abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
            authors=("Mira Okafor",),
            author_count=1,
            published=None,
            first_seen=datetime(2026, 11, 20, 6, tzinfo=UTC),
            listed=date(2026, 11, 20),
            first_listed=date(2026, 11, 20),
            url="https://papers.example.org/",
        )

    return make
