"""What is logged has names: the table, the rooms and the document say the same."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from paperround.events import EVENTS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("domain", "scrapers", "storage", "topics", "digests", "worker", "web", "paperround")
_LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error", "critical": "critical"}


def _calls() -> dict[str, set[str]]:
    """Return the words of each line that a room logs, with the levels it comes with; "" where they are put together."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            owner, method = call.func.value, call.func.attr
            if not (isinstance(owner, ast.Name) and owner.id in {"log", "logger"}):
                continue
            if method not in {*_LEVELS, "log"}:
                continue
            words = call.args[method == "log"]
            text = words.value if isinstance(words, ast.Constant) else f"{file.name}:{call.lineno}"
            found[str(text)] |= {_LEVELS[method]} if method in _LEVELS else {"info", "warning"}
    return found


def test_every_line_that_a_room_logs_has_a_name_and_its_levels() -> None:
    assert _calls() == {words: set(each.levels) for words, each in EVENTS.items()}


def test_names_are_unlike_and_of_one_form() -> None:
    names = [each.name for each in EVENTS.values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+\.[a-z]+", name)] == []


@pytest.mark.parametrize("words", EVENTS)
def test_each_place_in_the_words_is_a_field(words: str) -> None:
    each = EVENTS[words]
    assert len(re.findall(r"%[sd]", words.replace("%%", ""))) == len(each.fields)
    fields = (*each.fields, *each.more)
    assert len(set(fields)) == len(fields)
    assert not {"timestamp", "level", "logger", "event", "message", "exception"} & set(fields)


def test_the_document_lists_every_event() -> None:
    document = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \| ([\w ]+) \| (.*?) \| (.+) \|$", document, flags=re.MULTILINE)
    assert rows == [
        (
            each.name,
            " or ".join(each.levels),
            ", ".join(f"`{field}`" for field in (*each.fields, *each.more)),
            each.means,
        )
        for each in EVENTS.values()
    ]
