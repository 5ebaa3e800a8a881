"""Citation keys: what a paper is called in a bibliography, for ever and whatever else is exported.

    first author's surname + year + first word of the title that says something + "-" + paper key

The year is that of the arXiv id, which never changes, else that of the first version, else "nd". The last part is forty
bits of the paper key's SHA-256, so two papers that read alike differ. ASCII alone, since old programs around BibTeX and
many people's shells know nothing else. BibTeX and RIS share it.
"""

import base64
import hashlib
import re

from digests.citations.people import surname
from domain.papers import Paper
from domain.titles import title_key

_LONGEST = 24  # characters of a surname or a word
_FOREIGN = re.compile(r"[^a-z0-9]")
_FORMULA = re.compile(r"\$[^$]{1,400}\$")
_YEAR_MONTH = re.compile(r"(?:^|(/))(\d\d)(0[1-9]|1[0-2])(?=\d{3}$|\.)")
_BETWEEN = re.compile(r"[^\w\\{}\"'`^~]+")
_SILENT = frozenset(
    ("a", "an", "and", "are", "as", "at", "by", "can", "do", "does", "for", "from", "how", "in", "into", "is", "it",
     "of", "on", "or", "the", "to", "via", "we", "what", "when", "why", "with")
)  # fmt: skip


def citation_key(paper: Paper) -> str:
    """Return "okafor2026probing-k3f7q2ma"; "anon" and "nd" where nobody and no day is known."""
    name = _ascii(surname(paper.authors[0])) if paper.authors else ""
    issued = _of_id(paper.ids.arxiv) or month_of(paper)
    year = f"{issued[0]:04}" if issued else "nd"
    words = map(_ascii, _BETWEEN.split(_FORMULA.sub(" ", paper.title)))
    word = next((word for word in words if word and word not in _SILENT), "")
    digest = base64.b32encode(hashlib.sha256(paper.key.encode()).digest()[:5]).decode().lower()
    return f"{name or 'anon'}{year}{word}-{digest}"


def month_of(paper: Paper) -> tuple[int, int] | None:
    """Return the year and month of the first version, which an arXiv id tells too; None where nothing does."""
    return (paper.published.year, paper.published.month) if paper.published else _of_id(paper.ids.arxiv)


def _of_id(arxiv: str | None) -> tuple[int, int] | None:
    """Return what "2611.00001" and "math/9901001" say of their time."""
    found = _YEAR_MONTH.search(arxiv or "")
    if not found:
        return None
    year, month = int(found[2]), int(found[3])
    return (1900 if found[1] and year >= 91 else 2000) + year, month


def _ascii(text: str) -> str:
    return _FOREIGN.sub("", title_key(text))[:_LONGEST]
