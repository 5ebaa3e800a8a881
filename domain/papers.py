"""Papers: as a listing states them, and as the archive keeps them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum


class FetchStatus(StrEnum):
    """What came of asking a source (interface.md)."""

    OK = "ok"
    OK_EMPTY = "ok-empty"
    NOT_MODIFIED = "not-modified"
    STALE = "stale"
    PARTIAL = "partial"
    THROTTLED = "throttled"
    BLOCKED = "blocked"
    LAYOUT_CHANGED = "layout-changed"
    FAILED = "failed"

    @property
    def moves_cursor(self) -> bool:
        """Whether the source may go on from here: only a whole, understood answer counts."""
        return self in {FetchStatus.OK, FetchStatus.OK_EMPTY}

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to report as a failure."""
        return self.moves_cursor or self is FetchStatus.NOT_MODIFIED


class AbstractKind(StrEnum):
    """Whose words the abstract is."""

    AUTHORS = "abstract"
    SUMMARY = "summary"  # a machine's or an editor's, standing in for a missing abstract
    NONE = "none"


class Standing(IntEnum):
    """How near a source's words are to the authors' own: of two sources the higher is shown."""

    CAPTURE = 0  # a text capture: words are glued, letters lost
    AGGREGATOR = 1  # a site that lists others' papers: mathematics is stripped
    RECORDS = 2  # bibliographic records
    PUBLISHER = 3  # a journal's feed, or anyone's
    REPOSITORY = 4  # where the authors put the paper themselves


class Announcement(StrEnum):
    """As what arXiv announces a paper in a listing (sources.md 3.1, 3.2)."""

    NEW = "new"
    CROSS = "cross"  # new here, at home in another category
    REPLACE = "replace"  # a new version
    REPLACE_CROSS = "replace-cross"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Strong ids of one work, normalised and without version; None where unknown."""

    arxiv: str | None = None  #: "2401.01234" or "astro-ph/0601001"
    doi: str | None = None  #: lower case, without resolver: "10.1101/2024.01.01.123456"
    openreview: str | None = None  #: forum id

    @property
    def strongest(self) -> str | None:
        """The paper key of the strongest id, such as "arxiv:2401.01234"; None if there is none."""
        for scheme, value in self.pairs():
            return f"{scheme}:{value}"
        return None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return (scheme, value) of every id there is, strongest first."""
        named = (("arxiv", self.arxiv), ("doi", self.doi), ("openreview", self.openreview))
        return tuple((scheme, value) for scheme, value in named if value)


@dataclass(frozen=True, slots=True)
class ListedPaper:
    """One paper as one listing states it; raw text with white space collapsed, not display text."""

    title: str
    rank: int  #: place on the listing, from 1
    ids: Identifiers = field(default_factory=Identifiers)
    abstract: str = ""  #: "" where the listing gives none
    abstract_kind: AbstractKind = AbstractKind.NONE
    authors: tuple[str, ...] = ()  #: "First Last"; may be empty although author_count is known
    author_count: int = 0  #: 0 where the listing does not say
    published: date | None = None  #: day of the first version
    url: str = ""  #: the abstract page; http(s)
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    categories: tuple[str, ...] = ()
    organization: str = ""
    version: int | None = None
    upvotes: int | None = None  #: None where the listing has no votes
    comments: int | None = None
    withdrawn: bool = False
    first_seen: datetime | None = None  #: only in imported records that bring their own, as the next three
    first_listed: date | None = None
    key: str = ""  #: an archive's paper key: one of the ids' own, or "title:<16 hex digits>"
    sources: tuple[str, ...] = ()  #: where another archive had it from
    day: date | None = None  #: this paper's own listing day, where one page lists several; else None
    announcement: Announcement | None = None  #: None where the source does not tell
    only_if_known: bool = False  #: it tells more of a known paper and brings no new one (a replacement not asked for)
    summary: str = ""  #: a machine's summary that stands beside the abstract
    keywords: tuple[str, ...] = ()
    stars: int | None = None  #: of the code's repository
    comment: str = ""  #: the authors', such as "12 pages, accepted at a workshop"
    journal: str = ""  #: where it appeared


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional GET needs the next time."""

    url: str
    etag: str = ""
    last_modified: str = ""
    day: date | None = None  #: the listing day that the answer was of; None where that was not kept
    given_by: str = ""  #: the address that gave them, where redirects led from `url` to it; "" for `url` itself


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for."""

    url: str
    accept: str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"
    pace: float = 1.0  #: seconds between the starts of two such requests to one site
    is_page: bool = True  #: made for people: robots.txt has a say; feeds and APIs for programs have terms of their own
    reads: frozenset[int] = frozenset()  #: statuses beside 2xx whose body the source reads, such as a feed's 400


