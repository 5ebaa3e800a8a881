"""doctor: what is wrong with this installation, and what to do about it."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from domain.errors import UsageError
from paperround.commands.context import Json, chosen, report

if TYPE_CHECKING:
    from paperround.doctor.finding import Finding

_STYLES = {"ok": "green", "wrong": "bold red", "could not check": "yellow"}
_WIDE = len("could not check")


def attach(app: typer.Typer) -> None:
    """Add this command."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    send_test: Annotated[
        str, typer.Option("--send-test", metavar="EMAIL", help="Also send one test letter, to this address.")
    ] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody, and say what to publish all the same.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Look at settings, database, clock, sources, templates, relay and DNS; change nothing; say what to do."""
    from digests.addresses import address
    from paperround.doctor.calling import visiting
    from paperround.doctor.checks import due, examine
    from paperround.settings import found, load

    told = report(context, as_json)
    given = (chosen(context).config, os.environ, Path.cwd())
    settings, file = load(*given), found(*given)
    if send_test:
        address(send_test)  # raises AddressError, before anything is asked
        if offline or settings.mail.transport != "smtp":
            raise UsageError(
                "--send-test needs the network; leave out --offline"
                if offline
                else '--send-test needs [mail] transport = "smtp"; letters do not leave by mail here'
            )
    folder = file.parent if file else Path.cwd()
    with (
        visiting(settings, file, folder, send_test=send_test, is_offline=offline) as visit,
        told.progress("Looking", total=len(due(visit))) as advance,
    ):
        findings = list(examine(visit, lambda _: advance(1)))
    counts = Counter(each.verdict.value for each in findings)
    told.show(
        {
            "settings": str(file) if file else None,
            "ok": counts["ok"],
            "wrong": counts["wrong"],
            "could_not_check": counts["could not check"],
            "findings": [each.as_json() for each in findings],
        },
        lambda: _lines(findings, counts),
    )
    return 1 if counts["wrong"] else 0


def _lines(findings: Sequence["Finding"], counts: Counter[str]) -> Iterable[Text]:
    for each in findings:
        verdict = each.verdict.value
        yield Text.assemble(
            (f"{verdict:{_WIDE}}", _STYLES[verdict]), "  ", (each.subject, "bold"), f": {_printable(each.sentence)}"
        )
        for more in (each.advice, str(each.record) if each.record else ""):
            if more:
                yield Text(f"{'':{_WIDE}}  → {_printable(more)}")
    yield Text(f"{counts['ok']} ok, {counts['wrong']} wrong, {counts['could not check']} could not check")


def _printable(text: str) -> str:
    """Return a text that others may have part in, fit for a terminal."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown.encode("utf-8", "replace").decode("utf-8")
