"""subscribers show: one reader, and whether today's letter came."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.answers import LetterRecord, why_no_mail
from domain.silences import Silence
from paperround.commands.context import Json, opened, report
from paperround.commands.readers import chosen_of, shown_of, state_of, subscribers, topics_of
from paperround.console import plain, table

# What the tables show: heading → key of the JSON object.
_OF_LETTERS = {"delivery": "id", **{key: key for key in ("letter", "state", "last_try", "reply", "reason")}}
_OF_SILENCES = {"no letter because": "reason", "from": "first_slot", "to": "last_slot", "in a row": "slots"}


def attach(app: typer.Typer) -> None:  # noqa: ARG001 as every group of commands: this one is within "subscribers"
    """Add this command."""
    subscribers.command("show")(show_subscriber)


def show_subscriber(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Show one reader: whether today's letter came and if not why, the last letters, and what they agreed to."""
    told = report(context, as_json)
    from paperround.knowing import known_of

    with opened(context) as house:
        reader, now = house.desk.find(email), house.clock.now()
        known = known_of(house, reader)
        agreed = house.subscribers.consents(reader.id)
    shown = {
        **shown_of(reader),
        "consent": [
            {"action": c.action, "wording": c.wording, "at": c.at.isoformat(), "place": c.place} for c in agreed
        ],
        "answer": why_no_mail(reader, known, now),
        "letters": [_letter(each) for each in known.letters],
        "silences": [_silence(each) for each in known.silences],
    }

    def lines() -> Iterable[str | Table]:
        when = f"every {shown['every']}" + (f" on {shown['weekday']}" if shown["every"] == "week" else "")
        yield plain(f"Today's letter? {shown['answer']}")
        at = f"{reader.schedule.hour}:00, {plain(reader.schedule.zone)}"
        if reader.schedule.ready:
            at = f"{at} at the latest, sooner once the sources have closed their day"
        yield f"{plain(reader.email)} is {state_of(reader)}; {when} at {at}"
        yield f"Chosen for the letters: {chosen_of(reader)}"
        yield topics_of(reader)
        for columns, rows in ((_OF_LETTERS, shown["letters"]), (_OF_SILENCES, shown["silences"])):
            if rows:
                yield table(tuple(columns), ([row[key] for key in columns.values()] for row in rows))
        said = ([c[name] for name in ("action", "wording", "at", "place")] for c in shown["consent"])
        yield table(("consent", "wording", "at", "place"), said)

    told.show(shown, lines)


def _letter(letter: LetterRecord) -> dict[str, Any]:
    """Return one letter; its name is its slot, or its kind where it is no digest."""
    return {
        "id": letter.delivery_id,
        "letter": letter.slot or letter.kind.value,
        "kind": letter.kind.value,
        "issue": letter.issue,
        "slot": letter.slot,
        "date": letter.date.isoformat(),
        "state": letter.state.value,
        "attempts": letter.attempts,
        "last_try": letter.last_try.isoformat() if letter.last_try else None,
        "next_try": letter.not_before.isoformat() if letter.not_before else None,
        "reply": letter.reply,
        "reason": letter.reason,
    }


def _silence(silence: Silence) -> dict[str, Any]:
    return {
        "reason": silence.reason,
        "first_slot": silence.first_slot,
        "last_slot": silence.last_slot,
        "slots": silence.slots,
        "since": silence.since.isoformat(),
        "until": silence.until.isoformat(),
    }
