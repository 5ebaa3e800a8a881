"""topics embed: papers are read for their meaning."""

from typing import Annotated

import typer

from digests.wording import counted
from domain.errors import UsageError
from paperround.commands.context import Json, opened, report
from paperround.commands.topics import topics
from paperround.console import plain


def attach(app: typer.Typer) -> None:  # noqa: ARG001 as every group of commands: this one is within "topics"
    """Add this command."""
    topics.command("embed")(embed)


def embed(
    context: typer.Context,
    anew: Annotated[
        bool, typer.Option("--anew", help="Take the model that is there, and read the whole archive again with it.")
    ] = False,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many papers, the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Read papers with the sentence model of [topics], the newest first; what was read stays."""
    told = report(context, as_json)
    from paperround.interruption import stopping

    with stopping() as stop, opened(context, stop=stop) as house:
        if not house.names_a_model:
            raise UsageError("no sentence model is named: set [topics] model_dir or model (docs/meaning.md)")
        meaning = house.met(anew=anew)
        reading = house.reading_with(meaning)
        done, papers = house.embeddings.counts(meaning.model.id)
        left = papers - done
        with told.progress("Papers", total=left if limit is None else min(left, limit)) as advance:
            read = reading.read(limit, stop=stop, progress=advance)
        done, papers = house.embeddings.counts(meaning.model.id)
    shown = {
        "model": meaning.model.name,
        "sha256": meaning.model.sha256,
        "dimensions": meaning.model.dimensions,
        "embedded": read,
        "left": papers - done,
        "interrupted": stop.is_set(),
    }

    def lines() -> list[str]:
        said = [f"{plain(meaning.model.name)}, {meaning.model.dimensions} dimensions, {meaning.model.sha256}"]
        return [*said, f"{counted(read, 'paper')} read, {papers - done:,} left."]

    told.show(shown, lines)
