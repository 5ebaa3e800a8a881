"""compose: from matches to frozen letters, beside a renderer that remembers nothing, in the same run.

Invented papers and topics → each reader asks three of the topics → matched once → `publish` composes, renders and
encodes a letter for every reader, as a dry run, so that no database is measured but what it reads. The reference
renders letters of which each has a renderer of its own, as a service does that renders a template for each reader.
How often a piece of a paper was rendered is counted: once for all who share it, and not at all the second time.

`compose [--readers N] [--papers N] [--topics N]`: 2,000 readers, 300 papers and 60 topics by default.
"""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.invented import DAY, papers_and_topics
from benchmarks.letters import digests, settings
from digests.mail.message import freeze
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from paperround.wiring import House

if TYPE_CHECKING:
    from domain.topics import Topic

_TOPICS_EACH = 3
_NAIVE = 100  # letters


def run(options: list[str]) -> list[Figure]:
    """Return the figures."""
    parser = ArgumentParser(prog="compose")
    parser.add_argument("--readers", type=int, default=2_000)
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--topics", type=int, default=60)
    chosen = parser.parse_args(options)
    with TemporaryDirectory() as name, House(settings(Path(name), "sqlite:///archive.db")) as house:
        _fill(house, chosen.readers, chosen.papers, chosen.topics)
        now = datetime.now(UTC)
        house.matcher.match(now)
        first, issues = _published(house, now)
        once = house.renderer.renders
        second, _ = _published(house, now)
        again = house.renderer.renders - once
        naive = _naive(house)
    used = 2 * issues.papers
    return [
        Figure(
            "a letter composed and rendered", first / issues.issues * 1e6, "µs CPU", naive, "a renderer each, no news"
        ),
        Figure(
            "the same once all pieces are known",
            second / issues.issues * 1e6,
            "µs CPU",
            naive,
            "a renderer each, no news",
        ),
        Figure("letters a second of CPU", issues.issues / first, "/s", 1e6 / naive, "a renderer each, no news"),
        Figure("pieces of papers rendered, text and HTML", once, "pieces", used, "pieces in letters"),
        Figure("of them again in a second publish", again, "pieces"),
    ]


def _published(house: House, now: datetime) -> tuple[float, object]:
    cpu = time.process_time()
    counts = house.publisher.publish(now, dry_run=True)
    return time.process_time() - cpu, counts


def _fill(house: House, readers: int, papers: int, topics: int) -> None:
    made, asked = papers_and_topics(papers, topics)
    listed = [
        ListedPaper(each.title, rank, Identifiers(arxiv=f"2611.{rank:05}"), each.abstract, AbstractKind.AUTHORS)
        for rank, each in enumerate(made, 1)
    ]
    house.archive.add(Listing("hf", DAY, tuple(listed), FetchStatus.OK), datetime.now(UTC))
    dice = random.Random(20261127)  # noqa: S311 - figures that can be repeated, no secret
    for number in range(readers):
        house.desk.subscribe(f"reader{number}@mail.example", _wishes(dice, asked), None, vouched=True, shared=False)


def _wishes(dice: random.Random, asked: list[Topic]) -> list[str]:
    return [each.query.text for each in dice.sample(asked, _TOPICS_EACH)]


def _naive(house: House) -> float:
    """Return µs CPU of a letter whose pieces nobody has rendered before."""
    papers, _ = papers_and_topics(400, 0)
    cpu = time.process_time()
    for each in digests(_NAIVE, papers):
        house.__dict__.pop("renderer", None)  # a new one, that remembers nothing
        freeze(house.renderer.digest(each, shared=False), house.identity)
    return (time.process_time() - cpu) / _NAIVE * 1e6
