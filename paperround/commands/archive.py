"""archive: the database as a whole."""

import typer

from paperround.commands.context import Json, opened, report
from paperround.console import table

archive = typer.Typer(help="The archive as a whole.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(archive, name="archive")


@archive.command("stats")
def stats(context: typer.Context, as_json: Json = False) -> None:
    """Count what is kept."""
    told = report(context, as_json)
    with opened(context) as house:
        counts = house.archive.stats()
    told.show(counts, lambda: [table(("what", "how many"), counts.items())])


@archive.command("migrate")
def migrate(context: typer.Context, as_json: Json = False) -> None:
    """Bring the database to this version's schema; every command does so when it opens an older one."""
    told = report(context, as_json)
    with opened(context) as house:
        revision = house.database.revision
    told.show({"schema": revision}, lambda: [f"the schema is {revision}"])
