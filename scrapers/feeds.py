"""A feed of anyone as a source: RSS, RDF, Atom or JSON Feed, by its address.

A feed has no days: it lists what is new since a while, so each visit reads it whole, and what the archive has not seen
is news. What it is is told by its beginning, never by its Content-Type, which is often wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from domain.papers import Listing, PageRequest
from scrapers.feed_page import read_feed
from scrapers.feed_shape import decoded
from scrapers.json_feed import looks_like_json_feed, read_json_feed
from scrapers.source import Calendar, Page, Visit, courtesy

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1"
)
PACE = 1.0  # seconds between two requests to a site that asks for nothing
_NO_DAYS = Calendar(is_dated=False)


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What one feed lists: GET {url}."""

    name: str
    url: str  #: the feed's own address, with its query
    every: timedelta
    kind: str = "feed"
    calendar: Calendar = _NO_DAYS

    @property
    def label(self) -> str:
        """What readers call it: the name that the operator gave it."""
        return self.name

    def requests(self, visit: Visit) -> Iterable[PageRequest]:  # noqa: ARG002 - a feed is the same for every day
        """Name the feed."""
        return (PageRequest(self.url, accept=ACCEPT, pace=courtesy(self.url, PACE)),)

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read the feed; its listing is of the day of the visit.

        Raises:
            Throttled: the answer asks for patience in words.
            Blocked: a web page that asks for a password.
            LayoutChanged: any other web page, which the message says, or a feed that cannot be read.

        """
        visited = max(visit.day, page.fetched_at.date())
        content_type = page.headers.get("content-type", "")
        text = decoded(page.body, content_type)
        if looks_like_json_feed(text):
            return read_json_feed(text, source=self.name, day=visit.day, visited=visited)
        return read_feed(page.body, content_type, source=self.name, day=visit.day, visited=visited, address=page.url)
