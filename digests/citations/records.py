"""JSON: a paper as commands show it and as JSON Lines take it away; `import` gives every one of these keys back."""

import json
from typing import Any

from domain.papers import Paper, Sighting


def shown(paper: Paper) -> dict[str, Any]:
    """Return a paper's JSON object: stored text, not display text.

    Whether a paper is backlog is left out: what is news lies between an archive and its own readers.
    """
    return {
        "key": paper.key,
        "title": paper.title,
        "abstract": paper.abstract,
        "abstract_kind": paper.abstract_kind.value,
        "authors": list(paper.authors),
        "author_count": paper.author_count,
        "published": paper.published.isoformat() if paper.published else None,
        "listed": paper.listed.isoformat(),
        "first_listed": paper.first_listed.isoformat(),
        "first_seen": paper.first_seen.isoformat(),
        "url": paper.url,
        "pdf_url": paper.pdf_url,
        "code_url": paper.code_url,
        "project_url": paper.project_url,
        "organization": paper.organization,
        "sources": list(paper.sources),
        "upvotes": paper.upvotes,
        "comments": paper.comments,
        "version": paper.version,
        "withdrawn": paper.withdrawn,
        "categories": list(paper.categories),
        "arxiv_id": paper.ids.arxiv,
        "doi": paper.ids.doi,
        "openreview_id": paper.ids.openreview,
    }


def sighted(sighting: Sighting) -> dict[str, Any]:
    """Return where a paper stood and what the listing said of it; what it did not say is left out."""
    where = {
        "source": sighting.source,
        "day": sighting.day.isoformat(),
        "rank": sighting.rank,
        "upvotes": sighting.upvotes,
        "comments": sighting.comments,
        "seen_at": sighting.seen_at.isoformat(timespec="seconds"),
    }
    said = {
        "version": sighting.version,
        "announcement": sighting.announcement,
        "organization": sighting.organization,
        "code_url": sighting.code_url,
        "stars": sighting.stars,
        "keywords": list(sighting.keywords),
        "summary": sighting.summary,
        "comment": sighting.comment,
        "journal": sighting.journal,
    }
    return where | {name: value for name, value in said.items() if value not in (None, "", [])}


def record(paper: Paper, journal: str = "") -> str:  # noqa: ARG001 all formats are called alike; no record holds it
    """Return a paper's line; in ASCII, so that nothing on the way can take it for another encoding."""
    return json.dumps(shown(paper)) + "\n"
