"""JSON Feed, versions 1.0 and 1.1 (jsonfeed.org): what an RSS feed says, as JSON.

Each item is put into the words of feed_entry.py and read there. `next_url` is not followed: it leads to older items,
and a feed is asked often enough to be read for its news; a page elsewhere is not what was configured.
"""

import json
import re
from collections.abc import Mapping
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import ListedPaper, Listing
from scrapers.feed_entry import read_entry
from scrapers.feed_listing import listing_of
from scrapers.feed_shape import MOST_ITEMS
from scrapers.text import NO_XML

_VERSION = re.compile(r"\"version\"\s*:\s*\"https?:(?:\\?/){2}(?:www\.)?jsonfeed\.org\\?/version\\?/", re.IGNORECASE)
_ENDS = 65_536  # characters at a feed's beginning and end, where it tells its version
_MOST_PEOPLE = 10_000
_LONGEST_TEXT = 500_000  # characters of one field; an article in a feed has 100,000


def looks_like_json_feed(text: str) -> bool:
    """Whether a text is a JSON object that names a version of JSON Feed."""
    if not text[:1_000].lstrip("\ufeff \t\r\n").startswith("{"):
        return False
    return any(_VERSION.search(part) for part in (text[:_ENDS], text[-_ENDS:]))


def read_json_feed(text: str, *, source: str, day: date, visited: date) -> Listing:
    """Read a JSON Feed; its listing is of `day`, and nothing is published after `visited`.

    Raises LayoutChanged for text that is cut or no JSON Feed, and for a feed of which too few items have a title.
    """
    try:
        feed = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise LayoutChanged("the feed is not whole JSON, so nothing of it is kept") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or not _text(feed.get("version")).startswith(("https://", "http://")):
        raise LayoutChanged("the answer is JSON, but no JSON Feed with a version and a list of items")
    read = [_paper(item, visited) for item in items[:MOST_ITEMS]]
    more = [f"only the first {MOST_ITEMS:,} of {len(items):,} items were read"] if len(items) > MOST_ITEMS else []
    return listing_of(read, source=source, day=day, notes=more)


def _paper(item: object, visited: date) -> ListedPaper | None:
    if not isinstance(item, dict):
        return None
    entry: dict[str, object] = {
        "title": _text(item.get("title")),
        "id": _text(item.get("id")),
        "link": _text(item.get("url")) or _text(item.get("external_url")),
        "prism_url": _text(item.get("external_url")),  # what the item is about, where it has a page of its own too
        "summary": _text(item.get("summary")),
        "content": [{"value": _text(item.get("content_html")) or _text(item.get("content_text"))}],
        "authors": [{"name": name} for name in _authors(item)],
        "tags": [{"term": tag} for tag in _list(item.get("tags"))],
        "published": _text(item.get("date_published")),
        "updated": _text(item.get("date_modified")),
    }
    return read_entry(entry, rank=1, visited=visited)


def _authors(item: Mapping[str, object]) -> list[str]:
    """Return the names of the authors of version 1.1, else the author of 1.0."""
    people = _list(item.get("authors")) or [item.get("author")]
    names = [_text(person.get("name")) for person in people[:_MOST_PEOPLE] if isinstance(person, dict)]
    return [name for name in names if name]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a text without what JSON can escape and XML cannot: halves of characters, controls."""
    return NO_XML.sub("", value[:_LONGEST_TEXT]) if isinstance(value, str) else ""
