"""suppressions: the addresses that must not be mailed."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.table import Table

from paperround.commands.context import Json, opened, report
from paperround.console import plain, table

_DIGITS = 12  # of a hash, enough to tell one erased reader from another
suppressions = typer.Typer(help="The addresses that must not be mailed.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(suppressions, name="suppressions")


@suppressions.command("list")
def list_suppressions(context: typer.Context, as_json: Json = False) -> None:
    """Show every suppressed address, newest first; one that no reader has is known by its hash alone."""
    told = report(context, as_json)
    with opened(context) as house:
        found = [
            {
                "email": each.email,
                "hash": each.address_hash,
                "reason": each.reason.value,
                "detail": each.detail,
                "at": each.at.isoformat(),
            }
            for each in house.suppressions.list()
        ]

    def lines() -> Iterable[str | Table]:
        rows = (
            (e["email"] or f"(erased) {e['hash'][:_DIGITS]}", e["reason"], e["detail"], e["at"][:10]) for e in found
        )
        yield table(("email", "reason", "detail", "since"), rows) if found else "No address is suppressed."

    told.show({"suppressions": found}, lines)


@suppressions.command("add")
def add(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Never mail an address again, whether a reader has it or not, until it is removed here."""
    from digests.addresses import address_key
    from domain.letter_events import SuppressionReason

    told = report(context, as_json)
    key = address_key(email)
    with opened(context) as house:
        is_new = house.suppressions.add(key, SuppressionReason.OPERATOR, "added by the operator", house.clock.now())
    result: dict[str, Any] = {"email": email, "suppressed": True, "new": is_new}
    told.show(result, lambda: [f"{plain(email)} {'will not be mailed' if is_new else 'was suppressed already'}"])


@suppressions.command("remove")
def remove(context: typer.Context, email: Annotated[str, typer.Argument()], as_json: Json = False) -> None:
    """Let an address be mailed again: its reader is what they were, after a complaint unsubscribed."""
    from digests.addresses import address_key

    told = report(context, as_json)
    key = address_key(email)
    with opened(context) as house:
        state = house.suppressions.remove(key)
    result = {"email": email, "suppressed": False, "state": state.value if state else None}
    told.show(result, lambda: [f"{plain(email)} may be mailed again" + (f"; it is {state}" if state else "")])
