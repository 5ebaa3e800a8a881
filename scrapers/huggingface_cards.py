"""The cards of a Hugging Face papers page, for the day when the page's own data is missing.

A card is whatever links to /papers/<id>: no class name and no place in the text is trusted (sources.md section 5,
rows 1 to 6). Cards know less than the data does: no author names (what the avatars are titled with are account
names), no date with a year, and on daily pages no abstract. So the listing is marked as partial.
"""

import re
from datetime import date

from bs4 import BeautifulSoup, SoupStrainer, Tag

from domain.identity import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.text import collapse, repair_mojibake

_LINK = re.compile(r"(?:https?://[^/?#]+)?/papers/(\d{4}\.\d{4,5})(?:v\d+)?(#community)?")
_LOGIN = re.compile(r"/login\?next=%2Fpapers%2F(\d{4}\.\d{4,5})")  # the vote button of a visitor without account
_PAGE_DAY = re.compile(r"/papers/date/([0-9]{4}-[0-9]{2}-[0-9]{2})$")
_NUMBER = re.compile(r"(\d{1,9})\D*$")
_AUTHORS = re.compile(r"(\d{1,6}) authors?$")
_XML_HEAD = re.compile(r"<\?xml[^>]*>?", re.IGNORECASE)  # it is read as HTML whatever it calls itself
_ENOUGH = 4_000_000  # characters; the largest pages seen have 2.3 million, and a tree of more costs many seconds
_HEADINGS = ["h1", "h2", "h3", "h4"]
_PARTS = SoupStrainer([*_HEADINGS, "a", "meta"])


def read_cards(text: str, *, source: str, day: date) -> Listing | None:
    """Return what the cards of a page say, each paper once; None if there is no card at all.

    `day` is the listing's day unless the page's own address (`og:url`) names another.
    """
    if "<a" not in text[:_ENOUGH].lower():  # Beautiful Soup would wonder aloud whether it is a file name
        return None
    soup = BeautifulSoup(_XML_HEAD.sub("", text[:_ENOUGH]), "lxml", parse_only=_PARTS)
    links: dict[str, list[Tag]] = {}
    for link in soup.find_all("a", href=True):
        address = str(link["href"])
        if found := _LINK.fullmatch(address) or _LOGIN.match(address):
            links.setdefault(found[1], []).append(link)
    papers: list[ListedPaper] = []
    for identifier, anchors in links.items():
        paper = _card(identifier, anchors, rank=len(papers) + 1)
        if paper is not None:
            papers.append(paper)
    if not papers:
        return None
    return Listing(
        source=source,
        day=_page_day(soup) or day,
        papers=tuple(papers),
        status=FetchStatus.PARTIAL,
        note="the page's own data is missing; its cards were read, which know less",
    )


def _card(identifier: str, anchors: list[Tag], *, rank: int) -> ListedPaper | None:
    """Return what all links to one paper say together; None if none of them holds a title."""
    to_paper = [anchor for anchor in anchors if str(anchor["href"]).endswith(identifier) and "?" not in anchor["href"]]
    titled = [anchor for anchor in to_paper if anchor.find_parent(_HEADINGS) or anchor.find(_HEADINGS)]
    title = next(filter(None, map(_text, titled)), "")
    if arxiv_id(identifier) is None or not title:
        return None
    abstract = next((_text(anchor) for anchor in to_paper if anchor.find("p")), "")
    counts = (_AUTHORS.search(_text(anchor)) for anchor in to_paper if anchor not in titled)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        author_count=next((int(found[1]) for found in counts if found), 0),
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
        upvotes=_number(anchors, _LOGIN),
        comments=_number(anchors, re.compile(r".*#community$")),
    )


def _number(anchors: list[Tag], address: re.Pattern[str]) -> int | None:
    """Return the number that ends the text of the first link to such an address."""
    for anchor in anchors:
        if address.match(str(anchor["href"])):
            found = _NUMBER.search(_text(anchor))
            return int(found[1]) if found else None
    return None


def _text(tag: Tag) -> str:
    # Joined without a separator: highlighted search terms are elements of their own inside words (sources.md 1.2).
    return collapse(repair_mojibake(tag.get_text()))


def _page_day(soup: BeautifulSoup) -> date | None:
    address = soup.find("meta", attrs={"property": "og:url"})
    found = _PAGE_DAY.search(str(address.get("content", ""))) if isinstance(address, Tag) else None
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
