"""A library's file, whatever it is: which kind, told by its content, and then paper by paper.

Nothing is guessed of letters: what is no UTF-8 is read as Windows-1252, line by line, as old reference managers write.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from domain.errors import UsageError
from domain.papers import ListedPaper
from scrapers.libraries import bibtex, zotero_csv, zotero_rdf
from scrapers.libraries.entry import Rejected

LARGEST = 64 * 2**20  #: bytes
LARGEST_RDF = 32 * 2**20  #: bytes: XML is read whole
_HEAD = 65_536
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Library:
    """A file under way."""

    kind: str  #: bibtex, zotero-csv, zotero-rdf
    entries: Iterator[ListedPaper | Rejected]


def read_library(file: BinaryIO, visited: date) -> Library:
    """Return what a file holds, to be read as it is taken; raises UsageError for one that is none, or too large.

    The file must be one that can be wound back.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > LARGEST:
        raise UsageError(f"the file is larger than {LARGEST // 2**20} MiB; bring it in parts")
    head = file.read(_HEAD)
    file.seek(0)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise UsageError("the file is empty")
    text = _decoded(head).lstrip(_BOM)
    if "<rdf:RDF" in text:
        if size > LARGEST_RDF:
            raise UsageError(f"the RDF file is larger than {LARGEST_RDF // 2**20} MiB; export it as CSV or BibTeX")
        return Library("zotero-rdf", zotero_rdf.items(_decoded(file.read()), visited))
    if zotero_csv.has_columns(text.partition("\n")[0]):
        return Library("zotero-csv", zotero_csv.rows(_lines(file), visited))
    if bibtex.BEGINS.search(text):
        return Library("bibtex", bibtex.entries(_lines(file), visited))
    raise UsageError("the file is no BibTeX, and no CSV or RDF as Zotero exports it")


def _lines(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: file.readline(bibtex.LARGEST + 1), b"")):
        text = _decoded(line).replace("\0", "")
        yield text if number else text.lstrip(_BOM)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(raw) - 3 and len(raw) >= _HEAD:  # a letter that the head's end cuts
            return raw.decode("utf-8", errors="replace")
        return raw.decode("cp1252", errors="replace")
