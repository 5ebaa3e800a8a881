"""match, publish, deliver, issues and deliveries: from papers to mailboxes."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from domain.errors import UsageError
from domain.issues import DeliveryState
from paperround.browser import show_page
from paperround.commands.context import Json, instant_from, opened, report
from paperround.console import table
from paperround.interruption import stopping

issues = typer.Typer(help="The dated letters.", no_args_is_help=True)
deliveries = typer.Typer(help="What became of each message.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("match")(match)
    app.command("publish")(publish)
    app.command("deliver")(deliver)
    app.add_typer(issues, name="issues")
    app.add_typer(deliveries, name="deliveries")


def match(context: typer.Context, as_json: Json = False) -> None:
    """Bring the new papers and every topic together."""
    told = report(context, as_json)
    with opened(context) as house, told.progress("Matching") as advance:
        done = house.matcher.match(house.clock.now(), advance)
    told.show(
        {"papers": done.papers, "topics": done.topics, "matches": done.matches, "new_topics": done.new_topics},
        lambda: [f"{done.papers} new papers met {done.topics} topics: {done.matches} new matches"],
    )


def publish(
    context: typer.Context,
    now: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="ISO 8601 with zone: sets slots and cut-offs.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compose everything, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Freeze a letter for every reader who is due."""
    told = report(context, as_json)
    instant = instant_from(now, "--now") if now else None
    with opened(context) as house, told.progress("Readers") as advance:
        counts = house.publisher.publish(instant or house.clock.now(), dry_run=dry_run, progress=advance)

    def lines() -> Iterable[str]:
        yield f"{counts.due} readers due: {counts.issues} letters with {counts.papers} papers"
        for reason, number in counts.skipped.items():
            yield f"{number} without a letter: {reason}"

    told.show(
        {"due": counts.due, "issues": counts.issues, "papers": counts.papers, "skipped": dict(counts.skipped)}, lines
    )


def deliver(context: typer.Context, as_json: Json = False) -> int:
    """Send what is due, once."""
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house, told.progress("Delivering") as advance:
        counts = asdict(house.deliverer.deliver(lambda _: advance(1)))
    told.show(counts, lambda: [", ".join(f"{number} {state}" for state, number in counts.items())])
    return 1 if counts["deferred"] or counts["rejected"] or counts["uncertain"] else 0


@issues.command("list")
def list_issues(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="Show at most so many; default all.")] = None,
    as_json: Json = False,
) -> None:
    """Show every issue, newest first."""
    told = report(context, as_json)
    with opened(context) as house:
        found = [
            {
                "id": each.id,
                "subscriber": each.subscriber,
                "slot": each.slot,
                "papers": each.papers,
                "state": each.state,
                "message_id": each.message_id,
            }
            for each in house.issues.records(limit)
        ]
    columns = ("id", "subscriber", "slot", "papers", "state", "message_id")
    told.show({"issues": found}, lambda: [table(columns, ([row[name] for name in columns] for row in found))])


@issues.command("show")
def show_issue(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ID")],
    form: Annotated[str, typer.Option("--format", help="text, html or eml.")] = "text",
) -> None:
    """Replay an issue, byte for byte as it was sent."""
    from digests.mail.message import join, part

    with opened(context) as house:
        letter = house.outbox.letter(house.issues.delivery_of(issue))
    if form == "eml":
        sys.stdout.buffer.write(join(letter.fragments, letter.slots))
    elif form == "html":
        typer.echo(part(letter.fragments, "html", personal=True, slots=letter.slots))
    elif form == "text":
        typer.echo(part(letter.fragments, "text", personal=True, slots=letter.slots))
    else:
        raise UsageError(f"--format must be text, html or eml, not {form!r}")


@issues.command("preview")
def preview_issue(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    open_it: Annotated[bool, typer.Option("--open", help="Open the letter in the browser.")] = False,
) -> None:
    """Show the letter that a reader would get if it were due now; nothing is sent."""
    from digests.mail.message import part

    with opened(context) as house:
        mailing = house.publisher.preview(house.desk.find(email), house.clock.now())
    if mailing is None:
        typer.echo("There would be no letter now: nothing new matches, or the reader is not confirmed.")
        return
    fragments, slots = mailing.content.fragments, mailing.slots
    if open_it:
        typer.echo(show_page(part(fragments, "html", personal=True, slots=slots)))
    else:
        typer.echo(f"Subject: {mailing.content.subject}\n\n{part(fragments, 'text', personal=True, slots=slots)}")


@deliveries.command("list")
def list_deliveries(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(metavar="S", help="Only those in this state.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Show at most so many; default all.")] = None,
    as_json: Json = False,
) -> None:
    """Show what became of each message, newest first."""
    told = report(context, as_json)
    try:
        wanted = DeliveryState(state) if state else None
    except ValueError as error:
        raise UsageError(f"--state must be one of {', '.join(DeliveryState)}, not {state!r}") from error
    with opened(context) as house:
        found = [
            {
                "id": each.id,
                "issue": each.issue,
                "recipient": each.recipient,
                "kind": each.kind,
                "state": each.state,
                "attempts": each.attempts,
                "reply": each.reply,
                "reason": each.reason,
                "message_id": each.message_id,
                "sha256": each.sha256,
            }
            for each in house.outbox.records(wanted, limit)
        ]
    columns = ("id", "recipient", "kind", "state", "attempts", "reply", "reason")
    told.show({"deliveries": found}, lambda: [table(columns, ([row[name] for name in columns] for row in found))])
