"""subscribe, subscribers and topics: who reads, and what they ask."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from domain.errors import UsageError
from domain.subscriptions import WEEKDAYS, Cadence, Schedule, Subscriber, weekday_of, zone_of
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

if TYPE_CHECKING:
    from paperround.readers import Desk

subscribers = typer.Typer(help="The readers.", no_args_is_help=True)
topics = typer.Typer(help="What readers ask.", no_args_is_help=True)
_COLUMNS = ("email", "topic", "every", "weekday", "hour", "zone", "state")
_LARGEST_FILE = 64 * 2**20  # bytes


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("subscribe")(subscribe)
    app.add_typer(subscribers, name="subscribers")
    app.add_typer(topics, name="topics")


def subscribe(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    topic: Annotated[list[str], typer.Option(metavar='"[NAME = ]QUERY"', help="What to look for; repeatable.")],
    every: Annotated[str | None, typer.Option(help="day or week.")] = None,
    weekday: Annotated[str | None, typer.Option(help="mon to sun, for a weekly digest.")] = None,
    hour: Annotated[int | None, typer.Option(help="0 to 23, in the reader's zone.")] = None,
    zone: Annotated[str | None, typer.Option(help="An IANA time zone, such as Europe/Berlin.")] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="You vouch that the reader asked for this.")] = False,
    shared: Annotated[bool, typer.Option("--shared", help="A mailbox of several people.")] = False,
    as_json: Json = False,
) -> None:
    """Add a reader, or topics to a known one."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.subscribe(
            email, topic, schedule_from(every, weekday, hour, zone), vouched=confirmed, shared=shared
        )

    def lines() -> Iterable[str]:
        names = ", ".join(plain(each.name) for each in reader.subscriptions)
        yield f"{plain(reader.email)} is {reader.state}: {names}"
        if reader.state == "pending":
            yield "A confirmation letter waits; `paperround deliver` sends it."

    told.show(_shown(reader), lines)


def schedule_from(every: str | None, weekday: str | None, hour: int | None, zone: str | None) -> Schedule | None:
    """Return the schedule that was asked for, the rest at its defaults; None if nothing was said of it."""
    if every is None and weekday is None and hour is None and zone is None:
        return None
    try:
        cadence = Cadence(every or "day")
    except ValueError as error:
        raise UsageError(f"--every must be day or week, not {every!r}") from error
    default = Schedule()
    return Schedule(
        every=cadence,
        weekday=weekday_of(weekday) if weekday else default.weekday,
        hour=default.hour if hour is None else hour,
        zone=zone_of(zone).key if zone else default.zone,
    )


@subscribers.command("list")
def list_subscribers(context: typer.Context, as_json: Json = False) -> None:
    """Show every reader."""
    told = report(context, as_json)
    with opened(context) as house:
        found = [_shown(reader) for reader in house.subscribers.everyone()]

    def rows() -> Iterable[tuple[object, ...]]:
        for each in found:
            yield each["email"], each["state"], each["every"], each["hour"], each["zone"], len(each["topics"])

    told.show({"subscribers": found}, lambda: [table(("email", "state", "every", "hour", "zone", "topics"), rows())])


