"""The forms in which papers are taken away. A new one is a module beside this and a row in this table."""

from collections.abc import Callable
from dataclasses import dataclass

from digests.citations.bibtex import bibtex
from digests.citations.records import record
from digests.citations.ris import ris
from digests.citations.sheet import header, sheet
from domain.papers import Paper


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write papers: `head` once, then `entry` for each; both are text for UTF-8."""

    entry: Callable[[Paper, str], str]  #: of a paper and the journal it appeared in, "" where none is known
    media_type: str
    suffix: str
    head: Callable[[], str] = str
    wants_journal: bool = True


#: By the name that `--format` takes.
FORMATS: dict[str, Format] = {
    "bibtex": Format(bibtex, "application/x-bibtex; charset=utf-8", ".bib"),
    "ris": Format(ris, "application/x-research-info-systems; charset=utf-8", ".ris"),
    "csv": Format(sheet, "text/csv; charset=utf-8; header=present", ".csv", head=header),
    "jsonl": Format(record, "application/jsonl", ".jsonl", wants_journal=False),
}
