"""bioRxiv and medRxiv: what was posted on a day, by the API that serves both (api.biorxiv.org; sources.md section 4).

A day, or a category of it → pages of records → papers. A page tells where it begins, how many records it holds and how
many there are; the next begins where it ends, by its own count, because the page size has changed before and a wrong
step skips records in silence (section 5, row 27). A record is one version of a preprint: of several, the newest is
kept, and a preprint whose first version is not among them is no news.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import quote, urlsplit

from domain.errors import Blocked, LayoutChanged, Throttled
from domain.identity import doi
from domain.papers import (
    AbstractKind,
    Announcement,
    FetchStatus,
    Identifiers,
    ListedPaper,
    Listing,
    PageRequest,
)
from scrapers.feed_people import turned
from scrapers.feed_text import plain_text, without_figures, without_label
from scrapers.source import Calendar, Page, Visit, courtesy
from scrapers.text import collapse, plausible_day

API = "https://api.biorxiv.org"
LABELS = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
PACE = 1.0  # seconds; the API names no limit

_CALENDAR = Calendar(zone="America/New_York", still_filling=3, look_back=90, first_load=14)
_REJECTS_SHARE = 0.05  # of the records; above it the layout is not the one we know
_LIMIT = 2**31  # counts beyond it are damage
_HEAD = 65_536  # characters in which an answer shows what it is
_COLLECTION = re.compile(r"\"collection\"\s*:\s*\[\s*(?:\{|\])")
_PREPRINT = re.compile(r"\"doi\"\s*:\s*\"10\.|\"status\"\s*:\s*\"no (?:posts|articles) found")
_ADDRESS = re.compile(r"/details/[a-z]{1,20}/[0-9-]{10}/[0-9-]{10}/([0-9]{1,9})(?:/json)?/?")
_WITHDRAWN = re.compile(
    r"\bthis (?:manuscript|article|preprint|paper) (?:has been|was|is) withdrawn\b|"
    r"\bauthors? (?:have|has) withdrawn (?:this|their|the) (?:manuscript|article|preprint|paper)\b",
    re.IGNORECASE,
)
_OPENING = 400  # characters of an abstract in which a withdrawal is told


@dataclass(frozen=True, slots=True)
class BiorxivSource:
    """What was posted on one day: GET {url}/details/{server}/{day}/{day}/{first record}/json."""

    name: str
    url: str  #: the API's root, without a slash at its end
    server: str  #: "biorxiv" or "medrxiv"
    categories: tuple[str, ...]  #: as the site calls them; none for all
    every: timedelta
    calendar: Calendar = _CALENDAR

    @property
    def kind(self) -> str:
        """The server's own word."""
        return self.server

    @property
    def label(self) -> str:
        """What readers call it."""
        name = LABELS.get(self.server, self.server)
        return f"{name}: {', '.join(self.categories)}" if self.categories else name

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the first page of the day, one for each category."""
        queries = [f"category={quote(_parameter(category))}" for category in self.categories]
        return tuple(self._request(visit.day, 0, query) for query in queries or [""])

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a page of the day's records.

        Raises:
            Blocked: a page for people instead of the API's answer.
            Throttled: the answer asks for patience in words.
            LayoutChanged: no whole answer of the API, or one that contradicts itself.

        """
        visited = max(visit.day, page.fetched_at.date())
        answer = _answer(page.text())
        listing = _listing(answer, source=self.name, day=visit.day, visited=visited, server=self.server)
        address = urlsplit(page.url)
        asked = _ADDRESS.search(address.path)
        first = answer.cursor if answer.cursor is not None else int(asked[1]) if asked else 0
        if asked and first != int(asked[1]):
            note = f"the answer begins at record {first}, not at {asked[1]} as asked, so the rest is not known"
            return replace(listing, status=FetchStatus.PARTIAL, note="; ".join(filter(None, [listing.note, note])))
        after = first + (answer.count or len(answer.records))
        if not answer.records or after >= (answer.total or 0):
            return listing
        return replace(listing, next=self._request(visit.day, after, address.query))

    def _request(self, day: date, first: int, query: str) -> PageRequest:
        address = f"{self.url}/details/{self.server}/{day}/{day}/{first}/json{f'?{query}' if query else ''}"
        return PageRequest(address, accept="application/json", pace=courtesy(self.url, PACE), is_page=False)


def looks_like_answer(text: str) -> bool:
    """Whether a text is JSON that begins as the API's answers do."""
    head = text[:_HEAD]
    return head.lstrip("\ufeff \t\r\n").startswith("{") and bool(_COLLECTION.search(text) and _PREPRINT.search(head))


def read_answer(text: str, *, source: str, day: date, visited: date) -> Listing:
    """Read a saved answer of the API; its listing is of `day`, and nothing is published after `visited`.

    Raises as BiorxivSource.parse does.
    """
    return _listing(_answer(text), source=source, day=day, visited=visited, server="biorxiv")


def _parameter(category: str) -> str:
    """Return a category as the API takes it: "Cell Biology" is cell_biology."""
    return re.sub(r"[\s_-]+", "_", category.strip().lower())


# -- the answer --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an answer says of itself."""

    records: list[object]
    status: str  #: "ok", "no posts found", …; "" where it does not say
    cursor: int | None  #: where it begins
    count: int | None  #: how many records it holds
    total: int | None  #: how many there are, each version counted


