"""The rules for alerts: every figure they ask for is given, and every one says what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # locked with the tools; no stubs are

from web.operations.figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "prometheus" / "paperround.rules.yml"
RUNBOOK = ROOT / "docs" / "alerts.md"
(GROUP,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
RULES: dict[str, dict[str, Any]] = {each["alert"]: each for each in GROUP["rules"]}
#: Labels that Prometheus adds to whatever it scrapes.
_SCRAPED = {"instance", "job"}


def _names(expression: str) -> set[str]:
    return {each.removeprefix("paperround_") for each in re.findall(r"\bpaperround_\w+", expression)}


def _labels(expression: str) -> set[str]:
    """The labels that an expression matches or joins by."""
    joined = re.findall(r"\b(?:on|by|ignoring|without) \(([\w, ]+)\)", expression)
    matched = re.findall(r"[{,] *(\w+) *(?:=~|!~|!=|=)", expression)
    return {each.strip() for group in joined for each in group.split(",")} | set(matched)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_figures_that_are_given(name: str) -> None:
    expression = RULES[name]["expr"]
    names = _names(expression)
    assert names
    assert names <= {*FIGURES, *(f"{each}_{end}" for each in FIGURES for end in ("sum", "count"))}
    known = {label for each in names if each in FIGURES for label in FIGURES[each].labels}
    assert _labels(expression) <= known | _SCRAPED


@pytest.mark.parametrize("name", RULES)
def test_only_counters_are_asked_how_much_they_rose(name: str) -> None:
    for figure in re.findall(r"\b(?:rate|increase)\(paperround_(\w+)", RULES[name]["expr"]):
        assert FIGURES[figure].kind == "counter"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_waits_is_graded_and_says_what_to_do(name: str) -> None:
    rule = RULES[name]
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Paperround[A-Z]\w+", name)
    assert re.fullmatch(r"[1-9]\d*[mh]", rule["for"])
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert all(each.strip() for each in rule["annotations"].values())
    assert rule["annotations"]["runbook"] == f"docs/alerts.md#{name.lower()}"


@pytest.mark.parametrize("name", RULES)
def test_what_an_alert_says_names_labels_that_it_has(name: str) -> None:
    rule = RULES[name]
    first = min(_names(rule["expr"]), key=lambda each: rule["expr"].index(f"paperround_{each}"))
    told = " ".join(rule["annotations"].values())
    assert set(re.findall(r"\$labels\.(\w+)", told)) <= {*FIGURES[first].labels, *_SCRAPED}


@pytest.mark.parametrize("name", RULES)
def test_an_expression_is_closed(name: str) -> None:
    expression = RULES[name]["expr"]
    for opened, closed in ("()", "{}", "[]"):
        assert expression.count(opened) == expression.count(closed)
    assert re.search(r"[<>]|==|^absent\(", expression)


def test_the_runbook_has_a_part_for_each_alert_and_no_other() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE) == list(RULES)


def test_each_thing_of_which_an_operator_must_hear_has_a_rule() -> None:
    asked = {name for rule in RULES.values() for name in _names(rule["expr"])}
    assert asked >= {
        "source_lag_seconds",
        "outbox_oldest_due_seconds",
        "planning_longest_wait_seconds",
        "held",
        "delivery_ends_total",
        "undecided",
        "jobs",
        "workers",
        "disk_free_bytes",
    }
