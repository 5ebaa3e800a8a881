"""kill: letters lost and doubled by deliverers that are killed again and again, on SQLite and PostgreSQL.

3,000 letters over real SMTP, four connections a worker, to a sink that writes down each Message-ID before it answers;
one worker or two, in processes of their own. Whenever a random number of letters more was taken, or a moment passed,
one worker dies, by SIGKILL or by SIGTERM, and another takes its place, until there were 200. After each the ledger of
the publish must add up (storage/ledger.py). What remains is sent then, and the sink's list compared with the letters
that were planned.

The bound is mail.md's: a kill can double what its connections had in flight, and a SIGTERM nothing.
`kill [--recipients N] [--kills N] [--postgresql URL]`; a server is started where its binaries are found.

`kill --workers N [--seconds S]`: on PostgreSQL alone, N workers deliver 20,000 letters side by side; every S seconds or
so two of them are killed at one moment, by SIGKILL alone, and started again, until everything has left.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.progress import Progress
from sqlalchemy import func, select, text

from benchmarks.figures import Figure
from benchmarks.letters import fill, settings
from benchmarks.servers import NO_SERVER, empty_database, server
from benchmarks.sink import sink
from paperround.interruption import stopping
from paperround.wiring import House
from storage.ledger import balances
from storage.tables import DELIVERY, OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from paperround.settings_model import Settings

CONNECTIONS = 4
_CONTENTS = 50
_PATIENCE = 0.4  # seconds after which a worker is killed although nothing was taken


@dataclass(frozen=True, slots=True)
class Toll:
    """What came of one row of the table."""

    engine: str
    workers: int
    recipients: int
    kills: int
    terms: int
    lost: int
    doubled: int  #: copies beyond the first, of all letters
    copies: int  #: of the letter that came most often
    broken: int  #: times that the ledger did not add up
    states: dict[str, int]

    @property
    def bound(self) -> int:
        """How many could be doubled."""
        return self.kills * CONNECTIONS


def run(options: list[str]) -> list[Figure]:
    """Return the figures of each row."""
    parser = ArgumentParser(prog="kill")
    parser.add_argument("--recipients", type=int, default=0, help="3,000, or 20,000 with --workers")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgresql", default="")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0)
    chosen = parser.parse_args(options)
    chosen.recipients = chosen.recipients or (20_000 if chosen.workers else 3_000)
    figures: list[Figure] = []
    with ExitStack() as stack:
        urls = {"SQLite": "sqlite:///archive.db"}
        if url := chosen.postgresql or server(stack):
            urls["PostgreSQL"] = url
        else:
            print(NO_SERVER, file=sys.stderr)
        if chosen.workers:
            if "PostgreSQL" not in urls:
                return []
            place = stack.enter_context(_place(urls["PostgreSQL"]))
            scene = Scene("PostgreSQL", Path(stack.enter_context(TemporaryDirectory())), place, chosen.workers)
            return _told(_side_by_side(scene, chosen.recipients, chosen.seconds))
        progress = stack.enter_context(Progress(disable=not sys.stderr.isatty()))
        for engine, url in urls.items():
            for workers in (1, 2):
                advance = partial(progress.advance, progress.add_task(f"{engine}, {workers}", total=chosen.kills))
                with TemporaryDirectory() as name, _place(url) as place:
                    scene = Scene(engine, Path(name), place, workers)
                    figures += _told(_toll(scene, chosen.recipients, chosen.kills, advance))
    return figures


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a row of the table happens."""

    engine: str
    folder: Path
    url: str
    workers: int


def _told(toll: Toll) -> list[Figure]:
    of = f"{toll.engine}, {toll.workers} worker{'s' * (toll.workers > 1)}"
    ended = ", ".join(f"{number} {state}" for state, number in sorted(toll.states.items()))
    return [
        Figure(f"{of}: lost of {toll.recipients:,} ({ended})", toll.lost, "letters"),
        Figure(
            f"{of}: doubled after {toll.kills} SIGKILL and {toll.terms} SIGTERM",
            toll.doubled,
            "letters",
            toll.bound,
            "kills × connections",
        ),
        Figure(f"{of}: copies of one letter at most", toll.copies, "copies"),
        Figure(f"{of}: times the ledger did not add up", toll.broken, "times"),
    ]


@contextmanager
def _place(url: str) -> Iterator[str]:
    """Give an empty database of a server; of SQLite there is one in each folder."""
    if not url.startswith("postgres"):
        yield url
        return
    with empty_database(url, "paperround_bench_kill") as place:
        yield place


