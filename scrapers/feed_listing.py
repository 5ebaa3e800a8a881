"""What the entries of a feed come to: each paper once and ranked, the rejects counted, and the status that follows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from domain.errors import LayoutChanged
from domain.papers import FetchStatus, ListedPaper, Listing
from scrapers.rejects import are_too_many


def listing_of(
    read: Sequence[ListedPaper | None], *, source: str, day: date, damaged: int = 0, notes: Iterable[str] = ()
) -> Listing:
    """Return the listing of a feed's entries, None for each that is no paper; `notes` tell why it is not whole.

    `damaged` entries could not even be read. Raises LayoutChanged if too few of all are papers.
    """
    papers = _unique(paper for paper in read if paper)
    rejected, found = read.count(None) + damaged, len(read) + damaged
    if are_too_many(rejected, found):
        raise LayoutChanged(f"{rejected} of the feed's {found} entries have no title or are damaged")
    said = [*notes]
    if rejected:
        said.append(f"{rejected} of {found} entries had no title or were damaged and were left out")
    status = FetchStatus.PARTIAL if said else FetchStatus.OK if papers else FetchStatus.OK_EMPTY
    return Listing(source=source, day=day, papers=papers, status=status, rejected=rejected, note="; ".join(said))


def _unique(papers: Iterable[ListedPaper]) -> tuple[ListedPaper, ...]:
    """Return the papers ranked, each once: by its id, else by its address and title."""
    first: dict[object, ListedPaper] = {}
    for paper in papers:
        first.setdefault(paper.ids.strongest or (paper.url, paper.title.casefold()), paper)
    return tuple(replace(paper, rank=rank) for rank, paper in enumerate(first.values(), start=1))
