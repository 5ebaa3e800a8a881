"""How far one of arXiv's list pages reaches, and the request that goes on from it (sources.md 3.1).

A page declares its total and how many it shows at most; its address says where it was asked to begin, and the number
of its first entry where it does. Where it does not say how many it shows, the entries that were read are the step, and
where it declares no total, its headings tell whether it goes on ("showing first 50 of 900 entries"). The next page is
the same address with another query, so it never leads elsewhere, and each lies beyond the last, so there is an end.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit, urlunsplit

from domain.papers import PageRequest
from scrapers.arxiv import LIST_PACE
from scrapers.text import web_address

_LARGEST = 2_000  # entries that arXiv puts on one page at most, and on each of the catch-up
_FARTHEST = 20_000  # entries; ten times what the busiest archive announces on a day
_FIRST = re.compile(r"<dt\b[^<>]{0,200}>\s*<a\b[^<>]{0,200}>\s*\[([0-9]{1,7})\]", re.IGNORECASE)
_TERM = re.compile(r"<dt\b", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_TOTAL = re.compile(r"\btotal\s{1,50}of\s{1,50}([0-9,]{1,9})\s{1,50}entries", re.IGNORECASE)
_SHOWN = re.compile(
    r"\bshowing\s{1,50}(?:up\s{1,50}to\s{1,50})?([0-9,]{1,9})\s{1,50}entries(?:\s{1,50}per\s{1,50}page|\s{0,50}$)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """Which part of a listing a page is."""

    total: int | None  #: entries of the whole listing
    shown: int | None  #: the most that a page holds
    asked: int | None  #: entries that the address skips; None where there is no address
    first: int | None  #: the number of the page's first entry, from 1
    read: int = 0  #: entries that the page was found to hold
    goes_on: bool = False  #: a heading says that more of its entries come after this page

    @property
    def skip(self) -> int:
        """How many entries come before the page's own."""
        return self.first - 1 if self.first else self.asked or 0

    @property
    def here(self) -> int | None:
        """How many entries the page holds by its own account; None if it gives none."""
        if self.total is None or self.shown is None:
            return None
        return max(min(self.total - self.skip, self.shown), 0)

    @property
    def step(self) -> int:
        """How many entries a page holds."""
        return self.shown or self.read

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after the page, by its total or, where it has none, by its headings."""
        if self.total is None:
            return not self.goes_on
        return self.skip + self.step >= self.total

    @property
    def is_elsewhere(self) -> bool:
        """Whether the page begins with another entry than was asked for."""
        return self.asked is not None and self.first is not None and self.first != self.asked + 1


def extent_of(text: str, url: str, *, read: int = 0, goes_on: bool = False) -> Extent:
    """Return the extent of a list page's text that came from `url`, which may be ""; the rest goes into it as it is."""
    term = _TERM.search(text)
    head = _TAG.sub(" ", text[: term.start()] if term else text)  # abstracts may count entries too
    first = _FIRST.match(text, term.start()) if term else None
    parts = _list_address(url)
    caught_up = parts is not None and _is_catchup(parts)
    return Extent(
        total=_number(_TOTAL.search(head)),
        shown=_LARGEST if caught_up else _number(_SHOWN.search(head)),
        asked=_asked(parts) if parts else None,
        first=int(first[1]) if first else None,
        read=read,
        goes_on=goes_on,
    )


def next_request(url: str, extent: Extent) -> PageRequest | None:
    """Name the page after the one from `url`; None where it was the last, or is not where it should be."""
    parts = _list_address(url)
    if parts is None or extent.is_last or extent.is_elsewhere or not extent.step:
        return None
    begin = _asked(parts) + extent.step
    if begin >= _FARTHEST:
        return None
    if _is_catchup(parts):
        # Its pages are told by number, so the next one begins there and nowhere else.
        if extent.total is None and extent.read < _LARGEST:
            return None
        query = {**_query(parts), "page": str(begin // _LARGEST + 1)}
    else:
        query = {"skip": str(begin), "show": str(_LARGEST)}
    return PageRequest(urlunsplit(parts._replace(query=urlencode(query), fragment="")), pace=LIST_PACE)


def _list_address(url: str) -> SplitResult | None:
    parts = urlsplit(url) if web_address(url) else None
    return parts if parts and ("/list/" in parts.path or _is_catchup(parts)) else None


def _is_catchup(parts: SplitResult) -> bool:
    return "/catchup/" in parts.path


def _query(parts: SplitResult) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(parts.query[:500]).items()}


def _asked(parts: SplitResult) -> int:
    query = _query(parts)
    if _is_catchup(parts):
        return (max(_whole(query.get("page", "1")), 1) - 1) * _LARGEST
    return _whole(query.get("skip", "0"))


def _whole(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 0


def _number(found: re.Match[str] | None) -> int | None:
    digits = found[1].replace(",", "") if found else ""
    return int(digits) if digits else None
