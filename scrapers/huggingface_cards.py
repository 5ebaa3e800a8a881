"""The cards of a Hugging Face papers page, for the day when the page's own data is missing.

A card is whatever links to /papers/<id>: no class name and no place in the text is trusted (sources.md section 5,
rows 1 to 6). Cards know less than the data does: no author names (what the avatars are titled with are account
names), no date with a year, and on daily pages no abstract. So the listing is marked as partial.

One pass over the page's tags: a link opens, takes the text up to its end, and remembers whether it stands in a heading
or holds one; then the links are put together by paper.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from domain.errors import LayoutChanged
from domain.identity import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.markup import EndTag, StartTag, tokens, unescaped
from scrapers.text import collapse, plausible_day, repair_mojibake, shows_mojibake

_LINK = re.compile(r"(?:https?://[^/?#]+)?/papers/(\d{4}\.\d{4,5})(?:v\d+)?(#community)?", re.ASCII)
_LOGIN = re.compile(r"/login\?next=%2Fpapers%2F(\d{4}\.\d{4,5})", re.ASCII)  # a visitor's vote button
_PAGE_DAY = re.compile(r"/papers/date/([0-9]{4}-[0-9]{2}-[0-9]{2})$")
_NUMBER = re.compile(r"([0-9]{1,9})[^0-9]*$")
_AUTHORS = re.compile(r"([0-9]{1,6}) authors?$")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_MOST_LINKS = 10_000  # to papers; the fullest page known has 120 papers and six links to each
_LONGEST_ADDRESS = 2_000  # characters
_LONGEST_TEXT = 20_000  # characters of one link; an abstract has 2,000


@dataclass(slots=True)
class _Link:
    """A link to a paper, and what it says."""

    paper: str  #: the arXiv id
    address: str
    titled: bool  #: whether it stands in a heading, or a heading in it
    has_paragraph: bool = False
    pieces: list[str] = field(default_factory=list)
    text: str = ""  #: repaired and collapsed, once the link has ended
    size: int = 0

    def take(self, written: str) -> None:
        if self.size < _LONGEST_TEXT:
            self.pieces.append(written[: _LONGEST_TEXT - self.size])
            self.size += len(written)

    def close(self, *, damaged: bool) -> None:
        # Joined without a separator: highlighted search terms are elements of their own inside words (sources.md 1.2).
        self.text = collapse(repair_mojibake(unescaped("".join(self.pieces)), damaged=damaged))
        self.pieces.clear()


def read_cards(text: str, *, source: str, day: date, visited: date) -> Listing | None:
    """Return what the cards of a page say, each paper once; None if there is no card at all.

    `day` is the listing's day unless the page's own address (`og:url`) names another that can be one on `visited`.
    Raises LayoutChanged for more links than a page of papers has.
    """
    page = _read(text)
    papers: list[ListedPaper] = []
    for identifier, anchors in page.links.items():
        paper = _card(identifier, anchors, rank=len(papers) + 1)
        if paper is not None:
            papers.append(paper)
    if not papers:
        return None
    return Listing(
        source=source,
        day=plausible_day(_page_day(page.address), visited) or day,
        papers=tuple(papers),
        status=FetchStatus.PARTIAL,
        note="the page's own data is missing; its cards were read, which know less",
    )


@dataclass(slots=True)
class _Page:
    """What the tags said so far."""

    damaged: bool  #: whether its text surely is UTF-8 that was read as Thai
    links: dict[str, list[_Link]] = field(default_factory=dict)  #: to each paper, in the order of the page
    address: str = ""  #: the page's own; "" if it names none
    count: int = 0
    in_heading: bool = False
    link: _Link | None = None  #: that is open

    def start(self, tag: StartTag) -> None:
        if tag.name == "a":
            self.close()  # a link within a link ends the outer one
            self.link = _opened(tag, in_heading=self.in_heading)
            if self.link:
                self.links.setdefault(self.link.paper, []).append(self.link)
                self.count += 1
        elif tag.name == "meta":
            meta = tag.attributes()
            self.address = self.address or (meta.get("content", "") if meta.get("property") == "og:url" else "")
        elif tag.name in _HEADINGS:
            self.in_heading = True
            if self.link:
                self.link.titled = True
        elif tag.name == "p" and self.link:
            self.link.has_paragraph = True

    def end(self, name: str) -> None:
        if name == "a":
            self.close()
        elif name in _HEADINGS:
            self.in_heading = False

    def close(self) -> None:
        if self.link:
            self.link.close(damaged=self.damaged)
        self.link = None


def _read(text: str) -> _Page:
    page = _Page(damaged=shows_mojibake(text))
    for token in tokens(text):
        match token:
            case StartTag():
                page.start(token)
            case EndTag():
                page.end(token.name)
            case str() if page.link:
                page.link.take(token)
        if page.count > _MOST_LINKS:
            raise LayoutChanged(f"the page has more than {_MOST_LINKS:,} links to papers")
    page.close()
    return page


def _opened(tag: StartTag, *, in_heading: bool) -> _Link | None:
    """Return the link that a tag opens, if it leads to a paper."""
    address = tag.attributes().get("href", "")[:_LONGEST_ADDRESS]
    found = _LINK.fullmatch(address) or _LOGIN.match(address)
    return _Link(found[1], address, titled=in_heading) if found else None


def _card(identifier: str, links: list[_Link], *, rank: int) -> ListedPaper | None:
    """Return what all links to one paper say together; None if none of them holds a title."""
    to_paper = [link for link in links if link.address.endswith(identifier) and "?" not in link.address]
    title = next((link.text for link in to_paper if link.titled and link.text), "")
    if arxiv_id(identifier) is None or not title:
        return None
    abstract = next((link.text for link in to_paper if link.has_paragraph), "")
    counts = (_AUTHORS.search(link.text) for link in to_paper if not link.titled)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        author_count=next((int(found[1]) for found in counts if found), 0),
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
        upvotes=_number(next((link.text for link in links if _LOGIN.match(link.address)), "")),
        comments=_number(next((link.text for link in links if link.address.endswith("#community")), "")),
    )


def _number(text: str) -> int | None:
    """Return the number that ends a text."""
    found = _NUMBER.search(text)
    return int(found[1]) if found else None


def _page_day(address: str) -> date | None:
    found = _PAGE_DAY.search(address)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
