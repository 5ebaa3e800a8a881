"""Hugging Face papers as sources: of a day, a week or a month, what is trending, and what a search finds.

The pages are asked for at the pace that anonymous visitors have (100 in five minutes, sources.md 1.4). Where a page has
changed its layout, the same list is asked of the API; what a list leaves out, the page of a paper tells. What came is
read by what it is: an answer of the API, a paper's page, or a list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote_plus

from domain.errors import CollectError, LayoutChanged
from domain.papers import FetchStatus, Identifiers, Listing, PageRequest
from scrapers.huggingface_api import read_answer
from scrapers.huggingface_kinds import DAILY, MONTH, PAPER, SEARCH, TRENDING, WEEK, slot_of
from scrapers.huggingface_page import read_page, refuse_throttling
from scrapers.huggingface_paper import read_paper_page
from scrapers.source import Calendar, Page, Visit, courtesy

_PAGE_PACE, _API_PACE = 3.0, 1.0  # seconds; 100 pages and 500 answers in five minutes (sources.md 1.4)
_ANSWER_LIMIT, _SEARCH_LIMIT = 100, 120  # papers of one answer; what the API allows
_MOST_ANSWERS = 10  # of one list, whose largest month known has 535 papers
_DAYS = Calendar(usual=frozenset(range(5)))  # Monday to Friday, with rare Sundays (sources.md 1.5)
_NO_DAYS = Calendar(is_dated=False)
_OF_A_PAPER = re.compile(r"/papers/[0-9]{4}\.[0-9]{4,5}(?:v[0-9]+)?/?(?:[?#]|$)")
_ANSWER = re.compile(r"/api/daily_papers\?(?:[^#]*&)?p=([0-9]{1,4})(?:[&#]|$)")
_IDENTIFIER = re.compile(r"[0-9]{4}\.[0-9]{4,5}")  # the site knows no older style
_SLOTS = {DAILY: "date", WEEK: "week", MONTH: "month"}


@dataclass(frozen=True, slots=True)
class DailySource:
    """The papers listed on one day: GET {url}/papers/date/{day}."""

    name: str
    url: str  #: the site's root, without a slash at its end
    every: timedelta
    kind: str = DAILY
    label: str = "Hugging Face Daily Papers"
    calendar: Calendar = _DAYS

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the one page of the day; a day that is not published yet answers with the last one that is."""
        return (_page(f"{self.url}/papers/date/{visit.day.isoformat()}"),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read the day's page, an answer of the API, or a paper's page.

        The listing's day is the one that the page names (it clamps, sources.md 1.1), and the note says where that is
        not the one asked for. The page cannot be of a day after it was fetched, whatever day was asked for.
        """
        return _parse_pages(self, page, visit)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the API's answer for the day where the page has changed its layout, or has only cards."""
        return (_answer(self, visit),) if _is_poor(seen) else ()

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None for a paper without an arXiv id of the style since 2007."""
        return _paper_page(self.url, ids)


@dataclass(frozen=True, slots=True)
class PeriodSource:
    """The papers of the week or the month of the visit, up to 105: GET {url}/papers/week/2026-W10 or /month/2026-03.

    Each paper keeps the day on which it was listed.
    """

    name: str
    url: str  #: the site's root, without a slash at its end
    every: timedelta
    kind: str  #: WEEK or MONTH
    calendar: Calendar = _NO_DAYS

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"Hugging Face papers of the {_SLOTS[self.kind]}"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the one page; a week or month that has no paper yet answers with the last one that has."""
        return (_page(f"{self.url}/papers/{_SLOTS[self.kind]}/{slot_of(self.kind, visit.day)}"),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read the page, an answer of the API, or a paper's page; the note says where the page is of another period."""
        return _parse_pages(self, page, visit)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the API's first answer for the period where the page has changed its layout, or has only cards."""
        return (_answer(self, visit),) if _is_poor(seen) else ()

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None for a paper without an arXiv id of the style since 2007."""
        return _paper_page(self.url, ids)


@dataclass(frozen=True, slots=True)
class TrendingSource:
    """What is read most, up to 50 papers of any year: GET {url}/papers/trending."""

    name: str
    url: str  #: the site's root, without a slash at its end
    every: timedelta
    kind: str = TRENDING
    label: str = "Hugging Face trending papers"
    calendar: Calendar = _NO_DAYS

    def requests(self, visit: Visit) -> Iterable[PageRequest]:  # noqa: ARG002 - the page is the same for every visit
        """Name the one page."""
        return (_page(f"{self.url}/papers/trending"),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read the page, or a paper's page; it has no day of its own, so the listing's day is the visit's."""
        return _parse(self.name, self.kind, page, visit)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None for a paper without an arXiv id of the style since 2007."""
        return _paper_page(self.url, ids)


@dataclass(frozen=True, slots=True)
class SearchSource:
    """What the site finds for a query, up to 120 papers of any year: GET {url}/papers?q={query}."""

    name: str
    url: str  #: the site's root, without a slash at its end
    query: str
    every: timedelta
    kind: str = SEARCH
    calendar: Calendar = _NO_DAYS

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"Hugging Face search: {self.query}"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:  # noqa: ARG002 - a search page is the same for every visit
        """Name the one result page."""
        return (_page(f"{self.url}/papers?q={quote_plus(self.query)}"),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a result page, an answer of the API, or a paper's page; the listing's day is the visit's."""
        return _parse(self.name, self.kind, page, visit)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:  # noqa: ARG002 - the answer is the same for every visit
        """Name the API's answer to the query where the page has changed its layout, or has only cards."""
        if not _is_poor(seen):
            return ()
        query = quote_plus(self.query)
        return (_request_answer(self.url, f"/api/papers/search?q={query}&limit={_SEARCH_LIMIT}"),)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None for a paper without an arXiv id of the style since 2007."""
        return _paper_page(self.url, ids)


def _is_poor(seen: Listing | CollectError) -> bool:
    """Whether the API has more to tell: the page was not understood, or read from cards, which name no authors."""
    if isinstance(seen, Listing):
        return seen.status is FetchStatus.PARTIAL and not any(paper.authors for paper in seen.papers)
    return isinstance(seen, LayoutChanged)


# -- the requests ------------------------------------------------------------------------------------------------------


def _page(url: str) -> PageRequest:
    return PageRequest(url, pace=courtesy(url, _PAGE_PACE))


def _paper_page(url: str, ids: Identifiers) -> PageRequest | None:
    known = ids.arxiv is not None and _IDENTIFIER.fullmatch(ids.arxiv)
    return _page(f"{url}/papers/{ids.arxiv}") if known else None


def _answer(source: DailySource | PeriodSource, visit: Visit, number: int = 0) -> PageRequest:
    slot = slot_of(source.kind, visit.day)
    page = f"&p={number}" if number else ""
    return _request_answer(source.url, f"/api/daily_papers?{_SLOTS[source.kind]}={slot}&limit={_ANSWER_LIMIT}{page}")


def _request_answer(url: str, path: str) -> PageRequest:
    return PageRequest(f"{url}{path}", accept="application/json", pace=courtesy(url, _API_PACE), is_page=False)


# -- what came ---------------------------------------------------------------------------------------------------------


def _parse_pages(source: DailySource | PeriodSource, page: Page, visit: Visit) -> Listing:
    """Read what came; an answer of the API goes on until one is empty, since a short one need not be the last."""
    listing = _parse(source.name, source.kind, page, visit)
    if "/api/daily_papers" not in page.url or not listing.papers:
        return listing
    asked = _ANSWER.search(page.url)
    number = int(asked[1]) + 1 if asked else 1
    if number < _MOST_ANSWERS:
        return replace(listing, next=_answer(source, visit, number))
    note = f"the API has more than {_MOST_ANSWERS} answers, and the rest was not asked for"
    return replace(listing, status=FetchStatus.PARTIAL, note="; ".join(filter(None, (listing.note, note))))


def _parse(name: str, kind: str, page: Page, visit: Visit) -> Listing:
    text = page.text()
    refuse_throttling(text)
    visited = max(visit.day, page.fetched_at.date())
    is_paper = _OF_A_PAPER.search(page.url) is not None
    is_answer = text.lstrip().startswith(("[", "{"))
    if "/api/" in page.url and not is_answer:
        raise LayoutChanged("the API answered with something else than JSON")
    if is_answer:
        return read_answer(text, source=name, day=visit.day, visited=visited, kind=PAPER if is_paper else kind)
    if is_paper:
        return read_paper_page(text, source=name, day=visit.day, visited=visited)
    return read_page(text, source=name, day=visit.day, kind=kind, visited=visited, asked=visit.day)
