"""An answer of arXiv's query API, read (sources.md 3.3): an Atom feed with counts, and its many ways to say no.

An error is an entry titled "Error", or 14 bytes of "Rate exceeded."; an unknown field is rewritten without a word, but
the feed's title shows the query that was answered; a slice may come empty although the counts promise papers, which
arXiv mends by itself within minutes (lukasschwab/arxiv.py issue 129). The counts tell whether more is to come; where
they are lost, the next slice is asked for until one is empty.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date

from domain.errors import LayoutChanged, PermanentCollectError
from domain.identifiers import arxiv_id, doi
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ARXIV, is_throttled
from scrapers.arxiv_entries import Gathered, categories_in, day_in, gather, version_in, words
from scrapers.arxiv_query import is_same_query
from scrapers.arxiv_withdrawal import is_withdrawn
from scrapers.text import plausible_day
from scrapers.xml import Element

FARTHEST = 30_000  # results that the API gives of one query (User's Manual, 3.1.1.2)
KIND = "arxiv-api"  # of a source that is configured so, and the name of an imported file

_HEAD = 4_000  # characters in which an answer has said what it is
_ROOT = re.compile(r"<(?:[A-Za-z]{1,20}:)?feed\b")
_OURS = re.compile(
    r"arXiv Query:|//(?:export\.)?arxiv\.org/api/|<id[^<>]{0,100}>\s*https?://arxiv\.org/abs/", re.IGNORECASE
)
_TITLE = re.compile(r"arXiv Query:\s*search_query=(.*?)&id_list=", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2}")
_REASON = 300  # characters of arXiv's reason that are repeated


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the results."""

    listing: Listing
    following: int | None  #: the number, from 0, of the first result of the next slice; None where none is to be asked


def looks_like_answer(text: str) -> bool:
    """Whether a text is an answer of the query API: papers, none, an error, or the plea for patience."""
    head = text[:_HEAD]
    return bool(_ROOT.search(head) and _OURS.search(head)) or (is_throttled(text) and len(text) < 100)


def read_answer(text: str, *, source: str = KIND, day: date, since: date | None = None, asked: str = "") -> Listing:
    """Read an answer as a listing of `day`, on which it came; raises and judges as read_slice does."""
    return read_slice(text, source=source, day=day, since=since, asked=asked).listing


def read_slice(
    text: str, *, source: str, day: date, since: date | None = None, asked: str = "", start: int | None = None
) -> Slice:
    """Read an answer to the query `asked`, from the result number `start` on; "" and None where that is not known.

    There is no more to ask for where a paper is older than `since`, since the newest come first. PARTIAL, with a note:
    arXiv rewrote the query; it counts papers and gave none; the slice begins elsewhere; the results have no end, or
    none that can be known.

    Raises:
        Throttled: "Rate exceeded." in place of the answer.
        Blocked: a page for people in place of the answer.
        PermanentCollectError: an entry titled "Error"; the message repeats arXiv's reason.
        LayoutChanged: no answer of arXiv's, broken or cut, or more than a few entries without id or title.

    """
    offset = start or 0
    root, found = gather(text, paper=lambda entry, rank: _paper(entry, offset + rank, day))
    title = words(root.said("atom:title"))
    counts = _Counts.of(root)
    if root.name != "atom:feed":
        raise LayoutChanged("the XML is no Atom feed")
    if not found.entries and counts.total is None and not _OURS.search(title):
        raise LayoutChanged("the feed is empty, and nothing in it says that it is arXiv's")
    answered = _TITLE.match(title)
    rewritten = bool(asked and answered and not is_same_query(asked, answered[1]))
    elsewhere = start is not None and counts.start is not None and counts.start != start
    is_reached = since is not None and any(
        paper.published and paper.published < since for paper in found.papers.values()
    )
    goes_on = bool(found.entries) and not rewritten and not elsewhere and not is_reached
    following = counts.first(start) + found.entries if goes_on else None
    notes = [found.note()] if found.rejected else []
    if rewritten and answered:
        notes.append(f"arXiv was asked for {asked!r} and answered {answered[1]!r}")
    if elsewhere:
        notes.append(f"the answer begins at result {counts.start}, not at the {start} that was asked for")
    notes += _shortfall(counts, found, counts.first(start), following)
    notes += _unknown(counts, found, start, following)
    good = FetchStatus.OK if found.papers else FetchStatus.OK_EMPTY
    listing = Listing(
        source=source,
        day=day,
        papers=tuple(found.papers.values()),
        status=FetchStatus.PARTIAL if notes else good,
        declared=counts.here(start),
        rejected=found.rejected,
        note="; ".join(notes),
    )
    # Without a total only an empty slice is the end; a saved answer has no next one.
    end = counts.total if counts.total is not None else FARTHEST if start is not None else 0
    is_more = following is not None and following < min(end, FARTHEST)
    return Slice(listing, following if is_more else None)


