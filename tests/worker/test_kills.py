"""collect, match, publish and deliver, killed at every step of every transaction and run again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperround.demo.mailbox import Mailbox
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
        if "publish" in verbs:
            house.publisher.publish(house.clock.now())


def killed_everywhere(verb: str, template: Template, site: DemoSite, port: int | None = None) -> list[dict]:
    command = [sys.executable, SCRIPT, verb, template.folder, template.url, site.url, str(port or "")]
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
    assert len({(row["matched_up_to"], row["matches"]) for row in rows}) == 1
    assert rows[0]["matched_up_to"] == 61
    assert rows[0]["matches"] > 4


def test_publish_freezes_one_issue_a_reader(template, site):
    prepare(template, site, ["collect", "match"])
    for row in killed_everywhere("publish", template, site):
        assert (row["issues"], row["states"], row["message_ids"]) == (READERS, {"planned": READERS}, READERS), row


def test_deliver_into_a_folder_leaves_each_letter_once(template, site):
    prepare(template, site, ["collect", "match", "publish"])
    for row in killed_everywhere("deliver", template, site):
        assert (row["states"], len(row["letters"])) == ({"accepted": READERS}, READERS), row


def test_deliver_over_smtp_loses_nothing_and_doubles_at_most_the_letter_in_flight(template, site, tmp_path):
    prepare(template, site, ["collect", "match", "publish"])
    with Mailbox(tmp_path / "mailbox") as mailbox:
        rows = killed_everywhere("deliver", template, site, mailbox.port)
    runs = len(rows)
    for row in rows:
        assert row["states"] == {"accepted": READERS}, row
    # Every run sends the same letters again from the same frozen rows; a file a Message-ID, so nobody saw another one.
    assert len(list((tmp_path / "mailbox").glob("*.eml"))) == READERS
    doubled = mailbox.received - runs * READERS
    assert 0 < doubled < runs  # one connection: at most one letter a kill, and some kills fall between dot and commit
