"""arXiv's page of one paper, /abs/<id> (sources.md 3.1, 3.7).

The page says most things twice: in blocks for people and in `citation_*` tags for programs. The id, the DOI and the
first day come from the tags, which are made for that. The title, the authors ("First Last") and the abstract come from
the blocks, where accents are letters as they are on the lists, and from the tags where a block is missing. The
submission history tells the newest version, and whether that one is a withdrawal; words are only asked where there is
no history.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lxml.html import HtmlElement

from domain.errors import Blocked, LayoutChanged
from domain.identifiers import arxiv_id, doi
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ARXIV
from scrapers.arxiv_markup import Markup, authors_of, categories_of, classes, day_in, is_cut, markup_of
from scrapers.arxiv_withdrawal import is_withdrawn
from scrapers.text import plausible_day

_PAGE = re.compile(r"\bname\s*=\s*[\"']?citation_arxiv_id\b|<blockquote[^<>]{0,100}?\babstract\b", re.IGNORECASE)
_LINKED = re.compile(r"/abs/([^?#\s]{1,60})$")
_HISTORY = re.compile(r"\[v([0-9]{1,3})\]([^\[]*)")  # "[v2] Tue, 24 Jul 2007 20:10:27 UTC (370 KB)"
_WITHDRAWN_VERSION = re.compile(r"\bwithdrawn\b", re.IGNORECASE)
_CITATION_DAY = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")


@dataclass(frozen=True, slots=True)
class _Parts:
    """A page in parts, the first of each."""

    blocks: Mapping[str, HtmlElement]  #: title, authors, abstract, comments, jref, subjects, doi, submission-history
    tags: Mapping[str, tuple[str, ...]]  #: contents by name: citation_title, …
    is_marked_withdrawn: bool  #: "Withdrawn" stands where the links to the text would


@dataclass(frozen=True, slots=True)
class _History:
    version: int | None
    first: date | None
    is_withdrawn: bool


def looks_like_abstract(text: str) -> bool:
    """Whether a text is HTML of arXiv's page of one paper."""
    return _PAGE.search(text) is not None


def read_abstract(text: str, *, source: str, day: date, visited: date) -> Listing:
    """Read the page of one paper as a listing of it, of `day`; no date after `visited` is believed.

    Raises:
        Throttled: an answer that asks for patience.
        Blocked: nothing on the page is of a paper.
        LayoutChanged: the page has no arXiv id or no title.

    """
    markup = markup_of(text)
    parts = _parts(markup)
    identifier = _identifier(markup, parts)
    title = _said(markup, parts, "title", "Title:") or _tag(parts, "citation_title")
    if not parts.blocks and not parts.tags:
        raise Blocked("the page says nothing of a paper: a bot check or another page")
    if identifier is None or not title:
        raise LayoutChanged(f"the page of a paper has no {'title' if identifier else 'arXiv id'}")
    history = _history(_said(markup, parts, "submission-history"), visited)
    abstract = _said(markup, parts, "abstract", "Abstract:") or _tag(parts, "citation_abstract")
    comment = _said(markup, parts, "comments")
    withdrawn = history.is_withdrawn
    if history.version is None:
        withdrawn = parts.is_marked_withdrawn or is_withdrawn(comment=comment, abstract=abstract)
    authors = _authors(markup, parts)
    paper = ListedPaper(
        title=title,
        rank=1,
        ids=Identifiers(arxiv=identifier, doi=doi(_tag(parts, "citation_doi")) or doi(_said(markup, parts, "doi"))),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=len(authors),
        published=history.first or _citation_day(_tag(parts, "citation_date"), visited),
        url=f"{ARXIV}/abs/{identifier}",
        pdf_url="" if withdrawn else f"{ARXIV}/pdf/{identifier}",
        categories=categories_of(_said(markup, parts, "subjects")),
        version=history.version,
        withdrawn=withdrawn,
        comment=comment,
        journal=_said(markup, parts, "jref"),
    )
    note = "the page is cut before its end" if is_cut(text) else ""
    status = FetchStatus.PARTIAL if note else FetchStatus.OK
    return Listing(source=source, day=day, papers=(paper,), status=status, declared=1, note=note)


