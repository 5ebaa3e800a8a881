"""arXiv's RSS and Atom feeds, read (sources.md 3.2).

Both forms say the same in other words: a head with the day, and an entry for each paper that was announced. The id
and the version come from "oai:arXiv.org:<id>v<N>", or else from the link, whose host was wrong for a while; the
address of the paper is made from the id. The abstract follows a prefix that repeats the id and the kind of
announcement. The authors stand in `dc:creator`, for `author` is arXiv's help desk (section 5, row 16).

An answer of HTTP 400 is a feed too, titled "Feed error for query: …", and its description is arXiv's reason.
"""

import re
from collections import Counter
from datetime import date

from domain.errors import LayoutChanged, PermanentCollectError
from domain.identifiers import arxiv_id, doi
from domain.papers import AbstractKind, Announcement, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ARXIV
from scrapers.arxiv_authors import names_of
from scrapers.arxiv_entries import NEW_YORK, Gathered, categories_in, day_in, gather, version_in, words
from scrapers.arxiv_withdrawal import is_withdrawn
from scrapers.text import plausible_day
from scrapers.xml import Element

_HEAD = 4_000  # characters in which a feed has said what it is
_ROOT = re.compile(r"<(?:[A-Za-z]{1,20}:)?(?:rss|feed)\b")
_OURS = re.compile(r"updates on (?:the )?arXiv\.org|Feed error for query:|\brss-help[@.]arxiv\.org", re.IGNORECASE)
_NAMED = re.compile(r">oai:arXiv\.org:", re.IGNORECASE)
_PREFIX = re.compile(r"(?:arXiv:\S{1,40}\s+)?Announce Type:\s*([a-z-]{1,20})\s*(?:Abstract:\s*)?", re.IGNORECASE)
_ERROR = "Feed error for query"
_REASON = 300  # characters of arXiv's reason that are repeated
#: The most entries that a feed gives, and the new papers stand last in it (arxiv-feed, feed/database.py).
_MOST = 2_000

_ANNOUNCEMENTS = {**{kind.value: kind for kind in Announcement}, "absonly": Announcement.REPLACE}


def looks_like_arxiv_feed(text: str) -> bool:
    """Whether a text is one of arXiv's own RSS or Atom feeds, an error or an empty one too."""
    head = text[:_HEAD]
    return bool(_ROOT.search(head) and (_OURS.search(head) or _NAMED.search(text)))


def read_feed(text: str, *, source: str, day: date, visited: date, announce: frozenset[Announcement]) -> Listing:
    """Read a feed; its day is the one that it says in New York, if it is believed on `visited`, else `day`.

    Papers announced as none of `announce` are only_if_known. Empty is a feed of a weekend or a holiday. A feed of as
    many entries as it can give is PARTIAL: it is cut where its new papers stand.

    Raises:
        Throttled: "Rate exceeded." in place of the feed.
        Blocked: a page for people in place of the feed.
        LayoutChanged: no feed of arXiv's, broken or cut, or more than a few entries without id or title.
        PermanentCollectError: an error feed; the message repeats arXiv's reason.

    """
    days: Counter[str] = Counter()

    def paper(entry: Element, rank: int) -> ListedPaper | None:
        days[entry.said("pubDate", "atom:published")] += 1
        return _paper(entry, rank, announce)

    root, found = gather(text, paper=paper)
    head = _head(root)
    title = words(head.said("title", "atom:title"))
    if title.startswith(_ERROR):
        reason = words(head.said("description", "atom:subtitle"))[:_REASON] or "no reason given"
        raise PermanentCollectError(f"arXiv refuses the feed: {reason}")
    if not found.entries and not _OURS.search(title):
        raise LayoutChanged("the feed is empty, and nothing in it says that it is arXiv's")
    note = found.note() or _cut(found)
    good = FetchStatus.OK if found.papers else FetchStatus.OK_EMPTY
    return Listing(
        source=source,
        day=_day(head, days, visited) or day,
        papers=tuple(found.papers.values()),
        status=FetchStatus.PARTIAL if note else good,
        rejected=found.rejected,
        note=note,
    )


def _head(root: Element) -> Element:
    """Return what holds the feed's own fields; raises LayoutChanged for XML that is no feed."""
    if root.name == "atom:feed":
        return root
    channels = root.all("channel") if root.name == "rss" else []
    if not channels:
        raise LayoutChanged("the XML is no RSS or Atom feed")
    return channels[0]


def _cut(found: Gathered) -> str:
    if found.entries != _MOST:
        return ""
    return f"the feed holds {_MOST:,} entries, the most it can, so it may lack new papers"


def _day(head: Element, days: Counter[str], visited: date) -> date | None:
    """Return the day that the feed names for itself, else the one that most of its entries bear.

    An Atom feed's `updated` is when it was built, which is the same day at midnight, unless it was built later; its
    entries bear the midnight of the day itself.
    """
    common = [said for said, _ in days.most_common(1)]
    built = [head.said("lastBuildDate")]
    said = [head.said("pubDate"), *common, *built, head.said("atom:updated")]
    likely = (plausible_day(day_in(instant, NEW_YORK), visited) for instant in said)
    return next((day for day in likely if day), None)


# -- one paper ---------------------------------------------------------------------------------------------------------


def _paper(entry: Element, rank: int, announce: frozenset[Announcement]) -> ListedPaper | None:
    """Return the paper of an entry; None without id or title."""
    name = entry.said("guid", "atom:id")
    address = _link(entry)
    identifier = arxiv_id(name) or arxiv_id(address)
    title = words(entry.said("title", "atom:title"))
    if identifier is None or not title:
        return None
    description = words(entry.said("description", "atom:summary"))
    prefix = _PREFIX.match(description)
    abstract = description[prefix.end() :] if prefix else description
    announcement = _announcement(entry.said("arxiv:announce_type"), prefix)
    authors = _authors(entry)
    withdrawn = is_withdrawn(comment="", abstract=abstract)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier, doi=doi(entry.said("arxiv:DOI", "arxiv:doi"))),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=len(authors),
        url=f"{ARXIV}/abs/{identifier}",
        pdf_url="" if withdrawn else f"{ARXIV}/pdf/{identifier}",
        categories=categories_in(
            [
                *(category.text for category in entry.all("category")),
                *(category.attributes.get("term", "") for category in entry.all("atom:category")),
            ]
        ),
        version=version_in(name[-80:], description[:80] if prefix else "", address[-80:]),
        withdrawn=withdrawn,
        announcement=announcement,
        # What is not named at all is news, so that nothing is missed.
        only_if_known=announcement is not None and announcement not in announce,
        journal=words(entry.said("arxiv:journal_reference", "arxiv:journal_ref")),
    )


def _link(entry: Element) -> str:
    linked = [link.attributes.get("href", "") for link in entry.all("atom:link")]
    return entry.said("link").strip() or next((address for address in linked if arxiv_id(address)), "")


def _announcement(said: str, prefix: re.Match[str] | None) -> Announcement | None:
    kinds = (said.strip().lower(), prefix[1].lower() if prefix else "")
    return next((_ANNOUNCEMENTS[kind] for kind in kinds if kind in _ANNOUNCEMENTS), None)


def _authors(entry: Element) -> tuple[str, ...]:
    """Return the names: all in one `dc:creator` at commas, or each in an Atom author of its own."""
    said = [creator.text for creator in entry.all("dc:creator")]
    names = [name for line in said for name in names_of(words(line))[0]]
    own = [words(author.said("atom:name")) for author in entry.all("atom:author")]
    return tuple(names or filter(None, own))
