"""topics: what readers ask."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from digests.wording import counted, short_date
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

if TYPE_CHECKING:
    from worker.preview import Preview

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
    related: Annotated[
        bool | None,
        typer.Option("--related/--exact", help="Related papers, or none; else plain words with few answers get some."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a query would have selected: a day, without each exclusion, words to consider, and the best papers."""
    from topics.query import parse

    told = report(context, as_json)
    parsed = parse(query)
    with opened(context) as house:
        found = house.previewer.preview(parsed, days, limit, related=related)
    result = {
        "query": query,
        "days": days,
        "total": found.total,
        "exact": found.exact,
        "related": found.related,
        "per_day": {day.isoformat(): count for day, count in found.per_day.items()},
        "excluded": [{"term": each.term, "fewer": each.fewer} for each in found.excluded],
        "terms": [{"term": each.word, "papers": each.papers} for each in found.terms],
        "papers": [
            {
                "key": each.paper.key,
                "title": each.paper.title,
                "listed": each.paper.listed.isoformat(),
                "score": round(each.score, 4),
                "tier": int(each.tier),
                "why": [each.why.line],
            }
            for each in found.papers
        ],
    }
    told.show(result, lambda: _preview_lines(parsed.normal_form, days, found))


def _preview_lines(query: str, days: int, found: "Preview") -> Iterable[str | Table]:
    answer = "answers" if found.exact == 1 else "answer"
    yield f"{counted(found.exact, 'paper')} of the last {counted(days, 'day')} {answer} {plain(query)}"
    if found.related:
        yield f"so few that related papers are looked for: {counted(found.related, 'paper')} with part of the words"
    if found.per_day:
        yield "a day: " + ", ".join(f"{short_date(day, year=_year(found))} {n:,}" for day, n in found.per_day.items())
    for each in found.excluded:
        yield f"{plain(each.term)} keeps out {counted(each.fewer, 'paper')}"
    if found.terms:
        told = ", ".join(f"{plain(each.word)} ({each.papers:,})" for each in found.terms)
        yield f"to consider, for their papers have it more often than others: {told}"
    rows = ((each.paper.listed, each.paper.title, each.why.line) for each in found.papers)
    yield table(("listed", "title", "why"), rows)


def _year(found: "Preview") -> int:
    """Return the year that dates leave out: the newest day's."""
    return max(found.per_day).year
