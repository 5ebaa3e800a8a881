"""demo, try, init, run, worker and web: Paperround as a whole."""

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import UsageError
from domain.papers import FetchStatus
from paperround.commands.context import QUERY_COMMAND, Json, opened, report
from paperround.console import plain
from paperround.interruption import INTERRUPTED, stopping

_TICK = timedelta(seconds=10)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("try", context_settings=QUERY_COMMAND)(try_query)
    app.command("init")(init)
    app.command("run")(run)
    app.command("worker")(worker)
    app.command("web")(web)


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--dir", help="Where the demo keeps its files.")] = Path("paperround-demo"),
    serve: Annotated[bool, typer.Option("--serve", help="Show the result on a local page until interrupted.")] = False,
    as_json: Json = False,
) -> None:
    """Show the whole road, offline: listing pages, archive, topics, letters in a mailbox."""
    from paperround.demo.play import play, serve_folder

    told = report(context, as_json)
    done = play(folder)
    told.show(done.as_json(), lambda: [plain(line) for line in done.lines()])
    if serve:
        with stopping() as stop:
            serve_folder(folder, stop, lambda url: told.note(f"Showing {folder} at {url} until you press Ctrl-C."))


def try_query(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="A query in the topic language.")],
    days: Annotated[int, typer.Option(min=1, max=31, help="How many listing days to look back.")] = 7,
    open_it: Annotated[bool, typer.Option("--open", help="Open the letter in the browser.")] = False,
    url: Annotated[str, typer.Option(help="The site to read; any mirror works.")] = "https://huggingface.co",
    as_json: Json = False,
) -> int:
    """Read real Hugging Face days and write the letter that a query would have brought."""
    from platformdirs import user_cache_path

    from paperround.trial import trial

    told = report(context, as_json)
    with told.progress("Reading listing days", total=days) as advance:
        done = trial(query, days, url, user_cache_path("paperround"), progress=advance)
    failed = [each for each in done.reports if not each.status.is_good]

    def lines() -> Iterable[str]:
        yield f"{done.papers} of {done.listed} papers in {days} days match {plain(query)}"
        for each in failed:
            yield f"{each.day}: {each.status}: {plain(each.error)}"
        if done.letter:
            yield f"The letter: {done.letter}"

    result = {
        "query": query,
        "days": days,
        "papers": done.papers,
        "listed": done.listed,
        "letter": str(done.letter) if done.letter else None,
        "sources": [each.as_json() for each in done.reports],
    }
    told.show(result, lines)
    if open_it and done.letter:
        from paperround.browser import show_page

        show_page(done.letter.read_text(encoding="utf-8"), done.letter)
    if failed and all(each.status is FetchStatus.FAILED for each in done.reports):
        return 3
    return 1 if failed else 0


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made if it is missing.")] = Path(),
    as_json: Json = False,
) -> None:
    """Write a commented paperround.toml with a new secret key, and an empty archive beside it."""
    import secrets

    from paperround.settings import load
    from paperround.settings_example import init_text
    from paperround.wiring import House

    told = report(context, as_json)
    settings_file = folder / "paperround.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings_file.touch(mode=0o600, exist_ok=False)  # only the owner may read the key
        with settings_file.open("w", encoding="utf-8") as file:
            file.write(init_text(secrets.token_urlsafe(32)))
    except FileExistsError as error:
        raise UsageError(f"{settings_file} is there already; it was left as it is") from error
    with House(load(settings_file, os.environ, Path.cwd())) as house:
        place = house.database.place
    told.show(
        {"settings": str(settings_file), "database": place},
        lambda: [f"Wrote {plain(str(settings_file))} and an empty archive {plain(place)}."],
    )


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Do whatever is due, then exit.")] = False,
    as_json: Json = False,
) -> int:
    """Do everything in one process: collect, publish, deliver, and serve the site."""
    told = report(context, as_json)
    with stopping() as stop, opened(context, stop) as house:
        if not once:
            from paperround.serving import serving

            with serving(house, stop) as address:
                told.note(f"Serving {address}; collecting, publishing and delivering until stopped.")
                house.work(_TICK, stop)
            return 0
        reports, published, delivered = house.rounds.once()
    result: dict[str, Any] = {
        "sources": [each.as_json() for each in reports],
        "new": sum(each.new for each in reports),
        "issues": published.issues,
        "accepted": delivered.accepted,
        **({"held": delivered.held} if delivered.held else {}),
    }

    def lines() -> Iterable[str]:
        yield f"{result['new']} new papers, {published.issues} new letters, {delivered.accepted} delivered"
        if delivered.held:
            yield plain(delivered.held)

    told.show(result, lines)
    if stop.is_set():
        told.note("paperround: interrupted; what was done stays done")
        return INTERRUPTED
    good = all(each.status.is_good for each in reports)
    failed = delivered.held or delivered.deferred or delivered.rejected or delivered.uncertain
    return 0 if good and not failed else 1


def worker(
    context: typer.Context,
    queues: Annotated[
        str, typer.Option(metavar="NAMES", help="Do the tasks of these alone, divided by commas; all without.")
    ] = "",
) -> None:
    """Collect, publish and deliver until stopped; no site."""
    with stopping() as stop, opened(context, stop) as house:
        chosen = _queues(queues, is_shared=house.announcer is not None)
        report(context, as_json=False).note(
            f"Working on {', '.join(chosen)} until stopped."
            if queues
            else "Collecting, publishing and delivering until stopped."
        )
        house.work(_TICK, stop, chosen)


def _queues(names: str, *, is_shared: bool) -> Sequence[str]:
    """Read the names of queues; raises UsageError."""
    from worker.tasks import QUEUES

    chosen = [name for each in names.split(",") if (name := each.strip())]
    if unknown := [name for name in chosen if name not in QUEUES]:
        raise UsageError(f"there is no queue {unknown[0]!r}; there are: {', '.join(QUEUES)}")
    if names and not is_shared:
        raise UsageError('--queues needs [worker] engine = "procrastinate": without it one process does everything')
    if names and not chosen:
        raise UsageError(f"--queues names none; there are: {', '.join(QUEUES)}")
    return tuple(dict.fromkeys(chosen)) or QUEUES


def web(context: typer.Context) -> None:
    """Serve the site until stopped; no worker."""
    from paperround.serving import serving

    with stopping() as stop, opened(context, stop) as house, serving(house, stop) as address:
        report(context, as_json=False).note(f"Serving {address} until stopped.")
        stop.wait()
