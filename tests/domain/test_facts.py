from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.authors import Likeness, names
from domain.facts import Proof, has, is_in_category, is_source, proof
from domain.papers import AbstractKind, Identifiers, Paper
from domain.topics import Author, Category, Fact, Source, Votes


@pytest.fixture
def paper() -> Paper:
    return Paper(
        id=1,
        key="arxiv:2611.00001",
        ids=Identifiers(),
        title="",
        abstract="",
        abstract_kind=AbstractKind.NONE,
        authors=("J. Sato", "Sato, Jun", "K. Okafor"),
        author_count=3,
        published=None,
        first_seen=datetime(2026, 11, 20, 6, tzinfo=UTC),
        listed=date(2026, 11, 20),
        first_listed=date(2026, 11, 20),
        url="https://papers.example.org/",
        categories=("cs.LG", "cs.CL"),
        sources=("daily", "arxiv:cs.LG"),
        upvotes=1041,
    )


@pytest.mark.parametrize(
    ("asked", "category", "answer"),
    [
        ("cs.cl", "cs.CL", True),
        ("cs", "cs.CL", True),
        ("cs", "cs", True),
        ("q-bio", "q-bio.NC", True),
        ("cs.c", "cs.CL", False),
        ("cs.cl", "cs", False),
        ("c", "cs.CL", False),
        ("cs", "physics.cs", False),
    ],
)
def test_a_category_is_itself_or_inside_another(asked: str, category: str, answer: bool) -> None:
    assert is_in_category(asked, category) == answer


@pytest.mark.parametrize(
    ("asked", "source", "answer"),
    [
        ("huggingface-daily", "HuggingFace-daily", True),
        ("huggingface", "huggingface-daily", True),
        ("arxiv", "arxiv:cs.CL", True),
        ("arxiv:cs", "arxiv:cs.CL", True),
        ("hugging", "huggingface-daily", False),
        ("arxiv:cs.c", "arxiv:cs.CL", False),
        ("arxiv:cs.cl", "arxiv", False),
        ("arxiv", "arxiv2", False),
    ],
)
def test_a_source_is_its_name_or_what_that_begins_with_up_to_a_sign(asked: str, source: str, answer: bool) -> None:
    assert is_source(asked, source) == answer


@pytest.mark.parametrize(
    ("fact", "shown"),
    [
        (Author(names("Jun Sato")), Proof("Sato, Jun", Likeness.SURE)),
        (Author(names("Kemi Okafor")), Proof("K. Okafor", Likeness.BY_INITIAL)),
        (Author(names("Mary Shelley")), None),
        (Category("cs"), Proof("cs.LG")),
        (Category("math"), None),
        (Source("arxiv"), Proof("arxiv:cs.LG")),
        (Source("hugging"), None),
        (Votes(1041), Proof("1041")),
        (Votes(1042), None),
    ],
)
def test_what_makes_a_fact_true_is_as_stored(paper: Paper, fact: Fact, shown: Proof | None) -> None:
    assert proof(paper, fact) == shown
    assert has(paper, fact) == (shown is not None)


def test_where_no_votes_are_counted_no_number_of_them_is_there(paper: Paper) -> None:
    assert not has(replace(paper, upvotes=None), Votes(0))
    assert has(replace(paper, upvotes=0), Votes(0))
