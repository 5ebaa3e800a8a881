"""The container and the service, read as text: no engine is needed to know that they are held tight."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("requirements.txt", "requirements-dev.txt", "pyproject.toml", "README.md", "LICENSE")


def _text(*name: str) -> str:
    return ROOT.joinpath(*name).read_text(encoding="utf-8")


def _stages() -> list[list[tuple[str, str]]]:
    """Return the Dockerfile as (instruction, rest) pairs, by stage."""
    text = re.sub(r"^\s*#.*\n", "", _text("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, text.splitlines()):
        instruction, rest = line.split(maxsplit=1)
        if instruction == "FROM":
            stages.append([])
        stages[-1].append((instruction, rest))
    return stages


def _last(stage: list[tuple[str, str]], instruction: str) -> str:
    return [rest for name, rest in stage if name == instruction][-1]


def test_the_image_is_built_in_named_stages_from_a_pinned_base() -> None:
    known: set[str] = set()
    for stage in _stages():
        base, _, name = stage[0][1].partition(" AS ")
        assert name, f"the stage from {base} has no name"
        assert base in known or re.fullmatch(r"[a-z]+:[\w.-]*\d[\w.-]*", base), f"{base} is not a pinned base"
        known.add(name)

    assert len(known) > 2


def test_the_image_runs_without_root_and_tells_its_health() -> None:
    stage = _stages()[-1]

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", _last(stage, "USER"))
    assert "/healthz" in _last(stage, "HEALTHCHECK")
    assert "python" in _last(stage, "HEALTHCHECK")
    assert _last(stage, "ENTRYPOINT") == '["paperround"]'
    assert _last(stage, "CMD") == '["run"]'
    assert _last(stage, "VOLUME") == "/data"
    assert "PAPERROUND_CONFIG=/data/paperround.toml" in _last(stage, "ENV")


def test_the_image_holds_only_what_was_built_and_hashed() -> None:
    stages = _stages()
    every = [each for stage in stages for each in stage]

    assert all(rest.startswith("--from=") for name, rest in stages[-1] if name == "COPY")
    assert not [rest for name, rest in every if name == "ADD" or re.search(r"curl|wget", rest)]
    installs = [part for _, rest in every for part in re.findall(r"pip (?:install|wheel)\b[^&]*", rest)]
    assert installs
    assert all(re.search(r"--require-hashes|--no-deps", part) for part in installs)


def test_the_build_is_given_what_the_wheel_is_made_of(rooms: tuple[str, ...]) -> None:
    lines = _text(".dockerignore").split()

    assert "*" in lines
    assert {f"!{name}" for name in (*rooms, *NEEDED)} - set(lines) == set()


@pytest.mark.parametrize(
    "line", ["read_only: true", "- no-new-privileges:true", "stop_grace_period: 11m", "- data:/data"]
)
def test_the_container_is_held_tight_and_may_finish_its_letters(line: str) -> None:
    assert line in [each.strip() for each in _text("compose.yaml").splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "StateDirectory=paperround",
        "ProtectSystem=strict",
        "KillSignal=SIGTERM",
        "Restart=on-failure",
    ],
)
def test_the_service_is_held_tight_and_comes_back(line: str) -> None:
    assert line in _text("deploy", "paperround.service").splitlines()
