"""The page of one paper on Hugging Face, which tells what a listing leaves out (sources.md 1.2).

The page carries its own data as the lists do, in the element whose `data-target` is "PaperContent". Only where that is
missing is the markup read: the first h1, what follows the heading "Abstract", and the id in the page's own address.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from domain.errors import Blocked, LayoutChanged
from domain.identifiers import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.guard import look_over
from scrapers.huggingface_data import PAPER as TARGET
from scrapers.huggingface_data import XML_HEAD, blob_of, props_of
from scrapers.huggingface_items import mapping, read_one
from scrapers.huggingface_kinds import PAPER
from scrapers.text import collapse, repair_mojibake, shows_mojibake

_MARKER = re.compile(rf"data-target\s*+=\s*+[\"']?{TARGET}(?=[\"'\s>])")
_ADDRESS = re.compile(r"/papers/([0-9]{4}\.[0-9]{4,5})(?:v[0-9]+)?/?(?:[?#]|$)")
_ADDRESSED = re.compile(r"<meta[^<>]{0,200}?og:url[^<>]{0,200}?/papers/[0-9]{4}\.[0-9]{4,5}(?![0-9])")
_HEADINGS = ["h1", "h2", "h3", "h4"]
_HOLDERS = {*_HEADINGS, "p", "div", "section"}
_NEAR = 10  # elements around a text among which its block is
_MOST_PIECES = 5_000  # pieces of text and tags that are looked at below "Abstract"
_LONGEST_TEXT = 20_000  # characters


def looks_like_paper_page(text: str) -> bool:
    """Whether a text is HTML of one paper's page: it has the marker, or calls itself /papers/<id>."""
    return _MARKER.search(text) is not None or _ADDRESSED.search(text) is not None


def read_paper_page(text: str, *, source: str, day: date, visited: date) -> Listing:
    """Read the page of one paper as a listing of it; a `source` of "" is named by the kind.

    The listing is of the day on which the paper was listed, where the page says one that can be on `visited`, else of
    `day`. What the markup alone tells is partial.

    Raises:
        Blocked: neither the page's data nor a paper is there: a bot check or a login.
        LayoutChanged: the data is there, but broken, cut, or without id or title.

    """
    text = text.replace("\0", "")  # libxml2 ends a document there
    look_over(text)
    source = source or PAPER
    blob = blob_of(text, TARGET)
    if blob is None and _MARKER.search(text):
        raise LayoutChanged("the page is cut inside its own data, so nothing of it is kept")
    if blob is None:
        return _read_markup(text, source=source, day=day)
    props = props_of(blob)
    item = {
        "paper": props.get("paper"),
        "organization": props.get("organization"),
        "numComments": _comments(props.get("comments")),
    }
    return read_one(item, source=source, day=day, visited=visited)


def _comments(value: object) -> int | None:
    """Return how many comments there are; the list also holds events, such as a changed title."""
    if not isinstance(value, list):
        return None
    return sum(mapping(entry).get("type", "comment") == "comment" for entry in value)


# -- the markup --------------------------------------------------------------------------------------------------------


def _read_markup(text: str, *, source: str, day: date) -> Listing:
    refusal = Blocked("the page holds no paper and no sign of one: a bot check, a login or another page")
    if "<h1" not in text.lower():
        raise refusal
    soup = BeautifulSoup(XML_HEAD.sub("", text), "lxml")
    damaged = shows_mojibake(text)
    address = soup.find("meta", attrs={"property": "og:url"})
    found = _ADDRESS.search(str(address.get("content", ""))[:2_000]) if isinstance(address, Tag) else None
    identifier = arxiv_id(found[1]) if found else None
    heading = soup.find("h1")
    title = _words(_pieces(heading), damaged=damaged) if isinstance(heading, Tag) else ""
    if identifier is None or not title:
        raise refusal
    abstract = _abstract(soup, damaged=damaged)
    paper = ListedPaper(
        title=title,
        rank=1,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
    )
    note = "the page's own data is missing; its markup was read, which knows less"
    return Listing(source=source, day=day, papers=(paper,), status=FetchStatus.PARTIAL, note=note)


def _abstract(soup: BeautifulSoup, *, damaged: bool) -> str:
    """Return the longest paragraph between the heading "Abstract" and the next: a machine's summary is shorter."""
    heading = next((tag for tag in soup.find_all(_HEADINGS[1:]) if collapse(_own_text(tag)) == "Abstract"), None)
    if heading is None:
        return ""
    paragraphs: dict[int, list[str]] = {}  # by the element that holds the text
    for piece in islice(heading.next_elements, _MOST_PIECES):
        if isinstance(piece, Tag) and piece.name in _HEADINGS:
            break
        if type(piece) is NavigableString:
            holder = next((tag for tag in islice(piece.parents, _NEAR) if tag.name in _HOLDERS), None)
            if holder is not heading:
                paragraphs.setdefault(id(holder), []).append(str(piece))
    texts = (_words(iter(pieces), damaged=damaged) for pieces in paragraphs.values())
    return max(texts, key=len, default="")


def _own_text(tag: Tag) -> str:
    return "".join(piece[:100] for piece in islice(tag.contents, 10) if type(piece) is NavigableString)


def _pieces(tag: Tag) -> Iterator[str]:
    return (str(piece) for piece in islice(tag.descendants, _MOST_PIECES) if type(piece) is NavigableString)


def _words(pieces: Iterator[str], *, damaged: bool) -> str:
    return collapse(repair_mojibake("".join(pieces)[:_LONGEST_TEXT], damaged=damaged))