def _answer(text: str) -> _Answer:
    opening = text[:200].strip().lower()
    if opening.startswith(("rate exceeded", "too many requests")):
        raise Throttled("the host asks for patience in words")
    if opening.startswith("<"):
        raise Blocked("the API answers with a page for people")
    try:
        said = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise LayoutChanged("the answer is not whole JSON, so nothing of it is kept") from error
    records = said.get("collection") if isinstance(said, dict) else None
    if not isinstance(records, list):
        raise LayoutChanged("the answer has no list named collection")
    messages = said.get("messages")
    message = messages[0] if isinstance(messages, list) and messages else {}
    message = message if isinstance(message, dict) else {}
    return _Answer(
        records=records,
        status=_text(message.get("status")).lower(),
        cursor=_count(message.get("cursor")),
        count=_count(message.get("count")),
        total=_count(message.get("total")),
    )


def _listing(answer: _Answer, *, source: str, day: date, visited: date, server: str) -> Listing:
    records = answer.records
    if not records:
        _check_empty(answer)
        return Listing(source=source, day=day, papers=(), status=FetchStatus.OK_EMPTY, declared=0)
    read = [_paper(record, server=server, visited=visited) for record in records]
    rejected = read.count(None)
    # One bad record does not cost a short day; a page of nothing but bad records is not ours.
    if rejected > max(1, len(records) * _REJECTS_SHARE) or rejected == len(records):
        raise LayoutChanged(f"{rejected} of {len(records)} records have no DOI or no title")
    notes = []
    if answer.count is not None and len(records) < answer.count:
        notes.append(f"the answer declares {answer.count} records and holds {len(records)}")
    if rejected:
        notes.append(f"{rejected} of {len(records)} records had no DOI or no title and were left out")
    return Listing(
        source=source,
        day=day,
        papers=_newest(paper for paper in read if paper),
        status=FetchStatus.PARTIAL if notes else FetchStatus.OK,
        declared=answer.count,
        rejected=rejected,
        note="; ".join(notes),
    )


def _check_empty(answer: _Answer) -> None:
    """Raise LayoutChanged for an answer without records that does not say that there are none."""
    if answer.status.startswith("no ") and answer.status.endswith(" found"):
        return
    if answer.status != "ok":
        raise LayoutChanged(f"the answer holds no records and says {answer.status[:100]!r} of them")
    if answer.count or (answer.total or 0) > (answer.cursor or 0):
        raise LayoutChanged("the answer declares records and holds none")


def _newest(papers: Iterable[ListedPaper]) -> tuple[ListedPaper, ...]:
    """Return each preprint once, in its newest version; it is news if its first version is among them."""
    newest: dict[str | None, ListedPaper] = {}
    for paper in papers:
        known = newest.setdefault(paper.ids.doi, paper)
        if known is not paper:
            newer = max(known, paper, key=lambda each: each.version or 1)
            first = min(known, paper, key=lambda each: each.only_if_known)
            newest[paper.ids.doi] = replace(
                newer,
                announcement=first.announcement,
                only_if_known=first.only_if_known,
                published=known.published or paper.published,
            )
    return tuple(replace(paper, rank=rank) for rank, paper in enumerate(newest.values(), start=1))


# -- a record ----------------------------------------------------------------------------------------------------------


def _paper(record: object, *, server: str, visited: date) -> ListedPaper | None:
    if not isinstance(record, dict):
        return None
    # JSON can escape what cannot be stored, such as half of a character.
    identifier, title = doi(collapse(_text(record.get("doi")))), plain_text(_text(record.get("title")))
    if identifier is None or not title:
        return None
    abstract = without_label(without_figures(plain_text(_text(record.get("abstract")))))
    abstract = "" if abstract.upper() in {"NA", "N/A", "NONE"} else abstract
    authors = _authors(_text(record.get("authors")))
    version = _count(record.get("version")) or None
    is_first = version is None or version == 1
    address = _address(identifier, version or 1, _text(record.get("server")).lower() or server)
    category = plain_text(_text(record.get("category")))
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
    return tuple(dict.fromkeys(filter(None, names)))


def _address(identifier: str, version: int, server: str) -> str:
    host = "www.medrxiv.org" if server == "medrxiv" else "www.biorxiv.org"
    return f"https://{host}/content/{quote(identifier)}v{version}"


def _journal(record: Mapping[str, object], own: str) -> str:
    """Return the DOI of the journal article; "" where the record says "NA" or names the preprint itself."""
    published = doi(collapse(_text(record.get("published"))))
    return published if published and published != own else ""


def _is_withdrawn(record: Mapping[str, object], title: str, abstract: str) -> bool:
    """Whether the record says so in its type, in capitals, or in the words that the site puts before the abstract.

    A study from which patients were withdrawn is another matter.
    """
    opening = abstract[:_OPENING]
    if "withdrawn" in _text(record.get("type")).lower() or "WITHDRAWN" in f"{title} {opening}":
        return True
    return title.lower().startswith("withdrawn:") or _WITHDRAWN.search(opening) is not None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None


def _count(value: object) -> int | None:
    """Return a count that is a number, or is written as one."""
    if isinstance(value, str) and value.isascii() and value.strip().isdigit() and len(value) < 12:
        value = int(value)
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LIMIT
    return value if isinstance(value, int) and known else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
