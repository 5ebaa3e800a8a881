"""One entry of a feed, as feedparser gives it, made a paper.

What an entry holds is never trusted to have a type. Ids come from the fields that state them and from the entry's
links, never from its text, which may cite other work, but for what feed_said.py knows to name the paper itself.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from email.utils import parsedate_tz
from urllib.parse import quote, urlsplit, urlunsplit

from domain.identifiers import identifiers_in
from domain.papers import AbstractKind, Announcement, Identifiers, ListedPaper
from scrapers.arxiv_authors import names_of
from scrapers.feed_people import names_in
from scrapers.feed_said import Said, read_text
from scrapers.feed_text import plain_text, without_figures
from scrapers.text import plausible_day, web_address

_LONGEST_TITLE = 1_000  # characters; what is longer is no title
_MOST_CATEGORIES = 50
_JOURNAL_LENGTH = 300


def read_entry(entry: Mapping[str, object], *, rank: int, visited: date) -> ListedPaper | None:
    """Return the paper of an entry; None for one without title, and for an error that an API dresses as an entry."""
    stated = _text(entry, "title")
    title, tail = _title(stated)
    link = _link(entry)
    if not title or len(title) > _LONGEST_TITLE or "arxiv.org/api/errors" in f"{_raw(entry, 'id')} {link}":
        return None
    said = _said(entry)
    ids = _ids(entry, link, tail, said.ids)
    authors, count = _authors(entry, is_arxiv=ids.arxiv is not None)
    authors = authors or said.authors
    announcement = _announcement(entry)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=ids,
        abstract=said.text,
        abstract_kind=said.kind,
        authors=authors,
        author_count=max(count, len(authors)),
        # arXiv dates each entry by the announcement, whatever the paper's age (sources.md 3.2).
        published=None if announcement else _published(entry, visited),
        url=_address(link) or _page_of(ids),
        categories=_categories(entry),
        announcement=announcement,
        only_if_known=announcement in {Announcement.REPLACE, Announcement.REPLACE_CROSS},
        journal=(_text(entry, "prism_publicationname", "arxiv_journal_reference", "arxiv_journal_ref") or said.journal)[
            :_JOURNAL_LENGTH
        ],
    )


# -- fields ------------------------------------------------------------------------------------------------------------


def _raw(entry: Mapping[str, object], *names: str) -> str:
    """Return the first of the fields that is a text with something in it; ""."""
    values = (entry.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _text(entry: Mapping[str, object], *names: str) -> str:
    return plain_text(_raw(entry, *names))


def _each(entry: Mapping[str, object], name: str, part: str) -> list[str]:
    """Return one text of each mapping in a field that lists mappings."""
    values = entry.get(name)
    parts = (value.get(part) for value in values if isinstance(value, Mapping)) if isinstance(values, list) else ()
    return [value for value in parts if isinstance(value, str) and value.strip()]


# -- title and ids -----------------------------------------------------------------------------------------------------

_RUBRIC = re.compile(
    r"\[(?:ASAP|Just Accepted|Articles?|Research Articles?|Reviews?|Correspondence|Comments?|Perspectives?|Viewpoint|"
    r"Editorial|News|Series|Seminar|Health Policy|Research)\]\s*(?=\S)",
    re.IGNORECASE,
)
_ARXIV_TAIL = re.compile(r"\s*\((arXiv:[^()\s]{1,40})(?:\s+\[[\w.-]{1,30}\])?(?:\s+[A-Z]{1,20}(?:/[A-Z]{1,20})?)?\)$")


def _title(stated: str) -> tuple[str, str]:
    """Return a title without its rubric and arXiv's tail, and the id of the tail; ""."""
    title = stated
    while rubric := _RUBRIC.match(title):
        title = title[rubric.end() :]
    tail = _ARXIV_TAIL.search(title[-120:])
    return (title[: len(title) - len(tail[0])], tail[1]) if tail else (title, "")


def _ids(entry: Mapping[str, object], link: str, tail: str, teaser: str) -> Identifiers:
    guid = _raw(entry, "id")
    stated = (
        _raw(entry, "prism_doi"),
        _raw(entry, "dc_identifier"),
        tail,
        # A bare number is anybody's.
        guid if ":" in guid or "/" in guid else "",
        _raw(entry, "feedburner_origlink"),
        link,
        _raw(entry, "prism_url"),
        teaser,
        _raw(entry, "arxiv_doi"),
    )
    return identifiers_in(text.strip() for text in stated if text)


def _announcement(entry: Mapping[str, object]) -> Announcement | None:
    try:
        return Announcement(_raw(entry, "arxiv_announce_type").strip())
    except ValueError:
        return None


# -- links -------------------------------------------------------------------------------------------------------------

