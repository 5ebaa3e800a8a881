"""The command line: one application, its commands in `paperround/commands`, one place where errors become words.

Exit codes (interface.md): 0 done · 1 done in part · 2 wrong usage or settings · 3 nothing done.
"""

import json
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from domain.errors import Interrupted, PaperroundError, QueryError, UsageError
from paperround.commands import (
    archive,
    bounces,
    doctor,
    inspecting,
    keeping,
    letters,
    one_reader,
    papers,
    readers,
    running,
    safekeeping,
    saved,
    sources,
    suppressions,
    topics,
)
from paperround.commands.context import Chosen
from paperround.console import Report
from paperround.interruption import INTERRUPTED
from paperround.logs import set_up


class _Heard(TyperGroup):
    """The group of all commands; typer would end one that Ctrl-C stops without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; raises Interrupted where Ctrl-C ends it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted("interrupted") from error


app = typer.Typer(
    name="paperround",
    cls=_Heard,
    help="Collects new research papers, keeps every one once, and mails each reader what matches their topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (
    running,
    sources,
    readers,
    one_reader,
    topics,
    letters,
    bounces,
    suppressions,
    doctor,
    papers,
    archive,
    inspecting,
    keeping,
    safekeeping,
    saved,
):
    group.attach(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"paperround {version('paperround')}")
        raise typer.Exit


@app.callback()
def everything(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The settings; default $PAPERROUND_CONFIG, else ./paperround.toml."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as one JSON object on stdout.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more, to stderr.")] = False,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Keep what holds for every command."""
    context.obj = Chosen(config=config, as_json=as_json, verbose=verbose)
    set_up("text", verbose=verbose)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    told = Report(as_json="--json" in arguments)
    try:
        _refuse_bytes(arguments)
        code = int(app(arguments, standalone_mode=False) or 0)
        sys.stdout.flush()
    except typer.Exit as leave:
        return leave.exit_code
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing to tell, and Python must not complain while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not isinstance(error, _SPOKEN) and "--verbose" in arguments:
            raise
        return _refused(error, told)
    except KeyboardInterrupt as error:
        return _refused(error, told)
    return code


_SPOKEN = (typer.TyperException, typer.Abort, PaperroundError, OSError)


def _refuse_bytes(arguments: list[str]) -> None:
    """Raise UsageError for an argument that is not text: Python hands such bytes on as lone surrogates."""
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= character <= "\udfff" for character in argument):
            raise UsageError(f"the argument {argument!a} is not valid text in this locale")


def _refused(error: BaseException, told: Report) -> int:
    """Say one sentence on stderr, and in JSON where that was asked for; return the exit code."""
    reason, code = _told(error)
    if reason.startswith("Usage:"):
        told.raw(reason)  # a group of commands without a command: its help
        return code
    with suppress(OSError):
        more: dict[str, object] = {"column": error.column} if isinstance(error, QueryError) else {}
        if isinstance(error, QueryError) and error.suggestion:
            more["suggestion"] = error.suggestion
        if told.is_json and code != INTERRUPTED:
            sys.stdout.write(json.dumps({"error": reason, **more}) + "\n")
            sys.stdout.flush()
    told.note(f"paperround: {' '.join(reason.split())}")
    return code


def _told(error: BaseException) -> tuple[str, int]:
    """Return an error's sentence and its exit code."""
    match error:
        case typer.TyperException():
            return str(getattr(error, "format_message", error.__str__)()), 2
        case UsageError():
            return str(error), 2
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror or error}", 3
        case KeyboardInterrupt() | typer.Abort() | Interrupted():
            return "interrupted; what was done stays done", INTERRUPTED
        case PaperroundError():
            return str(error), 3
        case _:
            return f"a fault of ours ({error!r}); --verbose before the command shows where; please report it", 3