@dataclass(frozen=True, slots=True)
class Listing:
    """What one page says, read."""

    source: str  #: the configured name, or the kind for an imported file
    day: date  #: the listing day in the source's own zone
    papers: tuple[ListedPaper, ...]
    status: FetchStatus
    declared: int | None = None  #: the count that the page itself declares; None if it does not
    rejected: int = 0  #: records without id or title, left out
    note: str = ""  #: one sentence where the status needs words
    next: PageRequest | None = None  #: the page that goes on from here
    backlog: bool = False  #: papers that are not news
    standing: Standing = Standing.PUBLISHER  #: of its words


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a paper stood on a listing."""

    source: str
    day: date
    rank: int
    upvotes: int | None
    comments: int | None
    seen_at: datetime
    version: int | None = None
    announcement: Announcement | None = None
    organization: str = ""
    code_url: str = ""
    stars: int | None = None
    keywords: tuple[str, ...] = ()
    summary: str = ""
    comment: str = ""
    journal: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a source says of a paper's title, abstract or authors where the paper shows another's words."""

    source: str
    field: str  #: "title", "abstract" or "authors"
    text: str  #: authors joined by "; "
    day: date  #: the listing day of whoever said it last


#: The kinds of events that are told to readers who were sent the paper (storage/afterwards.py).
TOLD_AFTERWARDS = frozenset({"version", "withdrawn", "returned", "journal", "code"})


@dataclass(frozen=True, slots=True)
class PaperEvent:
    """What happened to a paper after it was first seen."""

    kind: str  #: "version", "withdrawn", "returned", "joined" (with another record), "named" (by a new strong id)
    note: str  #: "v3", the other record's key, the id; the day where no version is known
    source: str
    day: date
    at: datetime  #: aware UTC; when we learned of it


@dataclass(frozen=True, slots=True)
class Paper:
    """One work as the archive keeps it."""

    id: int  #: the archive's own number, rising with first_seen
    key: str  #: "arxiv:2401.01234", "doi:…", "openreview:…", "title:<hex>"
    ids: Identifiers
    title: str
    abstract: str
    abstract_kind: AbstractKind
    authors: tuple[str, ...]
    author_count: int
    published: date | None
    first_seen: datetime  #: aware UTC; the instant of storing
    listed: date  #: the latest listing day
    first_listed: date
    url: str
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    organization: str = ""
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  #: names of the sources it was seen on, in order of first sighting
    upvotes: int | None = None  #: the newest figure
    comments: int | None = None
    backlog: bool = False
    withdrawn: bool = False
    version: int | None = None  #: the newest that a listing named

    def __hash__(self) -> int:
        """Return what equal papers share, without reading all that is known of one: much is remembered by paper."""
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The record of one answer to one request."""

    source: str
    url: str
    day: date  #: the listing day it was asked for, or that it is of
    at: datetime  #: aware UTC; when the answer was whole
    seconds: float  #: from the request to the last byte, waiting for the host's turn left out
    bytes: int  #: of the body, unpacked
    http: int | None  #: its status; None where no answer came
    status: FetchStatus
    declared: int | None = None
    read: int = 0  #: papers
    rejected: int = 0
    new: int = 0
    etag: str = ""
    last_modified: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What one `Archive.add` did."""

    new: tuple[Paper, ...]  #: the papers never seen before, in the order of the listing
    updated: int  #: known papers that learned something
    listed: int  #: how many the listing held
