"""Text captures of Hugging Face's paper lists: what a page leaves when all its markup is gone (sources.md section 0).

Lines → the head → footers → titles and abstracts → papers:

1. Each line is repaired, collapsed and numbered.
2. The head is peeled off: banner lines, "Subscribe" (perhaps glued to the first title), "Daily Papers", "byAK and the
   research community", and the day of the visit, "Dec 2".
3. Footers are found by their pattern: "• 5 authors", or an organization; "·"; "May 24, 2023 2", where the last figure
   counts the comments. They may be lost, on one line, or on several.
4. What stands between two footers is read as titles and abstracts (captures_layout.py).
5. If too little of it looks like papers, nothing is kept: LayoutChanged names the line.
"""

import re
from dataclasses import dataclass, field
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import AbstractKind, FetchStatus, ListedPaper, Listing
from scrapers.captures_layout import Line, Record, blocks, is_prose, read_records, units
from scrapers.text import day_of, lines_of, plausible_day

SOURCE = "huggingface-capture"

_BANNER = r"Get trending papers in your email inbox(?: once a day)?!"
_HEAD_STARTS = re.compile(rf"(?:new)?(?:{_BANNER}|by ?AK and the research community$)")
_HEAD_PARTS = {
    "banner": re.compile(_BANNER),
    "subscribe": re.compile(r"Subscribe"),
    "name": re.compile(r"(?:Daily|Trending) Papers(?=$|by)"),
    "by": re.compile(r"by ?AK and the research community"),
}
_HEAD_WITHIN = 200  # lines
_NAVIGATION = 120  # characters; a longer line above the head is no navigation
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = re.compile(rf"{_MONTH} \d{{1,2}}(?:, ?\d{{4}})?")
_DATE = re.compile(
    rf"(?P<day>{_MONTH} \d{{1,2}}, ?\d{{4}}) ?(?P<n>\d{{0,6}})|(?P<new>{_MONTH} \d{{1,2}})(?: (?P<m>\d{{1,6}}))?"
)
_AUTHORS = re.compile(r"(?:• ?)?(\d{1,5}) authors?", re.IGNORECASE)
_VOTES = re.compile(r"-|\d{1,5}")
_ORGANIZATION = 100  # characters at most
_WHOLE_ABSTRACT = 10_000  # characters; arXiv allows 1,920
_DOUBTFUL_SHARE = 0.05


@dataclass(slots=True)
class _Span:
    """The lines up to a footer, and the footer."""

    lines: list[Line] = field(default_factory=list)
    authors: int | None = None
    organization: str = ""
    day: str = ""  #: as written
    comments: int | None = None
    ended: bool = False  #: whether a part of the footer was seen


def looks_like_capture(text: str) -> bool:
    """Whether the head of such a page stands among the first lines of a text."""
    return _head_start(lines_of(text)) is not None


def read_capture(text: str, *, day: date, backlog: bool = False) -> Listing:
    """Read a text capture; `day` is the day of the visit, from which years that are not written are counted.

    The listing's day is the head's own, the latest such day on or before `day`; without one it is `day`.
    Raises LayoutChanged, naming a line, where titles cannot be told from abstracts.
    """
    lines = lines_of(text)
    visited, body = _head(lines, day)
    spans = _spans(body)
    records = _records(spans)
    _check([record for record, _ in records])
    papers = tuple(_paper(record, span, rank, visited) for rank, (record, span) in enumerate(records, start=1))
    return Listing(
        source=SOURCE,
        day=visited,
        papers=papers,
        status=FetchStatus.OK if papers else FetchStatus.OK_EMPTY,
        backlog=backlog,
    )


def _head_start(lines: list[str]) -> int | None:
    return next((at for at, line in enumerate(lines[:_HEAD_WITHIN]) if _HEAD_STARTS.match(line)), None)


def _head(lines: list[str], day: date) -> tuple[date, list[tuple[int, str]]]:
    """Return the day of the capture, and the numbered lines below its head."""
    start = _head_start(lines)
    if start is None:
        raise LayoutChanged("no line of the page's head is there, such as “Get trending papers in your email inbox!”")
    for number, line in enumerate(lines[:start], start=1):
        if len(line) > _NAVIGATION:
            raise LayoutChanged(f"line {number} is a paragraph above the page's head")
    seen: set[str] = set()
    for at in range(start, len(lines)):
        rest = lines[at].removeprefix("new") if at == start else lines[at]
        while part := next((name for name, pattern in _HEAD_PARTS.items() if _fits(pattern, rest, name, seen)), None):
            found = _HEAD_PARTS[part].match(rest)
            rest = rest[found.end() :].lstrip() if found else rest
            seen.add(part)
        if _DAY.fullmatch(rest):
            return plausible_day(day_of(rest, day), day) or day, list(enumerate(lines[at + 1 :], start=at + 2))
        if rest:
            return day, [(at + 1, rest), *enumerate(lines[at + 1 :], start=at + 2)]
    return day, []


