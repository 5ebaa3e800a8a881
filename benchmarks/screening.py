"""Labelled tasks for what is learned from saved papers: some papers are relevant, the others are not.

A folder holds collections (labelled.py), of which each query with enough relevant documents is a task, or files of
records, each a task: `*.csv`, `*.jsonl` and `*.jsonl.gz` with title, abstract (or text) and a label (`label`,
`included`, `label_included` or `relevant`: 1 or 0, true or false, yes or no). What cannot be used is passed over and
counted: a line that is no record, and a record without words or without such a label.
"""

import csv
import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.labelled import collections
from domain.errors import UsageError

_LABELS = ("label", "included", "label_included", "relevant")
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})
_RECORDS = (".csv", ".jsonl", ".jsonl.gz")
_LONGEST_FIELD = 10_000_000


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks over the same papers."""

    name: str
    papers: tuple[tuple[str, str], ...]  #: (title, abstract)
    relevant: Mapping[str, tuple[int, ...]]  #: task → the places of the relevant papers, rising


def tasks(folder: Path, least: int) -> Iterator[Tasks]:
    """Give the tasks of a folder that have at least so many relevant papers; raises UsageError where there are none."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}")
    files = sorted(each for each in folder.rglob("*") if each.is_file() and _is_of_records(each))
    found = 0
    for each in map(_of_records, files) if files else _of_collections(folder):
        enough = {name: places for name, places in each.relevant.items() if len(places) >= least}
        if enough:
            found += len(enough)
            yield Tasks(each.name, each.papers, enough)
    if not found:
        raise UsageError(f"{folder} holds no task with {least} relevant papers")


def _is_of_records(file: Path) -> bool:
    return file.name.endswith(_RECORDS) and file.name not in {"corpus.jsonl", "queries.jsonl"}


def _of_collections(folder: Path) -> Iterator[Tasks]:
    for each in collections(folder):
        places = {document: place for place, document in enumerate(each.documents)}
        yield Tasks(
            each.name,
            tuple((title, text) for _, title, text in each.read()),
            {query: tuple(sorted(places[document] for document in gains)) for query, gains in each.gains.items()},
        )


def _of_records(file: Path) -> Tasks:
    papers: list[tuple[str, str]] = []
    relevant: list[int] = []
    passed_over = 0
    for record in _records(file):
        title, abstract = (_text(record, *names) for names in (("title",), ("abstract", "text")))
        label = _text(record, *_LABELS).casefold()
        if label not in _YES | _NO or not (title or abstract):
            passed_over += 1
            continue
        if label in _YES:
            relevant.append(len(papers))
        papers.append((title, abstract))
    if passed_over:
        print(f"{file.name}: {passed_over:,} × passed over: no record with words and a label", file=sys.stderr)
    name = file.name.partition(".")[0]
    return Tasks(name, tuple(papers), {name: tuple(relevant)})


def _records(file: Path) -> Iterator[Mapping[str, Any]]:
    """Give the records of a file, by the names of their fields in lower case."""
    if file.suffix == ".csv":
        csv.field_size_limit(_LONGEST_FIELD)
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            for row in csv.DictReader(line.replace("\0", "") for line in lines):
                yield {name.strip().casefold(): value for name, value in row.items() if isinstance(name, str)}
        return
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                yield {name.strip().casefold(): value for name, value in record.items()}
            elif line.strip():
                yield {}


def _text(record: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that there is, as a text that can be written."""
    value = next((record[name] for name in names if record.get(name) not in {None, ""}), "")
    return str(value).encode("utf-8", "replace").decode().strip() if isinstance(value, str | int | float) else ""
