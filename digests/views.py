"""A paper as a template needs it: every text display text, every address one that may become a link."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

from digests import wording
from digests.marking import marked_page, marked_text, seen
from digests.readable import readable, shorten
from domain.issues import AsideKind, Entry
from domain.papers import AbstractKind, Paper
from domain.topics import Why, together

_LONGEST_TITLE = 300
_LEAST_BEGINNING = 80  # characters of an abstract before its best passage; for fewer that stands alone


@dataclass(frozen=True, slots=True)
class Link:
    """One link under a paper."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PaperView:
    """One paper, ready to be shown; an empty text is left out."""

    title: Markup
    title_text: str
    url: str
    authors: str
    where: str  #: "20 Nov · arXiv cs.LG · ▲ 41 · code"; of a late riser "▲ 41, listed 3 November · arXiv cs.LG"
    where_text: str  #: the same in words: "20 Nov, arXiv cs.LG, 41 votes, code"
    abstract: Markup
    abstract_text: str
    reasons: tuple[str, ...]  #: "Why: both words, in title"; then the other topics that it answers
    links: tuple[Link, ...]


def view(
    entry: Entry, *, year: int, abstract_chars: int, labels: Mapping[str, str], kind: AsideKind | None = None
) -> PaperView:
    """Return what a letter or a page shows of a paper; `year` is the one that dates leave out.

    `kind` is that of the aside in which the paper stands; None in its topic's section.
    """
    shown = dressed(entry.paper, marks_of(entry), year=year, abstract_chars=abstract_chars, labels=labels, kind=kind)
    return replace(shown, reasons=tuple(wording.reasons(entry)))


def marks_of(entry: Entry) -> Why:
    """Return all that is marked in a paper, whichever topic it answers by it."""
    return together((entry.why, *(each.why for each in entry.also))) if entry.also else entry.why


def dressed(
    paper: Paper,
    why: Why,
    *,
    year: int,
    abstract_chars: int,
    labels: Mapping[str, str],
    kind: AsideKind | None = None,
) -> PaperView:
    """Return the same as `view` but for the reasons: it is one for all in whose letters the same words are marked."""
    name = title(paper)
    abstract = "" if paper.abstract_kind is AbstractKind.NONE else _abstract(paper.abstract, why, name, abstract_chars)
    lead = "Summary: " if abstract and paper.abstract_kind is AbstractKind.SUMMARY else ""
    named = (("Abstract", paper.url), ("PDF", paper.pdf_url), ("Code", paper.code_url))
    votes = paper.upvotes or 0
    return PaperView(
        title=marked_page(name, why.title),
        title_text=marked_text(name, why.title),
        url=wording.web_address(paper.url),
        authors=wording.authors(paper),
        where=" · ".join(_where(paper, f"▲\u00a0{votes:,}", year, labels, kind)),
        where_text=", ".join(_where(paper, wording.counted(votes, "vote"), year, labels, kind)),
        abstract=Markup("{}{}").format(lead, marked_page(abstract, why.abstract)),
        abstract_text=f"{lead}{marked_text(abstract, why.abstract)}",
        reasons=(),
        links=tuple(Link(label, url) for label, raw in named if (url := wording.web_address(raw))),
    )


def _where(paper: Paper, votes: str, year: int, labels: Mapping[str, str], kind: AsideKind | None) -> list[str]:
    """Return when and where a paper appeared, its votes, and whether there is code; of a late riser, votes first."""
    is_riser = kind is AsideKind.LATE_RISERS
    voted = [votes] if (paper.upvotes or 0) > 0 else []
    day = f"listed {wording.long_date(paper.first_listed, year=year)}" if is_riser else wording.when(paper, year=year)
    return [
        ", ".join([*voted, day]) if is_riser else day,
        *wording.source_labels(paper, labels),
        *([] if is_riser else voted),
        *(["code"] if wording.web_address(paper.code_url) else []),
    ]


def _abstract(stored: str, why: Why, name: str, limit: int) -> str:
    """Return the abstract's beginning, or where more of the marked words are seen so, a shorter one and the quote."""
    beginning = shorten(readable(stored), limit)
    if not why.quote:
        return beginning
    title_has = seen(name, why.title)
    ways = (beginning, _with_quote(stored, why.quote, limit))
    return max(ways, key=lambda text: len(title_has | seen(text, why.abstract)))  # of equals the first


def _with_quote(stored: str, quote: str, limit: int) -> str:
    """Return at most `limit` characters: as much of the abstract's beginning as has room, and the quote."""
    before, _, after = stored.partition(quote)
    passage = readable(quote)
    room = limit - len(passage) - len("  …")
    lead = shorten(readable(before), room) if room >= _LEAST_BEGINNING else "…"
    passage = shorten(passage, limit - len("… ") - len(" …"))
    end = " …" if after.strip() and not passage.endswith("…") else ""
    return f"{lead} {passage}{end}".strip()


def title(paper: Paper) -> str:
    """Return a paper's title for display; never empty, so that there is always something to press."""
    return shorten(readable(paper.title), _LONGEST_TITLE) or "Untitled"
