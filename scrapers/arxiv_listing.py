"""arXiv as a source: the announcements of a day in some categories, from the pages made for people.

The newest day is read from the list page of each category, an earlier one from the catch-up page of that day. Where a
catch-up page cannot be had, the list of new papers is asked instead: it says which day it is of, and whoever asked
judges whether that helps. The same source reads the page of a single paper, for what a list leaves out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from domain.errors import Blocked, CollectError, PermanentCollectError
from domain.papers import Announcement, Identifiers, Listing, PageRequest
from scrapers.arxiv import ANNOUNCED, LISTINGS, abstract_request, catchup_request, list_request, roots
from scrapers.arxiv_abstract import looks_like_abstract, read_abstract
from scrapers.arxiv_list_page import looks_like_list, read_list
from scrapers.source import Calendar, Page, Visit
from scrapers.text import web_address

#: The kind of a source that is configured so.
LISTING = "arxiv-listing"


@dataclass(frozen=True, slots=True)
class ListingSource:
    """What arXiv announces in some categories: GET {url}/list/{category}/{pages}, and /catchup for past days."""

    name: str
    url: str  #: the site's root, without a slash at its end
    categories: tuple[str, ...]  #: such as "cs.CL", or a whole archive such as "cs"
    every: timedelta
    announce: frozenset[Announcement] = ANNOUNCED  #: what is news; the rest only tells more of known papers
    pages: str = "new"  #: which list is read for the newest day: "new", "recent" or "pastweek"
    kind: str = LISTING
    calendar: Calendar = LISTINGS

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"arXiv {', '.join(self.categories)}"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name one page for each category: its list for the newest day, its catch-up for an earlier one."""
        root = roots(self.url).pages
        if visit.day == visit.newest:
            return tuple(list_request(root, category, self.pages) for category in self.categories)
        return tuple(catchup_request(root, category, visit.day) for category in self.categories)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the lists of new papers where a catch-up page could not be had.

        None after Blocked: who is refused does not ask elsewhere.
        """
        is_lost = isinstance(seen, PermanentCollectError) and not isinstance(seen, Blocked)
        if visit.day == visit.newest or not is_lost:
            return ()
        root = roots(self.url).pages
        return tuple(list_request(root, category) for category in self.categories)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None without an arXiv id."""
        return abstract_request(roots(self.url).pages, ids.arxiv) if ids.arxiv else None

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a list, a catch-up or a single paper's page: which it is, the page itself says.

        The listing's day is the page's own, also where that is earlier than the one that was asked for.
        """
        text = page.text()
        visited = max(visit.day, page.fetched_at.date())
        if looks_like_abstract(text) and not looks_like_list(text):
            return read_abstract(text, source=self.name, day=visit.day, visited=visited)
        return read_list(
            text,
            source=self.name,
            day=visit.day,
            visited=visited,
            announce=self.announce,
            url=page.url,
            category=_category(page.url),
        )


def _category(url: str) -> str:
    """Return the category in the address of a list or catch-up page; "" for another address."""
    parts = urlsplit(url).path.split("/") if web_address(url) else []
    at = next((at for at, part in enumerate(parts[:-1]) if part in {"list", "catchup"}), None)
    return "" if at is None else unquote(parts[at + 1])
