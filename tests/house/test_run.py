"""`./run` and what it stands on: its words, its set-up stamp, the bench's names, and no silent skips."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

VERBS = ("setup", "demo", "test", "check", "bench", "serve")


def call(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy of the repository's commands that is set up already, in a folder with spaces in its name."""
    place = tmp_path / "a place of its own"
    bin_folder = place / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name in ("run", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(root / name, place / name)
    (bin_folder / "python").symlink_to(sys.executable)
    command = bin_folder / "paperround"
    command.write_text('#!/bin/sh\npwd -P\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    version = call(bin_folder / "python", "-V", cwd=place).stdout
    texts = [(place / name).read_text(encoding="utf-8") for name in ("requirements-dev.txt", "pyproject.toml")]
    (place / ".venv" / ".set-up").write_text("".join([f"{place}\n", version, *texts]), encoding="utf-8")
    return place


def test_help_names_every_verb(root: Path, tmp_path: Path) -> None:
    answer = call(root / "run", "help", cwd=tmp_path)

    assert answer.returncode == 0
    assert [line.split()[0] for line in answer.stdout.splitlines() if line.startswith("  ")] == list(VERBS)


@pytest.mark.parametrize("words", [[], ["nope"]])
def test_an_unknown_verb_is_wrong_usage(root: Path, tmp_path: Path, words: list[str]) -> None:
    answer = call(root / "run", *words, cwd=tmp_path)

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "usage: ./run" in answer.stderr


def test_what_is_set_up_is_not_set_up_again(copy: Path, tmp_path: Path) -> None:
    answer = call(copy / "run", "setup", cwd=tmp_path)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_the_demo_gets_its_options_and_stays_in_the_callers_folder(copy: Path, tmp_path: Path) -> None:
    answer = call(copy / "run", "demo", "--dir", "two words", cwd=tmp_path)

    assert answer.stdout.splitlines() == [str(tmp_path.resolve()), "demo", "--dir", "two words"]


@pytest.mark.parametrize("name", ["requirements-dev.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_set_up_again(copy: Path, tmp_path: Path, name: str) -> None:
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    (copy / ".venv" / "bin" / "python").unlink()

    answer = call(copy / "run", "setup", cwd=tmp_path, PYTHON=str(tmp_path / "no-python"))

    assert answer.returncode == 3
    assert "is not Python 3.11 or later" in answer.stderr


def test_a_bench_that_does_not_exist_is_told_the_names_that_do(root: Path) -> None:
    answer = call(sys.executable, "-m", "benchmarks", "nope", "--json", cwd=root)

    assert answer.returncode == 2
    assert answer.stderr.strip().count("\n") == 0
    assert "parse" in answer.stderr


@pytest.mark.parametrize(("variable", "code"), [("", 0), ("1", 1)])
def test_a_skip_is_a_failure_only_where_none_is_allowed(root: Path, tmp_path: Path, variable: str, code: int) -> None:
    shutil.copy(root / "tests" / "conftest.py", tmp_path / "conftest.py")
    story = "import pytest\n\n\ndef test_it():\n    pytest.skip('no browser here')\n"
    (tmp_path / "test_story.py").write_text(story, encoding="utf-8")

    answer = call(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *("--rootdir", tmp_path, "test_story.py"),
        cwd=tmp_path,
        PAPERROUND_TESTS_MUST_NOT_SKIP=variable,
    )

    assert answer.returncode == code, answer.stdout
    assert "1 skipped" in answer.stdout
