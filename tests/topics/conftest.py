from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

import pytest

from domain.fts5 import tokens
from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import Census
from topics.stems import Stemmer

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


@pytest.fixture(scope="session")
def census_of() -> Callable[[list[Paper]], Callable[[Collection[str]], Census]]:
    """Return what takes the census of papers that are a whole archive."""

    def of(papers: list[Paper]) -> Callable[[Collection[str]], Census]:
        words = {paper.id: set(tokens(paper.title) + tokens(paper.abstract)) for paper in papers}
        with Stemmer() as stemmer:
            stems = stemmer.stems(word for each in words.values() for word in each)
        having = Counter(stem for each in words.values() for stem in {stems[word] for word in each})
        lengths = [len(tokens(paper.title)) + len(tokens(paper.abstract)) for paper in papers]
        average = sum(lengths) / len(lengths) if lengths else 0.0
        return lambda wanted: Census(len(papers), average, {stem: having[stem] for stem in wanted if stem in having})

    return of
