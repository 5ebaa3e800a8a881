"""archive stats: what is kept, and what happened day by day, as text, JSON and a plot."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from digests.wording import counted
from domain.errors import UsageError
from paperround.commands.context import Json, day_from, opened, report
from paperround.console import table

if TYPE_CHECKING:
    from storage.statistics import PerDay
    from web.plots.scales import Span

_STDOUT = Path("-")
_NONE, _BARS = "·", "▁▂▃▄▅▆▇█"


def stats(
    context: typer.Context,
    days: Annotated[int, typer.Option(metavar="N", help="Tell so many days one by one.")] = 30,
    until: Annotated[
        str | None,
        typer.Option(metavar="D", help="The newest of these days; default the archive's newest."),
    ] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the days; - for stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Count what is kept, and what happened on each of the last days."""
    from web.plots.archive import archive_figure
    from web.plots.scales import MOST_DAYS

    told = report(context, as_json)
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--days must be 1 to {MOST_DAYS} (five years), not {days}")
    if svg == _STDOUT and told.is_json:
        raise UsageError("--svg - and --json both write to stdout; give --svg a file")
    last = day_from(until, "--until") if until else None
    with opened(context) as house:
        counts = house.archive.stats()
        last = last or house.statistics.newest_day() or house.clock.now().date()
        if (last - date.min).days < days:
            raise UsageError(f"--until {last} has no {counted(days, 'day')} before it")
        per_day = house.statistics.per_day(last - timedelta(days=days - 1), last)
    if svg == _STDOUT:
        sys.stdout.buffer.write(archive_figure(per_day).encode())
        return
    if svg is not None:
        _place(svg, archive_figure(per_day))
    told.show({**counts, "per_day": _by_day(per_day)}, lambda: _lines(counts, per_day))


def _by_day(counts: "PerDay") -> dict[str, Any]:
    """Return every day with what happened on it; sources and states without anything are left out."""
    return {
        day.isoformat(): {
            "listed": {each.source: each.listed[n] for each in counts.sources if each.listed[n]},
            "new": {each.source: each.new[n] for each in counts.sources if each.new[n]},
            "matches": counts.matches[n],
            "letters": {str(state): values[n] for state, values in counts.letters.items() if values[n]},
        }
        for n, day in enumerate(counts.days)
    }


def _lines(counts: Mapping[str, Any], per_day: "PerDay") -> Iterable[str | Table]:
    from web.plots.scales import spans

    yield table(("what", "how many"), counts.items())
    yield ""
    days = per_day.days
    bars = spans(per_day.first, len(days))
    when = f"on {days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    yield f"{when}: papers by each source's own listing day, letters by their day in UTC"
    columns = ("what", "sum", "new", f"each {bars[0].unit}")
    yield table(columns, _rows(per_day, bars))


def _rows(counts: "PerDay", bars: Sequence["Span"]) -> Iterator[tuple[object, ...]]:
    for each in counts.sources:
        yield (each.source, f"{sum(each.listed):,}", f"{sum(each.new):,}", _sparks(each.listed, bars))
    yield ("matches", f"{sum(counts.matches):,}", "", _sparks(counts.matches, bars))
    for state, values in counts.letters.items():
        yield (f"letters {state}", f"{sum(values):,}", "", _sparks(values, bars))


def _sparks(values: Sequence[int], bars: Sequence["Span"]) -> str:
    """Return a row of bars, each of one character: the highest is the row's own, days of another order left aside."""
    from web.plots.scales import heights

    sums = [each.sum(values) for each in bars]
    top = min(max(sums), heights(sums).top)
    return "".join(_BARS[(min(each, top) * len(_BARS) - 1) // top] if each else _NONE for each in sums)


def _place(file: Path, drawn: str) -> None:
    """Write a picture whole or not at all; what is no plain file, such as a pipe, is written to as it stands.

    Raises OSError that names the file as it was given.
    """
    place = file.resolve()
    draft = place.with_name(f".paperround-{os.getpid()}.svg")
    try:
        if place.exists() and not place.is_file():
            place.write_text(drawn, encoding="utf-8")
            return
        try:
            draft.write_text(drawn, encoding="utf-8")
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from error
