"""What is logged: one event a line, and no address, whoever logs it."""

import io
import json
import logging
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.veiling import veiled_text
from paperround.logs import handler

TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture
def logged(monkeypatch):
    """Log through our handler; return the lines."""

    def go(form, log):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        ours = handler(form)
        logger = logging.getLogger("paperround.tests.logs")
        logger.setLevel(logging.DEBUG)
        logger.addHandler(ours)
        try:
            log(logger)
        finally:
            logger.removeHandler(ours)
        lines = stream.getvalue().splitlines()
        return lines if form == "text" else [each.replace("\\u2026", "…") for each in lines]

    return go


def test_an_event_is_a_line_of_text(logged):
    (line,) = logged("text", lambda log: log.warning("collect %s: %d new", "hf", 3))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z WARNING paperround\.tests\.logs: collect hf: 3 new", line)


def test_an_event_is_an_object_with_its_fields(logged):
    (line,) = logged("json", lambda log: log.info("deliver: %s", "3 accepted", extra={"accepted": 3}))
    event = json.loads(line)
    stamp = event.pop("timestamp")
    assert event == {
        "level": "info",
        "logger": "paperround.tests.logs",
        "event": "deliver.pass",
        "message": "deliver: 3 accepted",
        "what": "3 accepted",
        "accepted": 3,
    }
    assert stamp.endswith("Z")


def test_the_words_of_a_text_line_are_not_said_twice(logged):
    (line,) = logged("text", lambda log: log.info("deliver: %s", "3 accepted", extra={"accepted": 3}))
    assert line.endswith("deliver: 3 accepted")


def test_what_the_words_are_filled_with_are_fields_of_their_own_kind(logged):
    said = ("match: %d papers, %d topics, %d matches", 7, 2, 3)
    (line,) = logged("json", lambda log: log.info(*said))
    event = json.loads(line)
    assert {name: event[name] for name in ("event", "papers", "topics", "matches", "message")} == {
        "event": "match.pass",
        "papers": 7,
        "topics": 2,
        "matches": 3,
        "message": "match: 7 papers, 2 topics, 3 matches",
    }


def test_a_line_break_stays_in_its_object(logged):
    lines = logged("json", lambda log: log.info("one\ntwo\u2028three\x1b[31m"))
    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == "other"
    assert json.loads(lines[0])["message"] == "one\ntwo\u2028three\x1b[31m"


@pytest.mark.parametrize("form", ["text", "json"])
@given(st.text(), st.text(st.characters(categories=["C", "Z"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nobody_forges_a_line(logged, form, said, odd):
    text = f"{said}{odd}\n2026-11-20T07:00:03.120Z INFO paperround: all is well\x1b[2K\r"
    lines = logged(form, lambda log: log.warning("%s", text, extra={"said": {odd: [text]}}))
    assert len(lines) == 1
    assert lines[0].isprintable()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_is_told_without_addresses(logged, form):
    def fail(log):
        try:
            [].remove("no such mailbox: mira.okafor@lab.example")
        except ValueError:
            log.exception("to %s", "mira.okafor@lab.example", extra={"to": ["mira.okafor@lab.example"]})

    text = "\n".join(logged(form, fail))
    assert "@" not in text
    assert "ValueError" in text
    assert "to …" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_token_is_not_written(logged, form):
    for place in ("confirm", "preferences", "account", "address", "unsubscribe"):
        said = f"GET https://digests.example.org/papers/{place}/{TOKEN}?x=1"
        text = "\n".join(logged(form, lambda log, said=said: log.error("%s failed", said)))
        assert TOKEN not in text
        assert f"/{place}/…" in text


LOCAL = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters='@<>"'), min_size=1)
DOMAIN = st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z]{2,8}){1,3}", fullmatch=True)
AROUND = st.sampled_from(
    ["{}", "<{}>", "to={}", "'{}'", "({}),", "550 5.1.1 <{}>: unknown", "mailto:{}?subject=x", "{}\n{}"]
)


@given(LOCAL, DOMAIN, AROUND, st.sampled_from(["@", "%40"]))
def test_no_address_passes_the_veil(local, domain, around, at):
    said = around.replace("{}", f"{local}{at}{domain}")
    seen = veiled_text(f"refused: {said} for good")
    assert domain not in seen
    assert at not in seen
    assert seen.startswith("refused: ")
    assert seen.endswith(" for good")


@given(st.from_regex(r'"[a-z ]{1,40}"', fullmatch=True), DOMAIN)
def test_a_quoted_address_passes_neither(local, domain):
    seen = veiled_text(f"to {local}@{domain} now")
    assert seen == "to … now"


def test_what_holds_no_address_is_as_it_was():
    said = 'publish: 3 of 4 due readers get a letter; "a" http://x.example/issues/1 20 % off'
    assert veiled_text(said) == said


def test_a_long_line_takes_no_long_time():
    assert len(veiled_text("a" * 1_000_000 + "@")) == 1
    assert veiled_text('"' * 100_000 + "@ x").endswith(" x")
    assert veiled_text("/confirm/a" * 100_000).startswith("/confirm/…")
