"""topics: what readers ask."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from digests.wording import counted
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

topics = typer.Typer(help="What readers ask.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(topics, name="topics")


@topics.command("list")
def list_topics(context: typer.Context, as_json: Json = False) -> None:
    """Show every distinct topic and how many read it."""
    told = report(context, as_json)
    with opened(context) as house:
        found = [{"id": t.id, "query": t.normal_form, "readers": t.readers} for t in house.topics.all()]
    told.show(
        {"topics": found},
        lambda: [table(("topic", "readers"), ((each["query"], each["readers"]) for each in found))],
    )


@topics.command("check", context_settings=QUERY_COMMAND)
def check_topic(context: typer.Context, query: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Read a query and show how it is understood."""
    from topics.hints import hints
    from topics.query import parse

    parsed = parse(query)
    notes = hints(query)
    report(context, as_json).show(
        {"query": query, "normal_form": parsed.normal_form, "terms": list(parsed.terms), "notes": list(notes)},
        lambda: [f"understood as: {plain(parsed.normal_form)}", *(f"note: {plain(note)}" for note in notes)],
    )


@topics.command("preview", context_settings=QUERY_COMMAND)
def preview_topic(
    context: typer.Context,
    query: Annotated[str, typer.Argument()],
    days: Annotated[
        int, typer.Option(min=1, max=3660, help="How far to look back from the archive's newest day.")
    ] = 14,
    limit: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Show at most so many; default all.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a query would have selected, newest days first."""
    from topics.query import parse
    from worker.preview import preview

    told = report(context, as_json)
    parsed = parse(query)
    with opened(context) as house:
        found = preview(parsed, house.archive, days)
    shown = found.papers if limit is None else found.papers[:limit]
    result = {
        "query": query,
        "days": days,
        "total": len(found.papers),
        "per_day": {day.isoformat(): count for day, count in found.per_day.items()},
        "papers": [
            {
                "key": each.paper.key,
                "title": each.paper.title,
                "score": round(each.score, 4),
                "tier": each.tier,
                "why": [each.why.line],
            }
            for each in shown
        ],
    }

    def lines() -> Iterable[str | Table]:
        yield f"{counted(len(found.papers), 'paper')} in {days} days matching {plain(parsed.normal_form)}"
        yield table(("listed", "title", "why"), ((e.paper.listed, e.paper.title, e.why.line) for e in shown))

    told.show(result, lines)
