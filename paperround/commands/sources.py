"""collect, import and sources: how papers come in."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from domain.errors import UnknownError, UsageError
from domain.papers import Fetched, FetchStatus
from paperround.commands.context import Json, day_from, opened, report
from paperround.console import Report, plain, table
from paperround.interruption import stopping

if TYPE_CHECKING:
    from paperround.wiring import House
    from worker.lateness import Health
    from worker.reports import SourceReport

_DAYS_AT_MOST = 366
_LARGEST_FILE = 1024 * 2**20  # bytes
group = typer.Typer(help="The configured sources.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("collect")(collect)
    app.command("import")(import_files)
    app.add_typer(group, name="sources")


def collect(
    context: typer.Context,
    source: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this source; repeatable.")] = None,
    day: Annotated[str | None, typer.Option(metavar="D", help="Exactly this listing day; default today, UTC.")] = None,
    since: Annotated[str | None, typer.Option(metavar="D", help="Every day from this one to today.")] = None,
    as_json: Json = False,
) -> int:
    """Fetch listing pages and keep every paper that was not seen before."""
    if day and since:
        raise UsageError("--day asks for one day and --since for several: use one of them")
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house:
        today = house.clock.now().date()
        days = [day_from(day, "--day")] if day else _days(day_from(since, "--since"), today) if since else []
        if not house.sources:
            raise UsageError("no source is configured; `paperround sources example huggingface-daily` prints one")
        with told.progress("Collecting", total=len(source or house.sources)) as advance:
            reports = house.collector.collect(source or (), days, on_source=lambda _: advance(1))
    return _tell(told, reports)


def import_files(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Saved pages, text captures, JSON lines.")],
    kind: Annotated[str | None, typer.Option(help="What the files are; detected unless given.")] = None,
    day: Annotated[str | None, typer.Option(metavar="D", help="The day of the visit; default today, UTC.")] = None,
    backlog: Annotated[
        bool | None, typer.Option("--backlog/--news", help="Whether the papers are news; default by kind of file.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Read papers from files; one report entry a file, in order."""
    told = report(context, as_json)
    with opened(context) as house:
        today = house.clock.now().date()
        visited = day_from(day, "--day") if day else today
        if visited > today + timedelta(days=1):  # it is tomorrow already in the far east
            raise UsageError(f"--day {visited} lies in the future; today is {today} (UTC)")
        reports = []
        with told.progress("Importing", total=len(files)) as advance:
            for file in files:
                reports.append(_import(house, file, visited, kind, backlog))
                advance(1)
    return _tell(told, reports)


def _import(house: "House", file: Path, visited: date, kind: str | None, backlog: bool | None) -> "SourceReport":
    from worker.importing import import_file

    return import_file(file, house.archive, house.clock, day=visited, kind=kind, backlog=backlog, largest=_LARGEST_FILE)


def _days(first: date, today: date) -> list[date]:
    if first > today:
        raise UsageError(f"--since {first} lies in the future; today is {today} (UTC)")
    if (today - first).days >= _DAYS_AT_MOST:
        raise UsageError(f"--since {first} is more than {_DAYS_AT_MOST} days ago; ask in smaller steps")
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def _tell(told: Report, reports: Sequence["SourceReport"]) -> int:
    result: dict[str, Any] = {
        "sources": [each.as_json() for each in reports],
        "new": sum(each.new for each in reports),
    }

    def lines() -> Iterable[str | Table]:
        columns = ("source", "day", "status", "listed", "new", "updated")
        yield table(
            columns,
            ((each.source, each.day, each.status, each.listed, each.new, each.updated) for each in reports),
        )
        for each in reports:
            for said in (each.error, each.warning):
                if said:
                    yield f"{plain(each.source)}: {plain(said)}"

    told.show(result, lines)
    return _exit_code(reports)


def _exit_code(reports: Sequence["SourceReport"]) -> int:
    """Return 0 for all good, 3 where nothing could be read at all, else 1."""
    if all(each.status.is_good for each in reports):
        return 0
    return 3 if all(each.status is FetchStatus.FAILED and not each.listed for each in reports) else 1


