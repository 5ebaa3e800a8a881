"""engine: what the bookkeeping of a delivery costs on PostgreSQL, with 1, 2 and 4 workers, beside a bare loop.

20,000 small letters wait → worker processes of 16 connections each, started at one moment, make a pass with the real
deliverer: lease → permission → settled, with a transport that takes each letter at once. Nothing is rendered, signed or
sent. Beside it, on the same table of the same server, as many processes of a bare psycopg loop that knows nothing of
readers, suppressions, holds or limits: SELECT … FOR UPDATE SKIP LOCKED LIMIT 192, then for each 16 of them one
transaction that marks them `sending` and those before `accepted`.

Deliveries a second are time on the wall, from the first start to the last end; CPU is that of the worker processes, and
that of all of the server's processes as /proc tells it. The server syncs its commits to disk.
`engine [--deliveries N] [--workers N …] [--postgresql URL]`; a server is started where its binaries are found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import text

from benchmarks.figures import Figure
from benchmarks.letters import fill, settings
from benchmarks.servers import NO_SERVER, empty_database, server
from domain.deliveries import Acceptance
from domain.issues import Content, Fragment, LetterKind, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.deliveries import Message

CONNECTIONS = 16
_BATCH = 192  # what worker/supply.py leases for so many connections
_CONTENTS = 50
_DATABASE = "paperround_bench_engine"
_ANEW = (
    "UPDATE delivery SET state = 'planned', attempts = 0, not_before = date, lease_until = NULL, worker = '', "
    "sha256 = '', reply_code = NULL, enhanced = '', reply_text = '', first_try = NULL, last_try = NULL"
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run came to."""

    wall: float  #: seconds from the first start to the last end
    cpu: float  #: seconds of the workers' processes
    server: float  #: seconds of the server's processes; nan where they cannot be seen
    commits: float  #: transactions of the server
    deliveries: int


def run(options: list[str]) -> list[Figure]:
    """Return the figures of each number of workers."""
    parser = ArgumentParser(prog="engine")
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--postgresql", default="")
    chosen = parser.parse_args(options)
    with ExitStack() as stack:
        url = chosen.postgresql or server(stack, durable=True)
        if not url:
            print(NO_SERVER, file=sys.stderr)
            return []
        folder = Path(stack.enter_context(TemporaryDirectory()))
        place = stack.enter_context(empty_database(url, _DATABASE))
        contents = [_content(number) for number in range(_CONTENTS)]
        fill(settings(folder, place), chosen.deliveries, _CONTENTS, made=contents)
        figures: list[Figure] = []
        for workers in chosen.workers:
            raw = _cost("raw", folder, place, workers, chosen.deliveries)
            ours = _cost("ours", folder, place, workers, chosen.deliveries)
            figures += _told(workers, ours, raw)
        return figures


def _content(number: int) -> Content:
    body = f"Low tide {number}.\r\n".encode()
    return Content(LetterKind.DIGEST, "Tides", (Fragment(Role.HEAD, b"Subject: Tides\r\n"), Fragment(Role.TEXT, body)))


def _told(workers: int, ours: Cost, raw: Cost) -> list[Figure]:
    of = f"{workers} worker{'s' * (workers > 1)}"
    loop = "a bare SKIP LOCKED loop"
    number = ours.deliveries
    return [
        Figure(f"{of}: deliveries a second", number / ours.wall, "/s", number / raw.wall, loop),
        Figure(f"{of}: CPU of the workers for a delivery", ours.cpu / number * 1e6, "µs", raw.cpu / number * 1e6, loop),
        Figure(
            f"{of}: CPU of PostgreSQL for a delivery", ours.server / number * 1e6, "µs", raw.server / number * 1e6, loop
        ),
        Figure(
            f"{of}: transactions for 1,000 deliveries",
            ours.commits / number * 1000,
            "",
            raw.commits / number * 1000,
            loop,
        ),
    ]


