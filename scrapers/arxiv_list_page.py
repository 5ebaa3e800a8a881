"""arXiv's list pages: new, recent, pastweek, and the catch-up page of a past day (sources.md 3.1).

All are one markup: headings that say the day and "showing X of Y entries", and a pair of `dt` (the id, the mark
"(cross-list from …)" or "(replaced)", the links) and `dd` (title, authors, subjects, perhaps the abstract) for each
paper. The headings and pairs are read in the order of the page. On a page of new papers a heading tells what follows
it: new, cross or replacement submissions; on the others it tells the day. Ids come from `dt` alone, since abstracts
name other papers. At last what was read is held against what the page declares.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from lxml.html import HtmlElement

from domain.errors import Blocked, LayoutChanged
from domain.identifiers import arxiv_id
from domain.papers import AbstractKind, Announcement, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ARXIV, rejects_note
from scrapers.arxiv_markup import Markup, authors_of, categories_of, classes, day_in, is_cut, markup_of
from scrapers.arxiv_paging import Extent, extent_of, next_request
from scrapers.arxiv_withdrawal import is_withdrawn

_LIST = re.compile(
    r"<dl[^<>]{0,100}?\bid\s*=\s*[\"']?articles\b|\bid\s*=\s*[\"']?dlpage\b|/abs/[^\"'<>\s]{1,60}[\"']?\s+title\s*=\s*[\"']?Abstract\b",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"\bNo (further )?updates (?:today|for )", re.IGNORECASE)
_KIND = re.compile(r"(new|cross|replacement)(?:[ -](?:submissions?|list\w*)|(?<=t)s)\b", re.IGNORECASE)
_OF_DAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? ", re.IGNORECASE)
_OF_PAGE = re.compile(r"Showing new listings for |Catchup results for ", re.IGNORECASE)
_SHOWING = re.compile(r"\bshowing (first |last )?([0-9,]{1,9}) of ([0-9,]{1,9}) entr", re.IGNORECASE)
_ABSTRACT_PAGE = re.compile(r"/abs/([^?#\s]{1,60})$")
_HTML_VERSION = re.compile(r"/html/[^?#\s]{1,60}v([0-9]{1,3})/?$")
_FIELDS = frozenset({"list-title", "list-authors", "list-comments", "list-journal-ref", "list-subjects"})
_SHOWN_AUTHORS = 100  # arXiv leaves out the rest of a longer list (browse/controllers/abs_page.py)

#: Categories with two names: papers of one are at home in the other (arxiv-base, taxonomy).
_ALIASES = {
    "cs.IT": "math.IT",
    "math-ph": "math.MP",
    "econ.GN": "q-fin.EC",
    "math.NA": "cs.NA",
    "eess.SY": "cs.SY",
    "math.ST": "stat.TH",
}


@dataclass(frozen=True, slots=True)
class _Section:
    """What a heading says of the entries below it."""

    kind: Announcement | None = None  #: NEW, CROSS or REPLACE
    day: date | None = None
    showing: int | None = None
    goes_on: bool = False  #: it has entries beyond this page: "first 50 of 900", or "continued, showing 50 of 900"


@dataclass(frozen=True, slots=True)
class _Entry:
    section: _Section
    term: HtmlElement  #: the `dt`
    details: HtmlElement | None  #: the `dd`


@dataclass(frozen=True, slots=True)
class _Outline:
    """A page in parts."""

    day: date | None  #: of the whole page
    sections: tuple[_Section, ...]
    entries: tuple[_Entry, ...]

    @property
    def newest(self) -> date | None:
        """The newest day of a section; one without papers counts, for it was announced."""
        return max((section.day for section in self.sections if section.day), default=None)


def looks_like_list(text: str) -> bool:
    """Whether a text is HTML of one of arXiv's list pages."""
    return _LIST.search(text) is not None


