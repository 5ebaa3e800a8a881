"""archive sweep and archive check: let go of what is old, and see whether the rest is sound."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from paperround.commands.archive import archive
from paperround.commands.context import Json, opened, report
from paperround.console import plain
from paperround.interruption import INTERRUPTED, stopping

_WORDS = {
    "pending": "readers who never confirmed",
    "issues": "issues with their letters",
    "letters": "other letters",
    "contents": "contents of letters",
    "fragments": "pieces of letters",
    "replies": "answers of relays",
    "silences": "reasons for no letter",
    "runs": "runs",
    "fetches": "answers of sources",
    "bounces": "bounces and complaints as they came",
}


def attach(app: typer.Typer) -> None:  # noqa: ARG001 the group is archive's, and is there already
    """Add these commands to the group `archive`."""
    archive.command("sweep")(sweep)
    archive.command("check")(check)


def sweep(
    context: typer.Context,
    compact: Annotated[bool, typer.Option("--compact", help="Write the file anew, however little is free.")] = False,
    as_json: Json = False,
) -> int:
    """Let go of what is older than [keep] says; the worker does so once a day."""
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house:
        done = house.sweeper.sweep(house.clock.now(), compact=compact)
    gone = {what: number for what, number in asdict(done.swept).items() if number}

    def lines() -> Iterable[str]:
        yield "Let go: " + (", ".join(f"{number} {_WORDS[what]}" for what, number in gone.items()) or "nothing")
        if done.given_back:
            yield f"The file is {done.given_back:,} bytes smaller."
        if done.not_done:
            yield plain(done.not_done)

    told.show({**asdict(done.swept), "given_back": done.given_back, "not_done": done.not_done}, lines)
    if stop.is_set():
        told.note("paperround: interrupted; what was done stays done")
        return INTERRUPTED
    return 1 if compact and done.not_done else 0


def check(
    context: typer.Context,
    mend: Annotated[
        bool, typer.Option("--mend", help="Make anew what can be worked out: the full-text index and the like.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Look through the whole archive for damage; nothing is changed without --mend."""
    from storage import integrity

    told = report(context, as_json)
    with opened(context) as house:
        found = integrity.faults(house.database)
        is_mended = mend and any(each.is_derived for each in found) and all(each.is_derived for each in found)
        if is_mended:
            integrity.mend(house.database)
            found = integrity.faults(house.database)
    damaged = [each.sentence for each in found if not each.is_derived]
    off = [each.sentence for each in found if each.is_derived]

    def lines() -> Iterable[str]:
        if is_mended:
            yield "What can be worked out was made anew."
        yield from (plain(each) for each in [*damaged, *off])
        if not found:
            yield "The archive is sound."

    result: dict[str, Any] = {"sound": not found, "damaged": damaged, "derived": off, "mended": is_mended}
    told.show(result, lines)
    return 3 if damaged else 1 if off else 0
