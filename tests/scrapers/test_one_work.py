"""The shared captures, samples and collections together: each paper once, whoever lists it."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.errors import CollectError
from domain.identity import Fingerprint, Verdict, fingerprint, traits, verdict
from domain.papers import AbstractKind, Identifiers, ListedPaper
from scrapers.importing import read_file

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")


def listed(folder: str) -> Iterator[ListedPaper]:
    for file in sorted((SHARED / folder).rglob("*.*")):
        try:
            for listing in read_file(file.name, file.read_bytes(), day=date(2026, 10, 20), kind=None, backlog=None):
                yield from listing.papers
        except CollectError:  # which files are refused is told in test_importing_samples.py
            continue


def read(paper: ListedPaper) -> Fingerprint:
    abstract = paper.abstract if paper.abstract_kind is AbstractKind.AUTHORS else ""
    return fingerprint(paper.ids, paper.title, abstract, paper.authors)


def meet(records: Iterable[Fingerprint]) -> Iterator[tuple[int, int, Verdict]]:
    """Yield the pairs that share an id or a trait, as an archive finds them, with the verdict."""
    owners: dict[object, list[int]] = {}
    kept: list[Fingerprint] = []
    for number, record in enumerate(records):
        found = set()
        for key in (*record.ids.pairs(), *traits(record)):
            found.update(owners.get(key, ()))
            owners.setdefault(key, []).append(number)
        yield from ((other, number, verdict(record, kept[other])) for other in sorted(found))
        kept.append(record)


def works(records: list[Fingerprint]) -> int:
    """Count the works: records that are the same, directly or by way of others, are one."""
    first = list(range(len(records)))
    for one, other, found in meet(records):
        if found is Verdict.SAME:
            first = [first[one] if each == first[other] else each for each in first]
    return len(set(first))


def test_the_captures_together_give_each_paper_once():
    papers = list(listed("seeds"))
    records = [read(paper) for paper in papers]
    every = [
        (one, other)
        for other in range(len(records))
        for one in range(other)
        if verdict(records[one], records[other]) is not Verdict.DIFFERENT
    ]
    assert every == [(one, other) for one, other, found in meet(records) if found is Verdict.SAME]
    assert sorted(papers[one].title for one, _ in every) == [
        "Exploring Geometry of Blind Spots in Vision Models",
        "Outliers with Opposing Signals Have an Outsized Effect on Neural Network Optimization",
    ]
    assert (len(records), works(records)) == (94, 92)


def test_captures_and_samples_together_give_each_paper_once():
    records = [read(paper) for paper in (*listed("samples"), *listed("seeds"))]
    assert not [found for _, _, found in meet(records) if found is Verdict.UNSURE]
    assert works(records) == len({record.key for record in records})  # no two of these works have one title


@pytest.mark.parametrize(
    ("name", "joined", "unsure"),
    [
        ("cf", {("1022", "1036")}, 67),
        ("cranfield", {("179", "188"), ("471", "995"), ("1274", "1319")}, 206),
    ],
)
def test_works_of_one_title_are_kept_apart_in_the_collections(name, joined, unsure):
    lines = (SHARED / "relevance" / name / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    pairs = list(meet(fingerprint(Identifiers(), each["title"], each["text"], ()) for each in said))
    assert {(said[one]["id"], said[other]["id"]) for one, other, found in pairs if found is Verdict.SAME} == joined
    assert sum(found is Verdict.UNSURE for _, _, found in pairs) == unsure


def test_of_twenty_thousand_papers_few_are_compared():
    records = [read(paper) for paper in listed("corpus")]
    pairs = list(meet(records))
    assert len(records) == 20_000
    assert len(pairs) < len(records) / 20
    assert not [found for _, _, found in pairs if found is not Verdict.DIFFERENT]  # each has an arXiv id of its own
