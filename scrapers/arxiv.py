"""arXiv: its addresses, its days, and the pace that its terms ask for (sources.md 3.1 to 3.5).

Here too is what all its answers have in common, whatever their form: the plea for patience, and how many records
without id or title an answer may hold.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

from domain.papers import Announcement, PageRequest
from scrapers import rejects
from scrapers.source import Calendar

ARXIV = "https://arxiv.org"
RSS = "https://rss.arxiv.org"
API = "https://export.arxiv.org"
LIST_PACE = 15.0  # seconds; the Crawl-delay of arxiv.org
FEED_PACE = 3.0  # seconds; "one request every three seconds, a single connection" for feeds and the API
ACCEPT_FEED = "application/atom+xml, application/rss+xml, text/xml, */*;q=0.1"  # without it arXiv answers 406
CATCHUP_DAYS = 90  # how far back a past announcement can be asked for

_WORKING_DAYS = frozenset(range(5))
_SETTLES = timedelta(minutes=30)  # the pages are not all rebuilt at the stroke of the hour
#: The batch of 20:00 bears the next day's date; none is announced on Friday and Saturday evenings.
LISTINGS = Calendar(
    zone="America/New_York",
    ahead=timedelta(hours=4),
    weekdays=_WORKING_DAYS,
    still_filling=1,
    look_back=CATCHUP_DAYS,
    settles=_SETTLES,
)
#: Feeds are rebuilt at midnight with that batch.
FEEDS = Calendar(
    zone="America/New_York", weekdays=_WORKING_DAYS, still_filling=1, look_back=CATCHUP_DAYS, settles=_SETTLES
)

#: What is news where the settings do not choose.
ANNOUNCED = frozenset({Announcement.NEW, Announcement.CROSS})

_THROTTLED = re.compile(r"\s*+(?:<[^<>]{0,100}>\s*+){0,10}Rate exceeded", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Roots:
    """Where arXiv is asked; without a slash at the end. A mirror serves all of it from one root."""

    pages: str = ARXIV
    feeds: str = RSS
    api: str = API


def roots(url: str) -> Roots:
    """Return arXiv's own hosts for one of them, else the mirror `url` for everything."""
    own = {ARXIV, RSS, API, "https://www.arxiv.org"}
    return Roots() if url in own else Roots(pages=url, feeds=url, api=url)


def list_request(root: str, category: str, which: str = "new") -> PageRequest:
    """Name /list/<category>/<which>; `which` is new, recent or pastweek."""
    return PageRequest(f"{root}/list/{quote(category)}/{which}", pace=LIST_PACE)


def catchup_request(root: str, category: str, day: date) -> PageRequest:
    """Name the announcements of a past day, with abstracts; up to CATCHUP_DAYS back."""
    return PageRequest(f"{root}/catchup/{quote(category)}/{day.isoformat()}?abs=True", pace=LIST_PACE)


def abstract_request(root: str, identifier: str) -> PageRequest:
    """Name the page of one paper."""
    return PageRequest(f"{root}/abs/{quote(identifier)}", pace=LIST_PACE)


def is_throttled(text: str) -> bool:
    """Whether a text is arXiv's plea for patience, "Rate exceeded.", bare or in a page (sources.md 3.3)."""
    return _THROTTLED.match(text) is not None


def rejects_note(rejected: int, entries: int) -> str:
    """Return what it cost that some entries have no id or no title; "" for none.

    One bad record does not cost a short day; an answer of nothing but bad records is not arXiv's.

    Raises:
        LayoutChanged: more than one is bad and more than 5 %, or all are.

    """
    return rejects.rejects_note(rejected, entries, records="entries", identifier="arXiv id")
