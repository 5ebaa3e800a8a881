"""The cards of a Hugging Face papers page, for the day when the page's own data is missing.

A card is whatever links to /papers/<id>: no class name and no place in the text is trusted (sources.md section 5,
rows 1 to 6). Cards know less than the data does: no author names (what the avatars are titled with are account
names), and on daily pages no abstract and no date. A trending page shows every card twice, with a machine's summary
right after the title in place of the abstract. So the listing is marked as partial.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, takewhile

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from bs4.filter import SoupStrainer

from domain.errors import LayoutChanged
from domain.identifiers import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.huggingface_data import XML_HEAD
from scrapers.huggingface_kinds import DAILY, MONTH, SEARCH, TRENDING, WEEK, clamped
from scrapers.text import collapse, day_of, plausible_day, repair_mojibake, shows_mojibake

_LINK = re.compile(r"(?:https?://[^/?#]+)?/papers/(\d{4}\.\d{4,5})(?:v\d+)?(#community)?", re.ASCII)
_LOGIN = re.compile(r"/login\?next=%2Fpapers%2F(\d{4}\.\d{4,5})", re.ASCII)  # a visitor's vote button
_PAGE = re.compile(r"/papers(?:/(date|week|month|trending)(?:/([0-9W-]{7,10}))?)?/?(?:\?([^#]*))?$")
_PERIODS = {"date": DAILY, "week": WEEK, "month": MONTH, "trending": TRENDING}
_NUMBER = re.compile(r"([0-9]{1,9})[^0-9]*$")
_AUTHORS = re.compile(r"([0-9]{1,6}) authors?$")
_PUBLISHED = re.compile(r"(?:Published on )?([A-Z][a-z]{2} [0-9]{1,2}(?:, [0-9]{4})?)")
_HEADINGS = ["h1", "h2", "h3", "h4"]
_READ = ["a", "p", "span"]
_PARTS = SoupStrainer([*_HEADINGS, *_READ, "meta"])
_NEAR = 10  # elements around a link among which its heading is; the known pages have 1
_LONGEST_ADDRESS = 2_000  # characters
_LONGEST_TEXT = 20_000  # characters of one link; an abstract has 2,000
_LONGEST_PARAGRAPH = 200  # pieces of text and tags; a summary is one


@dataclass(frozen=True, slots=True)
class _Link:
    """A link to a paper, and what it says."""

    paper: str  #: the arXiv id
    part: str  #: of the paper's page that it leads to: "" for its head, "#community" or "vote"
    titled: bool  #: whether it stands in a heading, or a heading in it
    has_paragraph: bool
    text: str  #: repaired and collapsed
    after: str = ""  #: the paragraph that stands right after it, repaired and collapsed
    date: str = ""  #: the date between it and the next title, as the page writes it


def read_cards(
    text: str, *, source: str, day: date, visited: date | None = None, kind: str = "", asked: date | None = None
) -> Listing | None:
    """Return what the cards of a page say, each paper once; None if there is no card at all.

    `kind` is what was asked for, "" if nobody knows: then the page's own address (`og:url`) or title tells, and names a
    `source` of "". The listing's day is `day`, unless the address of a daily page names another that can be one on
    `visited`, which is `day` itself for None. Where a page of the day, week or month of `asked` was asked for, the note
    says that this is another's. The page must have been looked over (guard.py).

    Raises LayoutChanged where the page says that it lists something else than `kind`.
    """
    if "<a" not in text.lower():  # Beautiful Soup would wonder aloud whether it is a file name
        return None
    soup = BeautifulSoup(XML_HEAD.sub("", text), "lxml", parse_only=_PARTS)
    says, slot = _page(soup)
    if kind and says and says != kind:
        raise LayoutChanged(f"a page of {kind} was asked for, but the page is one of {says}")
    kind = kind or says or DAILY
    own = plausible_day(_date(slot), visited or day) if kind == DAILY else None
    links: dict[str, list[_Link]] = {}
    for link in _links(soup, damaged=shows_mojibake(text)):
        links.setdefault(link.paper, []).append(link)
    papers: list[ListedPaper] = []
    for identifier, anchors in links.items():
        paper = _card(identifier, anchors, rank=len(papers) + 1, kind=kind, visited=visited or day)
        if paper is not None:
            papers.append(paper)
    if not papers:
        return None
    moved = clamped(kind, str(own or "") if kind == DAILY else slot, asked)
    note = "the page's own data is missing; its cards were read, which know less"
    return Listing(
        source=source or kind,
        day=own or day,
        papers=tuple(papers),
        status=FetchStatus.PARTIAL,
        note=f"{note}; {moved}" if moved else note,
    )


def _links(soup: BeautifulSoup, *, damaged: bool) -> list[_Link]:
    """Return the links to papers, in the order of the page; `damaged` says whether its text was read as Thai."""
    links: list[_Link] = []
    latest: int | None = None  # the place of the latest title, which learns from what follows it
    is_fresh = False  # whether no other link came since
    for tag in soup.find_all(_READ):
        if tag.name == "a":
            link = _link(tag, damaged=damaged)
            is_fresh = link is not None and link.titled
            latest = len(links) if is_fresh else latest
            links += [link] if link else []
        elif latest is not None and tag.name == "p" and is_fresh:
            links[latest] = replace(links[latest], after=_words(tag, damaged=damaged))
            is_fresh = False
        elif latest is not None and tag.name == "span" and (found := _PUBLISHED.fullmatch(_own_text(tag))):
            links[latest] = replace(links[latest], date=links[latest].date or found[1])
    return links


def _link(anchor: Tag, *, damaged: bool) -> _Link | None:
    """Return what a link to a paper says; None for any other."""
    address = str(anchor.get("href", ""))[:_LONGEST_ADDRESS]
    to_page, to_vote = _LINK.fullmatch(address), _LOGIN.match(address)
    found = to_page or to_vote
    if not found:
        return None
    # Joined without a separator: highlighted search terms are elements inside words (sources.md 1.2).
    text = anchor.get_text()[:_LONGEST_TEXT]
    return _Link(
        paper=found[1],
        part=(to_page[2] or "") if to_page else "vote",
        titled=any(tag.name in _HEADINGS for tag in islice(anchor.parents, _NEAR)) or bool(anchor.find(_HEADINGS)),
        has_paragraph=anchor.find("p") is not None,
        text=collapse(repair_mojibake(text, damaged=damaged)),
    )


def _words(paragraph: Tag, *, damaged: bool) -> str:
    # Not its descendants: Beautiful Soup first looks for the last of them, however deep it is.
    near = islice(paragraph.next_elements, _LONGEST_PARAGRAPH)
    inside = takewhile(lambda piece: any(tag is paragraph for tag in islice(piece.parents, _NEAR)), near)
    text = "".join(piece for piece in inside if type(piece) is NavigableString)[:_LONGEST_TEXT]
    return collapse(repair_mojibake(text, damaged=damaged))


def _own_text(tag: Tag) -> str:
    """Return the text of an element that holds nothing else."""
    only = tag.contents[0] if len(tag.contents) == 1 else None
    return collapse(only[:100]) if isinstance(only, NavigableString) else ""


def _card(identifier: str, links: list[_Link], *, rank: int, kind: str, visited: date) -> ListedPaper | None:
    """Return what all links to one paper say together; None if none of them holds a title."""
    to_paper = [link for link in links if not link.part]
    titles = [link for link in to_paper if link.titled and link.text]
    if arxiv_id(identifier) is None or not titles:
        return None
    summary = titles[0].after if kind == TRENDING else ""
    abstract = next((link.text for link in to_paper if link.has_paragraph), "")
    counts = (_AUTHORS.search(link.text) for link in to_paper if not link.titled)
    stands_in = AbstractKind.SUMMARY if summary else AbstractKind.NONE
    published = plausible_day(day_of(titles[0].date, visited), visited)
    return ListedPaper(
        title=titles[0].text,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract or summary,
        abstract_kind=AbstractKind.AUTHORS if abstract else stands_in,
        author_count=next((int(found[1]) for found in counts if found), 0),
        published=published if kind in {TRENDING, SEARCH} else None,
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
        upvotes=_votes(next((link.text for link in links if link.part == "vote"), "")),
        comments=_number(next((link.text for link in links if link.part == "#community"), "")),
        summary=summary,
    )


def _votes(text: str) -> int | None:
    return 0 if text == "-" else _number(text)  # so the site writes no vote (sources.md section 0)


def _number(text: str) -> int | None:
    """Return the number that ends a text."""
    found = _NUMBER.search(text)
    return int(found[1]) if found else None


def _page(soup: BeautifulSoup) -> tuple[str, str]:
    """Return the kind that the page says it is, and the day, week or month that it names; "" for what it does not."""
    found = _PAGE.search(_meta(soup, "og:url")[:_LONGEST_ADDRESS])
    if found and found[3] and f"&{found[3]}".find("&q=") >= 0:
        return SEARCH, ""
    if found and found[1]:
        return _PERIODS[found[1]], found[2] or ""
    return TRENDING if _meta(soup, "og:title").startswith("Trending Papers") else "", ""


def _meta(soup: BeautifulSoup, name: str) -> str:
    tag = soup.find("meta", attrs={"property": name})
    return str(tag.get("content", "")) if isinstance(tag, Tag) else ""


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-03-04") else None
    except ValueError:
        return None
