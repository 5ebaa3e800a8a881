"""What one text of a feed's entry says: an abstract, a teaser, or bibliography that stands in for one.

Bibliography at its ends is read and dropped: the foot of PubMed's texts and the head of a publisher's name the paper
itself, ScienceDirect's names its journal and authors.
"""

import re
from dataclasses import dataclass

from domain.papers import AbstractKind
from scrapers.feed_people import names_in
from scrapers.feed_text import without_label

_LONGEST_ABSTRACT = 10_000  # characters; of an article that a feed holds whole, its beginning
_LONGEST_JOURNAL = 300  # characters


@dataclass(frozen=True, slots=True)
class Said:
    """What one text of an entry says."""

    text: str = ""
    kind: AbstractKind = AbstractKind.NONE
    authors: tuple[str, ...] = ()
    journal: str = ""
    ids: str = ""  #: text that names the paper's own id


_ARXIV_HEAD = re.compile(r"arXiv:\S{1,40}\s+Announce Type:\s*\S{1,20}\s+(?:Abstract:\s*)?")
_LONGEST_DATE = 100  # characters of "Publication date: May 2026"
_LONGEST_PEOPLE = 20_000  # characters
_PUBMED_FOOT = re.compile(r"\s*\bPMID:\s*\d{1,9}(?:\s*\|\s*(?:PMC:\s*PMC\d{1,9}|DOI:\s*\S{1,200}))*$")
_PUBMED_HEAD = re.compile(r".{0,1000}?\b(?:NO )?ABSTRACT\b:?\s*", re.DOTALL)
_PUBLISHED = re.compile(
    r"[^;]{1,120}, (?:Published|Available) online:? [^;]{1,40};\s*(?:https?://\S{1,100}?/)?(\S{1,200})\s*"
)
_CITED = re.compile(
    r"(?:[^.]{1,150},? (?:Volume|Vol\.|Ahead of Print|EarlyView|Early View|Accepted Article)\b.{0,150})|"
    r"(?:.{0,200}\b(?:DOI: ?|doi: ?|https://doi\.org/)10\.\d{4,9}/\S{1,200})"
)
_CUT = re.compile(
    r"(?:…|\.\.\.|\[…\]|\[\.\.\.\])\]?$|(?:Read more|Continue reading|Read on)\b[^.]{0,80}$", re.IGNORECASE
)
_FEWEST_WORDS = 20  # of an abstract; what is shorter is a standfirst


def read_text(text: str) -> Said:
    """Take a text apart: bibliography at its ends is read and dropped."""
    if said := _sciencedirect(text):
        return said
    ids = ""
    if foot := _PUBMED_FOOT.search(text, max(len(text) - 400, 0)):
        ids, text = foot[0], text[: foot.start()]
        head = _PUBMED_HEAD.match(text)
        text = text[head.end() :] if head else text
    elif head := _PUBLISHED.match(text):
        ids, text = head[1], text[head.end() :]
    elif _CITED.fullmatch(text):
        return Said(ids=text)
    text = _ARXIV_HEAD.sub("", text, count=1) if text.startswith("arXiv:") else text
    text = without_label(text)
    if not text:
        return Said(ids=ids)
    kind = AbstractKind.AUTHORS if looks_like_abstract(text) else AbstractKind.NONE
    return Said(text=shortened(text), kind=kind, ids=ids)


def _sciencedirect(text: str) -> Said | None:
    """Read "Publication date: … Source: … Author(s): …"; None for any other text.

    Taken apart word by word: a pattern would try every "Source:" with every "Author(s):".
    """
    head, source, rest = text.partition("Source:")
    journal, _, people = rest.partition("Author(s):")
    fits = len(head) <= _LONGEST_DATE and len(journal) <= _LONGEST_JOURNAL and len(people) <= _LONGEST_PEOPLE
    if not source or not fits or not head.startswith("Publication date:"):
        return None
    return Said(journal=journal.strip(), authors=names_in([people.strip()]) if people.strip() else ())


def looks_like_abstract(text: str) -> bool:
    """Whether a text is whole and long enough to be the authors' abstract."""
    return len(text.split(None, _FEWEST_WORDS)) > _FEWEST_WORDS and not _CUT.search(text, max(len(text) - 120, 0))


def shortened(text: str) -> str:
    """Return the beginning of a text that no abstract fills."""
    return text if len(text) <= _LONGEST_ABSTRACT else f"{text[:_LONGEST_ABSTRACT].rpartition(' ')[0]} …"
