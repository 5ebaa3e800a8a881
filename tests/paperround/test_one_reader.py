"""Did I get today's letter? One command answers, in words and in JSON."""

from datetime import UTC, datetime

import pytest

READER = "mira@lab.example"


@pytest.fixture
def shown(paperround):
    def show() -> dict:
        return paperround("subscribers", "show", READER, "--json").json

    return show


def test_the_answer_stands_first_and_the_letters_below(paperround, configured, shown):
    paperround("subscribe", READER, "--topic", "tides", "--hour", "0")
    before = shown()
    assert before["answer"] == "Not yet: the first letter is made once a source has been read."
    assert (before["letters"], before["silences"]) == ([], [])
    paperround("run", "--once")
    after = shown()
    assert after["answer"].startswith("Yes: the letter of ")
    (letter,) = after["letters"]
    assert (letter["kind"], letter["state"], letter["slot"]) == ("digest", "accepted", letter["letter"])
    assert set(before) == set(after)
    assert {"email", "state", "every", "weekday", "hour", "zone", "topics", "consent"} <= set(after)
    lines = paperround("subscribers", "show", READER).out.splitlines()
    assert lines[0] == f"Today's letter? {after['answer']}"
    assert any(line.split()[:3] == [str(letter["id"]), letter["slot"], "accepted"] for line in lines)


def test_a_letter_that_waits_says_that_deliveries_are_paused(paperround, configured, shown):
    paperround("subscribe", READER, "--topic", "tides", "--hour", "0")
    paperround("collect")
    paperround("publish")
    paperround("deliveries", "pause")
    assert "waits, for nothing is sent: the operator paused deliveries" in shown()["answer"]


def test_a_relay_that_is_away_and_one_that_says_no_are_told_in_its_words(paperround, configured, shown):
    with configured.joinpath("paperround.toml").open("r+", encoding="utf-8") as file:
        text = file.read().replace("[mail]", '[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nport = 9\ntls = "none"')
        file.seek(0)
        file.write(text)
    paperround("subscribe", READER, "--topic", "tides", "--hour", "0")
    assert paperround("run", "--once").code == 1
    told = shown()
    assert told["answer"].startswith("Not yet: the letter of ")
    assert "could not leave at " in told["answer"]
    assert told["letters"][0]["reply"] in told["answer"]
    assert told["letters"][0]["next_try"] is not None


def test_slots_without_a_letter_are_listed_with_their_reason(paperround, configured, shown):
    paperround("subscribe", READER, "--topic", "quasars", "--hour", "0")
    paperround("run", "--once")
    day = datetime.now(UTC).date()
    published = paperround("publish", "--now", f"{day.replace(year=day.year + 1)}T12:00:00Z", "--json").json
    assert (published["skipped"], published["issues"]) == ({"nothing matched": 1}, 0)
    assert "quiet" in published
    (silence,) = shown()["silences"]
    assert (silence["reason"], silence["slots"]) == ("nothing matched", 1)
    assert "nothing matched" in paperround("subscribers", "show", READER).out


def test_who_left_is_told_so(paperround, configured, shown):
    paperround("subscribe", READER, "--topic", "tides")
    paperround("subscribers", "unsubscribe", READER)
    assert shown()["answer"] == "No: the reader has unsubscribed."
