"""match, publish, deliver, issues and deliveries: from papers to mailboxes."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from digests.wording import counted
from domain.deliveries import DeliveryState
from domain.errors import UsageError
from paperround.browser import show_page
from paperround.commands.context import Json, instant_from, opened, report
from paperround.commands.lanes import show_lanes
from paperround.console import plain, table
from paperround.interruption import INTERRUPTED, stopping

issues = typer.Typer(help="The dated letters.", no_args_is_help=True)
_TROUBLE = (DeliveryState.DEFERRED, DeliveryState.REJECTED, DeliveryState.UNCERTAIN)
_SHOWN = 5  # deliveries of each state whose trouble is told
deliveries = typer.Typer(help="What became of each message.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("match")(match)
    app.command("publish")(publish)
    app.command("deliver")(deliver)
    app.add_typer(issues, name="issues")
    app.add_typer(deliveries, name="deliveries")
    deliveries.command("lanes")(show_lanes)


def match(context: typer.Context, as_json: Json = False) -> None:
    """Bring the new papers and every topic together."""
    told = report(context, as_json)
    with opened(context) as house, told.progress("Matching") as advance:
        house.newcomers.read()
        done = house.matcher.match(house.clock.now(), advance)
    told.show(
        {"papers": done.papers, "topics": done.topics, "matches": done.matches, "new_topics": done.new_topics},
        lambda: [f"{counted(done.papers, 'new paper')}, {counted(done.topics, 'topic')}, {done.matches} matched"],
    )


def publish(
    context: typer.Context,
    now: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="ISO 8601 with zone: sets slots and cut-offs.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compose everything, freeze no letter.")] = False,
    as_json: Json = False,
) -> None:
    """Match what is new, then freeze a letter for every reader who is due."""
    told = report(context, as_json)
    instant = instant_from(now, "--now") if now else None
    with opened(context) as house, told.progress("Readers") as advance:
        # A letter that is cut before its papers met the topics would say that nothing matched.
        house.newcomers.read()
        house.matcher.match(house.clock.now(), slot=instant)
        counts = house.publisher.publish(instant or house.clock.now(), dry_run=dry_run, progress=advance)

    def lines() -> Iterable[str]:
        yield f"{counted(counts.due, 'reader')} due, {counted(counts.issues, 'letter')}"
        if counts.held:
            yield plain(counts.held)
        for reason, number in counts.skipped.items():
            yield f"{number} without a letter: {reason}"
        if counts.quiet:
            yield f"{counted(counts.quiet, 'quiet note')}"

    told.show(asdict(counts), lines)


def deliver(context: typer.Context, as_json: Json = False) -> int:
    """Send what is due, once."""
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house, told.progress("Delivering") as advance:
        done = house.deliverer.deliver(lambda _: advance(1))
        counts, held = done.numbers, done.held
        waiting = house.outbox.waiting()
        troubled = [each for state in _TROUBLE if counts[state] for each in house.outbox.records(state, _SHOWN)]

    def lines() -> Iterable[str]:
        yield ", ".join(f"{number} {state}" for state, number in counts.items())
        if held:
            yield plain(held)
        if waiting:
            yield f"{counted(waiting, 'letter')} {'waits' if waiting == 1 else 'wait'}; `paperround deliveries list`"
        for each in troubled:
            yield plain(f"{each.recipient} is {each.state}: {each.reply or each.reason}")

    told.show({**counts, "held": held} if held else counts, lines)
    if stop.is_set():
        told.note("paperround: interrupted; what was not sent is sent the next time")
        return INTERRUPTED
    return 1 if held or counts["deferred"] or counts["rejected"] or counts["uncertain"] else 0


@issues.command("list")
def list_issues(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Show at most so many; default all.")] = None,
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
    as_json: Json = False,
) -> None:
    """Replay an issue, byte for byte as it was sent."""
    from digests.mail.joining import join, part, whole
    from digests.plain_page import page_of

    with opened(context) as house:
        letter = house.outbox.letter(house.issues.delivery_of(issue))
    if form not in {"text", "html", "eml"}:
        raise UsageError(f"--format must be text, html or eml, not {form!r}")
    message = whole(letter.signature, join(letter.fragments, letter.slots))
    told = report(context, as_json)
    if form == "eml" and not told.is_json:
        sys.stdout.buffer.write(message)
        return
    if form == "eml":
        shown = message.decode("utf-8", "surrogateescape")
    elif form == "html":
        shown = page_of(letter.fragments, letter.subject, personal=True, slots=letter.slots)
    else:
        shown = part(letter.fragments, "text", personal=True, slots=letter.slots)
    if told.is_json:
        told.show({"id": issue, "subject": letter.subject, "format": form, "letter": shown}, list)
    else:
        sys.stdout.write(shown)


@issues.command("preview")
def preview_issue(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    open_it: Annotated[bool, typer.Option("--open", help="Open the letter in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Show the letter that a reader would get if it were due now; nothing is sent."""
    from digests.mail.joining import part
    from digests.plain_page import page_of

    told = report(context, as_json)
    with opened(context) as house:
        house.matcher.match(house.clock.now())
        mailing = house.publisher.preview(house.desk.find(email), house.clock.now())
    if mailing is None:
        reason = "There would be no letter now: nothing new matches, or the reader is not confirmed."
        told.show({"subject": None, "text": None, "reason": reason}, lambda: [reason])
        return
    fragments, slots, subject = mailing.content.fragments, mailing.slots, mailing.content.subject
    if open_it:
        told.note(show_page(page_of(fragments, subject, personal=True, slots=slots)))
        return
    body = part(fragments, "text", personal=True, slots=slots)
    told.show({"subject": subject, "text": body, "reason": ""}, lambda: [plain(f"Subject: {subject}"), "", plain(body)])


