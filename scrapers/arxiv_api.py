"""arXiv's search as a source: what its query API finds for a query, the newest first (sources.md 3.3).

A search has no days: its one listing is of the day of the visit, and what the archive has not seen is new. The first
slice is asked for; each answer names the next by its own counts, until the results end, 30,000 are reached, or a paper
is older than what was read before. Results change once a day, at midnight in New York.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from domain.errors import PermanentCollectError
from domain.papers import Identifiers, Listing, PageRequest
from scrapers.arxiv import ACCEPT_FEED, FEED_PACE, is_throttled, roots
from scrapers.arxiv_api_page import FARTHEST, KIND, looks_like_answer, read_answer, read_slice
from scrapers.arxiv_query import query_error, search_query
from scrapers.source import Calendar, Page, Visit
from scrapers.text import web_address
from scrapers.xml import text_of

# Reading and queries have modules of their own; these are the parts of them that others want of this source.
__all__ = ["ApiSource", "looks_like_answer", "query_error", "read_answer"]

_UNDATED = Calendar(is_dated=False)
_SLICE = 100  # results; arXiv asks for small ones (User's Manual, 3.1.1.2)
_REFUSED = 400  # the status of some errors


@dataclass(frozen=True, slots=True)
class ApiSource:
    """What arXiv finds for a query, in some categories: GET {url}/api/query?search_query={query}, the newest first."""

    name: str
    url: str  #: the site's root, without a slash at its end
    query: str  #: "" for every paper of the categories; how it is asked: scrapers.arxiv_query
    categories: tuple[str, ...]  #: none for all
    every: timedelta
    kind: str = KIND
    calendar: Calendar = _UNDATED

    @property
    def label(self) -> str:
        """What readers call it."""
        within = ", ".join(self.categories)
        return (
            f"arXiv search: {self.query} in {within}"
            if self.query and within
            else f"arXiv search: {self.query or within}"
        )

    def requests(self, visit: Visit) -> Iterable[PageRequest]:  # noqa: ARG002 - the search is the same on every day
        """Name the first slice."""
        return (self._slice(0),)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the answer about one paper; None without an arXiv id."""
        return self._request({"id_list": ids.arxiv, "start": 0, "max_results": 1}) if ids.arxiv else None

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read an answer, of which the address says what was asked; raises as read_slice does.

        The next slice begins behind this one, whatever number the answer gives itself, so none is asked for twice.
        """
        text = text_of(page)
        if page.status == _REFUSED and not is_throttled(text) and not looks_like_answer(text):
            raise PermanentCollectError("arXiv refuses the query and gives no reason")
        address = parse_qs(urlsplit(page.url).query[:4_000]) if web_address(page.url) else {}
        if "id_list" in address:
            return read_answer(text, source=self.name, day=visit.day)
        found = read_slice(
            text,
            source=self.name,
            day=visit.day,
            since=visit.since,
            asked=search_query(self.query, self.categories),
            start=_number(address.get("start", ["0"])[-1]),
        )
        following = None if found.following is None else self._slice(found.following)
        return replace(found.listing, next=following)

    def _slice(self, start: int) -> PageRequest:
        return self._request(
            {
                "search_query": search_query(self.query, self.categories),
                "start": start,
                "max_results": min(_SLICE, FARTHEST - start),
                "sortBy": "submittedDate",
                "sortOrder": "descending",
            }
        )

    def _request(self, parameters: dict[str, str | int]) -> PageRequest:
        return PageRequest(
            f"{roots(self.url).api}/api/query?{urlencode(parameters)}",
            accept=ACCEPT_FEED,
            pace=FEED_PACE,
            is_page=False,
            reads=frozenset({_REFUSED}),
        )


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 0
