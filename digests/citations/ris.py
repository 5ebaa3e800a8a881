"""RIS: one record a paper, lines ended by CR LF, UTF-8; plain text, the TeX of titles shown as Unicode.

A value is one line, whatever stands in it: nothing from outside can begin a line, so no title ends its record.
"""

import re
from collections.abc import Iterator

from digests.citations.keys import citation_key, month_of
from digests.citations.people import Person, people
from digests.readable import clean, readable
from domain.papers import Paper

_PREPRINT = re.compile(r"10\.(?:1101|64898)/(?:\d{4}\.\d{2}\.\d{2}\.)?\d{6,}")  # bioRxiv's and medRxiv's, old and new


def ris(paper: Paper, journal: str = "") -> str:
    """Return a paper's record, ended by an empty line: JOUR where a journal is known, UNPB for preprints, else GEN."""
    lines = "".join(f"{tag}  - {clean(value)}\r\n" for tag, value in _lines(paper, journal))
    return f"{lines}ER  - \r\n\r\n"


def _lines(paper: Paper, journal: str) -> Iterator[tuple[str, str]]:
    yield "TY", _type(paper, journal)
    yield "ID", citation_key(paper)
    yield "TI", readable(paper.title)
    for person in people(paper.authors):
        yield "AU", readable(_name(person))
    if journal:
        yield "T2", journal
    if month := month_of(paper):
        yield "PY", f"{month[0]:04}"
    if paper.published:
        yield "DA", paper.published.isoformat().replace("-", "/")
    yield from _places(paper)
    if paper.author_count > len(paper.authors):
        yield "N1", f"{paper.author_count} authors in all"
    if paper.withdrawn:
        yield "N1", "Withdrawn"
    if paper.abstract:
        yield "AB", readable(paper.abstract)


def _places(paper: Paper) -> Iterator[tuple[str, str]]:
    if paper.ids.doi:
        yield "DO", paper.ids.doi
    if paper.url:
        yield "UR", paper.url
    for category in paper.categories:
        yield "KW", category
    if paper.ids.arxiv:
        yield "DB", "arXiv"
        yield "AN", f"arXiv:{paper.ids.arxiv}"


def _type(paper: Paper, journal: str) -> str:
    if journal:
        return "JOUR"
    is_preprint = paper.ids.arxiv or paper.ids.openreview or _PREPRINT.fullmatch(paper.ids.doi or "")
    return "UNPB" if is_preprint else "GEN"


def _name(person: Person) -> str:
    return ", ".join(part for part in (person.last, person.first, person.suffix) if part)
