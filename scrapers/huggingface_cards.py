"""The cards of a Hugging Face papers page, for the day when the page's own data is missing.

A card is whatever links to /papers/<id>: no class name and no place in the text is trusted (sources.md section 5,
rows 1 to 6). Cards know less than the data does: no author names (what the avatars are titled with are account
names), no date with a year, and on daily pages no abstract. So the listing is marked as partial.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from domain.identity import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.text import collapse, plausible_day, repair_mojibake, shows_mojibake

_LINK = re.compile(r"(?:https?://[^/?#]+)?/papers/(\d{4}\.\d{4,5})(?:v\d+)?(#community)?", re.ASCII)
_LOGIN = re.compile(r"/login\?next=%2Fpapers%2F(\d{4}\.\d{4,5})", re.ASCII)  # a visitor's vote button
_PAGE_DAY = re.compile(r"/papers/date/([0-9]{4}-[0-9]{2}-[0-9]{2})$")
_NUMBER = re.compile(r"([0-9]{1,9})[^0-9]*$")
_AUTHORS = re.compile(r"([0-9]{1,6}) authors?$")
_HEADINGS = ["h1", "h2", "h3", "h4"]
_PARTS = SoupStrainer([*_HEADINGS, "a", "meta"])
_XML_HEAD = re.compile(r"<\?xml[^>]*>?", re.IGNORECASE)  # it is read as HTML whatever it calls itself
_LONGEST_ADDRESS = 2_000  # characters
_LONGEST_TEXT = 20_000  # characters of one link; an abstract has 2,000


@dataclass(frozen=True, slots=True)
class _Link:
    """A link to a paper, and what it says."""

    paper: str  #: the arXiv id
    address: str
    titled: bool  #: whether it stands in a heading, or a heading in it
    has_paragraph: bool
    text: str  #: repaired and collapsed


def read_cards(text: str, *, source: str, day: date, visited: date | None = None) -> Listing | None:
    """Return what the cards of a page say, each paper once; None if there is no card at all.

    `day` is the listing's day unless the page's own address (`og:url`) names another that can be one on
    `visited`, which is `day` itself for None.
    The page must have been looked over (guard.py).
    """
    if "<a" not in text.lower():  # Beautiful Soup would wonder aloud whether it is a file name
        return None
    soup = BeautifulSoup(_XML_HEAD.sub("", text), "lxml", parse_only=_PARTS)
    links: dict[str, list[_Link]] = {}
    for link in _links(soup, damaged=shows_mojibake(text)):
        links.setdefault(link.paper, []).append(link)
    papers: list[ListedPaper] = []
    for identifier, anchors in links.items():
        paper = _card(identifier, anchors, rank=len(papers) + 1)
        if paper is not None:
            papers.append(paper)
    if not papers:
        return None
    return Listing(
        source=source,
        day=plausible_day(_page_day(soup), visited or day) or day,
        papers=tuple(papers),
        status=FetchStatus.PARTIAL,
        note="the page's own data is missing; its cards were read, which know less",
    )


def _links(soup: BeautifulSoup, *, damaged: bool) -> Iterator[_Link]:
    """Give the links to papers, in the order of the page; `damaged` says whether its text was read as Thai."""
    for anchor in soup.find_all("a", href=True):
        address = str(anchor["href"])[:_LONGEST_ADDRESS]
        found = _LINK.fullmatch(address) or _LOGIN.match(address)
        if found:
            # Joined without a separator: highlighted search terms are elements inside words (sources.md 1.2).
            text = anchor.get_text()[:_LONGEST_TEXT]
            yield _Link(
                paper=found[1],
                address=address,
                titled=bool(anchor.find_parent(_HEADINGS) or anchor.find(_HEADINGS)),
                has_paragraph=anchor.find("p") is not None,
                text=collapse(repair_mojibake(text, damaged=damaged)),
            )


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


def _page_day(soup: BeautifulSoup) -> date | None:
    address = soup.find("meta", attrs={"property": "og:url"})
    found = _PAGE_DAY.search(str(address.get("content", ""))) if isinstance(address, Tag) else None
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
