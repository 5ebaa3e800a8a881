"""archive inspect: look into the archive."""

import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from paperround.commands.archive import archive
from paperround.commands.context import Json, opened, report
from paperround.console import Report, plain, table
from paperround.interruption import stopping

if TYPE_CHECKING:
    import threading


def attach(_app: typer.Typer) -> None:
    """Add this command to those of the archive."""
    archive.command("inspect")(inspect)


def inspect(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where; 0 for any that is free.")] = 8001,
    open_it: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = False,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only write the copy, for any client of SQLite; serve nothing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look into the archive on local pages; its readers and letters are not there."""
    told = report(context, as_json)
    with stopping() as stop:
        if file is not None:
            counts = _copy(context, told, file, stop)
            told.show(
                {"file": str(file), "size_bytes": file.stat().st_size, "rows": counts},
                lambda: [f"Wrote {plain(str(file))}", table(("table", "rows"), counts.items())],
            )
            return
        from paperround.inspecting.site import check, inspecting
        from paperround.inspecting.words import NAME

        check()
        with TemporaryDirectory(prefix="paperround-") as folder:
            copy = Path(folder) / f"{NAME}.db"
            made = datetime.now(UTC)
            _copy(context, told, copy, stop)
            with inspecting(copy, made, port, stop) as address:
                told.note(f"Showing the archive at {address} until you press Ctrl-C.")
                if open_it:
                    webbrowser.open(address)
                stop.wait()


def _copy(context: typer.Context, told: Report, file: Path, stop: "threading.Event") -> dict[str, int]:
    """Write the copy and return how many rows each table has."""
    from storage.inspection import write_copy

    with opened(context, stop) as house, told.progress("Copying what may be shown") as advance:
        return write_copy(house.database, file, progress=advance, is_stopped=stop.is_set)
