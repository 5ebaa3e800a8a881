"""BibTeX: one entry a paper. What stands in braces is TeX (escaping.py); addresses and ids are verbatim."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from digests.citations.escaping import tex_safe
from digests.citations.keys import citation_key, month_of
from digests.citations.people import Person, are_cut, people
from domain.papers import Paper

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLASS = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z-]+)?")


def bibtex(paper: Paper, journal: str = "") -> str:
    """Return a paper's entry, ended by an empty line: `@article` where a journal is known, else `@misc`.

    The title stands in braces of its own: styles that lower the case of titles leave it as its authors wrote it.
    """
    kind = "article" if journal else "misc"
    fields = "".join(f",\n  {name} = {value}" for name, value in _fields(paper, journal))
    return f"@{kind}{{{citation_key(paper)}{fields}\n}}\n\n"


def _fields(paper: Paper, journal: str) -> Iterator[tuple[str, str]]:
    yield "title", f"{{{{{tex_safe(paper.title)}}}}}"
    if authors := _authors(paper):
        yield "author", f"{{{authors}}}"
    if journal:
        yield "journal", f"{{{tex_safe(journal)}}}"
    if month := month_of(paper):
        yield "year", f"{{{month[0]:04}}}"
        yield "month", _MONTHS[month[1] - 1]
    yield from _places(paper)
    if paper.categories:
        yield "keywords", f"{{{tex_safe(', '.join(paper.categories))}}}"
    if paper.withdrawn:
        yield "note", "{Withdrawn}"
    if paper.abstract:
        yield "abstract", f"{{{tex_safe(paper.abstract)}}}"


def _places(paper: Paper) -> Iterator[tuple[str, str]]:
    if paper.ids.arxiv:
        yield "eprint", f"{{{paper.ids.arxiv}}}"
        yield "archivePrefix", "{arXiv}"
        if paper.categories and _CLASS.fullmatch(paper.categories[0]):
            yield "primaryClass", f"{{{paper.categories[0]}}}"
    if paper.ids.doi:
        yield "doi", f"{{{_verbatim(paper.ids.doi)}}}"
    if paper.url:
        yield "url", f"{{{_verbatim(paper.url)}}}"


def _authors(paper: Paper) -> str:
    known = people(paper.authors)
    more = ["others"] if known and are_cut(paper) else []
    return " and\n            ".join([*map(_name, known), *more])


def _name(person: Person) -> str:
    """Return a name as BibTeX reads it: in braces what must not be taken apart."""
    if person.first:
        return ", ".join(tex_safe(part) for part in (person.last, person.suffix, person.first) if part)
    return tex_safe(person.last) if person.is_natural else f"{{{tex_safe(person.last)}}}"


def _verbatim(address: str) -> str:
    r"""Return an address or id for a field that is never read as TeX, in which a brace or a backslash would end it."""
    return re.sub(r"[{}\\\s]", lambda found: quote(found[0]), address)
