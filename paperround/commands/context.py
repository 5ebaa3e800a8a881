"""What every command begins with: the chosen settings, opened, and a report to write to."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import UsageError
from paperround.console import Report
from paperround.logs import set_up

if TYPE_CHECKING:
    from paperround.wiring import House

#: For commands that take a query: one that begins with "-" is a word of the query, not an option.
QUERY_COMMAND = {"ignore_unknown_options": True}
_EARLIEST, _LATEST = 1970, 2200  # years; every zone can tell its local time there
Json = Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was said before the command's name."""

    config: Path | None
    as_json: bool
    verbose: bool = False


@contextmanager
def opened(context: typer.Context, stop: threading.Event | None = None, *, upgrade: bool = False) -> Iterator["House"]:
    """Read the settings and open the house, `upgrade` even an older one; raises SettingsError or StorageError."""
    from paperround.settings import load
    from paperround.wiring import House

    settings = load(chosen(context).config, os.environ, Path.cwd())
    set_up(settings.operator.log, verbose=chosen(context).verbose)
    with House(settings, stop=stop, upgrade=upgrade) as house:
        yield house


def chosen(context: typer.Context) -> Chosen:
    """Return what was said before the command's name."""
    found = context.find_object(Chosen)
    return found or Chosen(config=None, as_json=False)


def report(context: typer.Context, as_json: bool) -> Report:
    """Return where the command reports: `--json` may stand before or after the command's name."""
    return Report(as_json=as_json or chosen(context).as_json)


def must_be_meant(told: Report, what: str, question: str) -> None:
    """Ask on a terminal whether it is meant; raises UsageError elsewhere, typer.Abort where it is not meant."""
    if told.is_json or not sys.stdin.isatty():
        raise UsageError(f"{what} cannot be undone; say --yes if it is meant")
    typer.confirm(f"{question} It cannot be undone", abort=True, err=True)


def day_from(text: str, option: str) -> date:
    """Read an ISO date; raises UsageError that names the option."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} must be a day such as 2026-11-20, not {text!r}") from error


def instant_from(text: str, option: str) -> datetime:
    """Read an ISO 8601 instant with its zone; raises UsageError that names the option."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} must be an instant such as 2026-11-20T07:00+01:00, not {text!r}") from error
    if instant.tzinfo is None:
        raise UsageError(f"{option} {text!r} has no time zone; add one, such as +01:00 or Z")
    if not _EARLIEST <= instant.year <= _LATEST:
        raise UsageError(f"{option} must lie between {_EARLIEST} and {_LATEST}, not {text!r}")
    return instant
