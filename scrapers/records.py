"""Bibliographic records as JSON lines: one object a line, such as an archive's or a reference manager's export.

A line is read into a paper or refused with a sentence; papers are gathered by listing day in blocks, so that a file of
any length needs the memory of one block; each block leaves as listings. What was refused is told by the last listing.

Fields: title; abstract; authors (names, or objects with a name); author_count; arxiv_id, doi, openreview_id, url;
published and listed (ISO dates); first_seen (ISO instant, UTC unless it says otherwise); and upvotes, comments,
categories, code_url or github, pdf_url. Only the title must be there. Unknown fields are ignored, and so are dates that
cannot be read or that no listing can have. A strong id that cannot be read refuses the line: without it the paper would
be kept twice.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from domain.errors import PermanentCollectError
from domain.identifiers import arxiv_id, doi, openreview_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.text import collapse, plausible_day, repair_mojibake, web_address

SOURCE = "records"
LONGEST_LINE = 2**20  # bytes; 3,300 authors need 0.1 of it

_PER_LISTING = 500  # papers; storage adds a listing in one transaction
_PER_BLOCK = 5_000  # papers held before listings leave
_LONGEST_TITLE = 1_000  # characters; a record above it is some other text
_COUNT_LIMIT = 2**31
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_FORUM = re.compile(r"[A-Za-z0-9_-]{6,64}")


class _RefusedError(Exception):
    """Why a line is no record; its text ends a sentence that begins with the line's number."""


@dataclass(slots=True)
class _Block:
    """Papers on their way out, by listing day."""

    backlog: bool
    held: dict[date, list[ListedPaper]] = field(default_factory=dict)
    ranks: Counter[date] = field(default_factory=Counter)
    size: int = 0

    def take(self, day: date, paper: ListedPaper) -> None:
        self.ranks[day] += 1
        self.held.setdefault(day, []).append(replace(paper, rank=self.ranks[day]))
        self.size += 1

    def leave(self) -> Iterator[Listing]:
        for day, papers in self.held.items():
            for start in range(0, len(papers), _PER_LISTING):
                part = tuple(papers[start : start + _PER_LISTING])
                yield Listing(source=SOURCE, day=day, papers=part, status=FetchStatus.OK, backlog=self.backlog)
        self.held, self.size = {}, 0


@dataclass(slots=True)
class _Tally:
    """What became of the lines that are not blank."""

    read: int = 0
    refused: int = 0
    first: str = ""  #: why the first was refused

    def note(self) -> str:
        were = "was" if self.refused == 1 else "were"
        return f"{self.refused} of {self.read} lines {were} skipped: {self.first}"


def looks_like_records(head: str) -> bool:
    """Whether a text begins as a JSON object does."""
    return head.lstrip().startswith("{")


def read_json_lines(lines: Iterable[bytes], *, day: date, backlog: bool = True) -> Iterator[Listing]:
    """Read records, each on the listing day it names, else on `day`; listings of at most 500 papers, lazily.

    A bad line is skipped: then the last listing is `partial`, and its note tells how many and why the first.
    Raises PermanentCollectError, naming the first line, if no line is a record; nothing was yielded then.
    """
    tally = _Tally()
    last: Listing | None = None  # held back, because it carries the note
    for listing in _listings(lines, tally, day=day, backlog=backlog):
        if last:
            yield last
        last = listing
    if last is None:
        raise PermanentCollectError(
            f"no line is a record: {tally.first}" if tally.first else "there is no record in it"
        )
    yield replace(last, status=FetchStatus.PARTIAL, note=tally.note()) if tally.refused else last


def _listings(lines: Iterable[bytes], tally: _Tally, *, day: date, backlog: bool) -> Iterator[Listing]:
    block = _Block(backlog)
    for number, line in enumerate(lines, start=1):
        if not line.strip(b" \t\r\n\0\xef\xbb\xbf"):
            continue
        tally.read += 1
        try:
            listed, paper = _record(line, day)
        except _RefusedError as reason:
            tally.refused += 1
            tally.first = tally.first or f"line {number} {reason}"
            continue
        block.take(listed, paper)
        if block.size >= _PER_BLOCK:
            yield from block.leave()
    yield from block.leave()


def _record(line: bytes, visited: date) -> tuple[date, ListedPaper]:
    """Return the listing day of a line, and its paper; raises _RefusedError.

    The day is the one it names, else that of its first_seen, else `visited`.
    """
    record = _object(line)
    title = _text(record.get("title"))
    if not title:
        raise _RefusedError("has no title")
    if len(title) > _LONGEST_TITLE:
        raise _RefusedError(f"has a title of {len(title)} characters")
    abstract = _text(record.get("abstract"))
    names = record.get("authors")
    authors = tuple(filter(None, map(_name, names))) if isinstance(names, list) else ()
    ids = _ids(record)
    first_seen = _instant(record.get("first_seen"))
    if first_seen and not plausible_day(first_seen.date(), visited):
        first_seen = None
    paper = ListedPaper(
        title=title,
        rank=1,
        ids=ids,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=max(_count(record.get("author_count")) or 0, len(authors)),
        published=_day(record.get("published")) or _mail_day(record.get("submitted")),
        url=web_address(record.get("url")) or _page_of(ids),
        pdf_url=web_address(record.get("pdf_url")),
        code_url=web_address(record.get("code_url")) or web_address(record.get("github")),
        categories=_categories(record.get("categories")),
        upvotes=_count(record.get("upvotes")),
        comments=_count(record.get("comments")),
        first_seen=first_seen,
    )
    listed = plausible_day(_day(record.get("listed")), visited)
    return listed or (first_seen.date() if first_seen else visited), paper


def _object(line: bytes) -> Mapping[str, object]:
    if len(line) > LONGEST_LINE:
        raise _RefusedError(f"is longer than {LONGEST_LINE:,} bytes")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _RefusedError("is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _RefusedError("is not JSON") from error
    if not isinstance(record, dict):
        raise _RefusedError("is not a JSON object")
    return record


def _ids(record: Mapping[str, object]) -> Identifiers:
    """Return the ids that the record states, else those of its address."""
    url = _text(record.get("url"))
    found: dict[str, str | None] = {"arxiv": arxiv_id(url), "doi": doi(url), "openreview": openreview_id(url)}
    for name, scheme, read in (
        ("arxiv_id", "arxiv", arxiv_id),
        ("doi", "doi", doi),
        ("openreview_id", "openreview", _forum),
    ):
        stated = record.get(name)
        if stated in (None, ""):
            continue
        value = read(_text(stated))
        # arXiv's own DOIs are arXiv ids.
        own = arxiv_id(_text(stated)) if scheme == "doi" else None
        if not value and not own:
            raise _RefusedError(f"has {name} {str(stated)[:80]!r}, which is none")
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


def _name(author: object) -> str:
    return _text(author.get("name") if isinstance(author, dict) else author)


def _categories(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def _text(value: object) -> str:
    return collapse(repair_mojibake(value)) if isinstance(value, str) else ""


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
