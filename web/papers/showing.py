"""A paper as pages of the archive show it: the letter's own block, and the address of its page."""

from collections.abc import Mapping
from dataclasses import dataclass

from digests.views import PaperView, view
from domain.issues import Entry
from domain.papers import Paper
from domain.topics import Query, Why, longest_first
from topics.explain import Explainer
from topics.snippets import snippet
from web.addresses import paper_path

_ABSTRACT = 320  # characters
_BESIDE = "found by its authors or categories"


@dataclass(frozen=True, slots=True)
class Shown:
    """One paper in a list."""

    paper: PaperView
    path: str  #: of its page, below the site's root


def shown(paper: Paper, why: str | Why, *, year: int, labels: Mapping[str, str]) -> Shown:
    """Return a paper with the reason why it stands there."""
    reason = Why(line=why) if isinstance(why, str) else why
    entry = Entry(paper=paper, topic_id=0, why=reason)
    return Shown(view(entry, year=year, abstract_chars=_ABSTRACT, labels=labels), paper_path(paper.key))


def why_found(explainer: Explainer, query: Query, paper: Paper) -> Why:
    """Return why a search found a paper: as a letter says it, or where authors or categories had a part in it, that."""
    why = explainer.explain(query, paper)
    if why.line:
        return why
    cut = snippet(explainer, query, paper)
    return Why(
        line=_BESIDE,
        title=longest_first(cut.title.text[begin:end] for begin, end in cut.title.marks),
        abstract=longest_first(cut.abstract.text[begin:end] for begin, end in cut.abstract.marks),
    )
