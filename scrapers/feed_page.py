"""RSS, RDF and Atom feeds of anyone, such as journals, blogs and PubMed's saved searches; read by feedparser.

Bytes → text → the items, found by their tags (feed_shape.py) → a small well-formed document (feed_sieve.py) →
feedparser, which neither fetches nor cleans → each entry a paper (feed_entry.py) → a listing, counted.
"""

import io
import re
from collections.abc import Mapping
from datetime import date
from html import unescape
from urllib.parse import urljoin

import feedparser

from domain.errors import Blocked, CollectError, LayoutChanged, Throttled
from domain.papers import Listing
from scrapers.feed_entry import read_entry
from scrapers.feed_listing import listing_of
from scrapers.feed_shape import MOST_ITEMS, decoded, root_of, slices
from scrapers.feed_sieve import sifted
from scrapers.feed_text import plain_text
from scrapers.text import web_address

_ERROR = re.compile(r"<title>\s*((?:Feed )?error\b[^<]{0,300})", re.IGNORECASE)  # sources.md 3.2
_FIRST_TAGS = 4_000  # characters in which a feed gives its title
_HEAD = 262_144  # characters in which a web page names its feeds
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_PASSWORD = re.compile(r"<input\b[^<>]{0,2000}?\btype\s*+=\s*+[\"']?password\b", re.IGNORECASE)
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:(?:rss|atom|rdf)\+xml|feed\+json)", re.IGNORECASE)


def looks_like_feed(text: str) -> bool:
    """Whether a text is an RSS, RDF or Atom feed, by its root; the answers of arXiv's query API are Atom feeds too."""
    return root_of(text) is not None


def read_feed(body: bytes, content_type: str, *, source: str, day: date, visited: date, address: str = "") -> Listing:
    """Read a feed that came with a Content-Type header ("" for a file); its listing is of `day`.

    `visited` is the day of the visit, after which nothing can be published. `address` is where the feed came from, for
    its relative links. Of a longer feed the first MOST_ITEMS entries are read, and the listing is partial.

    Raises:
        Throttled: the answer asks for patience in words.
        Blocked: a web page that asks for a password.
        LayoutChanged: any other page, perhaps one that names its feed; no feed; or one of which nothing can be read.

    """
    text = decoded(body, content_type)
    root = root_of(text)
    if root is None:
        raise _refusal(text, address)
    cut = slices(text, root)
    if not cut.items and not cut.unclosed and (error := _ERROR.search(text, 0, _FIRST_TAGS)):
        raise LayoutChanged(f"the feed holds nothing but an error: {plain_text(error[1])}")
    if not cut.is_closed and not cut.items:
        raise LayoutChanged("the feed breaks off before its first whole entry")
    document, damaged = sifted(cut.items, root)
    read = [read_entry(entry, rank=1, visited=visited) for entry in _entries(document, address)]
    notes = []
    if cut.more:
        notes.append(f"only the first {MOST_ITEMS:,} of {MOST_ITEMS + cut.more:,} entries were read")
    if not cut.is_closed:
        notes.append(f"the feed breaks off after {len(cut.items)} whole entries")
    return listing_of(read, source=source, day=day, damaged=damaged + cut.unclosed, notes=notes)


def _entries(document: bytes, address: str) -> list[Mapping[str, object]]:
    """Return what feedparser reads in a document of the sieve; the one place that knows it.

    It gets bytes in a file, since it would fetch a text that looks like an address. Its cleaning of HTML is left out,
    because all markup is made plain text here.
    """
    headers = {"content-type": "application/xml; charset=utf-8"}
    if address.isascii():
        headers["content-location"] = address
    try:
        feed = feedparser.parse(
            io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:
        raise LayoutChanged("the feed holds a field that cannot be read") from error
    # As plain mappings: its own answer for a field that is missing may be another field, with a warning.
    return [dict(entry) for entry in feed["entries"]]


# -- what is no feed ---------------------------------------------------------------------------------------------------


def _refusal(text: str, address: str) -> CollectError:
    """Return the error for a text that is no feed; of a web page it names the feed that the page advertises."""
    if text[:200].strip().lower().startswith("rate exceeded"):
        return Throttled("the host answers “Rate exceeded.”")
    if not text.strip():
        return LayoutChanged("the answer is empty where a feed should be")
    if not _HTML.search(text, 0, _HEAD):
        return LayoutChanged("the answer is no RSS, RDF or Atom feed")
    named = _advertised(text, address)
    hint = f"; it names {named} as its feed" if named else ""
    if _PASSWORD.search(text, 0, _HEAD):  # sources.md section 5, row 25
        return Blocked(f"the address answers with a login form, not with a feed{hint}")
    return LayoutChanged(f"the address answers with a web page, not with a feed{hint}")


def _advertised(page: str, address: str) -> str:
    """Return the address of the first feed that a web page names in a link element; ""."""
    for link in _LINK.finditer(page, 0, _HEAD):
        said = {key.lower(): unescape(two or one or bare) for key, two, one, bare in _ATTRIBUTE.findall(link[1])}
        if "alternate" in said.get("rel", "").lower() and _FEED_TYPE.match(said.get("type", "").strip()):
            try:
                named = web_address(urljoin(address, said.get("href", "").strip()))
            except ValueError:  # such as "http://["
                continue
            if named:
                return named
    return ""
