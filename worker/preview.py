"""What a query would have selected: the same matcher as the letters', over the archive's last days."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.papers import Paper
from domain.topics import Query, Topic, Why
from storage.archive import Archive
from topics.explain import Explainer
from topics.matching import match


@dataclass(frozen=True, slots=True)
class Selected:
    """One paper of a preview."""

    paper: Paper
    score: float
    tier: int
    why: Why


@dataclass(frozen=True, slots=True)
class Preview:
    """Every match, best first, and how many a listing day brought."""

    papers: tuple[Selected, ...]
    per_day: dict[date, int]


def preview(query: Query, archive: Archive, days: int) -> Preview:
    """Return every match whose newest listing day lies in the last `days` days before the archive's newest."""
    newest = archive.newest_day()
    if newest is None:
        return Preview(papers=(), per_day={})
    papers = archive.since(newest - timedelta(days=days - 1))
    return select(query, papers)


def select(query: Query, papers: Sequence[Paper]) -> Preview:
    """Return what a query selects among papers; pure."""
    by_id = {paper.id: paper for paper in papers}
    matches = sorted(
        match(papers, [Topic(id=0, query=query)]), key=lambda each: (each.tier, -each.score, each.paper_id)
    )
    with Explainer() as explainer:
        found = tuple(
            Selected(by_id[m.paper_id], m.score, m.tier, explainer.explain(query, by_id[m.paper_id])) for m in matches
        )
    counted = Counter(each.paper.listed for each in found)
    return Preview(papers=found, per_day=dict(sorted(counted.items(), reverse=True)))
