"""Zotero's CSV export: a row an item, some ninety columns by name, of which few are read."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date

from domain.papers import ListedPaper
from scrapers.libraries.entry import RefusedError, Rejected, paper_of

csv.field_size_limit(2**24)  # of this process: the usual limit ends a file at one long note
_NEEDED = frozenset({"item type", "title"})
_NO_PAPERS = frozenset({"attachment", "note", "annotation"})


def has_columns(line: str) -> bool:
    """Whether a first line names the columns of such an export."""
    return set(_header(line)) >= _NEEDED


def rows(lines: Iterable[str], visited: date) -> Iterator[ListedPaper | Rejected]:
    """Yield what stands in an export, in its order; what is no CSV ends it."""
    reader = csv.reader(lines)
    columns: list[str] = []
    try:
        for row in reader:
            if not columns:
                columns = [name.strip().lower().lstrip("\ufeff") for name in row]
                continue
            said = dict(zip(columns, row, strict=False))
            if not any(map(str.strip, row)) or said.get("item type", "").lower() in _NO_PAPERS:
                continue
            try:
                yield _paper(said, visited)
            except RefusedError as reason:
                yield Rejected(reader.line_num, f"ends a row that {reason}")
    except csv.Error as error:
        yield Rejected(reader.line_num, f"is not CSV ({error}), and what follows it was not read")


def _paper(said: dict[str, str], visited: date) -> ListedPaper:
    names = (each.strip() for each in said.get("author", "").split(";"))
    return paper_of(
        title=said.get("title", ""),
        abstract=said.get("abstract note", ""),
        authors=[_turned(each) for each in names if each],
        said={"doi": said.get("doi", ""), "url": said.get("url", ""), "extra": said.get("extra", "")},
        when=said.get("date", "") or said.get("publication year", ""),
        visited=visited,
    )


def _turned(name: str) -> str:
    """Return "Mira Okafor" for "Okafor, Mira"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() else name


def _header(line: str) -> list[str]:
    try:
        return [name.strip().lower().lstrip("\ufeff") for name in next(csv.reader([line]), [])]
    except csv.Error:
        return []
