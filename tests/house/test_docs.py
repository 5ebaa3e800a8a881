"""Prose is tested: what the documents name exists, and what must not be named is not."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement

from domain.deliveries import DeliveryState
from domain.papers import FetchStatus
from paperround.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))
LOCKS = ("requirements.txt", "requirements-dev.txt")

# In pieces, so that this file does not name what no file may name.
NEVER = {
    "a path of somebody's machine": r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)/",
    "an index of packages": r"index[-_]" + r"url|find[-_]" + r"links",
    "a host of packages": r"py" + r"pi\.org|python" + r"hosted\.org|npm" + r"js\.(?:org|com)|debian" + r"\.org",
}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # a picture, or a page that is saved in another encoding


# -- what no file may name ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", NEVER)
def test_no_file_names(what: str, files: tuple[Path, ...], root: Path) -> None:
    pattern = re.compile(NEVER[what])

    assert [str(file.relative_to(root)) for file in files if pattern.search(_text(file))] == []


# -- the locks ---------------------------------------------------------------------------------------------------------


def _locked(name: str) -> dict[str, list[str]]:
    """Return the lines of a lock, by package; a line is the requirement with its hashes."""
    lines = _text(ROOT / name).replace("\\\n", " ").splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.split("==")[0], []).append(" ".join(line.split()))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_line_is_a_version_with_hashes_and_without_an_address(name: str) -> None:
    wanted = re.compile(r"[a-z0-9-]+==[\w.+]+(?: ; [^:]+?)?(?: --hash=sha256:[0-9a-f]{64})+")
    lines = [line for lines in _locked(name).values() for line in lines]

    assert len(lines) > 20
    assert [line[:60] for line in lines if not wanted.fullmatch(line)] == []


def test_what_runs_is_locked_the_same_for_those_who_work_on_it() -> None:
    run, work = (_locked(name) for name in LOCKS)

    assert {name: lines for name, lines in run.items() if work.get(name) != lines} == {}


@pytest.mark.parametrize(("name", "with_dev"), [("requirements.txt", False), ("requirements-dev.txt", True)])
def test_the_lock_holds_what_the_project_asks_for(name: str, project: dict[str, Any], *, with_dev: bool) -> None:
    wanted = [*project["project"]["dependencies"], *(project["dependency-groups"]["dev"] if with_dev else [])]
    locked = _locked(name)
    late = []
    for each in map(Requirement, wanted):
        versions = [re.split(r"[= ]+", line)[1] for line in locked.get(each.name.lower(), [])]
        if not versions or not all(each.specifier.contains(version) for version in versions):
            late.append(str(each))

    assert late == [], "lock again: see CONTRIBUTING.md"


# -- links and commands ------------------------------------------------------------------------------------------------


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _text(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_link_leads_somewhere(document: Path) -> None:
    dead = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", _text(document)):
        if re.match(r"https?:|mailto:", target):
            continue
        place = document.parent / target if target else document
        if not place.exists() or (anchor and anchor not in _anchors(place)):
            dead.append(f"{target}#{anchor}")

    assert dead == []


def _lines_of_code() -> Iterator[str]:
    for document in DOCUMENTS:
        fences = re.findall(r"^```\w*\n(.*?)^```", _text(document), flags=re.MULTILINE | re.DOTALL)
        for fence in fences:
            yield from fence.replace("\\\n", " ").splitlines()
        yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _text(document))


def _commands(of: str) -> list[tuple[str, ...]]:
    """Return the words after a command, wherever a document says it: ("papers", "search", "QUERY"), …"""
    found = set()
    for line in _lines_of_code():
        if "│" in line:
            continue  # a drawing
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # not a command: a sentence with an apostrophe
            continue
        if of in words:
            last = len(words) - words[::-1].index(of)
            found.add(tuple(words[last:]))
    return sorted(words for words in found if words and re.fullmatch(r"[a-z]+|--[a-z]+", words[0]))


@cache
def _command(*words: str) -> Any:
    """Return the command of these words; None where there is no such command."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = _inside(command).get(word)
    return command


def _inside(command: Any) -> dict[str, Any]:
    """Return the commands of a group, which one that does something itself has not."""
    return getattr(command, "commands", {})


@pytest.mark.parametrize("words", _commands("paperround"), ids=" ".join)
def test_every_command_in_the_documents_exists(words: tuple[str, ...]) -> None:
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    path = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
    command = _command(*path[:1])
    assert command is not None, f"there is no paperround {' '.join(path[:1])}"
    if _inside(command) and path:
        command = _command(*path)
        assert len(path) == 2, f"paperround {path[0]} needs to be told what"
        assert command is not None, f"there is no paperround {' '.join(path)}"

    there = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert options - there - {"--help"} == set()


def test_every_run_verb_in_the_documents_exists() -> None:
    text = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True, timeout=20).stdout
    verbs = {line.split()[0] for line in text.splitlines() if line.startswith("  ")}

    assert {words[0] for words in _commands("./run")} - verbs == set()


# -- each document -----------------------------------------------------------------------------------------------------


def test_the_readme_begins_with_a_letter_and_the_two_commands() -> None:
    first_screen = "\n".join(_text(ROOT / "README.md").splitlines()[:40])

    picture = re.search(r"!\[[^\]]+\]\(([^)]+)\)|<img [^>]*src=\"([^\"]+)\"", first_screen)
    assert picture is not None
    assert (ROOT / (picture[1] or picture[2])).is_file()
    assert first_screen.index("./run demo") < first_screen.index("./run test")


def test_the_changelog_knows_this_version(project: dict[str, Any]) -> None:
    assert re.search(rf"^## {re.escape(project['project']['version'])}\b", _text(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_the_architecture_shows_every_room(rooms: tuple[str, ...]) -> None:
    text = _text(ROOT / "docs" / "architecture.md")

    assert [room for room in rooms if f"│ {room} " not in text] == []


def _rows(document: str, heading: str) -> list[str]:
    """Return the first column of the first table after a heading."""
    after = _text(ROOT / document).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", after, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("document", "heading"),
    [
        ("docs/operating.md", "What the state of a delivery means"),
        ("docs/architecture.md", "The states of a delivery"),
    ],
)
def test_the_documents_name_every_state_of_a_delivery(document: str, heading: str) -> None:
    assert _rows(document, heading) == [state.value for state in DeliveryState]


def test_the_documents_name_every_status_of_a_source() -> None:
    assert _rows("docs/operating.md", "What the status of a source means") == [each.value for each in FetchStatus]


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert [int(file.name[:4]) for file in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("document", [*DECISIONS, *sorted(ROOT.glob("docs/*.md"))], ids=_name)
def test_a_file_of_ours_that_a_document_names_is_there(document: Path) -> None:
    named = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", _text(document))

    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=_name)
def test_a_decision_is_short_and_says_what_follows(decision: Path) -> None:
    text = _text(decision)

    assert text.startswith(f"# {decision.name[:4]} ")
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 40
