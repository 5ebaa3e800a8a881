"""simulate: days of readers all over the world in minutes, through the real code, with a clock that jumps.

A house is built as for any installation, with a clock and a way out of our own: papers of the corpus are listed when
sources list them, readers of every zone are looked at when they are to be, letters go to a sink that at times refuses,
cuts the line or asks for patience (world.py, readers.py, sink.py; the loop is stages.py). One day warms up, in which
everyone gets a first letter; the figures are those of the days after it. In the end what every reader was owed is
counted by other code (oracle.py); anything lost or doubled fails the bench.

`simulate [--subscribers N] [--days D] [--database URL] [--faults] [--seed S] [--start DAY] [--svg FILE]`, and for a
table of several numbers, each in a process of its own: `simulate --curve N … [--markdown FILE] [--svg FILE]`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.figures import Figure
from benchmarks.letters import settings
from benchmarks.simulate import naive, oracle, readers, report
from benchmarks.simulate.sink import SinkTransport
from benchmarks.simulate.stages import Costs, Simulation, peak
from benchmarks.simulate.world import A_DAY, Papers, VirtualClock
from domain.errors import UsageError
from paperround.wiring import House

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from benchmarks.simulate.oracle import Verdict
    from benchmarks.simulate.readers import Simulated

_START = date(2026, 10, 27)  # a Tuesday between the ends of summer time in Europe and in America
_SAMPLE = 300  # readers of the naive loop
_ROWS = 5_000  # letters whose rows are inserted by themselves
_LAST = timedelta(days=2)  # after the last day, for letters that were put off


@dataclass(slots=True)
class Result:
    """What one simulation found."""

    subscribers: int
    days: int
    costs: Costs
    verdict: Verdict
    people: dict[int, Simulated]
    sink: SinkTransport
    first: datetime  #: publish
    last: datetime  #: publish with something to do
    hours: dict[datetime, int] = field(default_factory=dict)
    octets: int = 0  #: of a letter, in the mean
    disk: float = 0.0  #: octets that the database grew by in the measured days, a letter
    peak: float = 0.0  #: MiB
    seconds: float = 0.0  #: of wall, all in all
    naive: float | None = None
    rows: float | None = None


def run(options: list[str]) -> list[Figure]:
    """Return the figures; prints what does not fit into them. Raises AssertionError if letters were lost or doubled."""
    parser = ArgumentParser(prog="simulate")
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--database", default="")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--start", type=date.fromisoformat, default=_START)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--curve", type=int, nargs="*")
    chosen = parser.parse_args(options)
    if chosen.curve is not None:
        told = [_apart(chosen, number) for number in chosen.curve or [1_000, 10_000]]
    else:
        told = [report.told(_watched(chosen))]
    table = report.table(told)
    print(table, file=sys.stderr)
    if chosen.markdown:
        chosen.markdown.write_text(table, encoding="utf-8")
    if chosen.svg:
        chosen.svg.write_text(report.svg(told), encoding="utf-8")
    for each in told:
        if each["verdict"]["wrong"]:
            raise AssertionError(f"letters were lost or doubled: {each['verdict']}")
    return report.figures(told)


def simulate(
    folder: Path,
    *,
    subscribers: int,
    days: int,
    url: str = "sqlite:///archive.db",
    faults: bool = True,
    seed: int = 2026,
    start: date = _START,
    papers: int = A_DAY,
    told: Callable[[datetime], object] = lambda _: None,
    references: bool = True,
) -> Result:
    """Run a day that warms up and the days after it; `told` is called with the virtual instant after each event."""
    begun = time.perf_counter()
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    warm, end = first + timedelta(days=1), first + timedelta(days=1 + days)
    clock = VirtualClock(first)
    sink = SinkTransport(clock, seed, faults)
    mail = {"transport": "smtp", "host": "127.0.0.1", "tls": "none", "connections": 4}
    with House(settings(folder, url, **mail), clock=clock, transport=sink) as house:
        if house.archive.newest_day() is not None:
            raise UsageError("the database holds an archive already; a simulation needs one of its own")
        simulation = Simulation(house, clock, Papers(start, 1 + days, papers))
        simulation.past()
        people = readers.make(house.database, subscribers, first, seed)
        with simulation.counting():
            simulation.until(warm, told)
            simulation.costs, size, letters = Costs(), house.database.size_bytes, sink.tries["taken"]
            simulation.until(end, told)
        costs, grown = simulation.costs, house.database.size_bytes - size
        hours = {each: number for each, number in sink.hours.items() if each >= warm}
        letters = sink.tries["taken"] - letters
        simulation.until(end + _LAST, told, publish=False)
        if simulation.first is None or simulation.last is None:
            raise UsageError("nobody was looked at: a simulation needs a reader at least")
        verdict = oracle.judge(house.database, people, sink, simulation.first, simulation.last)
        result = Result(
            subscribers=subscribers,
            days=days,
            costs=costs,
            verdict=verdict,
            people=people,
            sink=sink,
            first=simulation.first,
            last=simulation.last,
            hours=hours,
            octets=sink.octets // max(1, sum(sink.hours.values())),
            disk=grown / max(1, letters),
            peak=peak(),
        )
        if references:
            quiet = SinkTransport(clock, seed, faults=False)
            result.naive = naive.loop(house, people, quiet, folder, _SAMPLE)
            result.rows = naive.rows(house, folder, _ROWS)
    result.seconds = time.perf_counter() - begun
    return result


def _watched(chosen: Namespace) -> Result:
    """Run one simulation, with a line that tells how far it is; a keystroke ends it and leaves nothing behind."""
    first = datetime(chosen.start.year, chosen.start.month, chosen.start.day, tzinfo=UTC)
    span = timedelta(days=1 + chosen.days)
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with TemporaryDirectory() as name, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("readers are written down", total=span.total_seconds())

        def told(now: datetime) -> None:
            progress.update(task, completed=(now - first).total_seconds(), description=f"{now:%a %H:%M} UTC")

        return simulate(
            Path(name),
            subscribers=chosen.subscribers,
            days=chosen.days,
            url=chosen.database or "sqlite:///archive.db",
            faults=chosen.faults,
            seed=chosen.seed,
            start=chosen.start,
            told=told,
        )


def _apart(chosen: Namespace, number: int) -> dict[str, Any]:
    """Run one simulation in a process of its own, whose memory is its own; return what it told."""
    command = [sys.executable, "-m", "benchmarks.simulate.bench", "--subscribers", str(number)]
    command += ["--days", str(chosen.days), "--seed", str(chosen.seed), "--start", chosen.start.isoformat()]
    command += ["--faults"] if chosen.faults else []
    if chosen.database:
        raise UsageError("a curve makes a database for each number of readers: leave --database away")
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _child(options: list[str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("--subscribers", type=int)
    parser.add_argument("--days", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--start", type=date.fromisoformat)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--database", default="")
    print(json.dumps(report.told(_watched(parser.parse_args(options)))))


if __name__ == "__main__":
    _child(sys.argv[1:])
