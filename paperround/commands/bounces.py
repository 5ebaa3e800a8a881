"""bounces read: a bounce or a complaint, from a mail server's pipe or a mailbox."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import PaperroundError, UsageError
from paperround.commands.context import Json, opened, report
from paperround.console import plain

bounces = typer.Typer(help="Bounces and complaints.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(bounces, name="bounces")


@bounces.command("read")
def read(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE|-", help="A message, an mbox or a Maildir; - for standard input.")
    ],
    as_json: Json = False,
) -> int:
    """Take in what came back. What is no bounce is told and changes nothing; the same again counts once."""
    told = report(context, as_json)
    messages: list[dict[str, Any]] = []
    unread: list[str] = []
    with opened(context) as house:
        for file in files:
            try:
                for name, raw in _messages(file):
                    taken = house.bounce_desk.take(raw)
                    heard = [
                        {"source": e.source, "kind": e.kind.value, "delivery": e.delivery_id, "status": e.status}
                        for e in taken.heard
                    ]
                    messages.append({"message": name, "heard": heard, "new": taken.new, "ignored": taken.ignored})
            except (UsageError, OSError) as error:
                if len(files) == 1:
                    raise
                unread.append(_reason(error))

    def lines() -> Iterable[str]:
        for each in messages:
            yield plain(f"{each['message']}: {each['ignored'] or _heard(each['heard'])}")

    new = sum(each["new"] for each in messages)
    told.show({"messages": messages, "new": new, "unread": unread}, lines)
    for each in unread:
        told.note(f"paperround: {each}")
    return 0 if not unread else 1 if messages else 3


def _messages(file: str) -> Iterator[tuple[str, bytes]]:
    from paperround.mail_files import messages, messages_in

    if file != "-":
        yield from messages_in(Path(file))
        return
    for number, raw in enumerate(messages(sys.stdin.buffer), 1):
        yield ("the message" if number == 1 else f"message {number}"), raw


def _heard(heard: list[dict[str, Any]]) -> str:
    return "; ".join(f"{e['kind']}{' ' if e['status'] else ''}{e['status']} of delivery {e['delivery']}" for e in heard)


def _reason(error: PaperroundError | OSError) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
