"""saved: the papers that a reader saved or wants less of, and what was learned from them."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from digests.wording import counted
from domain.errors import UsageError
from domain.learning import Edit, Liking, Profile, Saved, Taste
from paperround.commands.context import Json, must_be_meant, opened, report
from paperround.console import plain, table

Email = Annotated[str, typer.Argument()]
Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="Papers' keys, ids or links.")]
Less = Annotated[bool, typer.Option("--less", help="Those of which they want less.")]
saved = typer.Typer(help="The papers that readers saved, and what was learned from them.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(saved, name="saved")


@saved.command("list")
def list_saved(
    context: typer.Context,
    email: Email,
    less: Less = False,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="No more than so many.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a reader saved, the newest first."""
    told = report(context, as_json)
    liking = _liking(less)
    with opened(context) as house:
        reader = house.desk.find(email)
        found = house.likings.of(reader.id, liking, limit=limit)
        total = house.likings.counts(reader.id)[liking]

    def lines() -> Iterable[str | Table]:
        if not found:
            yield f"{plain(reader.email)} {'wants less of no paper' if less else 'saved no paper'}"
            return
        yield table(("key", "title", "since", "place"), ((s.key, s.title, s.at.date(), s.place) for s in found))
        if total > len(found):
            yield f"{len(found):,} of {counted(total, 'paper')}"

    told.show({"email": reader.email, "total": total, "papers": [_plain(each) for each in found]}, lines)


@saved.command("add")
def add(context: typer.Context, email: Email, keys: Keys, less: Less = False, as_json: Json = False) -> None:
    """Save papers for a reader, or let letters bring less like them; what was said last of a paper holds."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        done = house.likings_desk.add(reader, keys, _liking(less))
    said = "less like it" if less else "saved"
    told.show(
        {"email": reader.email, "papers": [_plain(each) for each in done]},
        lambda: [f"{said}: {plain(each.key)} {plain(each.title)}" for each in done],
    )


@saved.command("remove")
def remove(context: typer.Context, email: Email, keys: Keys, as_json: Json = False) -> None:
    """Take papers back, whether they were saved or less like them was wanted."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        done = house.likings_desk.remove(reader, keys)
    told.show(
        {"email": reader.email, "papers": [_plain(each) for each in done]},
        lambda: [f"taken back: {plain(each.key)} {plain(each.title)}" for each in done],
    )


@saved.command("profile")
def profile(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Show the words that were learned from what a reader saved."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        found = house.likings_desk.profile(reader)
    told.show({"email": reader.email, **_shown(found)}, lambda: _lines(found))


@saved.command("edit")
def edit(
    context: typer.Context,
    email: Email,
    into: Annotated[list[str] | None, typer.Option("--in", metavar="WORD", help="Look for it; repeatable.")] = None,
    out: Annotated[
        list[str] | None, typer.Option("--out", metavar="WORD", help="Never learn from it; repeatable.")
    ] = None,
    restore: Annotated[
        list[str] | None, typer.Option("--restore", metavar="WORD", help="Undo either; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put words into a reader's profile, or leave words out, whatever was saved."""
    told = report(context, as_json)
    if not (into or out or restore):
        raise UsageError("say --in, --out or --restore with a word")
    with opened(context) as house:
        reader = house.desk.find(email)
        found = house.likings_desk.edit(reader, into or [], out or [], restore or [])
    told.show({"email": reader.email, **_shown(found)}, lambda: _lines(found))


@saved.command("reset")
def reset(
    context: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Forget what a reader saved and wanted less of, the words learned from it, and their edits."""
    told = report(context, as_json)
    with opened(context) as house:
        reader = house.desk.find(email)
        if not yes:
            must_be_meant(told, "forgetting", f"Forget all that {plain(reader.email)} saved?")
        gone = house.likings_desk.reset(reader)
    told.show({"email": reader.email, "papers": gone}, lambda: [f"forgotten: {counted(gone, 'paper')}, and all words"])


@saved.command("export")
def export(
    context: typer.Context,
    email: Email,
    form: Annotated[str, typer.Option("--format", help="bibtex, ris, csv or jsonl.")] = "bibtex",
    as_json: Json = False,  # noqa: ARG001 what is written is the papers themselves, as of `papers export`
) -> None:
    """Write the papers that a reader saved to stdout, own copies too, the newest first."""
    from digests.citations.formats import FORMATS
    from paperround.interruption import stopping
    from paperround.taking import sink, take

    if form not in FORMATS:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)}, not {form!r}")
    with opened(context) as house, stopping() as stop, sink(None) as out:
        found = house.likings_desk.saved(house.desk.find(email))
        take(found, FORMATS[form], house.archive.journals, out, stop=stop, advance=lambda _: None)


def _liking(less: bool) -> Liking:
    return Liking.LESS if less else Liking.MORE


def _plain(each: Saved) -> dict[str, Any]:
    return {
        "number": each.number,
        "key": each.key,
        "liking": each.liking.value,
        "title": each.title,
        "authors": list(each.authors),
        "in_archive": each.paper_id is not None,
        "at": each.at.isoformat(),
        "place": each.place,
    }


def _shown(found: Profile) -> dict[str, Any]:
    return {
        "more": _words(found.more),
        "less": _words(found.less),
        "edits": [{"word": each.word, "edit": each.edit.value} for each in found.edits.values()],
        "saved": found.saved,
        "disliked": found.disliked,
        "learned_at": found.learned_at.isoformat() if found.learned_at else None,
        "stale": found.is_stale,
    }


def _words(taste: Taste) -> list[dict[str, Any]]:
    return [{"word": each.word, "weight": each.weight} for each in taste.terms]


def _lines(found: Profile) -> Iterable[str]:
    if found.learned_at is None or (found.is_empty and not found.edits):
        yield "Nothing is learned yet."
    else:
        yield f"Learned from {counted(found.saved, 'paper')} saved and {found.disliked:,} of which less is wanted."
    for heading, words in (
        ("Letters look for more of", [each.word for each in found.more.terms]),
        ("Letters set aside", [each.word for each in found.less.terms]),
        ("Put in", _edited(found, Edit.IN)),
        ("Left out", _edited(found, Edit.OUT)),
    ):
        if words:
            yield f"{heading}: {plain(', '.join(words))}"
    if found.is_stale:
        yield "It is to be learned anew."


def _edited(found: Profile, edit: Edit) -> Sequence[str]:
    return sorted(each.word for each in found.edits.values() if each.edit is edit)
