"""What an installation costs while nothing happens: `paperround run` on SQLite, its readers, and a minute of waiting.

    an archive with papers, readers and topics → `paperround run` in a process of its own → its work after the start
    → a minute in which nothing is due: CPU by the kernel's count, memory held in RAM

Beside it stands a process that imports the same modules and then waits, from the same run: what more is held is ours.
`--readers N`, `--papers N`, `--seconds N` (of idling), `--settle N` (seconds after the start that do not count).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Schedule, SubscriberState
from domain.topics import WishedTopic
from paperround.settings import load
from paperround.wiring import House
from storage.subscribers import Signup, Subscribers
from topics.query import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT_MB = 150.0
_SETTINGS = """\
[database]
url = "sqlite:///archive.db"
[mail]
transport = "memory"
[web]
port = 0
[[source]]
name = "nobody"
kind = "huggingface-daily"
url = "http://127.0.0.1:9"
every = "1d"
"""
_WORDS = ("tides", "speech", "weather", "robots", "proteins", "graphs", "vision", "music", "markets", "climate")
_BARE = (
    "import sys, time\n"
    "import paperround.cli, paperround.wiring, paperround.serving, paperround.commands.running, uvicorn\n"
    "import worker.schedule, web.app\n"
    "print('ready', flush=True)\n"
    "sys.stdin.read()\n"
)


def run(options: list[str]) -> list[Figure]:
    """Return the memory, and the CPU of a minute in which nothing is due."""
    parser = argparse.ArgumentParser(prog="idle")
    parser.add_argument("--readers", type=int, default=1_000)
    parser.add_argument("--papers", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=30.0)
    chosen = parser.parse_args(options)
    with TemporaryDirectory() as folder:
        _fill(Path(folder), chosen.readers, chosen.papers)
        ours = _idled(["-m", "paperround", "run"], Path(folder), chosen.settle, chosen.seconds)
        bare = _idled(["-c", _BARE], Path(folder), 3.0, min(chosen.seconds, 10.0))
    what = f"run, {chosen.readers:,} readers, {chosen.papers:,} papers"
    return [
        Figure(f"{what}: memory while idle", ours[0], "MB", bare[0], "a process with the same imports"),
        Figure(f"{what}: memory while idle", ours[0], "MB", _LIMIT_MB, "the limit that was set"),
        Figure(f"{what}: CPU while idle", ours[1], "%", None, "of one core; 0 is the aim"),
    ]


def _idled(command: list[str], folder: Path, settle: float, seconds: float) -> tuple[float, float]:
    """Return the megabytes that a process holds and the per cent of a core that it takes while it idles."""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with (
        (folder / "said.log").open("w") as said,
        subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=said, stderr=said
        ) as process,
    ):
        try:
            time.sleep(settle)  # a bench, not a test: what it measures is time
            began, used = time.monotonic(), _cpu_seconds(process.pid)
            time.sleep(seconds)
            used = _cpu_seconds(process.pid) - used
            return _megabytes(process.pid), 100 * used / (time.monotonic() - began)
        finally:
            process.terminate()
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    held = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(held.split()[1]) / 1024


def _fill(folder: Path, readers: int, papers: int) -> None:
    """Keep papers, and readers of all zones with topics, of whom none is due within the hour."""
    (folder / "paperround.toml").write_text(_SETTINGS, encoding="utf-8")
    now = datetime.now(UTC)
    with House(load(folder / "paperround.toml", {}, folder)) as house:
        for block in range(0, papers, 500):
            listing = Listing(
                "nobody", date(2026, 11, 20), tuple(_papers(block, min(500, papers - block))), FetchStatus.OK
            )
            house.archive.add(listing, now)
        subscribers, schedule = Subscribers(house.database), Schedule(hour=(now.hour + 12) % 24, zone="UTC")
        for number in range(readers):
            email, word = f"reader{number}@lab.example", _WORDS[number % len(_WORDS)]
            signup = Signup(
                email=email,
                address_key=email,
                public_id=f"{number:016x}",
                topics=[WishedTopic(word, parse(f"{word} {number % 50}"))],
                schedule=schedule,
                state=SubscriberState.CONFIRMED,
                shared=False,
                consent=[],
            )
            subscribers.subscribe(signup, now)
        house.matcher.match(now)
        house.publisher.publish(now)
        house.deliverer.deliver()


def _papers(first: int, number: int) -> Iterator[ListedPaper]:
    for each in range(first, first + number):
        word = _WORDS[each % len(_WORDS)]
        yield ListedPaper(
            f"Of {word} and {each}",
            1,
            Identifiers(arxiv=f"2611.{each:05}"),
            abstract=f"What {word} have to do with the number {each}, told at some length.",
            abstract_kind=AbstractKind.AUTHORS,
        )
