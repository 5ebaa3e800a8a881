"""The command line: one application, its commands in `paperround/commands`, one place where errors become words.

Exit codes (interface.md): 0 done · 1 done in part · 2 wrong usage or settings · 3 nothing done.
"""

import json
import logging
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import PaperroundError, QueryError, UsageError
from paperround.commands import archive, letters, readers, running, sources, topics
from paperround.commands.context import Chosen
from paperround.console import Report

_INTERRUPTED = 130  # as shells say it

app = typer.Typer(
    name="paperround",
    help="Collects new research papers, keeps every one once, and mails each reader what matches their topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (running, sources, readers, topics, letters, archive):
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
    context.obj = Chosen(config=config, as_json=as_json)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if not verbose:
        for chatty in ("httpx", "httpcore", "mail.log", "alembic", "uvicorn.access"):
            logging.getLogger(chatty).setLevel(logging.WARNING)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    as_json = "--json" in arguments
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except typer.Exit as leave:
        return leave.exit_code
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing to tell, and Python must not complain while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (typer.TyperException, typer.Abort, KeyboardInterrupt, PaperroundError, OSError) as error:
        reason, code = _told(error)
        more = {"column": error.column} if isinstance(error, QueryError) else {}
        if as_json and code != _INTERRUPTED:
            sys.stdout.write(json.dumps({"error": reason, **more}) + "\n")
        Report(as_json=as_json).note(f"paperround: {' '.join(reason.split())}")
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
        case PaperroundError():
            return str(error), 3
        case _:
            return "interrupted; what was done stays done", _INTERRUPTED
