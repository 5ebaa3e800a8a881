"""Every recorded page is read by a test that names it; a page that nobody names fails the run."""

import ast
from functools import cache
from pathlib import Path

import pytest

SCRAPERS = Path(__file__).resolve().parents[1] / "scrapers"
FOLDERS = ("pages", "captures", "mails")
RECORDED = sorted(file for folder in FOLDERS for file in (SCRAPERS / folder).rglob("*") if file.is_file())


def _id(file: Path) -> str:
    return file.relative_to(SCRAPERS).as_posix()


@cache
def _words(test: Path) -> frozenset[str]:
    """Return the texts that a file of tests holds in its code; what its docstrings say is not among them."""
    tree = ast.parse(test.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    )


def _names(test: Path, recorded: Path) -> bool:
    """Whether a file of tests names a page, with or without its ending, and each of the folders that it is in.

    The folders must be in the same file: "new" alone may be a word, "daily" of another site's pages.
    """
    words = _words(test)
    folders = {part for word in words for part in word.split("/")}
    named = {recorded.name, recorded.name.removesuffix(recorded.suffix)} & words
    return bool(named) and set(recorded.relative_to(SCRAPERS).parts[:-1]) <= folders


@pytest.mark.parametrize("recorded", RECORDED, ids=_id)
def test_a_recorded_page_is_named_by_a_test(recorded: Path) -> None:
    assert any(_names(test, recorded) for test in SCRAPERS.glob("test_*.py")), "use it in a test, or take it away"


def test_the_folders_of_recorded_pages_are_those_there_are() -> None:
    folders = {each.name for each in SCRAPERS.iterdir() if each.is_dir() and not each.name.startswith((".", "__"))}

    assert folders == set(FOLDERS)
    assert len(RECORDED) > 40
