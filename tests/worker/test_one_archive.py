"""All shared captures and samples in one archive: each paper once, in whatever order they come."""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from domain.clock import SystemClock
from domain.errors import CollectError
from domain.identity import Verdict, fingerprint, traits, verdict
from domain.papers import AbstractKind, Paper
from storage.archive import Archive
from worker.importing import import_file

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")


def bring(archive: Archive, files: Sequence[Path]) -> None:
    for file in files:
        try:
            import_file(file, archive, SystemClock(), day=date(2026, 10, 20), kind=None, backlog=None, largest=2**26)
        except CollectError:  # which files are refused is told in test_importing_samples.py
            continue


def twice(papers: Sequence[Paper]) -> list[tuple[str, str]]:
    """Return the pairs that the rule of identity finds to be one work although they are kept as two."""
    prints = {}
    alike = defaultdict(set)
    for paper in papers:
        said = paper.abstract if paper.abstract_kind is AbstractKind.AUTHORS else ""
        prints[paper.key] = fingerprint(paper.ids, paper.title, said, paper.authors)
        for trait in traits(prints[paper.key]):
            alike[trait].add(paper.key)
    pairs = {pair for crowd in alike.values() for pair in combinations(sorted(crowd), 2)}
    return [(one, other) for one, other in pairs if verdict(prints[one], prints[other]) is Verdict.SAME]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_all_captures_and_samples_together_give_each_paper_once(archive: Archive, seed: int | None):
    files = sorted(file for folder in ("seeds", "samples") for file in (SHARED / folder).rglob("*.*"))
    if seed is not None:
        random.Random(seed).shuffle(files)  # noqa: S311 the same order at every run
    bring(archive, files)
    papers = list(archive.every())
    assert len(papers) > 800
    assert twice(papers) == []
    again = len(papers)
    bring(archive, files)
    assert archive.stats()["papers"] == again


def test_the_captures_are_one_archive_of_their_distinct_papers(archive: Archive):
    bring(archive, sorted((SHARED / "seeds").glob("*.txt")))
    assert archive.stats()["papers"] == 92
    assert twice(list(archive.every())) == []