@deliveries.command("list")
def list_deliveries(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(metavar="S", help="Only those in this state.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=2**31 - 1, help="Show at most so many; default all.")] = None,
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


@deliveries.command("retry")
def retry(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="As `deliveries list` shows it.")],
    as_json: Json = False,
) -> None:
    """Let a letter that was deferred, rejected, expired or held leave at the next pass, with the same bytes."""
    told = report(context, as_json)
    with opened(context) as house:
        was = house.outbox.retry(delivery, house.clock.now())
    told.show(
        {"id": delivery, "was": was.value},
        lambda: [f"Delivery {delivery} was {was}; it leaves at the next pass, as the same message."],
    )


class Verdict(StrEnum):
    """What an operator says of a letter of which nobody knows whether it left."""

    SENT = "sent"
    RESEND = "resend"


@deliveries.command("resolve")
def resolve(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="As `deliveries list` shows it.")],
    verdict: Annotated[Verdict, typer.Option("--as", help="sent: it arrived; resend: send it once more.")],
    as_json: Json = False,
) -> None:
    """Say what became of an uncertain letter, or send it once more."""
    told = report(context, as_json)
    with opened(context) as house:
        house.outbox.resolve(delivery, house.clock.now(), sent=verdict is Verdict.SENT)
    ends = {
        Verdict.SENT: f"Delivery {delivery} counts as accepted.",
        Verdict.RESEND: f"Delivery {delivery} leaves once more at the next pass, as the same message.",
    }
    told.show({"id": delivery, "as": verdict.value}, lambda: [ends[verdict]])


@deliveries.command("pause")
def pause(context: typer.Context, as_json: Json = False) -> None:
    """Send nothing from now on, until `deliveries resume`; papers and letters are made as ever."""
    told = report(context, as_json)
    with opened(context) as house:
        hold = house.installation.pause(house.clock.now())
    told.show({"held": hold.reason, "waiting": hold.waiting}, lambda: [plain(hold.sentence)])


@deliveries.command("resume")
def resume(
    context: typer.Context,
    skip_waiting: Annotated[
        bool, typer.Option("--skip-waiting", help="What waits, or is due now, counts as sent: it may have been before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send again, from here on: after `deliveries pause`, and in a copy that was moved or restored."""
    told = report(context, as_json)
    with opened(context) as house:
        if skip_waiting:
            # The letters of the slots that have opened: the older state may not know that they were sent.
            house.matcher.match(house.clock.now())
            house.publisher.publish(house.clock.now())
        done = house.installation.resume(house.clock.now(), skip_waiting=skip_waiting)

    def lines() -> Iterable[str]:
        yield plain(f"Letters leave again; what held them: {done.was}." if done.was else "Nothing held the letters.")
        if done.skipped:
            yield f"{counted(done.skipped, 'letter')} counted as sent."
        yield f"{counted(done.waiting, 'letter')} {'waits' if done.waiting == 1 else 'wait'} to be sent."

    told.show({"was_held": done.was, "waiting": done.waiting, "skipped": done.skipped}, lines)
