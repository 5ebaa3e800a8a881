"""docs/privacy.md lists every column there is, and its days are the settings'; consent is only ever added to."""

import ast
import re
from pathlib import Path

import pytest

from paperround.settings_model import KeepSettings
from storage.tables import Base
from web.privacy import Promises, rows

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
COLUMN = re.compile(r"`([a-z_]+)\.([a-z_0-9]+)`")
NOT_OF_PEOPLE = {"raw_pages", "runs_days"}  # settings of [keep] that speak of sources and work


def listed() -> list[tuple[str, str]]:
    """Return the columns that are listed: at the beginning of a row, or in the words about other columns of papers."""
    said = [line.strip("|").split("|")[0] for line in DOCUMENT.splitlines() if line.startswith("| `")]
    said.append(DOCUMENT.partition("hold nothing of people:")[2].partition("##")[0])
    return [each for text in said for each in COLUMN.findall(text)]


def bare() -> list[str]:
    """Return the tables that are said to hold nothing of anybody."""
    section = DOCUMENT.partition("## Tables that hold nothing of anybody")[2].partition("##")[0]
    return re.findall(r"`([a-z_]+)`", section)


def test_every_column_is_listed_once_and_none_that_is_no_more() -> None:
    there = {(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.columns}
    names = {table.name for table in Base.metadata.sorted_tables}
    of_people = listed()

    assert [each for each in of_people if each not in there] == []
    assert sorted(set(of_people)) == sorted(of_people)
    assert [each for each in bare() if each not in names] == []
    assert sorted(set(bare())) == sorted(bare())
    unsaid = there - set(of_people)
    assert sorted(each for each in unsaid if each[0] not in bare()) == []
    assert sorted({table for table, _ in of_people} & set(bare())) == []


def test_every_row_says_what_why_how_long_and_who_gets_it() -> None:
    for line in DOCUMENT.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 5, line
            assert all(cells), line


def test_the_days_are_settings_that_there_are_and_none_is_left_out() -> None:
    named = set(re.findall(r"`\[keep\] ([a-z_]+)`", DOCUMENT))
    assert named == set(KeepSettings.model_fields) - NOT_OF_PEOPLE


def test_no_table_that_names_a_reader_is_called_bare() -> None:
    for table in Base.metadata.sorted_tables:
        if "subscriber_id" in table.columns or "recipient" in table.columns or "email" in table.columns:
            assert table.name not in bare()


def test_the_page_says_the_days_of_the_settings() -> None:
    said = [row.how_long for row in rows(Promises(pending_days=14, issues_days=365, replies_days=90, bounces_days=1))]
    assert any("14 days" in each for each in said)
    assert any("365 days" in each for each in said)
    assert any("90 days" in each for each in said)
    assert any(each.startswith("1 day,") for each in said)


def test_what_is_kept_for_ever_is_called_so() -> None:
    said = [row.how_long for row in rows(Promises(pending_days=0, issues_days=0, replies_days=0, bounces_days=0))]
    assert [each for each in said if "0 days" in each] == []
    assert sum("until you erase everything" in each for each in said) == len(said) - 1


@pytest.mark.parametrize("act", ["update", "delete"])
def test_no_code_changes_or_deletes_what_a_reader_agreed_to(act: str) -> None:
    """It goes with its reader alone, by the foreign key; nothing else may touch a row that is there."""
    for file in (ROOT / "storage").rglob("*.py"):
        if "migrations" in file.parts:
            continue  # what they did to consent is in the history of the schema, and they run once
        text = file.read_text(encoding="utf-8")
        found = [
            node.lineno
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
            and _name(node.func) == act
            and any(_name(each) in {"CONSENT", "ConsentRow"} for each in node.args)
        ]
        assert found == [], f"{file.relative_to(ROOT)} {act}s consent"
        assert not re.search(rf"\b{act}\b(\s+from)?\s+consent\b", text, re.IGNORECASE), file


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize("document", ["README.md", "docs/operating.md", "docs/security.md"])
def test_the_documents_that_people_begin_with_lead_to_it(document: str) -> None:
    assert re.search(r"\]\((?:docs/)?privacy\.md(?:#[\w-]+)?\)", (ROOT / document).read_text(encoding="utf-8"))
