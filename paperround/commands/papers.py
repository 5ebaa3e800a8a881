"""papers: find, show, take away."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from digests.citations.records import shown, sighted
from digests.wording import counted
from domain.errors import UsageError
from paperround.commands import searching
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

papers = typer.Typer(help="The papers of the archive.", no_args_is_help=True)
_EVENTS = {
    "version": "new version",
    "withdrawn": "withdrawn,",
    "returned": "no longer withdrawn,",
    "joined": "found to be the same as",
    "named": "known as well as",
    "journal": "published in",
    "code": "its code is out:",
}


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    searching.attach(papers)
    app.add_typer(papers, name="papers")


@papers.command("show")
def show(context: typer.Context, key: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show one paper by its key, or any of its ids: where it was listed, who says it otherwise, what happened to it."""
    told = report(context, as_json)
    with opened(context) as house:
        paper = house.archive.paper(key)
        sightings = house.archive.sightings(paper.id)
        wordings = house.archive.wordings(paper.id)
        events = house.archive.events(paper.id)
        kin = house.archive.kin(paper.id)
    beside = {
        "sightings": [sighted(each) for each in sightings],
        "wordings": [{**asdict(each), "day": each.day.isoformat()} for each in wordings],
        "events": [{**asdict(each), "day": each.day.isoformat(), "at": each.at.isoformat()} for each in events],
        "possible_duplicates": [each.key for each in kin],
    }

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
        for each in wordings:
            yield f"{plain(each.field)} as {plain(each.source)} has it: {plain(each.text)}"
        for event in events:
            yield f"{event.day}  {_EVENTS[event.kind]} {plain(event.note)}  ({plain(event.source)})"
        for other in kin:
            yield f"perhaps the same as {plain(other.key)}: {plain(other.title)}"

    told.show({**shown(paper), **beside}, lines)


@papers.command("export", context_settings=QUERY_COMMAND)
def export(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="Only what matches; default every paper.")] = None,
    form: Annotated[str, typer.Option("--format", help="bibtex, ris, csv, or jsonl, which `import` reads.")] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; default stdout. Whole or not at all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write papers as a bibliography, a table or JSON Lines, in the order in which they were stored."""
    from digests.citations.formats import FORMATS
    from paperround.interruption import stopping
    from paperround.taking import sink, take
    from topics.query import parse

    if form not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {form!r}")
    told = report(context, as_json)
    parsed = parse(query) if query is not None else None
    with opened(context) as house, stopping() as stop, sink(output) as out:
        found = house.search.every(parsed) if parsed else house.archive.every()
        with told.progress("Exporting", is_shown=output is not None) as advance:
            written = take(found, FORMATS[form], house.archive.journals, out, stop=stop, advance=advance)
    if output is not None:
        told.show(
            {"papers": written, "format": form, "output": str(output)},
            lambda: [f"{counted(written, 'paper')} in {plain(str(output))}"],
        )