@dataclass(frozen=True, slots=True)
class _Counts:
    """What an answer says of itself; None where it does not."""

    total: int | None
    start: int | None
    per_page: int | None  #: the most that a slice holds, not what this one does

    @classmethod
    def of(cls, root: Element) -> "_Counts":
        said = [root.said(f"opensearch:{name}").strip() for name in ("totalResults", "startIndex", "itemsPerPage")]
        return cls(*(int(digits.replace(",", "")) if _NUMBER.fullmatch(digits) else None for digits in said))

    def first(self, start: int | None) -> int:
        """Return the number of the first result: as it was asked for, else as the answer says."""
        return start if start is not None else self.start or 0

    def here(self, start: int | None) -> int | None:
        """Return how many results the answer says that it holds."""
        if self.total is None:
            return None
        left = max(self.total - self.first(start), 0)
        return left if self.per_page is None else min(left, self.per_page)


def _shortfall(counts: _Counts, found: Gathered, first: int, following: int | None) -> Iterator[str]:
    """Say where the counts promise papers that neither this answer nor the next ones will hold."""
    total = counts.total or 0
    if not found.entries and total > first:
        yield f"arXiv counts {total:,} in all and gave none from number {first + 1:,} on"
    if following is not None and FARTHEST <= following < total:
        yield f"arXiv counts {total:,} in all and gives {FARTHEST:,} of a query, so a narrower one is needed"


def _unknown(counts: _Counts, found: Gathered, start: int | None, following: int | None) -> Iterator[str]:
    """Say where the counts do not tell whether there is more, and no next slice will."""
    if counts.total is not None or following is None:
        return
    if following >= FARTHEST:
        yield f"arXiv does not say how many there are and gives {FARTHEST:,} of a query, so there may be more"
    # An answer about one paper, asked for by its id, is whole.
    elif start is None and counts.per_page and found.entries >= max(counts.per_page, 2):
        yield "the answer is full and does not say how many there are in all, so there may be more"


# -- one paper ---------------------------------------------------------------------------------------------------------


def _paper(entry: Element, rank: int, day: date) -> ListedPaper | None:
    """Return the paper of an entry; None without id or title. Raises PermanentCollectError for an error's entry."""
    name = entry.said("atom:id").strip()
    links = [link.attributes.get("href", "") for link in entry.all("atom:link")]
    identifier = arxiv_id(name) or next(filter(None, map(arxiv_id, links)), None)
    title = words(entry.said("atom:title"))
    if identifier is None and (title == "Error" or "/api/errors" in name):
        reason = words(entry.said("atom:summary"))[:_REASON] or "no reason given"
        raise PermanentCollectError(f"arXiv refuses the query: {reason}")
    if identifier is None or not title:
        return None
    abstract = words(entry.said("atom:summary"))
    comment = words(entry.said("arxiv:comment"))
    authors = tuple(filter(None, (words(author.said("atom:name")) for author in entry.all("atom:author"))))
    withdrawn = is_withdrawn(comment=comment, abstract=abstract)
    return ListedPaper(
        title=title,
        rank=rank,
        ids=Identifiers(arxiv=identifier, doi=doi(entry.said("arxiv:doi", "arxiv:DOI"))),
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        authors=authors,
        author_count=len(authors),
        published=plausible_day(day_in(entry.said("atom:published"), UTC), day),
        url=f"{ARXIV}/abs/{identifier}",
        pdf_url="" if withdrawn else f"{ARXIV}/pdf/{identifier}",
        categories=_categories(entry),
        version=version_in(name[-80:], *(link[-80:] for link in links)),
        withdrawn=withdrawn,
        comment=comment,
        journal=words(entry.said("arxiv:journal_ref", "arxiv:journal_reference")),
    )


def _categories(entry: Element) -> tuple[str, ...]:
    """Return the categories, the primary first."""
    named = [*entry.all("arxiv:primary_category"), *entry.all("atom:category")]
    return categories_in(category.attributes.get("term", "") for category in named)
