"""What a source is: it names the pages to ask for, and reads what came; it opens no socket.

A day goes in, requests come out; fetch.py brings each page; a page goes in, a listing comes out.
"""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from domain.papers import Listing, PageRequest, Validators

_HTTP_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Only the encodings that web pages are written in: Python knows others (idna, unicode_escape) that are no page's.
_WEB_CHARSET = re.compile(
    r"(?:utf-?(?:8|16|32)|iso-?8859|latin|windows|cp|gb|big5|euc|shift|koi8|tis|mac|us-ascii)", re.IGNORECASE
)
_META_WITHIN = 4096  # bytes; browsers look at 1,024, some pages need more
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Page:
    """The raw bytes of one answer."""

    url: str  #: where it came from after redirects; "file" or a path for a saved page
    status: int  #: HTTP status; 304 has an empty body
    headers: Mapping[str, str]  #: keys in lower case
    body: bytes  #: after decompression
    fetched_at: datetime  #: aware UTC

    def text(self) -> str:
        """Return the body as text: strict UTF-8 first, then the charset of the header, then that of the meta tag.

        Never a detector: those read UTF-8 as Thai (sources.md section 5, row 19). Bytes that fit nothing become U+FFFD.
        """
        named = [match.group(1) for match in [_HTTP_CHARSET.search(self.headers.get("content-type", ""))] if match]
        named += [match.group(1).decode() for match in [_META_CHARSET.search(self.body[:_META_WITHIN])] if match]
        for charset in ["utf-8-sig", *filter(_WEB_CHARSET.match, named)]:
            try:
                return codecs.decode(self.body, charset)
            except (LookupError, ValueError):
                continue
        return self.body.decode("utf-8", errors="replace")


class Source(Protocol):
    """A place that publishes listings."""

    @property
    def name(self) -> str:
        """What the operator calls it; unique among the configured sources."""
        ...

    @property
    def kind(self) -> str:
        """A key of scrapers.registry.KINDS."""
        ...

    @property
    def label(self) -> str:
        """What readers call it, such as "Hugging Face Daily Papers"."""
        ...

    @property
    def every(self) -> timedelta:
        """How long the scheduler lets an answer be fresh."""
        ...

    @property
    def is_dated(self) -> bool:
        """Whether it has a listing for each day; else its one listing is of the day of the visit."""
        ...

    def requests(self, day: date) -> Iterable[PageRequest]:
        """Name the pages that hold the listing of `day`, in the order to ask for them."""
        ...

    def parse(self, page: Page, day: date) -> Listing:
        """Read a page that was asked for on behalf of `day`; pure.

        The listing's day is the page's own where it says one, else `day`.

        Raises:
            Blocked: an answer, but not the page.
            LayoutChanged: the page, but it cannot be trusted; nothing of it may be kept.

        """
        ...


def validators_of(page: Page) -> Validators:
    """Return what a conditional GET of the same page needs; empty texts where the host gave nothing usable.

    A value that could not stand in a request header again (RFC 9110 section 5.5) is left out.
    """
    etag, modified = (page.headers.get(name, "") for name in ("etag", "last-modified"))
    return Validators(
        url=page.url,
        etag=etag if _HEADER_VALUE.fullmatch(etag) else "",
        last_modified=modified if _HEADER_VALUE.fullmatch(modified) else "",
    )
