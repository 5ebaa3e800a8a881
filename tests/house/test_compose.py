"""compose.yaml, read as what it is: the services of each profile, what they wait for, and how tight they are held."""

import re
from typing import Any

import pytest
import typer
import yaml

from paperround.cli import app
from paperround.settings import load

PROFILES = {
    "single": ["paperround"],
    "cluster": ["db", "migrate", "worker", "letters", "web", "mail"],
}
OURS = ["paperround", "migrate", "worker", "letters", "web"]


@pytest.fixture(scope="session")
def compose(root) -> dict[str, Any]:
    return yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def services(compose) -> dict[str, dict[str, Any]]:
    return compose["services"]


def test_each_service_is_of_one_profile(services):
    found = {name: [key for key, each in services.items() if each["profiles"] == [name]] for name in PROFILES}
    assert found == PROFILES
    assert len(services) == sum(map(len, PROFILES.values()))


@pytest.mark.parametrize("name", [*PROFILES["single"], *PROFILES["cluster"]])
def test_every_container_is_held_tight(services, name):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", OURS)
def test_who_sends_may_finish_the_letters_in_flight(services, name):
    assert services[name]["stop_grace_period"] == "11m"
    assert services[name]["init"] is True  # the signal arrives, and no child is left unburied


def test_what_is_not_ours_is_of_a_named_version(services):
    foreign = [each["image"] for each in services.values() if each["image"] != "paperround"]
    assert foreign
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", image) for image in foreign)


def test_the_tables_are_there_before_anybody_uses_them(services):
    assert services["migrate"]["command"] == ["archive", "migrate"]
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["db"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    for name in ("worker", "letters", "web"):
        assert services[name]["depends_on"] == {
            "db": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }


def test_all_who_share_an_archive_have_the_same_settings(services):
    told = [services[name]["environment"] for name in ("migrate", "worker", "letters", "web")]
    assert all(each == told[0] for each in told)


def test_what_a_service_is_given_is_there(compose, services, root):
    known = {kind: compose[kind].keys() for kind in ("configs", "secrets", "volumes")}
    for service in services.values():
        assert {each["source"] for each in service.get("configs", [])} <= known["configs"]
        assert set(service.get("secrets", [])) <= known["secrets"]
        assert {each.partition(":")[0] for each in service.get("volumes", [])} <= known["volumes"]
        assert service.get("depends_on", {}).keys() <= services.keys()
    config = root / compose["configs"]["paperround"]["file"]
    assert [each.name for each in load(config, {}, root).sources]


def test_no_secret_is_in_the_file_and_none_gets_into_the_repository(services, root):
    said = {key: value for each in services.values() for key, value in each.get("environment", {}).items()}
    secret = {key: value for key, value in said.items() if re.search("PASSWORD|SECRET", key)}
    assert secret
    assert all(re.fullmatch(r"\$\{\w+:-\}|/run/secrets/\w+", value) for value in secret.values())
    assert {"/.env", "/secrets/"} <= set((root / ".gitignore").read_text().split())


@pytest.mark.parametrize("name", [each for each in OURS if each != "paperround"])
def test_every_command_exists(services, name):
    words = services[name]["command"]
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    assert not getattr(command, "commands", {}), "there is no such command"
    command.make_parser(typer.Context(command)).parse_args(list(words))