def _fits(pattern: re.Pattern[str], rest: str, name: str, seen: set[str]) -> bool:
    """Whether a part of the head begins here; only the banner comes twice, once for each width of screen."""
    return (name == "banner" or name not in seen) and pattern.match(rest) is not None


def _spans(body: list[tuple[int, str]]) -> list[_Span]:
    """Return the lines between footers, each with the footer that ends them."""
    spans = [_Span()]
    after_gap = True
    for number, text in body:
        if not text:
            after_gap = True
        elif _VOTES.fullmatch(text):
            spans[-1].ended = bool(spans[-1].lines)  # stands between two papers; whose votes they are is not told
            after_gap = True
        elif _read_footer(spans[-1], number, text):
            after_gap = True
        else:
            if spans[-1].ended:
                spans.append(_Span())
            spans[-1].lines.append(Line(number, text, starts_block=after_gap))
            after_gap = False
    return [span for span in spans if span.lines]


def _read_footer(span: _Span, number: int, text: str) -> bool:
    """Take in a line that is a part of a footer, or a whole one; False for any other line."""
    *before, last = (part.strip() for part in text.split("·"))
    dated, counted = _DATE.fullmatch(last), _AUTHORS.fullmatch(before[0] if before else last)
    named = before[0] if len(before) == 1 and dated and not counted else ""
    if len(before) > 1 or not (dated or counted or text == "·") or len(named) > _ORGANIZATION:
        return False
    if not span.lines:
        raise LayoutChanged(f"line {number} ends a paper, but no paper stands before it")
    if (dated and span.day) or (counted and span.authors is not None):
        raise LayoutChanged(f"line {number} ends a paper for the second time; its title and abstract are lost")
    span.ended = True
    if counted:
        span.authors = int(counted[1])
    if dated:
        span.day = dated["day"] or dated["new"]
        count = dated["n"] or dated["m"]
        span.comments = int(count) if count else 0
    if before and span.authors is None and not span.organization:
        span.organization = named or _organization(span)
    return True


def _organization(span: _Span) -> str:
    """Take the line before the dot out of the span if it names an organization instead of "N authors"."""
    last = span.lines[-1]
    if len(span.lines) < 2 or len(last.text) > _ORGANIZATION or is_prose(last.text):
        return ""
    span.lines.pop()
    return last.text


def _records(spans: list[_Span]) -> list[tuple[Record, _Span]]:
    """Return the papers, each with its footer; a lost footer is an empty one."""
    has_footers = sum(span.ended for span in spans) * 2 > len(spans)
    every = [block for span in spans for block in blocks(span.lines)]
    separated = any(line.starts_block for span in spans for line in span.lines[1:])
    # "title, abstract, blank line" against "title, blank line, abstract, blank line"
    by_block = separated and sum(len(block) > 1 for block in every) > 0.8 * len(every)
    records: list[tuple[Record, _Span]] = []
    for span in spans:
        lines = units(span.lines, by_block=by_block) if separated else span.lines
        found = read_records(lines, by_block=by_block, has_footers=has_footers)
        if not found:
            raise LayoutChanged(f"line {lines[0].number} should be a title, but has {len(lines[0].text)} characters")
        records += [(record, _Span()) for record in found[:-1]]
        records.append((found[-1], span))
    return records


def _check(records: list[Record]) -> None:
    """Raise LayoutChanged unless nearly all records look like papers."""
    for record in records:
        if sum(len(line.text) for line in record.abstract) > _WHOLE_ABSTRACT:
            raise LayoutChanged(f"the abstract under line {record.title.number} is too long to be one")
    doubtful = [record for record in records if record.is_doubtful]
    if len(doubtful) > max(1, _DOUBTFUL_SHARE * len(records)):
        raise LayoutChanged(
            f"titles and abstracts cannot be told apart: {len(doubtful)} of {len(records)} papers have no abstract,"
            f" the first at line {doubtful[0].title.number}"
        )


def _paper(record: Record, span: _Span, rank: int, visited: date) -> ListedPaper:
    abstract = " ".join(line.text for line in record.abstract)
    return ListedPaper(
        title=record.title.text,
        rank=rank,
        abstract=abstract,
        abstract_kind=AbstractKind.AUTHORS if abstract else AbstractKind.NONE,
        author_count=span.authors or 0,
        published=day_of(span.day, visited),
        organization=span.organization,
        comments=span.comments,
    )
