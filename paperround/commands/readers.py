"""subscribe and subscribers: who reads."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.errors import UsageError
from domain.subscriptions import WEEKDAYS, Subscriber
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain, table

subscribers = typer.Typer(help="The readers.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("subscribe")(subscribe)
    app.add_typer(subscribers, name="subscribers")


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
    from digests.addresses import address_key
    from paperround.reader_lists import schedule_from

    told = report(context, as_json)
    with opened(context) as house:
        before = house.subscribers.by_address(address_key(email))
        reader, queued = house.desk.subscribe(
            email, topic, schedule_from(every, weekday, hour, zone), vouched=confirmed, shared=shared
        )

    def lines() -> Iterable[str]:
        names = ", ".join(plain(each.name) for each in reader.subscriptions)
        yield f"{plain(reader.email)} is {reader.state}: {names}"
        if reader.state == "pending":
            waits = "A confirmation letter waits; `paperround deliver` sends it."
            yield waits if queued else "No further confirmation letter: one a day, and three in all, go to an address."
        if before is not None and before.state == "unsubscribed":
            yield "This reader had unsubscribed."

    told.show(_shown(reader), lines)


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


@subscribers.command("erase")
def erase(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a reader and all that was theirs: topics, consent, letters, what they were sent. It cannot be undone."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        if not yes:
            if told.is_json or not sys.stdin.isatty():
                raise UsageError("erasing cannot be undone; say --yes if it is meant")
            typer.confirm(
                f"Erase {plain(reader.email)} and all their letters? It cannot be undone", abort=True, err=True
            )
        house.desk.erase(reader)
        house.sweeper.finish_erasing()
        is_settled = house.space.settle()
        copies = house.space.copies()

    def lines() -> Iterable[str]:
        yield f"{plain(reader.email)} is erased"
        if not is_settled:
            yield "The log beside the database still holds it, until those who use the database let it be emptied."
        for each in copies:
            yield f"This older copy still holds it: {plain(str(each))}"

    told.show({"email": reader.email, "erased": True, "copies": [str(each) for each in copies]}, lines)


@subscribers.command("import")
def import_subscribers(context: typer.Context, file: Annotated[Path, typer.Argument()], as_json: Json = False) -> None:
    """Add readers from a CSV file with a header: email, topic, and optionally every, weekday, hour, zone, state."""
    from paperround.reader_lists import read_list

    told = report(context, as_json)
    with opened(context) as house:
        entries = read_list(file)
        with told.progress("Readers", total=len(entries)) as advance:
            states = []
            for each in entries:
                reader, _ = house.desk.subscribe(
                    each.email, each.topics, each.schedule, vouched=each.confirmed, shared=False
                )
                states.append(reader.state.value)
                advance(1)
    result = {"subscribers": len(states), "confirmed": states.count("confirmed"), "pending": states.count("pending")}
    told.show(result, lambda: [f"{len(states)} readers: {result['confirmed']} confirmed, {result['pending']} pending"])


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
