"""Readers who pause, take along what is kept of them, and topics with a page: by command."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

READER = "mira@lab.example"
KEY = "k" * 43


@pytest.fixture
def mira(paperround, configured):
    paperround("subscribe", READER, "--topic", "Tides = tides", "--zone", "UTC")


@pytest.fixture
def soon() -> str:
    return (datetime.now(UTC).date() + timedelta(days=20)).isoformat()


@pytest.fixture
def site_folder(folder: Path) -> Path:
    (folder / "paperround.toml").write_text(f'[web]\nbase_url = "http://127.0.0.1:8000/papers"\nsecret_key = "{KEY}"\n')
    return folder


def test_a_reader_pauses_until_a_day_and_resumes(paperround, mira, soon):
    paused = paperround("subscribers", "pause", READER, "--until", soon)
    assert (paused.code, paused.out) == (0, f"{READER} is paused until {soon}\n")
    shown = paperround("subscribers", "show", READER, "--json").json
    assert (shown["state"], shown["paused_until"]) == ("paused", soon)
    assert shown["answer"] == f"No: the reader is paused until {soon}; letters begin again by themselves."
    assert [(each["action"], each["place"]) for each in shown["consent"][1:]] == [("paused by the operator", "command")]
    assert f"{READER} is paused until {soon}; every day" in paperround("subscribers", "show", READER).out
    assert paperround("subscribers", "resume", READER, "--json").json["state"] == "confirmed"
    assert paperround("subscribers", "resume", READER).code == 0, "twice is once"
    assert len(paperround("subscribers", "show", READER, "--json").json["consent"]) == 3


def test_a_pause_without_a_day_lasts_until_somebody_says_so(paperround, mira):
    assert "paused until they, or you, resume" in paperround("subscribers", "pause", READER).out
    assert paperround("subscribers", "show", READER, "--json").json["paused_until"] is None


@pytest.mark.parametrize("day", ["2020-01-01", "2999-01-01", "tomorrow", ""])
def test_another_day_is_refused_in_a_sentence_and_changes_nothing(paperround, mira, day):
    refused = paperround("subscribers", "pause", READER, "--until", day)
    assert refused.code == 2
    assert re.search("a day after today|must be a day such as", refused.err)
    assert paperround("subscribers", "show", READER, "--json").json["state"] == "confirmed"


def test_who_left_or_never_came_cannot_pause(paperround, mira):
    paperround("subscribers", "unsubscribe", READER)
    for verb in ("pause", "resume"):
        assert paperround("subscribers", verb, READER).code == 2
        assert paperround("subscribers", verb, "nobody@lab.example").code == 2
    assert paperround("subscribers", "export", "nobody@lab.example").code == 2


def test_all_that_is_kept_of_a_reader_is_one_json_object_either_way(paperround, mira):
    plain = paperround("subscribers", "export", READER)
    assert plain.out == paperround("subscribers", "export", READER, "--json").out
    assert (plain.json["reader"]["email"], plain.json["topics"][0]["name"]) == (READER, "Tides")
    assert [each["action"] for each in plain.json["consents"]] == ["vouched"]


def test_an_export_of_a_topic_in_any_script_is_ascii(paperround, mira):
    paperround("subscribers", "topics", READER, "--add", "Gezeiten é = 潮汐")
    found = paperround("subscribers", "export", READER)
    assert found.out.isascii()
    assert json.loads(found.out)["topics"][1]["query"] == "潮汐"


def test_the_operator_shares_a_topic_by_its_number_or_its_query_and_takes_it_back(paperround, site_folder):
    paperround("subscribe", READER, "--topic", "tides OR moons", "--confirmed")
    (topic,) = paperround("topics", "list", "--json").json["topics"]
    assert paperround("topics", "list").out.splitlines()[1].split()[0] == str(topic["id"])
    address = paperround("topics", "share", str(topic["id"])).out.strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/papers/topics/[A-Za-z0-9_-]{16}", address)
    again = paperround("topics", "share", "moons  OR tides", "--json").json
    assert (again["url"], again["shared"]) == (address, True)
    assert paperround("topics", "share", str(topic["id"]), "--stop").code == 0
    assert paperround("topics", "share", str(topic["id"]), "--stop").code == 2
    named = paperround("topics", "share", "Rivers = river*", "--json").json
    assert (named["name"], named["query"]) == ("Rivers", "river*")
    assert paperround("topics", "share", "NOT a").code == 2


def test_a_number_that_is_no_topics_is_not_taken_for_a_query(paperround, configured):
    refused = paperround("topics", "share", "999")

    assert refused.code == 2
    assert "has no topic 999" in refused.err
    assert paperround("topics", "share", '"999"').code == 0


def test_without_a_site_a_shared_topic_says_what_it_waits_for(paperround, configured):
    shared = paperround("topics", "share", "tides")
    assert shared.out == "tides is shared; it gets a page once [web] base_url names a site\n"
