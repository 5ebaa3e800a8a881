"""arXiv's feeds as a source: one request a day for any number of categories (sources.md 3.2).

The newest day is the feed; it has no past, so an earlier day is read from the catch-up page of each category. Where
the feed is of no use, the pages made for people help: the list of new papers where it serves an old batch or cannot
be trusted, the catch-up where it has moved on. Whether a batch is old cannot be seen in the feed, which bears today's
date whatever it holds (Polaris issue 414): `repeats` tells it by what the archive has seen, `behind` by the list page.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from domain.errors import Blocked, CollectError, LayoutChanged, PermanentCollectError
from domain.papers import Announcement, FetchStatus, Identifiers, Listing, PageRequest
from scrapers.arxiv import ACCEPT_FEED, ANNOUNCED, FEED_PACE, FEEDS, abstract_request, list_request, roots
from scrapers.arxiv import catchup_request as catchup
from scrapers.arxiv_entries import NEW_YORK
from scrapers.arxiv_feed_page import looks_like_arxiv_feed, read_feed
from scrapers.arxiv_listing import ListingSource
from scrapers.source import Calendar, Page, Visit
from scrapers.xml import text_of

#: The kind of a source that is configured so.
FEED = "arxiv-feed"

_REPEATED_SHARE = 0.8  # of the new papers; from it on a batch is yesterday's
_FEW = 3  # new papers; of fewer, all must be known
_REFUSED = 400  # the status of an error feed
_XML = re.compile(r"\s*<(?:\?xml|rss|feed|[a-z]{1,20}:(?:rss|feed))\b")
_NUMBERED = re.compile(r"(\d{4})\.(\d{4,5})")


@dataclass(frozen=True, slots=True)
class FeedSource:
    """What arXiv announces in some categories: GET {url}/rss/{category}+{category}, and pages where that fails."""

    name: str
    url: str  #: the site's root, without a slash at its end
    categories: tuple[str, ...]  #: such as "cs.CL", or a whole archive such as "cs"
    every: timedelta
    announce: frozenset[Announcement] = ANNOUNCED  #: what is news; the rest only tells more of known papers
    kind: str = FEED
    calendar: Calendar = FEEDS

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"arXiv {', '.join(self.categories)}"

    def requests(self, visit: Visit) -> Iterable[PageRequest]:
        """Name the feed for the newest day, and one catch-up page for each category for an earlier one."""
        return (self._feed(),) if visit.day == visit.newest else self._catchups(visit)

    def alternatives(self, visit: Visit, seen: Listing | CollectError) -> Iterable[PageRequest]:
        """Name the pages that may hold the visit's day where `seen` does not.

        The lists of new papers for a feed of the newest day that is stale, incomplete, not rebuilt or not to be read;
        catch-up pages where it is of a later day, such as an empty Saturday's; the feed itself where a catch-up page
        cannot be had. None after Blocked: who is refused does not ask elsewhere. To be asked once for a visit, with
        what the first way gave: what an alternative gives has no alternative of its own.
        """
        is_newest = visit.day == visit.newest
        if isinstance(seen, Listing):
            if seen.day > visit.day:
                return self._catchups(visit)
            is_short = seen.day < visit.day or seen.status in {FetchStatus.STALE, FetchStatus.PARTIAL}
            return self._lists() if is_newest and is_short else ()
        if is_newest:
            return self._lists() if isinstance(seen, LayoutChanged) else ()
        is_lost = isinstance(seen, PermanentCollectError) and not isinstance(seen, Blocked)
        return (self._feed(),) if is_lost else ()

    def repeats(self, listing: Listing, announced_before: frozenset[str]) -> bool:
        """Whether a listing is an earlier batch under today's date, as the function of this name tells."""
        return repeats(listing, announced_before)

    def paper_request(self, ids: Identifiers) -> PageRequest | None:
        """Name the page of one paper; None without an arXiv id."""
        return abstract_request(roots(self.url).pages, ids.arxiv) if ids.arxiv else None

    def parse(self, page: Page, visit: Visit) -> Listing:
        """Read a feed, a list, a catch-up or a single paper's page: which it is, the page itself says.

        Raises as read_feed and ListingSource.parse do.
        """
        text = text_of(page)
        if looks_like_arxiv_feed(text) or _XML.match(text):
            visited = max(visit.day, page.fetched_at.astimezone(NEW_YORK).date())
            return read_feed(text, source=self.name, day=visit.day, visited=visited, announce=self.announce)
        if page.status == _REFUSED:
            raise PermanentCollectError("arXiv refuses the feed and gives no reason")
        return ListingSource(self.name, self.url, self.categories, self.every, self.announce).parse(page, visit)

    def _feed(self) -> PageRequest:
        categories = "+".join(map(quote, self.categories))
        return PageRequest(
            f"{roots(self.url).feeds}/rss/{categories}",
            accept=ACCEPT_FEED,
            pace=FEED_PACE,
            is_page=False,
            reads=frozenset({_REFUSED}),
        )

    def _catchups(self, visit: Visit) -> tuple[PageRequest, ...]:
        return tuple(catchup(roots(self.url).pages, category, visit.day) for category in self.categories)

    def _lists(self) -> tuple[PageRequest, ...]:
        return tuple(list_request(roots(self.url).pages, category) for category in self.categories)


# -- staleness ---------------------------------------------------------------------------------------------------------


def repeats(listing: Listing, sighted_before: frozenset[str]) -> bool:
    """Whether a feed serves an earlier batch under today's date, by what the archive has seen.

    `sighted_before` are the arXiv ids among the listing's NEW announcements that some listing announced as new on an
    earlier day. A paper is announced as new once, so in an honest batch there are none; in a repeated one there are
    all, but for those that were added or taken out between two builds. The batch is old where at least 80 % of its new
    papers were seen so, or all where they are fewer than three: on 12 August 2026 the feed of cs.AI ended at
    2608.09930 where the list page ended at 2608.11204, the day before's papers with no error in sight (Polaris issue
    414). Crosses and replacements do not count, since they may come again.
    """
    announced = _announced(listing)
    seen = len(announced & sighted_before)
    needed = len(announced) if len(announced) < _FEW else _REPEATED_SHARE * len(announced)
    return bool(announced) and seen >= needed


def behind(listing: Listing, page: Listing) -> bool:
    """Whether a feed lacks papers that the list page of the same day announces as new above the feed's largest id.

    Ids rise with time, so a batch that is a day older ends below: 2608.09930 against 2608.11204 on 12 August 2026
    (Polaris issue 414). A feed without any new paper is behind a page that has one. Pages of other days, and ids of
    the time before April 2007, which do not rise across archives, say nothing.
    """
    if page.day != listing.day:
        return False
    numbers, others = (sorted(filter(None, map(_number, _announced(one)))) for one in (listing, page))
    return bool(others) and (not numbers or others[-1] > numbers[-1])


def _announced(listing: Listing) -> frozenset[str]:
    """Return the ids of the papers that a listing announces as new."""
    news = (paper for paper in listing.papers if paper.announcement is Announcement.NEW)
    return frozenset(paper.ids.arxiv for paper in news if paper.ids.arxiv)


def _number(identifier: str) -> tuple[int, int] | None:
    found = _NUMBERED.fullmatch(identifier)
    return (int(found[1]), int(found[2])) if found else None
