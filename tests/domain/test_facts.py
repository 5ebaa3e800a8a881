import pytest

from domain.facts import is_in_category, is_source


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
