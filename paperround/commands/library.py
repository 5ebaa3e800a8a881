"""saved import: a reader's own library becomes saved papers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import UsageError
from domain.learning import BROUGHT, Liking
from paperround.commands.context import Json, opened, report
from paperround.commands.saved import saved
from paperround.console import plain


def attach(app: typer.Typer) -> None:  # noqa: ARG001 as every group of commands: this one is within "saved"
    """Add this command."""
    saved.command("import")(import_library)


def import_library(
    context: typer.Context,
    email: Annotated[str, typer.Argument()],
    file: Annotated[Path, typer.Argument()],
    less: Annotated[bool, typer.Option("--less", help="Papers that the reader wants less of.")] = False,
    as_json: Json = False,
) -> int:
    """Save the papers of a BibTeX file, or of what Zotero exports as CSV or RDF; the same file may come again."""
    told = report(context, as_json)
    from paperround.interruption import stopping

    with stopping() as stop, opened(context) as house:
        reader = house.desk.find(email)
        try:
            stream = file.open("rb")
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from error
        with stream, told.progress("Entries", total=None) as advance:
            liking = Liking.LESS if less else Liking.MORE
            found = house.library_desk.take(reader.public_id, stream, liking, BROUGHT, stop=stop, progress=advance)
        house.learner.learn_for(reader.id)

    def lines() -> Iterable[str]:
        yield f"{plain(file.name)}: {found.kind}"
        yield from map(plain, found.sentences)

    shown = {
        "kind": found.kind,
        "read": found.read,
        "new": found.new,
        "known": found.known,
        "left": found.left,
        "rejected": found.rejected,
        "first_rejected": [{"line": each.line, "reason": each.reason} for each in found.first_rejected],
    }
    told.show(shown, lines)
    return 1 if found.left or found.rejected else 0