def read_list(
    text: str,
    *,
    source: str,
    day: date,
    visited: date,
    announce: frozenset[Announcement],
    url: str = "",
    category: str = "",
) -> Listing:
    """Read a list page that came from `url`; the next page is on the same path, and "" has none.

    The day is the page's own where it says one that is believed on `visited`, else `day`. What is not in `announce`
    is kept as only_if_known. `category` tells a replacement that is at home elsewhere.

    Raises:
        Throttled: an answer that asks for patience.
        Blocked: neither entries nor a notice that there are none.
        LayoutChanged: entries without id or title, or counts that contradict the page.

    """
    markup = markup_of(text)
    outline = _outline(markup, visited)
    read = len(outline.entries)
    extent = extent_of(text, url, read=read, goes_on=any(section.goes_on for section in outline.sections))
    notice = None if outline.entries else _EMPTY.search(text)
    if not outline.entries and notice is None:
        if extent.total or any(section.showing for section in outline.sections):
            raise LayoutChanged("the page declares entries, but holds none")
        raise Blocked("the page holds no entries and no notice that there are none: a bot check or another page")
    papers: dict[str, ListedPaper] = {}  # by id: nobody is told of a paper twice
    rejected = 0
    for rank, entry in enumerate(outline.entries, start=extent.skip + 1):
        paper = _paper(markup, entry, rank=rank, announce=announce, category=category)
        if paper is None:
            rejected += 1
        else:
            papers.setdefault(paper.ids.arxiv or "", paper)
    left_out = rejects_note(rejected, read)
    declared = 0 if notice and notice[1] else _declared(outline, extent)
    notes = [left_out] if left_out else []
    following = next_request(url, extent) if read else None
    notes += _doubts(read, declared, extent)
    # A page saved by hand is whole where it holds what it says that it shows.
    if read and following is None and not extent.is_last and (url or not extent.shown):
        notes.append(f"more entries follow than the {read} on the page, and nothing says where")
    notes += ["the page is cut before its end"] if is_cut(text) else []
    good = FetchStatus.OK if papers else FetchStatus.OK_EMPTY
    return Listing(
        source=source,
        day=outline.newest or outline.day or day,
        papers=tuple(papers.values()),
        status=FetchStatus.PARTIAL if notes else good,
        declared=declared,
        rejected=rejected,
        note="; ".join(notes),
        next=following,
    )


# -- the page in parts -------------------------------------------------------------------------------------------------


def _outline(markup: Markup, visited: date) -> _Outline:
    day = None
    sections: list[_Section] = []
    entries: list[_Entry] = []
    for element in markup.root.iter("h1", "h2", "h3", "h4", "dt", "dd"):
        if element.tag == "dt":
            entries.append(_Entry(sections[-1] if sections else _Section(), element, None))
        elif element.tag == "dd":
            if entries and entries[-1].details is None:
                entries[-1] = _Entry(entries[-1].section, entries[-1].term, element)
        else:
            heading = markup.words(element)
            section = _section(heading, visited)
            if section:
                sections.append(section)
            if _OF_PAGE.match(heading) or (section and section.kind):
                day = day or day_in(heading, visited)
    return _Outline(day=day, sections=tuple(sections), entries=tuple(entries))


def _section(heading: str, visited: date) -> _Section | None:
    """Return what a heading begins; None for one that begins nothing, such as the site's name."""
    found = _SHOWING.search(heading)
    showing = _number(found[2]) if found else None
    whole = _number(found[3]) if found else None
    # The last part is smaller than the whole too, and says that it is the last.
    goes_on = found is not None and (showing or 0) < (whole or 0) and (found[1] or "").lower() != "last "
    if kind := _KIND.match(heading):
        kinds = {"n": Announcement.NEW, "c": Announcement.CROSS, "r": Announcement.REPLACE}
        return _Section(kind=kinds[kind[1][0].lower()], showing=showing, goes_on=goes_on)
    day = day_in(heading, visited) if _OF_DAY.match(heading) else None
    return _Section(day=day, showing=showing, goes_on=goes_on) if day or showing is not None else None


def _number(digits: str) -> int | None:
    digits = digits.replace(",", "")
    return int(digits) if digits else None


# -- counts ------------------------------------------------------------------------------------------------------------


def _declared(outline: _Outline, extent: Extent) -> int | None:
    """Return how many entries the page says it holds, by its headings or by its total, whichever says more."""
    shown = [section.showing for section in outline.sections if section.showing is not None]
    said = [count for count in (sum(shown) if shown else None, extent.here) if count is not None]
    return max(said, default=None if outline.entries else 0)