def _toll(scene: Scene, recipients: int, kills: int, told: Callable[[], object]) -> Toll:
    log = scene.folder / "taken"
    log.touch()
    dice = random.Random(20261127)  # noqa: S311 - moments that can be repeated, no secret
    died: Counter[int] = Counter()
    broken = 0
    with sink(log) as port:
        chosen = _filled(scene, port, recipients)
        share = max(1, recipients // kills)
        at_work = [_forked(chosen) for _ in range(scene.workers)]
        while died.total() < kills:
            _wait(log, _lines(log) + dice.randint(0, 2 * share - 1))
            victim = at_work.pop(dice.randrange(len(at_work)))
            how = dice.choice((signal.SIGKILL, signal.SIGTERM))
            os.kill(victim, how)
            os.waitpid(victim, 0)
            died[how] += 1
            broken += _is_broken(chosen)
            told()
            at_work.append(_forked(chosen))
        for each in at_work:
            os.waitpid(each, 0)
        return _counted(scene, chosen, log, died, broken)


def _side_by_side(scene: Scene, recipients: int, seconds: float) -> Toll:
    """Kill two workers at a time, every few seconds, for as long as anything is due."""
    log = scene.folder / "taken"
    log.touch()
    dice = random.Random(20261127)  # noqa: S311 - moments that can be repeated, no secret
    died: Counter[int] = Counter()
    broken = 0
    with sink(log) as port:
        chosen = _filled(scene, port, recipients)
        at_work = [_forked(chosen) for _ in range(scene.workers)]
        while _is_open(chosen):
            _wait(log, recipients, dice.uniform(0.5, 1.5) * seconds)
            victims = dice.sample(at_work, 2)
            for each in victims:
                os.kill(each, signal.SIGKILL)
            for each in at_work:
                ended = os.waitpid(each, 0 if each in victims else os.WNOHANG)
                if ended[0]:
                    at_work = [_forked(chosen) if other == each else other for other in at_work]
                    died[signal.SIGKILL] += os.WIFSIGNALED(ended[1])
            broken += _is_broken(chosen)
        for each in at_work:
            os.waitpid(each, 0)
        return _counted(scene, chosen, log, died, broken)


def _filled(scene: Scene, port: int, recipients: int) -> Settings:
    mail = {
        "transport": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "connections": CONNECTIONS,
        "retry_seconds": 0,
    }
    chosen = settings(scene.folder, scene.url, **mail)
    fill(chosen, recipients, _CONTENTS)
    return chosen


def _counted(scene: Scene, chosen: Settings, log: Path, died: Counter[int], broken: int) -> Toll:
    """Send what remains, and compare what was taken with what was planned."""
    while _is_open(chosen):
        os.waitpid(_forked(chosen), 0)
    states = _states(chosen)
    taken = Counter(log.read_text().split())
    planned = _message_ids(chosen)
    return Toll(
        engine=scene.engine,
        workers=scene.workers,
        recipients=len(planned),
        kills=died[signal.SIGKILL],
        terms=died[signal.SIGTERM],
        lost=len(planned - set(taken)),
        doubled=taken.total() - len(taken),
        copies=max(taken.values()),
        broken=broken + len(set(taken) - planned),
        states=states,
    )


def _forked(chosen: Settings) -> int:
    """Deliver in a child; return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with stopping() as stop, House(chosen, stop=stop) as house:
            house.deliverer.deliver()
        code = 0
    finally:
        os._exit(code)


def _wait(log: Path, lines: int, patience: float = _PATIENCE) -> None:
    end = time.monotonic() + patience
    while _lines(log) < lines and time.monotonic() < end:
        time.sleep(0.001 if patience == _PATIENCE else 0.05)


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def _is_broken(chosen: Settings) -> bool:
    """Whether the ledger of the publish does not add up."""
    with House(chosen) as house, house.database.reading() as connection:
        return any(each.sentence for each in balances(connection))


def _states(chosen: Settings) -> dict[str, int]:
    with House(chosen) as house, house.database.reading() as connection:
        rows = connection.execute(select(DELIVERY.c.state, func.count()).group_by(DELIVERY.c.state))
        return {state: int(number) for state, number in rows}


def _is_open(chosen: Settings) -> bool:
    """Whether anything will still leave: not what is held for the operator after it was uncertain twice."""
    with House(chosen) as house, house.database.reading() as connection:
        waits = select(DELIVERY.c.id).where(DELIVERY.c.not_before.is_not(None) | DELIVERY.c.lease_until.is_not(None))
        return connection.execute(waits.where(text(OPEN)).limit(1)).first() is not None


def _message_ids(chosen: Settings) -> set[str]:
    with House(chosen) as house, house.database.reading() as connection:
        return set(connection.execute(select(DELIVERY.c.message_id)).scalars())