_TRACKING = re.compile(r"utm_\w*|dgcid|[fg]clid|mc_[ce]id|WT\.\w*|cmpid|xtor", re.IGNORECASE)
# Names that may mean something else, and the values by which they only say "from a feed".
_PERHAPS = re.compile(r"rss|_rss|af|ref|feed|source|from|campaign|via", re.IGNORECASE)
_FROM_FEED = re.compile(r"1|yes|true|R|(?:rss|feed|atom)\w*|", re.IGNORECASE)
_WITHOUT_QUERY = frozenset({"pubmed.ncbi.nlm.nih.gov"})  # the path is the address, the query is of the feed


def _link(entry: Mapping[str, object]) -> str:
    """Return the entry's address: that before a feed service rewrote it, its own, or a guid that is one."""
    guid = _raw(entry, "id").strip()
    own = _raw(entry, "feedburner_origlink", "link").strip()
    return own or (guid if guid.startswith(("http://", "https://")) else "")


def _address(link: str) -> str:
    """Return a link without what only tells its owner whence the reader came; "" for none."""
    address = web_address(_in_ascii(link))
    if not address or ("?" not in address and "#" not in address):
        return address
    parts = urlsplit(address)
    told = [pair for pair in parts.query.split("&") if pair and not _is_tracking(pair)]
    query = "" if parts.hostname in _WITHOUT_QUERY else "&".join(told)
    fragment = "" if _is_tracking(parts.fragment) else parts.fragment
    return urlunsplit(parts._replace(query=query, fragment=fragment))


def _in_ascii(link: str) -> str:
    """Return a link with what is not ASCII in its path escaped; "" for a host in another script."""
    if link.isascii():
        return link
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:
        return ""
    return quote(link, safe="/:?#[]@!$&'()*+,;=%~") if host.isascii() else ""


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.partition("=")
    perhaps = _PERHAPS.fullmatch(name) and _FROM_FEED.fullmatch(value)
    return bool(_TRACKING.fullmatch(name) or perhaps)


def _page_of(ids: Identifiers) -> str:
    if ids.arxiv:
        return f"https://arxiv.org/abs/{ids.arxiv}"
    return f"https://doi.org/{quote(ids.doi)}" if ids.doi else ""


# -- people, categories, days ------------------------------------------------------------------------------------------


_MAILBOX = re.compile(r"\S{1,200}@\S{1,200} \((.{1,300})\)|([^<(]{1,300}) [<(]\S{1,200}@\S{1,200}[>)]")


def _authors(entry: Mapping[str, object], *, is_arxiv: bool) -> tuple[tuple[str, ...], int]:
    """Return the names, and how many authors there are with those that the entry leaves out."""
    names = [plain_text(name) for name in _each(entry, "authors", "name")]
    # "ada@host.example (Ada Moss)": feedparser cuts a host of a long name in two, so the whole field is read.
    if len(names) < 2 and (mailbox := _MAILBOX.fullmatch(_text(entry, "author"))):
        names = [mailbox[1] or mailbox[2]]
    names = [name for name in names if name]
    if is_arxiv and len(names) == 1:  # "A, B", never "Last, First" (sources.md 3.2)
        return names_of(names[0])
    found = names_in(names)
    return found, len(found)


def _categories(entry: Mapping[str, object]) -> tuple[str, ...]:
    terms = [plain_text(term)[:100] for term in _each(entry, "tags", "term")]
    return tuple(dict.fromkeys(filter(None, terms)))[:_MOST_CATEGORIES]


_ISO_DAY = re.compile(r"\s*(\d{4})-(\d{2})-(\d{2})(?!\d)", re.ASCII)
_DATED = ("prism_publicationdate", "published", "updated", "prism_coverdate")


def _published(entry: Mapping[str, object], visited: date) -> date | None:
    days = (plausible_day(day_in(_raw(entry, name)), visited) for name in _DATED)
    return next((day for day in days if day), None)


def day_in(text: str) -> date | None:
    """Return the day that "2026-03-04T…" or "Wed, 04 Mar 2026 …" names, in the zone it is written in; else None."""
    found = _ISO_DAY.match(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3]))
        parts = parsedate_tz(text[:100])
        return date(*parts[:3]) if parts else None
    except (ValueError, TypeError, IndexError, OverflowError):  # email.utils trips over some odd texts
        return None


# -- the text ----------------------------------------------------------------------------------------------------------


def _said(entry: Mapping[str, object]) -> Said:
    """Return what the summary or the content says: the abstract if either is one, else the longer."""
    contents = [without_figures(plain_text(value)) for value in _each(entry, "content", "value")]
    read = [read_text(text) for text in _distinct([without_figures(_text(entry, "summary")), *contents])]
    if not read:
        return Said()
    best = next((each for each in read if each.kind is AbstractKind.AUTHORS), None) or max(
        read, key=lambda each: len(each.text)
    )
    return Said(
        text=best.text,
        kind=best.kind,
        authors=next((each.authors for each in read if each.authors), ()),
        journal=next((each.journal for each in read if each.journal), ""),
        ids=next((each.ids for each in read if each.ids), ""),
    )


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, texts)))
