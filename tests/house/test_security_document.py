"""docs/security.md: every threat says what is done and is shown by tests that exist; the bounds are the real ones."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from web.bodies import LARGEST_BODY, MOST_FIELDS, SLOWEST_BODY
from web.costly import AT_ONCE, WAITING
from web.guard import LARGEST_HEAD, LONGEST_ADDRESS, MOST_AT_ONCE
from web.limits import Measures
from web.patience import (
    LARGEST_EVENT,
    LEAST_TAKEN,
    MOST_CONNECTIONS,
    MOST_OF_ONE_CLIENT,
    SLOWEST_HEAD,
    SLOWEST_TAKING,
)
from web.shelf import LARGEST_ANSWER, MOST_OCTETS
from web.webhooks import LARGEST_WEBHOOK

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
MOST_TESTS = 3
KIB = 1024


def _rows() -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.splitlines()
        if re.match(r"\| \d+ \|", line)
    ]


@cache
def _functions(file: str) -> frozenset[str]:
    """Return the names of the tests in a file; none for a file that is not there."""
    path = ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_threats_are_numbered_in_order() -> None:
    assert [row[0] for row in _rows()] == [str(number) for number in range(1, len(_rows()) + 1)]
    assert len(_rows()) >= 20


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_a_row_says_what_is_done_and_every_test_that_it_names_exists(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)
    named = re.findall(r"`(tests/[^`]+)`", row[-1])
    assert 1 <= len(named) <= MOST_TESTS
    assert row[-1] == " ".join(f"`{each}`" for each in named)
    assert [each for each in named if each.partition("::")[2] not in _functions(each.partition("::")[0])] == []


def test_the_bounds_are_the_real_ones() -> None:
    said = " ".join(DOCUMENT.partition("## The bounds")[2].partition("##")[0].split())

    assert f"{LARGEST_EVENT // KIB} KiB, of it {LONGEST_ADDRESS // KIB} KiB address" in said
    assert f"and {LARGEST_HEAD // KIB} KiB headers; {SLOWEST_HEAD:.0f} s" in said
    assert f"{LARGEST_BODY // KIB} KiB (webhooks {LARGEST_WEBHOOK // KIB} KiB)" in said
    assert f"{MOST_FIELDS:,} fields, {SLOWEST_BODY:.0f} s" in said
    assert f"| {MOST_AT_ONCE} |" in said
    assert f"| {AT_ONCE} at once and {WAITING} that wait; of one network 60 searches and 30 previews a minute" in said
    assert (Measures().searches, Measures().previews) == ("60/minute", "30/minute")
    assert f"| {MOST_CONNECTIONS:,}; of one client that is no trusted proxy" in said
    assert f"not this machine {MOST_OF_ONE_CLIENT} |" in said
    assert f"at least {LEAST_TAKEN // KIB} KiB of it, or what is left, each {SLOWEST_TAKING:.0f} s" in said
    assert f"{MOST_OCTETS // KIB // KIB} MiB, each at most {LARGEST_ANSWER // KIB // KIB} MiB" in said


@pytest.mark.parametrize("document", ["README.md", "docs/operating.md", "docs/privacy.md"])
def test_the_documents_that_people_begin_with_lead_to_it(document: str) -> None:
    assert re.search(r"\]\((?:docs/)?security\.md(?:#[\w-]+)?\)", (ROOT / document).read_text(encoding="utf-8"))