def _cost(kind: str, folder: Path, url: str, workers: int, deliveries: int) -> Cost:
    """Let so many processes deliver everything once; return what it cost."""
    with psycopg.connect(url, autocommit=True) as server_side:
        server_side.execute(_ANEW)
        server_side.execute("VACUUM ANALYZE delivery")
        server_side.execute("CHECKPOINT")
        command = [sys.executable, "-m", "benchmarks.engine", kind, str(folder), url]
        pipe = subprocess.PIPE
        children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(workers)]
        for each in children:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        postmaster = _parent(server_side.info.backend_pid)
        before, commits = _spent(postmaster), _commits(server_side)
        start = time.monotonic()
        answers = [each.communicate() for each in _gone(children)]
        done = [json.loads(answer) for answer, _ in answers]
        after, committed = _spent(postmaster), _commits(server_side)
        row = server_side.execute("SELECT count(*) FROM delivery WHERE state = 'accepted'").fetchone()
    assert row == (deliveries,), (kind, row)
    assert sum(each["accepted"] for each in done) == deliveries
    ended = max(each["ended"] for each in done) - start
    return Cost(ended, sum(each["cpu"] for each in done), after - before, committed - commits, deliveries)


def _gone(children: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all of them go at one moment."""
    for each in children:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    return children


def _commits(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return row[0]


def _numbers(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _parent(process: int) -> int:
    try:
        return int(_numbers(process)[1])
    except OSError:  # a server on another machine, or in another container
        return 0


def _spent(postmaster: int) -> float:
    """Return the CPU seconds of a server's processes, those that have ended too; nan where they cannot be seen."""
    if not postmaster:
        return float("nan")
    ticks = sum(int(each) for each in _numbers(postmaster)[11:15])
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                numbers = _numbers(int(each.name))
            except OSError:
                continue
            if int(numbers[1]) == postmaster:
                ticks += int(numbers[11]) + int(numbers[12])
    return ticks / _TICKS


# -- in the workers ----------------------------------------------------------------------------------------------------


class AtOnce:
    """A transport that takes each letter at once."""

    name = "at once"

    @contextmanager
    def connect(self) -> Iterator[AtOnce]:
        """Give itself."""
        yield self

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:  # noqa: ARG002 Transport's
        """Take it, if it may be sent."""
        return Acceptance("250 2.0.0 taken", 250, "2.0.0") if before_dot() else None


def _ours(folder: Path, url: str) -> Callable[[], int]:
    from paperround.wiring import House  # noqa: PLC0415 the bare loop has no need of it

    mail = {"transport": "smtp", "host": "127.0.0.1", "connections": CONNECTIONS}
    house = House(settings(folder, url, **mail), transport=AtOnce())
    deliverer = house.deliverer
    with house.database.reading() as connection:
        connection.execute(text("SELECT 1"))
    return lambda: deliverer.deliver().accepted


def _raw(url: str) -> Callable[[], int]:
    connection = psycopg.connect(url)
    worker = f"raw {os.getpid()}"

    def deliver() -> int:
        done = 0
        lease = (
            "SELECT id FROM delivery WHERE state IN ('planned', 'deferred', 'uncertain') AND not_before <= %s "
            "AND expires_at > %s ORDER BY not_before, id LIMIT %s FOR UPDATE SKIP LOCKED"
        )
        while True:
            now = datetime.now(UTC)
            until = now + timedelta(minutes=15)
            ids = [row[0] for row in connection.execute(lease, (now, now, _BATCH))]
            take = "UPDATE delivery SET state = 'leased', worker = %s, lease_until = %s WHERE id = ANY(%s)"
            connection.execute(take, (worker, until, ids))
            connection.commit()
            if not ids:
                return done
            before: list[int] = []
            for start in range(0, len(ids) + 1, CONNECTIONS):
                group = ids[start : start + CONNECTIONS]
                now = datetime.now(UTC)
                if before:
                    settle = (
                        "UPDATE delivery SET state = 'accepted', not_before = NULL, reply_code = 250, worker = '', "
                        "lease_until = NULL, attempts = attempts + 1, last_try = %s WHERE id = ANY(%s)"
                    )
                    connection.execute(settle, (now, before))
                if group:
                    send = "UPDATE delivery SET state = 'sending', first_try = %s, last_try = %s WHERE id = ANY(%s)"
                    connection.execute(send, (now, now, group))
                connection.commit()
                before = group
            done += len(ids)

    return deliver


def _child(kind: str, folder: Path, url: str) -> None:
    deliver = _ours(folder, url) if kind == "ours" else _raw(url)
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    accepted = deliver()
    cpu = time.process_time() - cpu
    print(json.dumps({"accepted": accepted, "cpu": cpu, "ended": time.monotonic()}))


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