@subscribers.command("show")
def show_subscriber(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show one reader, and what they agreed to."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        agreed = house.subscribers.consents(reader.id)
        consents = [{"action": c.action, "wording": c.wording, "at": c.at.isoformat()} for c in agreed]
    shown = {**_shown(reader), "consent": consents}

    def lines() -> Iterable[str | Table]:
        when = f"every {shown['every']}" + (f" on {shown['weekday']}" if shown["every"] == "week" else "")
        yield f"{plain(reader.email)} is {reader.state}; {when} at {shown['hour']}:00, {plain(reader.schedule.zone)}"
        yield table(("topic", "query"), ((each.name, each.query) for each in reader.subscriptions))
        yield table(("consent", "wording", "at"), ((c["action"], c["wording"], c["at"]) for c in consents))

    told.show(shown, lines)


@subscribers.command("topics", context_settings=QUERY_COMMAND)
def change_topics(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    add: Annotated[list[str] | None, typer.Option(metavar="Q", help="A topic to add; repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="Q", help="A topic to take away; repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Show or change a reader's topics."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.change_topics(email, add or (), remove or ())
    found = [{"name": each.name, "query": each.query} for each in reader.subscriptions]
    told.show(
        {"email": reader.email, "topics": found},
        lambda: [table(("topic", "query"), ((each["name"], each["query"]) for each in found))],
    )


@subscribers.command("unsubscribe")
def unsubscribe(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Stop every letter to a reader, at once."""
    told = report(context, as_json)
    with opened(context) as house:
        house.desk.unsubscribe(email)
        reader = house.desk.find(email)
    told.show(_shown(reader), lambda: [f"{plain(reader.email)} is {reader.state}"])


@subscribers.command("import")
def import_subscribers(context: typer.Context, file: Annotated[Path, typer.Argument()], as_json: Json = False) -> None:
    """Add readers from a CSV file with a header: email, topic, and optionally every, weekday, hour, zone, state."""
    told = report(context, as_json)
    with opened(context) as house:
        wanted = _rows(file)
        _check_all(wanted)
        with told.progress("Readers", total=len(wanted)) as advance:
            states = [_import_one(house.desk, rows, advance) for rows in wanted.values()]
    result = {"subscribers": len(states), "confirmed": states.count("confirmed"), "pending": states.count("pending")}
    told.show(result, lambda: [f"{len(states)} readers: {result['confirmed']} confirmed, {result['pending']} pending"])


def _rows(file: Path) -> dict[str, list[dict[str, str]]]:
    """Return the file's rows by mailbox; raises UsageError that names the line of what is wrong."""
    from digests.addresses import address_key

    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"{file} is larger than {_LARGEST_FILE // 2**20} MiB")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text (byte {error.start})") from error
    reader = csv.DictReader(text.splitlines(), restkey="too many")
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in columns if name not in _COLUMNS]
    if unknown or "email" not in columns or "topic" not in columns:
        reason = (
            f"has unknown columns {', '.join(map(repr, unknown))}" if unknown else "needs the columns email and topic"
        )
        raise UsageError(f"{file} {reason}; legal: {', '.join(_COLUMNS)}")
    reader.fieldnames = columns
    found: dict[str, list[dict[str, str]]] = {}
    for raw in reader:
        line = f"{file} line {reader.line_num}"
        if "too many" in raw:
            raise UsageError(f"{line} has more fields than the header; put a topic that holds a comma in quotes")
        row = {name: (value or "").strip() for name, value in raw.items()}
        try:
            rows = found.setdefault(address_key(row["email"]), [])
        except UsageError as error:
            raise UsageError(f"{line}: {error}") from error
        rows.append({**row, "line": line})
    return found


def _check_all(wanted: dict[str, list[dict[str, str]]]) -> None:
    """Refuse the whole file for one bad row, before anybody is added."""
    from paperround.readers import wished_topic

    for rows in wanted.values():
        first = rows[0]
        for row in rows:
            try:
                wished_topic(row["topic"])
                _schedule(row)
            except UsageError as error:
                raise UsageError(f"{row['line']}: {error}") from error
            if row.get("state", "") not in {"", "pending", "confirmed"}:
                raise UsageError(f"{row['line']}: state must be pending or confirmed, not {row['state']!r}")
            differs = [name for name in _COLUMNS[2:] if row.get(name, "") != first.get(name, "")]
            if differs:
                raise UsageError(f"{row['line']}: {differs[0]} differs from an earlier row of the same address")


def _schedule(row: dict[str, str]) -> Schedule | None:
    hour = row.get("hour") or None
    if hour is not None and not hour.isdecimal():
        raise UsageError(f"hour must be 0 to 23, not {hour!r}")
    return schedule_from(
        row.get("every") or None, row.get("weekday") or None, int(hour) if hour else None, row.get("zone") or None
    )


def _import_one(desk: "Desk", rows: list[dict[str, str]], advance: Any) -> str:
    first = rows[0]
    reader = desk.subscribe(
        first["email"],
        [row["topic"] for row in rows],
        _schedule(first),
        vouched=first.get("state") == "confirmed",
        shared=False,
    )
    advance(1)
    return reader.state.value


def _shown(reader: Subscriber) -> dict[str, Any]:
    schedule = reader.schedule
    return {
        "email": reader.email,
        "state": reader.state.value,
        "every": schedule.every.value,
        "weekday": WEEKDAYS[schedule.weekday],
        "hour": schedule.hour,
        "zone": schedule.zone,
        "shared": reader.shared,
        "topics": [{"name": each.name, "query": each.query} for each in reader.subscriptions],
    }


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
    from topics.query import parse

    parsed = parse(query)
    report(context, as_json).show(
        {"query": query, "normal_form": parsed.normal_form, "terms": list(parsed.terms)},
        lambda: [f"understood as: {plain(parsed.normal_form)}"],
    )


@topics.command("preview", context_settings=QUERY_COMMAND)
def preview_topic(
    context: typer.Context,
    query: Annotated[str, typer.Argument()],
    days: Annotated[
        int, typer.Option(min=1, max=3660, help="How far to look back from the archive's newest day.")
    ] = 14,
    limit: Annotated[int | None, typer.Option(min=1, help="Show at most so many; default all.")] = None,
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
        yield f"{len(found.papers)} papers in {days} days match {plain(parsed.normal_form)}"
        yield table(("listed", "title", "why"), ((e.paper.listed, e.paper.title, e.why.line) for e in shown))

    told.show(result, lines)
