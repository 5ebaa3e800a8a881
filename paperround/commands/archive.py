"""papers and archive: look inside."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.errors import UsageError
from domain.papers import Paper, Sighting
from paperround.commands import searching
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

papers = typer.Typer(help="The papers of the archive.", no_args_is_help=True)
archive = typer.Typer(help="The archive as a whole.", no_args_is_help=True)
_EVERYTHING = 2**31 - 1


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    searching.attach(papers)
    app.add_typer(papers, name="papers")
    app.add_typer(archive, name="archive")


@papers.command("show")
def show(context: typer.Context, key: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show one paper by its key, or any of its ids, and where it was listed."""
    told = report(context, as_json)
    with opened(context) as house:
        paper = house.archive.paper(key)
        sightings = house.archive.sightings(paper.id)
    seen = [_sighted(each) for each in sightings]

    def lines() -> Iterable[str | Table]:
        yield f"[bold]{plain(paper.title)}[/bold]"
        yield plain(", ".join(paper.authors) or f"{paper.author_count} authors")
        yield f"{paper.key}  {plain(paper.url)}"
        yield plain(paper.abstract)
        yield table(
            ("source", "day", "rank", "votes", "announced", "version"),
            ((s.source, s.day, s.rank, s.upvotes, s.announcement or "", s.version or "") for s in sightings),
        )
        for said in dict.fromkeys(words for s in sightings for words in (s.comment, s.journal) if words):
            yield plain(said)

    told.show({**shown(paper), "sightings": seen}, lines)


@papers.command("export", context_settings=QUERY_COMMAND)
def export(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="Only what matches; default every paper.")] = None,
    form: Annotated[str, typer.Option("--format", help="jsonl: one JSON object a line.")] = "jsonl",
) -> None:
    """Write papers to stdout, in a form that `import` reads."""
    from topics.query import parse

    if form != "jsonl":
        raise UsageError(f"--format must be jsonl, not {form!r}")
    parsed = parse(query) if query is not None else None
    with opened(context) as house:
        found: Iterator[Paper] = (
            iter(house.search.search(parsed, _EVERYTHING).papers) if parsed else house.archive.every()
        )
        for paper in found:
            sys.stdout.write(json.dumps(shown(paper)) + "\n")
    sys.stdout.flush()


def _sighted(sighting: Sighting) -> dict[str, Any]:
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


def shown(paper: Paper) -> dict[str, Any]:
    """Return a paper's JSON object: stored text, not display text."""
    return {
        "key": paper.key,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": list(paper.authors),
        "author_count": paper.author_count,
        "published": paper.published.isoformat() if paper.published else None,
        "listed": paper.listed.isoformat(),
        "first_seen": paper.first_seen.isoformat(),
        "url": paper.url,
        "sources": list(paper.sources),
        "upvotes": paper.upvotes,
        "comments": paper.comments,
        "version": paper.version,
        "withdrawn": paper.withdrawn,
        "categories": list(paper.categories),
        "code_url": paper.code_url,
        "arxiv_id": paper.ids.arxiv,
        "doi": paper.ids.doi,
        "openreview_id": paper.ids.openreview,
    }


@archive.command("stats")
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Count what is kept."""
    told = report(context, as_json)
    with opened(context) as house:
        counts = house.archive.stats()
    told.show(counts, lambda: [table(("what", "how many"), counts.items())])


@archive.command("migrate")
def migrate(context: typer.Context, as_json: Json = False) -> None:
    """Bring the database to this version's schema; every command does so when it opens an older one."""
    told = report(context, as_json)
    with opened(context) as house:
        revision = house.database.revision
    told.show({"schema": revision}, lambda: [f"the schema is {revision}"])
