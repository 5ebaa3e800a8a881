"""collect, match, publish and deliver, killed at steps of their transactions and run again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.settings import build
from paperround.wiring import House

SCRIPT = Path(__file__).with_name("kills.py")
READERS = 4


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with DemoSite(read_pages()) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Template:
    """An installation with readers, prepared up to the verb under test by `prepare`."""

    folder: Path
    url: str


@pytest.fixture
def template(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> Template:
    folder = tmp_path / "template"
    folder.mkdir()
    # The file is in the folder and goes wherever the folder is copied.
    return Template(folder, "sqlite:///archive.db" if engine == "sqlite" else request.getfixturevalue("url"))


def prepare(template: Template, site: DemoSite, verbs: list[str]) -> None:
    source = {"name": "hf", "kind": "huggingface-daily", "url": site.url}
    chosen = build(
        {
            "mail": {"from": "Paperround <p@lab.example>"},
            "database": {"url": template.url},
            "source": [source],
        },
        template.folder,
    )
    with House(chosen) as house:
        for number in range(READERS):
            wishes = ["speech OR dictation", "weather OR climate"][number % 2 :]
            house.desk.subscribe(f"reader{number}@lab.example", wishes, None, vouched=True, shared=False)
        if "collect" in verbs:
            house.collector.collect(days=DAYS)
        if "match" in verbs:
            house.matcher.match(house.clock.now())
        if "more" in verbs:
            more(house)
        if "publish" in verbs:
            house.publisher.publish(house.clock.now())


def more(house: House) -> None:
    """Let known papers gain votes and words, sixty new ones come, and a reader bring a topic that is new."""
    now = house.clock.now()
    known = [ListedPaper(each.title, 1, each.ids, upvotes=900) for each in house.archive.every()]
    worded = [replace(each, abstract="Of weather, told anew.", abstract_kind=AbstractKind.AUTHORS) for each in known]
    new = [ListedPaper(f"Speech of kind {n}", 1, Identifiers(arxiv=f"2611.8{n:04}")) for n in range(60)]
    for papers in (known, worded, new):
        house.archive.add(Listing("other", now.date(), tuple(papers), FetchStatus.OK), now)
    topics = ["weather upvotes>=900", "speech OR weather"]
    house.desk.subscribe("late@lab.example", topics, None, vouched=True, shared=False)


def killed_everywhere(verb: str, template: Template, site: DemoSite) -> list[dict]:
    command = [sys.executable, SCRIPT, verb, template.folder, template.url, site.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 3
    assert [row["killed"] for row in rows] == [True] * (len(rows) - 1) + [False]
    return rows


def test_collect_loses_no_paper_and_keeps_none_twice(template, site):
    prepare(template, site, [])
    for row in killed_everywhere("collect", template, site):
        assert (row["papers"], row["sightings"]) == (61, 62), row


def test_a_first_load_is_backlog_and_whole_wherever_it_was_killed(template, site):
    prepare(template, site, [])
    for row in killed_everywhere("first-load", template, site):
        assert (row["papers"], row["sightings"], row["backlog"]) == (61, 62, 61), row


def test_match_finds_every_match_once(template, site):
    prepare(template, site, ["collect"])
    rows = killed_everywhere("match", template, site)
    assert all(row["matches"] == rows[0]["matches"] for row in rows)
    assert {row["matched_up_to"] for row in rows} == {61}
    assert len(rows[0]["matches"]) > 4


def test_match_finds_what_changed_and_what_is_only_counted_as_if_it_had_not_been_killed(template, site):
    prepare(template, site, ["collect", "match", "more"])
    rows = killed_everywhere("match", template, site)
    whole = rows[-1]  # the run that nothing killed
    for row in rows:
        assert {**row, "step": 0, "killed": False} == {**whole, "step": 0}
    assert (whole["changed"], whole["matched_up_to"]) == (0, 121)
    assert len(whole["counted"]) >= 2


def test_publish_freezes_one_issue_a_reader(template, site):
    prepare(template, site, ["collect", "match"])
    rows = killed_everywhere("publish", template, site)
    assert {row["after"]["issues"] for row in rows} == {0, READERS}  # all of a block, or none
    for row in rows:
        # What was planned adds up from the moment of the kill on, before anything was run again.
        assert (row["after"]["odd"], row["after"]["undue"]) == ([], 0), row
        assert row["after"]["planned"] == row["after"]["issues"], row
        assert (row["issues"], row["states"], row["message_ids"]) == (READERS, {"planned": READERS}, READERS), row


def test_deliver_into_a_folder_leaves_each_letter_once(template, site):
    prepare(template, site, ["collect", "match", "publish"])
    for row in killed_everywhere("deliver", template, site):
        assert (row["states"], len(row["letters"])) == ({"accepted": READERS}, READERS), row
