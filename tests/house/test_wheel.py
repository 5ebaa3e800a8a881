"""What is shipped: the wheel, built, installed in an empty environment and run from somewhere else."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

# Packages that come with a guest which is built on them and promises them.
CARRIED = {
    "click": "typer",
    "markupsafe": "jinja2",
    "packaging": "hatchling",
    "pydantic-core": "pydantic",
    "sqlalchemy": "sqlmodel",
    "starlette": "fastapi",
}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and our guests, but without this working tree; returns its bin folder."""
    place = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True, timeout=120)
    # The guests last, so that the installer never saw the environment that these tests run in. Only that folder is
    # added: what is written in its own .pth files, such as the way to this working tree, is not followed.
    (site,) = place.glob("lib/python*/site-packages")
    (site / "guests.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def call(installed: Path, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        [installed / words[0], *words[1:]], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_everything_in_a_room_is_in_the_wheel(
    names: frozenset[str], files: tuple[Path, ...], rooms: tuple[str, ...], root: Path
) -> None:
    there = {file.relative_to(root).as_posix() for file in files if file.relative_to(root).parts[0] in rooms}

    assert there - names == set()


def test_the_wheel_holds_nothing_else(names: frozenset[str], rooms: tuple[str, ...]) -> None:
    tops = {name.split("/")[0] for name in names}

    assert {top for top in tops if not re.fullmatch(r"paperround-[^/]+\.dist-info", top)} == set(rooms)


@pytest.mark.parametrize(
    "pattern",
    [
        r"digests/templates/digest/.+\.html",
        r"digests/templates/confirm/.+\.txt",
        r"web/templates/.+\.html",
        r"storage/migrations/env\.py",
        r"storage/migrations/versions/0001.+\.py",
        r"paperround/demo/pages/.+",
        r"paperround-.+/licenses/LICENSE",
    ],
)
def test_what_is_not_code_is_in_the_wheel_too(names: frozenset[str], pattern: str) -> None:
    assert any(re.fullmatch(pattern, name) for name in names)


def test_the_rooms_are_imported_from_the_wheel(installed: Path, rooms: tuple[str, ...], tmp_path: Path) -> None:
    code = f"import {', '.join(rooms)}\nfor room in ({', '.join(rooms)}): print(room.__file__)"

    answer = call(installed, "python", "-c", code, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    places = [Path(line) for line in answer.stdout.split()]
    assert len(places) == len(rooms)
    assert all(place.is_relative_to(installed.parent) for place in places)


def test_the_command_tells_its_version(installed: Path, project: dict[str, Any], tmp_path: Path) -> None:
    answer = call(installed, "paperround", "--version", cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert project["project"]["version"] in answer.stdout


@pytest.mark.parametrize("words", [["--help"], ["demo", "--help"]])
def test_the_command_explains_itself(installed: Path, tmp_path: Path, words: list[str]) -> None:
    answer = call(installed, "paperround", *words, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert "demo" in answer.stdout


def test_init_writes_settings_that_the_next_command_reads(installed: Path, tmp_path: Path) -> None:
    first = call(installed, "paperround", "init", tmp_path / "my papers", cwd=tmp_path)
    then = call(installed, "paperround", "archive", "stats", "--json", cwd=tmp_path / "my papers")

    assert first.returncode == 0, first.stderr
    assert (tmp_path / "my papers" / "paperround.toml").is_file()
    assert then.returncode == 0, then.stderr
    assert '"papers": 0' in then.stdout


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    answer = call(installed, "paperround", "demo", "--dir", tmp_path / "demo", cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert list((tmp_path / "demo" / "outbox").glob("*.eml"))
    assert (tmp_path / "demo" / "digest.html").is_file()


def test_no_guest_claims_a_name_of_ours(rooms: tuple[str, ...]) -> None:
    claimed = packages_distributions()

    assert {room: set(claimed.get(room, [])) - {"paperround"} for room in rooms} == {room: set() for room in rooms}


def _imported(file: Path) -> set[str]:
    """Return the top-level names that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


@pytest.mark.parametrize("shipped", [True, False], ids=["rooms", "tests and benchmarks"])
def test_every_imported_package_is_declared(
    python_files: tuple[Path, ...], rooms: tuple[str, ...], root: Path, project: dict[str, Any], *, shipped: bool
) -> None:
    extras = project["project"].get("optional-dependencies", {}).values()
    wanted = [*project["project"]["dependencies"], *(each for extra in extras for each in extra)]
    declared = {_normal(each) for each in wanted}
    if not shipped:
        declared |= {_normal(each) for each in project["dependency-groups"]["dev"]}
    known = set(sys.stdlib_module_names) | set(rooms) | ({"benchmarks", "tests"} if not shipped else set())
    owners = packages_distributions()
    missing = {
        f"{name} in {file.relative_to(root)}"
        for file in python_files
        if (file.relative_to(root).parts[0] in rooms) is shipped
        for name in _imported(file) - known
        if not {CARRIED.get(owner, owner) for owner in map(_normal, owners.get(name, [name]))} & declared
    }

    assert missing == set()
