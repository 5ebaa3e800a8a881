"""CSV for spreadsheets and scripts: RFC 4180, UTF-8, a header row, lists joined by "; ".

A spreadsheet takes a cell that begins with "=", "+", "-" or "@" for a formula and runs it. Such a cell gets an
apostrophe in front; so does one that begins with apostrophes and then such a sign, so that every value can be found
again: one apostrophe is taken from where several, or one, stand before such a sign.
"""

import csv
import io
import re

from digests.citations.keys import citation_key
from digests.citations.records import shown
from domain.papers import Paper

COLUMNS = (
    "citation_key", "key", "title", "authors", "author_count", "published", "journal", "url", "pdf_url", "code_url",
    "project_url", "organization", "categories", "arxiv_id", "doi", "openreview_id", "version", "withdrawn", "listed",
    "first_listed", "first_seen", "sources", "upvotes", "comments", "abstract_kind", "abstract",
)  # fmt: skip
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")


def header() -> str:
    """Return the first row."""
    return _row(COLUMNS)


def sheet(paper: Paper, journal: str = "") -> str:
    """Return a paper's row; texts are those of the archive, not display text."""
    values = {**shown(paper), "citation_key": citation_key(paper), "journal": journal}
    return _row([guarded(_cell(values[name])) for name in COLUMNS])


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cell(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
