"""Papers for programs: a search a page at a time, and one paper whole."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Protocol

from digests.citations.records import shown, sighted
from domain.errors import UnknownError, UsageError
from domain.papers import Paper, PaperEvent, Sighting, Wording
from domain.topics import Query
from storage.filters import Filters
from storage.paging import Cursor, Order, cursor_from
from storage.search import Found, order_of
from topics.explain import Explainer
from topics.query import parse
from topics.snippets import snippet
from web.api.answers import FoundPaper, PaperPage, Passage, WholePaper


class Finding(Protocol):
    """What searches the archive."""

    def search(
        self,
        query: Query | None,
        limit: int,
        *,
        filters: Filters,
        order: Order | None = None,
        after: Cursor | None = None,
    ) -> Found:
        """Return up to `limit` papers."""
        ...


class Keeping(Protocol):
    """What keeps papers and all that is known of them."""

    def paper(self, key: str) -> Paper:
        """Return a paper by its key or any id; raises UnknownError."""
        ...

    def sightings(self, paper_id: int) -> Sequence[Sighting]:
        """Return where it stood."""
        ...

    def wordings(self, paper_id: int) -> Sequence[Wording]:
        """Return who says it otherwise."""
        ...

    def events(self, paper_id: int) -> Sequence[PaperEvent]:
        """Return what happened to it."""
        ...

    def kin(self, paper_id: int) -> Sequence[Paper]:
        """Return what may be the same work."""
        ...


def page_of(
    finding: Finding,
    text: str | None,
    *,
    filters: Filters,
    sort: Order | None,
    limit: int,
    after: str | None,
) -> PaperPage:
    """Return a page of what was found; raises UsageError for what cannot be read."""
    _check_days(filters.since, filters.until)
    query = None if text is None else parse(text)
    if query is None and sort is Order.RELEVANCE:
        raise UsageError("sort=relevance wants a q: without one nothing is more relevant than anything else")
    order = order_of(query, sort)
    place = None if after is None else cursor_from(after, order)
    found = finding.search(query, limit, filters=filters, order=order, after=place)
    with Explainer() as explainer:
        papers = [_found(explainer, query, paper) for paper in found.papers]
    further = None if found.next is None else str(found.next)
    return PaperPage(total=found.total, order=order, next=further, papers=papers)


def whole(keeping: Keeping, key: str) -> WholePaper:
    """Return all that is known of a paper; raises UnknownError."""
    try:
        paper = keeping.paper(key)
    except UnknownError as error:
        raise UnknownError("There is no paper of this key in the archive; /papers finds those that are") from error
    beside: dict[str, Any] = {
        "sightings": [sighted(each) for each in keeping.sightings(paper.id)],
        "wordings": [{**asdict(each), "day": each.day.isoformat()} for each in keeping.wordings(paper.id)],
        "events": [
            {**asdict(each), "day": each.day.isoformat(), "at": each.at.isoformat()}
            for each in keeping.events(paper.id)
        ],
        "possible_duplicates": [each.key for each in keeping.kin(paper.id)],
    }
    return WholePaper.model_validate({**shown(paper), **beside})


def _found(explainer: Explainer, query: Query | None, paper: Paper) -> FoundPaper:
    cut = snippet(explainer, query, paper)
    passage = Passage(text=cut.abstract.text, marks=[list(span) for span in cut.abstract.marks])
    return FoundPaper(**shown(paper), snippet=passage, title_marks=[list(span) for span in cut.title.marks])


def _check_days(first: date | None, last: date | None) -> None:
    if first and last and first > last:
        raise UsageError(f"since={first} comes after until={last}")