# -- the page in parts -------------------------------------------------------------------------------------------------

_BLOCKS = {
    ("h1", "title"): "title",
    ("div", "authors"): "authors",
    ("blockquote", "abstract"): "abstract",
    ("td", "comments"): "comments",
    ("td", "subjects"): "subjects",
    ("td", "arxivid"): "arxivid",
    ("td", "doi"): "doi",
    ("div", "submission-history"): "submission-history",
}


def _parts(markup: Markup) -> _Parts:
    blocks: dict[str, HtmlElement] = {}
    tags: dict[str, list[str]] = {}
    marked = False
    for element in markup.root.iter("meta", "h1", "div", "blockquote", "td", "li"):
        if element.tag == "meta":
            name = (element.get("name") or element.get("property") or "").lower()
            if name.startswith("citation_") or name == "og:url":
                tags.setdefault(name, []).append(markup.repaired(element.get("content") or ""))
        elif element.tag == "li":
            marked = marked or (element.text or "").strip() == "Withdrawn"
        else:
            for name in classes(element):
                if block := _BLOCKS.get((str(element.tag), name)):
                    blocks.setdefault(block, element)
                # The report number stands in a cell of the same class, so here the label counts.
                elif name == "jref" and _label(markup, element).startswith("Journal"):
                    blocks.setdefault("jref", element)
    return _Parts(blocks, {name: tuple(said) for name, said in tags.items()}, marked)


def _label(markup: Markup, cell: HtmlElement) -> str:
    before = cell.getprevious()
    return "" if before is None else markup.words(before)


def _said(markup: Markup, parts: _Parts, block: str, label: str = "") -> str:
    """Return a block's text; its label is still there where the page has stopped to mark it as one."""
    return markup.words(parts.blocks[block]).removeprefix(label).strip() if block in parts.blocks else ""


def _tag(parts: _Parts, name: str) -> str:
    return next(iter(parts.tags.get(name, ())), "")


# -- what the parts say ------------------------------------------------------------------------------------------------


def _identifier(markup: Markup, parts: _Parts) -> str | None:
    if identifier := arxiv_id(_tag(parts, "citation_arxiv_id")):
        return identifier
    links = [_tag(parts, "og:url")]
    if "arxivid" in parts.blocks:
        links += [link.get("href") or "" for link in parts.blocks["arxivid"].iter("a")]
    found = [arxiv_id(linked[1]) for linked in map(_LINKED.search, links) if linked]
    said = _said(markup, parts, "arxivid").split(" ")[0]  # "arXiv:0704.0001 [hep-ph]"
    return next((identifier for identifier in [*found, arxiv_id(said)] if identifier), None)


def _authors(markup: Markup, parts: _Parts) -> tuple[str, ...]:
    """Return the names as "First Last": of the block, or of the tags ("Last, First") where those are more."""
    shown = authors_of(markup, parts.blocks["authors"]) if "authors" in parts.blocks else ()
    tagged = tuple(_turned(name) for name in parts.tags.get("citation_author", ()) if name)
    return shown if len(shown) >= len(tagged) else tagged


def _turned(name: str) -> str:
    last, _, first = name.partition(",")
    return f"{first.strip()} {last.strip()}".strip()


def _history(said: str, visited: date) -> _History:
    versions = {int(entry[1]): entry[2] for entry in _HISTORY.finditer(said)}
    newest = max(versions, default=None)
    return _History(
        version=newest or None,
        first=day_in(versions.get(1, ""), visited),
        is_withdrawn=newest is not None and _WITHDRAWN_VERSION.search(versions[newest]) is not None,
    )


def _citation_day(said: str, visited: date) -> date | None:
    found = _CITATION_DAY.fullmatch(said)
    try:
        day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
    return plausible_day(day, visited)
