"""One record of the API of bioRxiv and medRxiv: a version of a preprint (sources.md section 4).

Nothing in a record is trusted to have a type; what is missing stays missing.
"""

import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import quote

from domain.identifiers import doi
from domain.papers import AbstractKind, Announcement, Identifiers, ListedPaper
from scrapers.feed_people import turned
from scrapers.feed_text import plain_text, without_figures, without_label
from scrapers.text import collapse, plausible_day

_LIMIT = 2**31  # counts beyond it are damage
_NUMBER = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")
_WITHDRAWN = re.compile(
    r"\bthis (?:manuscript|article|preprint|paper) (?:has been|was|is) withdrawn\b|"
    r"\bauthors? (?:have|has) withdrawn (?:this|their|the) (?:manuscript|article|preprint|paper)\b",
    re.IGNORECASE,
)
_OPENING = 400  # characters of an abstract in which a withdrawal is told


def read_record(record: object, *, server: str, visited: date) -> ListedPaper | None:
    """Return the paper of a record; None for one without DOI or title. Nothing is published after `visited`."""
    if not isinstance(record, dict):
        return None
    # JSON can escape what cannot be stored, such as half of a character.
    identifier, title = doi(collapse(text_in(record.get("doi")))), plain_text(text_in(record.get("title")))
    if identifier is None or not title:
        return None
    abstract = without_label(without_figures(plain_text(text_in(record.get("abstract")))))
    abstract = "" if abstract.upper() in {"NA", "N/A", "NONE"} else abstract
    authors = _authors(text_in(record.get("authors")))
    version = count_in(record.get("version")) or None
    is_first = version is None or version == 1
    address = _address(identifier, version or 1, text_in(record.get("server")).lower() or server)
    category = plain_text(text_in(record.get("category")))
    return ListedPaper(
        title=title,
        rank=1,
        ids=Identifiers(doi=identifier),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=len(authors),
        published=plausible_day(_day(record.get("date")), visited) if is_first else None,
        url=address,
        pdf_url=f"{address}.full.pdf",
        categories=(category,) if category else (),
        version=version,
        withdrawn=_is_withdrawn(record, title, abstract),
        announcement=None if version is None else Announcement.NEW if is_first else Announcement.REPLACE,
        only_if_known=not is_first,
        journal=_journal(record, identifier),
    )


def _authors(text: str) -> tuple[str, ...]:
    """Return "A. Surname" of each "Surname, A."; the list is parted by semicolons."""
    names = (turned(plain_text(name)) for name in text.split(";"))
    return tuple(filter(None, names))


def _address(identifier: str, version: int, server: str) -> str:
    host = "www.medrxiv.org" if server == "medrxiv" else "www.biorxiv.org"
    return f"https://{host}/content/{quote(identifier)}v{version}"


def _journal(record: Mapping[str, object], own: str) -> str:
    """Return the DOI of the journal article; "" where the record says "NA" or names the preprint itself."""
    published = doi(collapse(text_in(record.get("published"))))
    return published if published and published != own else ""


def _is_withdrawn(record: Mapping[str, object], title: str, abstract: str) -> bool:
    """Whether the record says so in its type, in capitals, or in the words that the site puts before the abstract.

    A study from which patients were withdrawn is another matter.
    """
    opening = abstract[:_OPENING]
    if "withdrawn" in text_in(record.get("type")).lower() or "WITHDRAWN" in f"{title} {opening}":
        return True
    return title.lower().startswith("withdrawn:") or _WITHDRAWN.search(opening) is not None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(text_in(value)[:10])
    except ValueError:
        return None


def count_in(value: object) -> int | None:
    """Return a count that is a number, or is written as one, such as "75" or "1,234"."""
    if isinstance(value, str) and len(value) < 12 and _NUMBER.fullmatch(value.strip()):
        value = int(value.replace(",", ""))
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LIMIT
    return value if isinstance(value, int) and known else None


def text_in(value: object) -> str:
    """Return a JSON string without white space around it; "" for anything else."""
    return value.strip() if isinstance(value, str) else ""
