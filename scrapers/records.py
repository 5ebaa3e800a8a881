"""Bibliographic records as JSON lines: one object a line, such as an archive's or a reference manager's export.

A line is read into a paper or refused with a sentence (record.py); papers leave in the order of their lines, 500 to a
listing, each with its own day, so that a file of any length needs little memory. What was refused is told by the last
listing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.errors import PermanentCollectError
from domain.papers import FetchStatus, ListedPaper, Listing
from scrapers.record import RefusedError, read_record

SOURCE = "records"
_PER_LISTING = 500  # papers; storage adds a listing in one transaction


@dataclass(slots=True)
class _Tally:
    """What became of the lines that are not blank."""

    read: int = 0
    refused: int = 0
    first: str = ""  #: why the first was refused

    def note(self) -> str:
        were = "was" if self.refused == 1 else "were"
        return f"{self.refused} of {self.read} lines {were} skipped: {self.first}"


def looks_like_records(head: str) -> bool:
    """Whether a text begins as a JSON object does."""
    return head.lstrip().startswith("{")


def read_json_lines(lines: Iterable[bytes], *, day: date, backlog: bool = True) -> Iterator[Listing]:
    """Read records, each on the listing day it names, else on `day`; listings of at most 500 papers, lazily.

    Papers keep the order of their lines, and a listing's day is the newest of theirs.
    A bad line is skipped: then the last listing is `partial`, and its note tells how many and why the first.
    Raises PermanentCollectError, naming the first line, if no line is a record; nothing was yielded then.
    """
    tally = _Tally()
    last: Listing | None = None  # held back, because it carries the note
    for listing in _listings(lines, tally, day=day, backlog=backlog):
        if last:
            yield last
        last = listing
    if last is None:
        raise PermanentCollectError(
            f"no line is a record: {tally.first}" if tally.first else "there is no record in it"
        )
    yield replace(last, status=FetchStatus.PARTIAL, note=tally.note()) if tally.refused else last


def _listings(lines: Iterable[bytes], tally: _Tally, *, day: date, backlog: bool) -> Iterator[Listing]:
    held: list[ListedPaper] = []
    ranks: Counter[date] = Counter()
    for number, line in enumerate(lines, start=1):
        if not line.strip(b" \t\r\n\0\xef\xbb\xbf"):
            continue
        tally.read += 1
        try:
            listed, paper = read_record(line, day)
        except RefusedError as reason:
            tally.refused += 1
            tally.first = tally.first or f"line {number} {reason}"
            continue
        ranks[listed] += 1
        held.append(replace(paper, rank=ranks[listed]))
        if len(held) == _PER_LISTING:
            yield _listing(held, backlog=backlog)
            held = []
    if held:
        yield _listing(held, backlog=backlog)


def _listing(papers: Sequence[ListedPaper], *, backlog: bool) -> Listing:
    newest = max(paper.day for paper in papers if paper.day)
    return Listing(source=SOURCE, day=newest, papers=tuple(papers), status=FetchStatus.OK, backlog=backlog)
