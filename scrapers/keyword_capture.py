"""Text captures of a keyword listing whose authors stand as "Last, First, Last, First" (sources.md section 2).

The head is one line, a concept tag in lower case. Each paper follows as title, authors, abstract. The authors' line is
what holds the papers together: it is found by its looks, the line before it is the title, and what follows up to the
next such pair is the abstract. The listing tells no day and no address.
"""

import re
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from scrapers.captures_layout import is_prose
from scrapers.text import lines_of

SOURCE = "keyword-capture"

_TAG = re.compile(r"[a-z0-9][a-z0-9 +/_-]{0,59}")
_NAME = re.compile(r"[^\W\d_][^\d:;!?()\[\]<>]{0,79}")
_WORDS = 6  # of one part of a name
_LONGEST_TITLE = 300  # characters

_Numbered = tuple[int, str]


def looks_like_keyword_capture(text: str) -> bool:
    """Whether a text begins with a tag, a title, and authors as "Last, First"."""
    lines = _lines(text)
    return len(lines) > 3 and _TAG.fullmatch(lines[0][1]) is not None and _begins_paper(lines, 1)


def read_keyword_capture(text: str, *, day: date, backlog: bool = False) -> Listing:
    """Read a keyword listing; its day is `day`, that of the visit.

    Raises LayoutChanged, naming a line, where no tag, or no title and authors, stand where they should.
    """
    lines = _lines(text)
    if not lines or not _TAG.fullmatch(lines[0][1]):
        raise LayoutChanged("the first line is not a keyword in lower case")
    papers: list[ListedPaper] = []
    at = 1
    while at < len(lines):
        if not _begins_paper(lines, at):
            raise LayoutChanged(f"line {lines[at][0]} is not a title with authors such as “Last, First” under it")
        end = next((later for later in range(at + 2, len(lines)) if _begins_paper(lines, later)), len(lines))
        abstract = lines[at + 2 : end]
        for number, line in abstract:
            if len(abstract) > 1 and not is_prose(line):  # a title whose authors are lost, perhaps
                raise LayoutChanged(f"line {number} is neither an abstract nor a title with authors under it")
        papers.append(_paper(lines[at][1], lines[at + 1][1], " ".join(line for _, line in abstract), len(papers) + 1))
        at = end
    return Listing(
        source=SOURCE,
        day=day,
        papers=tuple(papers),
        status=FetchStatus.OK if papers else FetchStatus.OK_EMPTY,
        backlog=backlog,
    )


def first_last(authors: str) -> tuple[str, ...]:
    """Return the names of "Last, First, Last, First" as "First Last".

    A flat list cannot be paired when its count is odd; then the line stays as it is, as one entry.
    """
    parts = [part.strip() for part in authors.split(",")]
    if len(parts) % 2:
        return (authors,)
    return tuple(f"{first} {last}" for last, first in zip(parts[::2], parts[1::2], strict=True))


def _lines(text: str) -> list[_Numbered]:
    return [(number, line) for number, line in enumerate(lines_of(text), start=1) if line]


def _begins_paper(lines: list[_Numbered], at: int) -> bool:
    """Whether a title stands here and its authors on the next line."""
    title = lines[at][1]
    if len(title) > _LONGEST_TITLE or at + 1 >= len(lines) or not _are_authors(lines[at + 1][1]):
        return False
    # A title may look like a list of names ("Faster, Smaller"); then the authors stand under it, not an abstract.
    return at + 2 >= len(lines) or is_prose(lines[at + 2][1]) or not _are_authors(lines[at + 2][1])


def _are_authors(line: str) -> bool:
    parts = [part.strip() for part in line.split(",")]
    return (
        len(parts) > 1
        and all(_NAME.fullmatch(part) and len(part.split()) <= _WORDS for part in parts)
        and sum(part[0].isupper() for part in parts) * 2 >= len(parts)
    )


def _paper(title: str, authors: str, abstract: str, rank: int) -> ListedPaper:
    names = first_last(authors)
    return ListedPaper(
        title=title,
        rank=rank,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=names,
        author_count=len(names),
    )
