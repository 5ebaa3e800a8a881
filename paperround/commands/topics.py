"""topics: what readers ask."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from digests.wording import MONTHS, counted, full_date, short_date
from domain.errors import UsageError
from domain.topics import FEW
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

if TYPE_CHECKING:
    from worker.preview import Preview

_IN_A_LINE = 31  # days, months or years

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
        lambda: [table(("id", "topic", "readers"), ((t["id"], t["query"], t["readers"]) for t in found))],
    )


@topics.command("share", context_settings=QUERY_COMMAND)
def share_topic(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="ID|QUERY", help="A number of `topics list`, or any query.")],
    stop: Annotated[bool, typer.Option("--stop", help="Take its page away again.")] = False,
    as_json: Json = False,
) -> None:
    """Give a topic a page of its own on the site, in your name: whoever has the address sees it."""
    from paperround.readers import wished_topic

    told = report(context, as_json)
    with opened(context) as house:
        query = next((each.normal_form for each in house.topics.all() if str(each.id) == topic), topic)
        if query == topic and topic.strip().isdecimal():  # a slip of the finger must not become a public page
            raise UsageError(
                f"`paperround topics list` has no topic {topic.strip()[:20]}; for a query of digits, "
                f"""quote it: '"{topic.strip()[:20]}"'"""
            )
        wished = wished_topic(query)
        base = house.settings.web.base_url.rstrip("/")
        if stop:
            page = house.shared_topics.withdraw(wished)
        else:
            page = house.shared_topics.publish(wished, secrets.token_urlsafe(12), house.clock.now())
    address = f"{base}/topics/{page.public_id}" if base else ""
    result = {"id": page.public_id, "name": page.name, "query": page.query, "url": address, "shared": not stop}

    def lines() -> Iterable[str]:
        if stop:
            yield f"{plain(page.name)} has no page any more"
        else:
            yield address or plain(f"{page.name} is shared; it gets a page once [web] base_url names a site")

    told.show(result, lines)


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
    from topics.hints import hints
    from topics.query import parse

    told = report(context, as_json)
    parsed = parse(query)
    notes = hints(query)
    with opened(context) as house:
        found = house.previewer.preview(parsed, days, limit, related=related)
    result = {
        "query": query,
        "days": days,
        "newest": found.newest.isoformat() if found.newest else None,
        "total": found.total,
        "exact": found.exact,
        "related": found.related,
        "notes": list(notes),
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
    said = [f"note: {plain(note)}" for note in notes]
    told.show(result, lambda: [*said, *_preview_lines(parsed.normal_form, days, found)])


def _preview_lines(query: str, days: int, found: "Preview") -> Iterable[str | Table]:
    if found.newest is None:
        yield "the archive has no papers yet: collect or import some first"
        return

    answer = "answers" if found.exact == 1 else "answer"
    span = f"the {counted(days, 'day')} up to {full_date(found.newest)}"
    yield f"{counted(found.exact, 'paper')} of {span} {answer} {plain(query)}"
    if found.related:
        on_days = f"on days with fewer than {FEW} of them; a letter takes as many as fill it up to {FEW}"
        yield f"{counted(found.related, 'related paper')}, which have part of the words, {on_days}"
    if found.per_day:
        name, told = _spread(found.per_day, found.newest.year)
        yield f"a {name}: " + ", ".join(f"{when} {papers:,}" for when, papers in told.items())
    for each in found.excluded:
        yield f"{plain(each.term)} keeps out {counted(each.fewer, 'paper')}"
    if found.terms:
        words = ", ".join(f"{plain(each.word)} ({each.papers:,})" for each in found.terms)
        yield f"words to consider, which the best of these have oftener than other papers: {words}"
    if found.papers:
        if len(found.papers) < found.total:
            yield f"the best {len(found.papers):,} of {found.total:,}:"
        yield table(("listed", "title", "why"), ((x.paper.listed, x.paper.title, x.why.line) for x in found.papers))


def _spread(per_day: Mapping[date, int], year: int) -> tuple[str, dict[str, int]]:
    """Return papers by day, the newest first; by month or year where there are too many days for a line."""
    by_day = sorted(per_day.items(), reverse=True)
    ways: tuple[tuple[str, Callable[[date], str]], ...] = (
        ("day", lambda day: short_date(day, year=year)),
        ("month", lambda day: f"{MONTHS[day.month - 1][:3]} {day.year}"),
        ("year", lambda day: str(day.year)),
    )
    told = [(name, _added((when(day), papers) for day, papers in by_day)) for name, when in ways]
    return next((each for each in told if len(each[1]) <= _IN_A_LINE), told[-1])


def _added(papers: Iterable[tuple[str, int]]) -> dict[str, int]:
    added: Counter[str] = Counter()
    for when, number in papers:
        added[when] += number
    return dict(added)
