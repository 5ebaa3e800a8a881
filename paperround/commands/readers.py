"""subscribe and subscribers: who reads."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.subscriptions import READY, WEEKDAYS, Choices, Subscriber, SubscriberState
from paperround.commands.context import QUERY_COMMAND, Json, day_from, must_be_meant, opened, report
from paperround.console import plain, table

Papers = Annotated[int | None, typer.Option(metavar="N", help="Papers in full in one letter.")]
PerTopic = Annotated[int | None, typer.Option(metavar="N", help="Papers in full under one topic.")]
LateRisers = Annotated[int | None, typer.Option(metavar="N", help="Papers not sent that took off since; 0 for none.")]
Trending = Annotated[int | None, typer.Option(metavar="N", help="Papers with most votes for their age; 0 for none.")]
LikeSaved = Annotated[int | None, typer.Option(metavar="N", help="Papers like those they saved; 0 for none.")]
SentNews = Annotated[int | None, typer.Option(metavar="N", help="News of papers they were sent; 0 for none.")]
_RELATED = {None: "if it is plain words", True: "where few match", False: "never"}
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
    hour: Annotated[
        str | None,
        typer.Option(help="0 to 23, in the reader's zone; or ready: once the sources have closed their day."),
    ] = None,
    latest: Annotated[
        str | None, typer.Option(metavar="N", help="With --hour ready: the hour at the latest; 12 without.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="An IANA time zone, such as Europe/Berlin.")] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="You vouch that the reader asked for this.")] = False,
    shared: Annotated[bool, typer.Option("--shared", help="A mailbox of several people.")] = False,
    papers: Papers = None,
    per_topic: PerTopic = None,
    late_risers: LateRisers = None,
    trending: Trending = None,
    like_saved: LikeSaved = None,
    sent_news: SentNews = None,
    related: Annotated[
        bool | None,
        typer.Option("--related/--exact", help="Whether related papers fill these topics where few match."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a reader, or topics to a known one."""
    from digests.addresses import address_key
    from paperround.reader_lists import schedule_from

    told = report(context, as_json)
    chosen = Choices(papers, per_topic, late_risers, trending, like_saved, sent_news)
    with opened(context) as house:
        before = house.subscribers.by_address(address_key(email))
        reader, queued = house.desk.subscribe(
            email,
            topic,
            schedule_from(every, weekday, hour, zone, latest),
            vouched=confirmed,
            shared=shared,
            choices=chosen,
            related=related,
        )

    def lines() -> Iterable[str]:
        names = ", ".join(plain(each.name) for each in reader.subscriptions)
        yield f"{plain(reader.email)} is {reader.state}: {names}"
        if reader.state == "pending":
            waits = "A confirmation letter waits; `paperround deliver` sends it."
            yield waits if queued else "No further confirmation letter: one a day, and three in all, go to an address."
        if before is not None and before.state == "unsubscribed":
            yield "This reader had unsubscribed."

    told.show(shown_of(reader), lines)


@subscribers.command("list")
def list_subscribers(context: typer.Context, as_json: Json = False) -> None:
    """Show every reader."""
    told = report(context, as_json)
    with opened(context) as house:
        found = [shown_of(reader) for reader in house.subscribers.everyone()]

    def rows() -> Iterable[tuple[object, ...]]:
        for each in found:
            yield each["email"], each["state"], each["every"], each["hour"], each["zone"], len(each["topics"])

    told.show({"subscribers": found}, lambda: [table(("email", "state", "every", "hour", "zone", "topics"), rows())])


