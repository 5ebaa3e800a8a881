"""archive backup, restore and copy: the archive kept safe, put back, and moved to another database."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from digests.wording import counted
from domain.errors import UsageError
from paperround.commands.archive import archive
from paperround.commands.context import Json, chosen, opened, report
from paperround.console import plain, table
from paperround.interruption import stopping

if TYPE_CHECKING:
    from paperround.wiring import House
    from storage.backup import Holdings

_FLIGHT = timedelta(seconds=20)  # that letters on the wire are waited for
_LOOK = 0.5  # seconds


def attach(app: typer.Typer) -> None:  # noqa: ARG001 these are commands of the group `archive`, which is attached already
    """Add these commands."""
    archive.command("backup")(backup)
    archive.command("restore")(restore)
    archive.command("copy")(copy)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not be there yet.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write the archive into one file, while everything runs; a copy that is put to use sends nothing by itself."""
    from storage.backup import back_up

    told = report(context, as_json)
    with opened(context) as house, told.progress("Copying pages") as advance:
        held = back_up(house.database, file, house.clock.now(), _growing(advance), force=force)
    told.show(
        {"file": str(file), **_shown(held)},
        lambda: [plain(f"{file}: {_told(held)}, {held.size_bytes:,} bytes, checked.")],
    )


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, or any copy of an archive.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the archive's place, while everything runs; it sends nothing until `deliveries resume`."""
    from domain.clock import SystemClock
    from paperround.settings import load
    from storage.restoring import prepared

    told = report(context, as_json)
    url = load(chosen(context).config, os.environ, Path.cwd()).database.url
    if not url.startswith("sqlite:///"):
        raise UsageError(_pg_restore(url, file))
    live, now = Path(url.removeprefix("sqlite:///")), SystemClock().now()
    with prepared(file, live, now) as ready:
        if not yes and sys.stdin.isatty():
            told.note(f"{file} holds {_told(ready.holdings)}. The archive {live} is kept beside it and then replaced.")
            typer.confirm("Restore it?", abort=True, err=True)
        with told.progress("Restoring pages") as advance:
            done = ready.put(now, _growing(advance))
    again = done.reapplied

    def lines() -> Iterable[str]:
        yield plain(f"Restored {file}: {_told(done.holdings)}.")
        if done.kept:
            yield plain(f"What was there before is kept as {done.kept}.")
        if done.was_readable:
            yield f"Said to it again: {counted(again.erased, 'erasure')}, {again.stopped} who want no letters."
        else:
            yield "What was there could not be read: erase and unsubscribe again whoever asked for it since the backup."
        yield (
            "It sends nothing yet: let it collect, then `paperround deliveries resume --skip-waiting` counts what is "
            "due as sent, `paperround deliveries resume` sends it."
        )

    result = {
        "file": str(file),
        **_shown(done.holdings),
        "kept": str(done.kept) if done.kept else None,
        "was_readable": done.was_readable,
        "erased": again.erased,
        "stopped": again.stopped,
        "held": True,
    }
    told.show(result, lines)


def copy(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="postgresql://USER@HOST/NAME or sqlite:///FILE.")],
    keep_sending: Annotated[
        bool, typer.Option("--keep-sending", help="Do not pause the deliveries of the archive that is copied.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the archive into an empty database; killed or interrupted, the same command goes on where it was."""
    from storage.database import Database
    from storage.moving import Mover

    told = report(context, as_json)
    if not to.startswith(("sqlite:///", "postgresql://", "postgres://")) or to == "sqlite:///":
        raise UsageError("--to must be sqlite:///FILE or postgresql://USER@HOST/NAME")
    with opened(context) as house, Database(to) as target:
        mover = Mover(house.database, target)
        mover.check()
        if not keep_sending:
            _pause(house, target.place)
        with told.progress("Rows") as advance:
            counts = mover.move(house.clock.now(), advance)

    def lines() -> Iterable[str | Table]:
        yield table(("table", "source", "target"), ((each.table, each.source, each.target) for each in counts))
        yield plain(f"All of it is in {target.place} now, which sends nothing yet.")
        if keep_sending:
            yield "This one goes on sending: `paperround deliveries pause` before the other one is put to use."
        else:
            yield "This one is paused: `paperround deliveries resume` lets it send again, if it is to stay."
        yield plain("Name the new one as [database] url, and there say `paperround deliveries resume`.")

    told.show(
        {
            "target": target.place,
            "paused": not keep_sending,
            "tables": [{"table": each.table, "source": each.source, "target": each.target} for each in counts],
        },
        lines,
    )


def _pause(house: "House", place: str) -> None:
    """Let the archive send no more, and wait for what is on the wire: the copy must know how it ended."""
    now = house.clock.now()
    house.installation.pause(now, f"this archive was copied to {place}, which sends from now on")
    with stopping() as stop:
        while house.outbox.in_flight(house.clock.now()) and house.clock.now() < now + _FLIGHT:
            if stop.wait(_LOOK):
                raise KeyboardInterrupt


def _growing(advance: Callable[[int], None]) -> Callable[[int, int], None]:
    """Return what turns "so many of so many" into "so many more"; a copy may begin anew."""
    shown = 0

    def tell(done: int, total: int) -> None:  # noqa: ARG001 the bar shows what is done
        nonlocal shown
        advance(done - shown)
        shown = done

    return tell


def _shown(held: "Holdings") -> dict[str, int]:
    return {"papers": held.papers, "readers": held.readers, "issues": held.issues, "size_bytes": held.size_bytes}


def _told(held: "Holdings") -> str:
    return f"{counted(held.papers, 'paper')}, {counted(held.readers, 'reader')}, {counted(held.issues, 'issue')}"


def _pg_restore(url: str, file: Path) -> str:
    from storage.postgres import place_of

    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
    command = shlex.join(["pg_restore", *options, f"--dbname={place_of(url)}", str(file)])
    return f"PostgreSQL restores its own backups: stop what uses the archive, then: {command}"
