"""Labelled collections: documents, queries, and which documents answer which query how well.

A collection is a folder with `corpus.jsonl` (id, title, text), `queries.jsonl` (id, text) and `qrels.tsv` (query,
document, gain). What cannot be used is passed over and counted: a line that is no JSON object or has no id, an id that
was there before, a row without three columns or with a gain that is no number, and a row about a query or document that
is not there. A gain of 0 or less says that the document does not answer, and a query that none answers is left out.
"""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from domain.errors import UsageError

_FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")


def collections(folder: Path) -> "list[Collection]":
    """Return the collection that the folder is, or those of the folders in it, by name.

    Raises UsageError where there is none, or where one lacks a file.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}")
    inside = sorted(each for each in folder.iterdir() if each.is_dir())
    found = [each for each in (folder, *inside) if any((each / name).exists() for name in _FILES)]
    if not found:
        raise UsageError(f"{folder} holds no {', '.join(_FILES)}, and no folder in it does")
    for each in found:
        for name in _FILES:
            if not (each / name).is_file():
                raise UsageError(f"{each} holds no {name}")
    return [Collection(each) for each in found]


class Collection:
    """One collection; its documents are read again each time, since there may be many."""

    def __init__(self, folder: Path) -> None:
        """Read the queries and who answers them, and look over the documents once."""
        self.name = folder.resolve().name
        self._passed_over: Counter[str] = Counter()
        self._corpus, queries, qrels = (folder / name for name in _FILES)
        self.documents = [each for each, _, _ in self.read()]
        texts = self._texts(queries)
        #: Query id → document id → gain, above 0.
        self.gains = self._gains(qrels, texts.keys())
        self.queries = {each: text for each, text in texts.items() if each in self.gains}
        for what, times in self._passed_over.items():
            print(f"{self.name}: {times:,} × passed over: {what}", file=sys.stderr)
        if not self.queries:
            raise UsageError(f"{folder} has no query that a document of it answers")
        self._passed_over.clear()

    def read(self) -> Iterator[tuple[str, str, str]]:
        """Yield each document's id, title and text."""
        seen: set[str] = set()
        for entry in self._entries(self._corpus):
            if entry["id"] in seen:
                self._passed_over["a document whose id was there before"] += 1
                continue
            seen.add(entry["id"])
            yield entry["id"], _text(entry.get("title")), _text(entry.get("text"))

    def _texts(self, file: Path) -> dict[str, str]:
        texts: dict[str, str] = {}
        for entry in self._entries(file):
            texts.setdefault(entry["id"], _text(entry.get("text")))
        return texts

    def _entries(self, file: Path) -> Iterator[dict[str, Any]]:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if isinstance(entry, dict) and isinstance(entry.get("id"), str | int):
                    yield entry | {"id": _text(str(entry["id"]))}
                elif line.strip():
                    self._passed_over[f"a line of {file.name} that is no JSON object with an id"] += 1

    def _gains(self, file: Path, queries: AbstractSet[str]) -> dict[str, dict[str, float]]:
        documents = set(self.documents)
        gains: dict[str, dict[str, float]] = {}
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                columns = line.rstrip("\r\n").split("\t")
                gain = _number(columns[2]) if len(columns) == 3 else math.nan
                if not math.isfinite(gain):
                    self._passed_over[f"a line of {file.name} that is not query, document and gain"] += bool(
                        line.strip()
                    )
                elif columns[0] not in queries or columns[1] not in documents:
                    self._passed_over[f"a line of {file.name} about a query or document that is not there"] += 1
                elif gain > 0:
                    gains.setdefault(columns[0], {})[columns[1]] = gain
        self._passed_over = +self._passed_over
        return gains


def _text(value: object) -> str:
    """Return a text that can be written as UTF-8; nothing for what is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