def _doubts(read: int, declared: int | None, extent: Extent) -> Iterator[str]:
    """Say what of the page's counts does not fit; raises LayoutChanged where they are no count of this page."""
    if declared is None:
        yield "the page declares no count, so whether it was whole is not known"
    elif not read <= 2 * declared <= 4 * read:
        raise LayoutChanged(f"the page declares {declared} entries, but holds {read}")
    elif read != declared:
        yield f"the page declares {declared} entries, but holds {read}"
    if read and extent.is_elsewhere:
        yield "the page does not begin with the entry that was asked for"


# -- one paper ---------------------------------------------------------------------------------------------------------


def _paper(
    markup: Markup, entry: _Entry, *, rank: int, announce: frozenset[Announcement], category: str
) -> ListedPaper | None:
    """Return the paper of an entry; None without id or title."""
    identifier = _identifier(markup, entry.term)
    if identifier is None or entry.details is None:
        return None
    fields = _fields(entry.details)
    title = _field(markup, fields, "list-title", "Title:")
    if not title:
        return None
    abstract = _field(markup, fields, "abstract", "Abstract:")
    comment = _field(markup, fields, "list-comments", "Comments:")
    categories = categories_of(_field(markup, fields, "list-subjects", "Subjects:"))
    authors = authors_of(markup, fields["list-authors"]) if "list-authors" in fields else ()
    announcement = _announcement(entry.section.kind, markup.words(entry.term), categories[:1], category)
    withdrawn = is_withdrawn(comment=comment, abstract=abstract)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=len(authors) if len(authors) < _SHOWN_AUTHORS else 0,
        url=f"{ARXIV}/abs/{identifier}",
        pdf_url="" if withdrawn else f"{ARXIV}/pdf/{identifier}",
        categories=categories,
        version=_version(entry.term),
        withdrawn=withdrawn,
        day=entry.section.day,
        announcement=announcement,
        only_if_known=announcement not in announce,
        comment=comment,
        journal=_field(markup, fields, "list-journal-ref", "Journal-ref:"),
    )


def _identifier(markup: Markup, term: HtmlElement) -> str | None:
    for link in term.iter("a"):
        found = _ABSTRACT_PAGE.search(link.get("href") or "")
        identifier = arxiv_id(found[1] if found else markup.words(link))
        if identifier:
            return identifier
    return None


def _version(term: HtmlElement) -> int | None:
    for link in term.iter("a"):
        if found := _HTML_VERSION.search(link.get("href") or ""):
            return int(found[1]) or None
    return None


def _fields(details: HtmlElement) -> dict[str, HtmlElement]:
    """Return the parts of a `dd` by class name, the first of each; the paragraph is the abstract.

    A part whose end is lost would hold those after it, which therefore are taken out of it.
    """
    fields: dict[str, HtmlElement] = {}
    for element in details.iter("div", "p"):
        names = ["abstract"] if element.tag == "p" else _FIELDS.intersection(classes(element))
        for name in names:
            fields.setdefault(name, element)
    for field in fields.values():
        for swallowed in list(field.iterchildren("div", "p", "dl", "dt", "dd")):
            field.remove(swallowed)
    return fields


def _field(markup: Markup, fields: dict[str, HtmlElement], name: str, label: str) -> str:
    """Return a field's text; its label is still there where the page has stopped to mark it as one."""
    return markup.words(fields[name]).removeprefix(label).strip() if name in fields else ""


def _announcement(kind: Announcement | None, mark: str, primary: tuple[str, ...], category: str) -> Announcement:
    """Tell by the heading and by the entry's own mark; an entry with neither is new, so that none is missed."""
    crossed = "(cross-list" in mark
    if kind is Announcement.REPLACE or "(replaced" in mark:
        away = crossed or (category and primary and not _is_home(primary[0], category))
        return Announcement.REPLACE_CROSS if away else Announcement.REPLACE
    return Announcement.CROSS if crossed or kind is Announcement.CROSS else Announcement.NEW


def _is_home(primary: str, category: str) -> bool:
    """Whether papers of a primary category are at home in a category or archive; a group has many archives."""
    homes = {primary, _ALIASES.get(primary, primary)}
    return category in homes | {home.split(".")[0] for home in homes} or category.startswith("grp_")
