"""docs/failures.md: every way in which mail goes wrong is there once, says what is done, and is shown by tests."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "failures.md"
NUMBERS = [str(number) for number in range(1, 25)]
MOST_TESTS = 3


def _rows() -> list[list[str]]:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0]]  # the heading has no number


def _named(row: list[str]) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", row[-1])


@cache
def _functions(file: str) -> frozenset[str]:
    """Return the names of the tests in a file; none for a file that is not there."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_each_of_the_failures_is_there_once_and_in_order() -> None:
    assert [row[0] for row in _rows()] == NUMBERS


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_a_row_says_what_is_done_and_every_test_that_it_names_exists(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    named = _named(row)
    assert 1 <= len(named) <= MOST_TESTS
    assert row[-1] == " ".join(f"`{each}`" for each in named)
    assert [each for each in named if each.partition("::")[2] not in _functions(each.partition("::")[0])] == []


def test_no_test_stands_for_two_failures() -> None:
    named = [each for row in _rows() for each in _named(row)]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("document", ["README.md", "docs/operating.md"])
def test_the_documents_that_people_begin_with_lead_to_it(document: str) -> None:
    assert re.search(r"\]\((?:docs/)?failures\.md\)", (ROOT / document).read_text(encoding="utf-8"))
