"""Hugging Face papers: the daily page and the search page, of the site itself or of any mirror.

The page carries its own data: JSON in the attribute `data-props` of the element whose `data-target` is "DailyPapers"
(sources.md 1.2). It is read first and alone; only where that element is missing are the cards read, as far as they go.
What the JSON holds is never trusted to have a type: each field is read by a small function that answers "nothing" for
anything unexpected, and a record without id or title is rejected and counted.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote_plus

from domain.errors import Blocked, LayoutChanged
from domain.identity import arxiv_id
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing, PageRequest
from scrapers.guard import look_over
from scrapers.huggingface_cards import read_cards
from scrapers.huggingface_data import blob_of, props_of
from scrapers.source import Page
from scrapers.text import collapse, plausible_day, repair_mojibake, web_address

#: What a saved page is called that lists a day, or answers a search.
DAILY, SEARCH = "huggingface-daily", "huggingface-search"

_MARKER = re.compile(r"data-target\s*=\s*[\"']?DailyPapers(?=[\"'\s>])")
_CARD = re.compile(r"href\s*=\s*[\"']?(?:https?://[^/\"'\s]+)?/papers/\d{4}\.\d{4,5}(?!\d)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REJECTS_SHARE = 0.05  # of the declared records; above it the layout is not the one we know
_COUNT_LIMIT = 2**31  # votes and comments beyond it are damage


@dataclass(frozen=True, slots=True)
class DailySource:
    """The papers listed on one day: GET {url}/papers/date/{day}."""

    name: str
    url: str  #: the site's root, without a slash at its end
    every: timedelta
    kind: str = DAILY
    is_dated: bool = True
    label: str = "Hugging Face Daily Papers"

    def requests(self, day: date) -> Iterable[PageRequest]:
        """Name the one page of the day; a day that is not published yet answers with the last one that is."""
        return (PageRequest(f"{self.url}/papers/date/{day.isoformat()}"),)

    def parse(self, page: Page, day: date) -> Listing:
        """Read a daily page; the listing's day is the one that the page names (it clamps, sources.md 1.1).

        The page cannot be of a day after it was fetched, whatever day was asked for.
        """
        visited = max(day, page.fetched_at.date())
        return read_page(page.text(), source=self.name, day=day, search=False, visited=visited)


@dataclass(frozen=True, slots=True)
class SearchSource:
    """What the site finds for a query, up to 120 papers of any year: GET {url}/papers?q={query}."""

    name: str
    url: str  #: the site's root, without a slash at its end
    query: str
    every: timedelta
    kind: str = SEARCH
    is_dated: bool = False

    @property
    def label(self) -> str:
        """What readers call it."""
        return f"Hugging Face search: {self.query}"

    def requests(self, day: date) -> Iterable[PageRequest]:  # noqa: ARG002 - a search page is the same for every day
        """Name the one result page."""
        return (PageRequest(f"{self.url}/papers?q={quote_plus(self.query)}"),)

    def parse(self, page: Page, day: date) -> Listing:
        """Read a result page; it has no day of its own, so the listing's day is the visit's."""
        return read_page(page.text(), source=self.name, day=day, search=True)


def looks_like_huggingface(text: str) -> bool:
    """Whether a text is HTML of a Hugging Face papers page: it has the marker, or links to papers as cards do."""
    return _MARKER.search(text) is not None or _CARD.search(text) is not None


def read_page(text: str, *, source: str, day: date, search: bool, visited: date | None = None) -> Listing:
    """Read the HTML of a papers page that was asked for: of a search, or of a day.

    A daily page's own day is believed from 1991 to the day after `visited` (None for `day` itself); else it is `day`.

    Raises:
        Blocked: neither the page's data nor any card is there: a bot check or a login, not an empty day.
        LayoutChanged: the data is there, but broken, cut, or not the list that was asked for.

    """
    kind = SEARCH if search else DAILY
    return _read(text, source=source, day=day, visited=visited or day, asked=kind)


def read_saved(text: str, *, day: date) -> Listing:
    """Read a papers page that somebody saved on `day`, named by what it says it lists, such as "huggingface-week".

    Only a daily page has a day of its own; the others list what the day of the visit found. Raises as read_page does.
    """
    return _read(text, source="", day=day, visited=day, asked="")


def _read(text: str, *, source: str, day: date, visited: date, asked: str) -> Listing:
    """Read a page of the kind that was `asked` for, or of any kind for ""; a `source` of "" is named by the kind."""
    text = text.replace("\0", "")  # libxml2 ends a document there
    look_over(text)
    blob = blob_of(text)
    if blob is None and _MARKER.search(text):
        raise LayoutChanged("the page is cut inside its own data, so nothing of it is kept")
    if blob is None:
        listing = read_cards(text, source=source or DAILY, day=day, visited=visited)
        if listing is None:
            raise Blocked("the page holds no papers and no sign of a list: a bot check, a login or another page")
        return listing
    props = props_of(blob)
    kind = _kind(props)
    if asked == DAILY and kind == SEARCH:
        raise LayoutChanged("a daily page was asked for, but the page answers a search")
    if asked == DAILY and kind != DAILY:
        raise LayoutChanged(f"a daily page was asked for, but the page is one of {kind}")
    # On a search page `dailyPapers` is still there, and is not the result (sources.md 1.2).
    key = "searchResults" if (asked or kind) == SEARCH else "dailyPapers"
    items = props.get(key)
    if not isinstance(items, list):
        raise LayoutChanged(f"the page's data has no list named {key}")
    own = _page_day(props, items, visited) if (asked or kind) == DAILY else None
    return _listing(items, source=source or kind, day=own or day)


def _kind(props: Mapping[str, object]) -> str:
    """Return what the page says it lists; raises LayoutChanged for a period that is not known."""
    if _text(_mapping(props.get("query")).get("q")):
        return SEARCH
    if props.get("isTrending") is True:
        return "huggingface-trending"
    period = props.get("periodType") or "day"
    if period not in ("day", "week", "month"):
        raise LayoutChanged("the page lists the papers of a period that is neither day, week nor month")
    return DAILY if period == "day" else f"huggingface-{period}"


def _listing(items: list[object], *, source: str, day: date) -> Listing:
    papers: dict[str, ListedPaper] = {}  # by id: a page may show a paper twice
    rejected = 0
    for item in items:
        paper = _paper(_mapping(item), rank=len(papers) + 1)
        if paper is None:
            rejected += 1
        else:
            papers.setdefault(paper.ids.arxiv or "", paper)
    # One bad record does not cost a short day; a page of nothing but bad records is not ours.
    if rejected > max(1, len(items) * _REJECTS_SHARE) or (rejected and not papers):
        raise LayoutChanged(f"{rejected} of {len(items)} records have no paper id or no title")
    status = FetchStatus.PARTIAL if rejected else FetchStatus.OK if papers else FetchStatus.OK_EMPTY
    note = f"{rejected} of {len(items)} records had no paper id or no title and were left out" if rejected else ""
    return Listing(source=source, day=day, papers=tuple(papers.values()), status=status, declared=len(items), note=note)


def _paper(item: Mapping[str, object], *, rank: int) -> ListedPaper | None:
    paper = _mapping(item.get("paper"))
    identifier = arxiv_id(_text(paper.get("id")))
    title = _text(paper.get("title")) or _text(item.get("title"))
    if identifier is None or not title:
        return None
    abstract, abstract_kind = _abstract(item, paper)
    authors = _list(paper.get("authors"))
    organization = _mapping(paper.get("organization")) or _mapping(item.get("organization"))
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier),
        abstract=abstract,
        abstract_kind=abstract_kind,
        authors=tuple(name for name in map(_author, authors) if name),
        author_count=len(authors),
        # Not the item's own publishedAt, which is hours off and often the day before (sources.md 1.3).
        published=_date(paper.get("publishedAt")),
        url=f"https://arxiv.org/abs/{identifier}",
        pdf_url=f"https://arxiv.org/pdf/{identifier}",
        code_url=web_address(paper.get("githubRepo")),
        project_url=web_address(paper.get("projectPage")),
        organization=_text(organization.get("fullname")) or _text(organization.get("name")),
        upvotes=_count(paper.get("upvotes")),
        comments=_count(item.get("numComments")),
        withdrawn=bool(_text(paper.get("withdrawnAt"))),
    )


def _abstract(item: Mapping[str, object], paper: Mapping[str, object]) -> tuple[str, AbstractKind]:
    if abstract := _text(paper.get("summary")) or _text(item.get("summary")):
        return abstract, AbstractKind.AUTHORS
    if summary := _text(paper.get("ai_summary")):
        return summary, AbstractKind.SUMMARY
    return "", AbstractKind.NONE


def _author(entry: object) -> str:
    """Return the name; "" for an author that the site hides, or that has none.

    The user account beside it is not the author's name (sources.md 1.2).
    """
    author = _mapping(entry)
    return "" if author.get("hidden") else _text(author.get("name"))


def _page_day(props: Mapping[str, object], items: list[object], visited: date) -> date | None:
    """Return the listing day that the page names, else the one that most of its papers name; None for no likely one."""
    if named := plausible_day(_date(props.get("dateString")), visited):
        return named
    said = (_date(_mapping(_mapping(item).get("paper")).get("submittedOnDailyAt")) for item in items)
    days = Counter(plausible_day(day, visited) for day in said)
    del days[None]
    return days.most_common(1)[0][0] if days else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return collapse(repair_mojibake(value)) if isinstance(value, str) else ""


def _date(value: object) -> date | None:
    """Return the day of "2025-09-15" or "2025-09-15T17:59:19.000Z"; None for no day, such as 31 February."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT_LIMIT:
        return value
    return None
