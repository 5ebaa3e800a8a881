"""Names and sizes: what the linter cannot know of the house."""

import ast
import re
from pathlib import Path

# Files of the house that may be longer than 300 lines, each with its reason.
LONG = {
    "storage/migrations/versions/0001_the_first_tables.py": "one step of the schema is one file",
    "storage/tables.py": "the schema is read best in one piece",
}
NOT_A_NAME = {"common", "helper", "helpers", "misc", "util", "utils"}


def test_no_module_is_called_after_having_no_subject(python_files: tuple[Path, ...], root: Path) -> None:
    named = [
        file.relative_to(root)
        for file in python_files
        if {part.removesuffix(".py") for part in file.relative_to(root).parts} & NOT_A_NAME
    ]

    assert named == []


def test_an_init_file_holds_a_docstring_and_no_code(python_files: tuple[Path, ...], root: Path) -> None:
    with_code = []
    for file in python_files:
        if file.name == "__init__.py":
            body = ast.parse(file.read_text(encoding="utf-8")).body
            if not all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in body):
                with_code.append(file.relative_to(root))

    assert with_code == []


def _lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_a_file_over_300_lines_says_why(python_files: tuple[Path, ...], root: Path) -> None:
    named = {file.relative_to(root).as_posix(): file for file in python_files}
    long = {name for name, file in named.items() if not name.startswith("tests/") and _lines(file) > 300}

    assert long - set(LONG) == set(), "split it, or give its reason in LONG"
    assert set(LONG) - long == set(), "it is no longer long: take it out of LONG"


def test_a_file_of_tests_is_split_by_subject_before_500_lines(python_files: tuple[Path, ...], root: Path) -> None:
    tests = [file.relative_to(root) for file in python_files if file.is_relative_to(root / "tests")]

    long = {file.as_posix() for file in tests if _lines(root / file) > 500}
    # The scripted relay stands beside the conversations that it plays: apart, neither could be read.
    assert long == {"tests/digests/test_smtp.py"}


def test_every_silenced_lint_rule_is_argued_in_place(python_files: tuple[Path, ...], root: Path) -> None:
    silenced = re.compile(r"# noqa(?:: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*)?(?P<why>.*)$")
    bare = [
        f"{file.relative_to(root)}:{number}"
        for file in python_files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := silenced.search(line)) and not re.search(r"\w{2}", found["why"])
    ]

    assert bare == []


def test_every_room_says_what_it_is(rooms: tuple[str, ...], root: Path) -> None:
    silent = [
        room for room in rooms if not ast.get_docstring(ast.parse((root / room / "__init__.py").read_text("utf-8")))
    ]

    assert silent == []
