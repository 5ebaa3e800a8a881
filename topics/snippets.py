"""What to show of a paper that a search found: the passage that answers best, and the places of the words in it.

Places come from `Explainer`, so a word is marked exactly where the index found it, and only if the paper is there for
it.
"""

from dataclasses import dataclass

from domain.papers import Paper
from domain.topics import Query
from topics.explain import Explainer
from topics.grounds import Grounds
from topics.passages import Marked, joined, passage


@dataclass(frozen=True, slots=True)
class Snippet:
    """What to show of one paper; stored text, not display text."""

    title: Marked  #: all of it
    abstract: Marked  #: a passage of it, with … where something is left out; "" where there is none


def snippet(explainer: Explainer, query: Query | None, paper: Paper) -> Snippet:
    """Return what to show of a paper: without a query, or where nothing of the abstract answers, its beginning."""
    grounds = Grounds() if query is None else explainer.grounds(query, paper)
    title = Marked(paper.title, tuple(joined(span for spans in grounds.title for span in spans)))
    return Snippet(title=title, abstract=passage(paper.abstract, grounds.abstract))