@subscribers.command("topics", context_settings=QUERY_COMMAND)
def change_topics(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    add: Annotated[list[str] | None, typer.Option(metavar="Q", help="A topic to add; repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="Q", help="A topic to take away; repeatable.")] = None,
    related: Annotated[
        list[str] | None, typer.Option(metavar="Q", help="A topic that related papers fill; repeatable.")
    ] = None,
    exact: Annotated[
        list[str] | None, typer.Option(metavar="Q", help="A topic that they do not fill; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or change a reader's topics."""
    from topics.query import parse
    from topics.related import loosened

    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.change_topics(email, add or (), remove or (), related=related or (), exact=exact or ())
    for each in related or ():
        if loosened(parse(each).tree) is None:
            told.note(f"{each!r} has no part that a paper could have alone, so no paper is related to it")
    told.show({"email": reader.email, "topics": shown_of(reader)["topics"]}, lambda: [topics_of(reader)])


@subscribers.command("choices")
def choose(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    papers: Papers = None,
    per_topic: PerTopic = None,
    late_risers: LateRisers = None,
    trending: Trending = None,
    like_saved: LikeSaved = None,
    sent_news: SentNews = None,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Forget what was chosen before: the settings hold for the rest.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show or change how many papers a reader's letters hold; what is not given stays."""
    told = report(context, as_json)
    chosen = Choices(papers, per_topic, late_risers, trending, like_saved, sent_news)
    with opened(context) as house:
        reader = house.desk.choose(email, chosen, afresh=afresh)
    told.show(shown_of(reader), lambda: [f"{plain(reader.email)}: {chosen_of(reader)}"])


@subscribers.command("pause")
def pause(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    until: Annotated[
        str | None, typer.Option(metavar="D", help="The day on which letters begin again, in the reader's zone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let no letter come to a reader for a while; without a day, until you say resume."""
    told = report(context, as_json)
    day = day_from(until, "--until") if until is not None else None
    with opened(context) as house:
        reader = house.desk.pause(email, day)
    told.show(shown_of(reader), lambda: [f"{plain(reader.email)} is {state_of(reader)}"])


@subscribers.command("resume")
def resume(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Let letters come again to a reader who paused."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.resume(email)
    told.show(shown_of(reader), lambda: [f"{plain(reader.email)} is {state_of(reader)}"])


@subscribers.command("export")
def export(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Write everything that is kept of a reader, as one JSON object with or without --json."""
    report(context, as_json)
    with opened(context) as house:
        for text in house.desk.export(house.desk.find(email).public_id):
            sys.stdout.write(text)


@subscribers.command("unsubscribe")
def unsubscribe(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Stop every letter to a reader, at once."""
    told = report(context, as_json)
    with opened(context) as house:
        house.desk.unsubscribe(email)
        reader = house.desk.find(email)
    told.show(shown_of(reader), lambda: [f"{plain(reader.email)} is {reader.state}"])


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
            must_be_meant(told, "erasing", f"Erase {plain(reader.email)} and all their letters?")
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
    """Add readers from a CSV file with a header: email, topic, and optionally every, weekday, hour, zone, state.

    An hour is 0 to 23, or ready, or with the hour at the latest ready:12.
    """
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


def shown_of(reader: Subscriber) -> dict[str, Any]:
    """Return the JSON object of a reader."""
    schedule = reader.schedule
    return {
        "email": reader.email,
        "state": reader.state.value,
        "every": schedule.every.value,
        "weekday": WEEKDAYS[schedule.weekday],
        "hour": READY if schedule.ready else schedule.hour,
        "latest": schedule.hour if schedule.ready else None,
        "zone": schedule.zone,
        "shared": reader.shared,
        "paused_until": reader.paused_until.isoformat() if reader.paused_until else None,
        "text_only": reader.text_only,
        "choices": asdict(reader.choices),
        "topics": [{"name": e.name, "query": e.query, "related": e.related} for e in reader.subscriptions],
    }


def state_of(reader: Subscriber) -> str:
    """Return a reader's state, and until when they paused."""
    if reader.state is not SubscriberState.PAUSED:
        return reader.state.value
    return f"paused until {reader.paused_until}" if reader.paused_until else "paused until they, or you, resume"


def chosen_of(reader: Subscriber) -> str:
    """Return what a reader chose of the letters."""
    made = (f"{name.replace('_', '-')} {number}" for name, number in reader.choices.made.items())
    return ", ".join(made) or "as the settings say"


def topics_of(reader: Subscriber) -> Table:
    """Return a table of a reader's topics."""
    rows = ((each.name, each.query, _RELATED[each.related]) for each in reader.subscriptions)
    return table(("topic", "query", "related papers"), rows)
