"""archive: the database as a whole."""

import typer

from paperround.commands.context import Json, opened, report
from paperround.commands.statistics import stats

archive = typer.Typer(help="The archive as a whole.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    archive.command("stats")(stats)
    app.add_typer(archive, name="archive")


@archive.command("migrate")
def migrate(context: typer.Context, as_json: Json = False) -> None:
    """Bring the database to this version's schema, its queues too; any command does so for a file of SQLite."""
    told = report(context, as_json)
    with opened(context, upgrade=True) as house:
        house.install_queues()
        revision = house.database.revision
    told.show({"schema": revision}, lambda: [f"the schema is {revision}"])
