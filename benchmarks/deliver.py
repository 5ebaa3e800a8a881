"""deliver: what it costs to send a letter, beside Postfix's `smtp-source` and beside the naive way, in the same run.

An archive with a letter for each reader, of 44 KB, in 200 contents → the real deliverer, its states committed with
synchronous=FULL, over 1, 4 and 16 kept connections to a sink in a process of its own. CPU is that of the sending
process; letters a second are told too, and depend on what else the machine does. The naive way makes each letter with
EmailMessage and sends it with smtplib over a connection of its own, and keeps no state at all.

`deliver [--recipients N] [--memory N …] [--connections N …]`: 10,000 by default; the memory of a process that sends
1,000, and that sends each number after `--memory`, 10,000 by default.
"""

from __future__ import annotations

import json
import resource
import shutil
import smtplib
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.figures import Figure
from benchmarks.letters import fill, settings
from benchmarks.sink import sink

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTENTS = 200
_NAIVE = 500  # letters; its cost does not depend on their number
_SOURCE = "smtp-source"
_WAY = "EmailMessage and smtplib, a connection a letter"


def run(options: list[str]) -> list[Figure]:
    """Return the figures; says in a line what was left out."""
    parser = ArgumentParser(prog="deliver")
    parser.add_argument("--recipients", type=int, default=10_000)
    parser.add_argument("--memory", type=int, nargs="*", default=[10_000])
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 4, 16])
    chosen = parser.parse_args(options)
    with TemporaryDirectory() as name, sink() as port:
        folder = Path(name)
        size = _made(folder / "whole", chosen.recipients)
        source = _source(chosen.recipients, size, port)
        if source is None:
            print("smtp-source is not here (Debian: postfix): the figures beside it are left out", file=sys.stderr)
        naive = _naive(size, port)
        figures: list[Figure] = []
        for connections in chosen.connections:
            done = _sent(folder, "whole", port, connections)
            cost = done["cpu"] / done["accepted"] * 1e6
            over = f"over {connections} connection{'s' * (connections > 1)}"
            figures += [
                Figure(f"a letter of {size:,} bytes {over}", cost, "µs CPU", source and source[0], _SOURCE),
                Figure(f"the same beside {_WAY}", cost, "µs CPU", naive[0], "the naive way"),
                Figure(
                    f"letters a second {over}", done["accepted"] / done["wall"], "/s", source and source[1], _SOURCE
                ),
            ]
        signed = _sent(folder, "whole", port, max(chosen.connections), signed=True)
        figures.append(
            Figure(
                f"signed with RSA-2048, over {max(chosen.connections)} connections",
                signed["cpu"] / signed["accepted"] * 1e6,
                "µs CPU",
                figures[-3].value,
                "unsigned",
            )
        )
        return figures + _memory(folder, port, chosen.memory)


def _memory(folder: Path, port: int, numbers: list[int]) -> list[Figure]:
    _made(folder / "few", 1_000)
    few = _sent(folder, "few", port, 16)["memory"]
    figures = []
    for number in numbers:
        _made(folder / "many", number)
        many = _sent(folder, "many", port, 16)["memory"]
        shutil.rmtree(folder / "many")
        figures.append(Figure(f"most memory of a process that sends {number:,}", many, "MiB", few, "that sends 1,000"))
    return figures


def _made(folder: Path, readers: int) -> int:
    folder.mkdir()
    return fill(settings(folder, "sqlite:///archive.db"), readers, min(_CONTENTS, readers))


def _sent(folder: Path, which: str, port: int, connections: int, *, signed: bool = False) -> dict[str, float]:
    """Send a copy of an archive's letters in a process of its own; return what that cost."""
    copy = folder / "copy"
    shutil.copytree(folder / which, copy)
    key = ""
    if signed:
        key = str(folder / "key.pem")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", key, "2048"], check=True, capture_output=True)
    command = [sys.executable, "-m", "benchmarks.deliver", str(copy), str(port), str(connections), key]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    shutil.rmtree(copy)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _child(folder: Path, port: int, connections: int, key: str) -> None:
    from digests.mail.smtp import Session  # noqa: F401, PLC0415 what is imported late is not counted
    from paperround.wiring import House  # noqa: PLC0415 the parent has no need of it

    dkim = {"dkim_domain": "lab.example", "dkim_selector": "s1", "dkim_key_file": key} if key else {}
    mail = {"transport": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "connections": connections, **dkim}
    with House(settings(folder, "sqlite:///archive.db", **mail)) as house:
        house.installation.resume(house.clock.now())  # the archive was copied
        deliverer = house.deliverer
        wall, cpu = time.perf_counter(), time.process_time()
        counts = deliverer.deliver()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"accepted": counts.accepted, "cpu": cpu, "wall": wall, "memory": memory}))


def _source(letters: int, size: int, port: int) -> tuple[float, float] | None:
    """Return µs CPU and letters a second of smtp-source over 16 sessions, connections kept; None where it is not."""
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        return None
    command = [program, "-s", "16", "-m", str(letters), "-l", str(size), "-d"]
    command += ["-f", "p@lab.example", "-t", "reader@mail.example", f"127.0.0.1:{port}"]
    with _children() as spent:
        wall = time.perf_counter()
        subprocess.run(command, check=True)
        wall = time.perf_counter() - wall
    return spent[0] / letters * 1e6, letters / wall


@contextmanager
def _children() -> Iterator[list[float]]:
    """Give a list that holds, afterwards, the CPU seconds of the children that ended meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent: list[float] = []
    yield spent
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _naive(size: int, port: int) -> tuple[float, float]:
    """Return µs CPU and letters a second of the way that first comes to mind."""
    text = "Tides of the northern seas, told once more at length. " * 9 + "\n"
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(_NAIVE):
        letter = EmailMessage()
        letter["From"], letter["To"] = "Paperround <p@lab.example>", f"reader{number}@mail.example"
        letter["Subject"] = "Tides and 19 more papers"
        letter.set_content(text * (size // 3 // len(text)))
        letter.add_alternative(f"<p>{text}</p>" * (2 * size // 3 // (len(text) + 7)), subtype="html")
        with smtplib.SMTP("127.0.0.1", port) as relay:
            relay.send_message(letter)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu / _NAIVE * 1e6, _NAIVE / wall


if __name__ == "__main__":
    _child(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
