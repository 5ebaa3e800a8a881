"""What arXiv's feeds and its query API have in common: the fields of an entry, and the verdict over a whole answer.

Both are XML, and both go the same way: the text is looked at for what is no XML at all, each entry becomes a paper or
a reject, and in the end the rejects are weighed against what was read.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from domain.errors import Blocked, Throttled
from domain.papers import ListedPaper
from scrapers.arxiv import is_throttled, rejects_note
from scrapers.text import collapse, repair_mojibake
from scrapers.xml import Element, read_xml

NEW_YORK = ZoneInfo("America/New_York")  # arXiv's own days

_ENTRIES = frozenset({"item", "atom:entry"})
_PAGE = re.compile(r"\s*(?:<!--(?:[^-]|-(?!->)){0,500}-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_VERSION = re.compile(r"(?<=[0-9])v([0-9]{1,3})(?![0-9])")
_CATEGORY = re.compile(r"[a-z]{2,10}(?:-[a-z]{2,4})?(?:\.[A-Za-z-]{2,12})?")


@dataclass(slots=True)
class Gathered:
    """The entries of one answer."""

    papers: dict[str, ListedPaper] = field(default_factory=dict)  #: by arXiv id, in the order of the answer
    entries: int = 0
    rejected: int = 0  #: without id or title

    def note(self) -> str:
        """Return what the rejects cost, "" for none; raises LayoutChanged where they are more than a few."""
        return rejects_note(self.rejected, self.entries)


def gather(text: str, *, paper: Callable[[Element, int], ListedPaper | None]) -> tuple[Element, Gathered]:
    """Read the XML: `paper` reads an entry for its rank, or says None; returns the root, without entries, and those.

    Where an id comes twice, the first stays, unless only the later one is news.

    Raises:
        Throttled: arXiv's "Rate exceeded." (sources.md 3.3).
        Blocked: a page for people.
        LayoutChanged: no well-formed XML.

    """
    if is_throttled(text):
        raise Throttled("arXiv answered that the rate was exceeded")
    if _PAGE.match(text):
        raise Blocked("the answer is a page for people: a bot check or another page")
    found = Gathered()

    def take(element: Element) -> None:
        found.entries += 1
        read = paper(element, len(found.papers) + 1)
        if read is None or read.ids.arxiv is None:
            found.rejected += 1
            return
        known = found.papers.get(read.ids.arxiv)
        if known is None or (known.only_if_known and not read.only_if_known):
            found.papers[read.ids.arxiv] = replace(read, rank=known.rank) if known else read

    return read_xml(text, records=_ENTRIES, take=take), found


def words(text: str) -> str:
    """Return a text of an entry, repaired and collapsed."""
    return collapse(repair_mojibake(text))


def version_in(*texts: str) -> int | None:
    """Return the version that the first of the texts names: 2 of "oai:arXiv.org:2401.01234v2"."""
    found = (_VERSION.search(text) for text in texts)
    return next((int(match[1]) or None for match in found if match), None)


def categories_in(terms: Iterable[str]) -> tuple[str, ...]:
    """Return the arXiv categories among the terms, each once; classes of the ACM and MSC ("I.2.7") stand there too."""
    return tuple(dict.fromkeys(term for term in map(str.strip, terms) if _CATEGORY.fullmatch(term)))


def day_in(text: str, zone: tzinfo) -> date | None:
    """Return the day, in a zone, of an instant as feeds write it (RFC 822 or RFC 3339); None for anything else.

    An instant without a zone is of that zone.
    """
    text = text.strip()[:60]
    try:
        instant = datetime.fromisoformat(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
        return (instant.astimezone(zone) if instant.tzinfo else instant).date()
    except (ValueError, TypeError, IndexError, OverflowError):  # what the standard readers raise for damage
        return None
