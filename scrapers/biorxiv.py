"""bioRxiv and medRxiv: what was posted on a day, by the API that serves both (api.biorxiv.org; sources.md section 4).

A day, or a category of it → pages of records → papers. A page tells where it begins, how many records it holds and how
many there are; the next begins where it ends, by its own count, because the page size has changed before and a wrong
step skips records in silence (section 5, row 27). A record is one version of a preprint: of several, the newest is
kept, and a preprint whose first version is not among them is no news.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import parse_qs, quote, urlsplit

from domain.errors import Blocked, LayoutChanged, Throttled
from domain.papers import FetchStatus, ListedPaper, Listing, PageRequest
from scrapers.biorxiv_record import count_in, read_record, text_in
from scrapers.rejects import rejects_note
from scrapers.source import Calendar, Page, Visit, courtesy

API = "https://api.biorxiv.org"
LABELS = {"biorxiv": "bioRxiv", "medrxiv": "medRxiv"}
PACE = 1.0  # seconds; the API names no limit

_CALENDAR = Calendar(zone="America/New_York", still_filling=3, look_back=90, first_load=14)
_SMALLEST_PAGE = 30  # records (section 5, row 27); a page that holds fewer is the last
_UNKNOWN_REST = ", so the rest is not known"
_HEAD = 65_536  # characters in which an answer shows what it is
_COLLECTION = re.compile(r"\"collection\"\s*:\s*\[\s*(?:\{|\])")
_PREPRINT = re.compile(r"\"doi\"\s*:\s*\"10\.|\"status\"\s*:\s*\"no (?:posts|articles) found")
_ADDRESS = re.compile(r"/details/[a-z]{1,20}/[0-9-]{10}/[0-9-]{10}/([0-9]{1,9})(?:/json)?/?")


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
        listing = _of_categories(listing, self._asked_for(address.query))
        first = answer.cursor if answer.cursor is not None else int(asked[1]) if asked else 0
        if asked and first != int(asked[1]):
            return _partial(listing, f"the answer begins at record {first}, not at {asked[1]} as asked{_UNKNOWN_REST}")
        if not answer.records:
            return listing
        after = first + max(answer.count or 0, len(answer.records))
        if answer.total is None and len(answer.records) < _SMALLEST_PAGE:
            return listing
        if answer.total is None:
            return _partial(listing, f"the answer does not say how many records there are{_UNKNOWN_REST}")
        if after > answer.total:
            return _partial(listing, f"the answer declares {answer.total} records and goes to {after}{_UNKNOWN_REST}")
        rest = self._request(visit.day, after, address.query) if after < answer.total else None
        return replace(listing, next=rest)

    def _asked_for(self, query: str) -> frozenset[str]:
        """Return the names of the categories that an answer may be of; none where all are wanted."""
        return frozenset(map(_name, parse_qs(query).get("category", self.categories) if self.categories else ()))

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
        status=text_in(message.get("status")).lower(),
        cursor=count_in(message.get("cursor")),
        count=count_in(message.get("count")),
        total=count_in(message.get("total")),
    )


def _listing(answer: _Answer, *, source: str, day: date, visited: date, server: str) -> Listing:
    records = answer.records
    if not records:
        _check_empty(answer)
        return Listing(source=source, day=day, papers=(), status=FetchStatus.OK_EMPTY, declared=0)
    read = [read_record(record, server=server, visited=visited) for record in records]
    rejected = read.count(None)
    left_out = rejects_note(rejected, len(records), records="records", identifier="DOI")
    notes = []
    if answer.count is not None and len(records) < answer.count:
        notes.append(f"the answer declares {answer.count} records and holds {len(records)}")
    if left_out:
        notes.append(left_out)
    return Listing(
        source=source,
        day=day,
        papers=_newest(paper for paper in read if paper),
        status=FetchStatus.PARTIAL if notes else FetchStatus.OK,
        declared=answer.count,
        rejected=rejected,
        note="; ".join(notes),
    )


def _partial(listing: Listing, note: str) -> Listing:
    return replace(listing, status=FetchStatus.PARTIAL, note="; ".join(filter(None, [listing.note, note])))


def _of_categories(listing: Listing, wanted: frozenset[str]) -> Listing:
    """Return a listing without the papers of other categories, which a note tells; one that names none stays."""
    own = [paper for paper in listing.papers if not wanted or not paper.categories or _is_of(paper, wanted)]
    others = len(listing.papers) - len(own)
    if not others:
        return listing
    note = f"{others} of {len(listing.papers)} papers are of categories that were not asked for and were left out"
    return replace(
        listing,
        papers=tuple(replace(paper, rank=rank) for rank, paper in enumerate(own, start=1)),
        status=FetchStatus.OK_EMPTY if not own and listing.status is FetchStatus.OK else listing.status,
        note="; ".join(filter(None, [listing.note, note])),
    )


def _is_of(paper: ListedPaper, wanted: frozenset[str]) -> bool:
    return any(_name(category) in wanted for category in paper.categories)


def _name(category: str) -> str:
    """Return a category by which "HIV/AIDS", "hiv_aids" and "hiv aids" are one."""
    return re.sub(r"[\W_]+", " ", category).strip().lower()


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