@group.command("list")
def list_sources(context: typer.Context, as_json: Json = False) -> None:
    """Show the configured sources and what came of each the last time."""
    told = report(context, as_json)
    with opened(context) as house:
        found = []
        for source in house.sources:
            last = house.runs.latest(f"collect:{source.name}")
            answer = house.fetches.latest(source.name)
            found.append(
                {
                    "source": source.name,
                    "kind": source.kind,
                    "every": _duration(source.every),
                    "status": last.status if last else None,
                    "at": last.finished_at.isoformat(timespec="minutes") if last else None,
                    "day": last.counts.get("day") if last else None,
                    "error": last.error if last else "",
                    "answer": _answer(answer),
                }
            )
    columns = ("source", "kind", "every", "status", "at", "day")

    def lines() -> Iterable[str | Table]:
        yield table(columns, ([row[name] for name in columns] for row in found))
        for row in found:
            if row["error"]:
                yield f"{plain(str(row['source']))}: {plain(str(row['error']))}"

    told.show({"sources": found}, lines)


def _answer(fetched: Fetched | None) -> dict[str, Any] | None:
    """Return what the last answer weighed and took."""
    if fetched is None:
        return None
    return {"url": fetched.url, "http": fetched.http, "bytes": fetched.bytes, "seconds": round(fetched.seconds, 3)}


def _duration(span: timedelta) -> str:
    """Return "1h", as the settings say it."""
    seconds = int(span.total_seconds())
    size, unit = next(
        (size, unit) for size, unit in ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s")) if not seconds % size
    )
    return f"{seconds // size}{unit}"


@group.command("check")
def check(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    as_json: Json = False,
) -> int:
    """Fetch and read the newest page of each source, keep nothing, and say when each last brought something new."""
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house, told.progress("Checking"):
        found = house.collector.check((name,) if name else ())
    result = {"sources": [{**each.as_json(), **_health(health)} for each, health in found], "new": 0}

    def lines() -> Iterable[str | Table]:
        columns = ("source", "day", "status", "listed", "last new", "listed on")
        yield table(
            columns,
            (
                (
                    each.source,
                    each.day,
                    each.status,
                    each.listed,
                    health.last_new.strftime("%Y-%m-%d %H:%M UTC") if health.last_new else "never",
                    health.last_new_day or "",
                )
                for each, health in found
            ),
        )
        for each, health in found:
            for said in (each.error, health.unusual, health.advice):
                if said:
                    yield f"{plain(each.source)}: {plain(said)}"

    told.show(result, lines)
    return _exit_code([each for each, _ in found])


def _health(health: "Health") -> dict[str, Any]:
    return {
        "last_new": health.last_new.isoformat(timespec="seconds") if health.last_new else None,
        "last_new_day": health.last_new_day.isoformat() if health.last_new_day else None,
        "unusual": health.unusual,
        "advice": health.advice,
    }


@group.command("replay")
def replay_pages(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A configured source.")],
    as_json: Json = False,
) -> int:
    """Read the raw pages that were kept of a source once more, into the archive."""
    from worker.replay import replay

    told = report(context, as_json)
    with opened(context) as house:
        found = [each for each in house.sources if each.name == name]
        if not found:
            known = ", ".join(each.name for each in house.sources) or "none"
            raise UnknownError(f"there is no source {name!r}; configured: {known}")
        reports = [replay(found[0], house.archive, house.states, house.fetches, house.clock)]
    return _tell(told, reports)


@group.command("example")
def example(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="A kind of source.")],
    as_json: Json = False,
) -> None:
    """Print the settings of a source of this kind."""
    from scrapers.registry import KINDS

    if kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r}; legal: {', '.join(KINDS)}")
    toml = KINDS[kind].example.rstrip()
    report(context, as_json).show({"kind": kind, "toml": toml}, lambda: [plain(toml)])
