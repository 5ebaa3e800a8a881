"""One bibliographic record, a JSON object on one line → a paper, or a sentence that says why it is none.

Fields: title; abstract; authors (names, or objects with a name); author_count; arxiv_id, doi, openreview_id, url;
published and listed (ISO dates); first_seen (ISO instant, UTC unless it says otherwise); and upvotes, comments,
categories, code_url or github, pdf_url, project_url, organization, version, withdrawn. Only the title must be there.
Unknown fields are ignored, and so are dates that cannot be read or that no listing can have. A strong id that cannot be
read refuses the line: without it the paper would be kept twice.

An archive's own export also has key, sources, abstract_kind and first_listed. A line with all four is taken at its
word: its texts were repaired when they first came, and what looks like damage now is a language; its ids are those it
states and its address the one it has; its title may have any length. Its key is believed if it is one that these ids,
or a title without ids, can have; whether it is free is storage's to say.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from domain.identifiers import arxiv_id, doi, openreview_id
from domain.papers import AbstractKind, Identifiers, ListedPaper
from scrapers.text import collapse, plausible_day, repair_mojibake, web_address

LONGEST_LINE = 2**24  #: bytes; 3,300 authors need a hundredth of it

_LONGEST_TITLE = 1_000  # characters; a record above it is some other text
_COUNT_LIMIT = 2**31
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_FORUM = re.compile(r"[A-Za-z0-9_-]{6,64}")
_OWN = frozenset({"key", "sources", "abstract_kind", "first_listed"})
_KINDS = {kind.value: kind for kind in AbstractKind}
_TITLE_KEY = re.compile(r"title:[0-9a-f]{16}")

_Read = Callable[[object], str]


class RefusedError(Exception):
    """Why a line is no record; its text ends a sentence that begins with the line's number."""


def read_record(line: bytes, visited: date) -> tuple[date, ListedPaper]:
    """Return the listing day of a line, and its paper; raises RefusedError.

    The day is the one it names, else that of its first_seen, else `visited`.
    """
    record = _object(line)
    is_own = record.keys() >= _OWN
    read = _stored if is_own else _repaired
    title = read(record.get("title"))
    if not title:
        raise RefusedError("has no title")
    if len(title) > _LONGEST_TITLE and not is_own:
        raise RefusedError(f"has a title of {len(title)} characters")
    abstract = read(record.get("abstract"))
    authors = _names(record.get("authors"), read)
    ids = _ids(record, "" if is_own else _repaired(record.get("url")))
    first_seen = _instant(record.get("first_seen"))
    if first_seen and not plausible_day(first_seen.date(), visited):
        first_seen = None
    listed = plausible_day(_day(record.get("listed")), visited) or (first_seen.date() if first_seen else visited)
    paper = ListedPaper(
        title=title,
        rank=1,
        ids=ids,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=max(_count(record.get("author_count")) or 0, len(authors)),
        published=_day(record.get("published")) or _mail_day(record.get("submitted")),
        url=web_address(record.get("url")) or ("" if is_own else _page_of(ids)),
        pdf_url=web_address(record.get("pdf_url")),
        code_url=web_address(record.get("code_url")) or web_address(record.get("github")),
        project_url=web_address(record.get("project_url")),
        categories=_names(record.get("categories"), read),
        organization=read(record.get("organization")),
        version=_count(record.get("version")),
        upvotes=_count(record.get("upvotes")),
        comments=_count(record.get("comments")),
        withdrawn=record.get("withdrawn") is True,
        first_seen=first_seen,
        day=listed,
    )
    return listed, replace(paper, **_own(record, paper, visited)) if is_own else paper


def _own(record: Mapping[str, object], paper: ListedPaper, visited: date) -> dict[str, Any]:
    """Return what only an archive says of its papers."""
    key = _stored(record["key"])
    own_keys = {f"{scheme}:{value}" for scheme, value in paper.ids.pairs()}
    fits = key in own_keys or (not own_keys and _TITLE_KEY.fullmatch(key))
    first = plausible_day(_day(record["first_listed"]), visited)
    return {
        "key": key if fits else "",
        "sources": _names(record["sources"], _stored),
        "first_listed": first if first and paper.day and first <= paper.day else None,
        "abstract_kind": _KINDS.get(_stored(record["abstract_kind"]), paper.abstract_kind),
    }


def _object(line: bytes) -> Mapping[str, object]:
    if len(line) > LONGEST_LINE:
        raise RefusedError(f"is longer than {LONGEST_LINE:,} bytes")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RefusedError("is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise RefusedError("is not JSON") from error
    if not isinstance(record, dict):
        raise RefusedError("is not a JSON object")
    return record


def _ids(record: Mapping[str, object], url: str) -> Identifiers:
    """Return the ids that the record states, else those of its address."""
    found: dict[str, str | None] = {"arxiv": arxiv_id(url), "doi": doi(url), "openreview": openreview_id(url)}
    for name, scheme, read in (
        ("arxiv_id", "arxiv", arxiv_id),
        ("doi", "doi", doi),
        ("openreview_id", "openreview", _forum),
    ):
        stated = record.get(name)
        if stated in (None, ""):
            continue
        value = read(_repaired(stated))
        # arXiv's own DOIs are arXiv ids.
        own = arxiv_id(_repaired(stated)) if scheme == "doi" else None
        if not value and not own:
            raise RefusedError(f"has {name} {str(stated)[:80]!r}, which is none")
        found |= {scheme: value} if value else {"arxiv": found["arxiv"] or own}
    return Identifiers(**found)


def _forum(stated: str) -> str | None:
    """Return the forum id that stands alone or in a link."""
    return stated if _FORUM.fullmatch(stated) else openreview_id(stated)


def _page_of(ids: Identifiers) -> str:
    """Return the abstract page of a strong id; "" if there is none."""
    if ids.arxiv:
        return f"https://arxiv.org/abs/{ids.arxiv}"
    if ids.doi:
        return f"https://doi.org/{quote(ids.doi)}"
    return ""


def _names(value: object, read: _Read) -> tuple[str, ...]:
    """Return the texts of a list, or the names of its objects; without those that are empty."""
    if not isinstance(value, list):
        return ()
    named = (each.get("name") if isinstance(each, dict) else each for each in value)
    return tuple(filter(None, map(read, named)))


def _repaired(value: object) -> str:
    return collapse(repair_mojibake(value)) if isinstance(value, str) else ""


def _stored(value: object) -> str:
    """Return a text as it was kept: collapsing changes nothing about it a second time."""
    return collapse(value) if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT_LIMIT
    return value if isinstance(value, int) and known else None


def _day(value: object) -> date | None:
    """Return the day of "2023-05-04" or "2023-05-04T17:59:36Z"; None for anything else, and for no day."""
    found = _ISO_DAY.match(value.strip()) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _mail_day(value: object) -> date | None:
    """Return the day of "Wed, 1 Mar 2023 19:00:02 GMT", as arXiv's mails write it."""
    try:
        return parsedate_to_datetime(value).date() if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _instant(value: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        return instant and (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
