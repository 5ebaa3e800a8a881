"""docs/scale-out.md is followed as it stands: its commands and settings, in their order, on a server of PostgreSQL."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from domain.papers import FetchStatus, Identifiers, ListedPaper, Listing
from paperround.settings import load
from paperround.wiring import House

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "scale-out.md").read_text(encoding="utf-8")
FENCES = [
    "\n".join(line.strip() for line in fence.splitlines() if line.strip())
    for fence in re.findall(r"^ *```\n(.*?)^ *```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
]
CREATE, COPY, COPY_AGAIN, SETTINGS, MIGRATE, RESUME, WORKER, QUEUES = FENCES
CONNECTIONS = re.search(r"`(psql papers -c .*?)`", DOCUMENT)[1]
PATIENCE = 120  # seconds after which the test gives up


@pytest.fixture
def server(postgres):
    """The place that the document calls "host", without the document's database."""
    postgres.do("DROP DATABASE IF EXISTS papers WITH (FORCE)")
    yield postgres
    postgres.do("DROP DATABASE IF EXISTS papers WITH (FORCE)")


@pytest.fixture
def tool(server):
    """Run one of PostgreSQL's own programs; where they are not installed, say the same to the server."""
    where = urlsplit(server.url)
    environment = {**os.environ, "PGHOST": parse_qs(where.query)["host"][0], "PGUSER": where.username}

    def go(line):
        words = shlex.split(line)
        if shutil.which(words[0]):
            return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
        if words[0] == "createdb":
            return str(server.do(f"CREATE DATABASE {words[1]}"))
        with closing(psycopg.connect(server.url_of(words[1]))) as connection:
            return "\n".join(" | ".join(map(str, row)) for row in connection.execute(words[3]).fetchall())

    return go


@pytest.fixture
def follow(paperround, server):
    """Run a command of the document in this process."""

    def go(line):
        ran = paperround(*shlex.split(line.replace("postgresql://user@host/papers", server.url_of("papers")))[1:])
        assert ran.code == 0, ran.err
        return ran.out

    return go


@pytest.fixture
def start(folder):
    """Start a worker by a line of the document, as a process; all are ended with the test."""
    started = []

    def go(line):
        with (folder / f"worker{len(started)}.log").open("w") as log:
            words = [sys.executable, "-m", "paperround", *shlex.split(line)[1:]]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            started.append(subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield go
    for each in started:
        each.kill()
        each.wait()


def until(look, folder):
    end = monotonic() + PATIENCE
    while not (seen := look()):
        assert monotonic() < end, "\n".join(file.read_text() for file in sorted(folder.glob("worker*.log")))
        sleep(0.05)
    return seen


def said(folder):
    """What the newest worker said."""
    return max(folder.glob("worker*.log")).read_text()


def stopped(process):
    """Ask a worker to stop; return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(60)


def letters(folder):
    return len(list((folder / "outbox").rglob("*.eml")))


def write(folder, more=""):
    (folder / "paperround.toml").write_text(f'{more}\n[mail]\ntransport = "folder"\nfrom = "P <p@lab.example>"\n')


def letter_for(folder, reader, number):
    """Let a reader come, and a letter wait for them."""
    now = datetime.now(UTC)
    with House(load(folder / "paperround.toml", {}, folder)) as house:
        house.desk.subscribe(reader, ["tides"], None, vouched=True, shared=False)
        paper = ListedPaper(f"Tides of Mud {number}", 1, Identifiers(arxiv=f"2611.9000{number}"))
        house.archive.add(Listing("other", now.date(), (paper,), FetchStatus.OK), now)
        house.matcher.match(now)
        assert house.publisher.publish(now).issues == 1


def test_one_file_becomes_a_server_with_many_workers_and_each_letter_leaves_once(
    folder, server, tool, follow, start, paperround
):
    write(folder)
    letter_for(folder, "ann@lab.example", 1)
    tool(CREATE)
    follow(COPY)
    assert paperround("deliver").code == 0  # the old one goes on until it is stopped
    letter_for(folder, "bo@lab.example", 2)
    follow(COPY_AGAIN)
    refused = paperround("deliver")
    assert (refused.code, "nothing is sent" in refused.out) == (1, True)
    assert letters(folder) == 1

    write(folder, SETTINGS.replace("postgresql://user@host/papers", server.url_of("papers")))
    follow(MIGRATE)
    follow(MIGRATE)
    workers = {line: start(line) for line in ("paperround worker", WORKER)}
    follow(RESUME)
    until(lambda: letters(folder) == 2, folder)
    assert "failed" not in tool(QUEUES)
    assert "paperround" in tool(CONNECTIONS)

    for line, old in workers.items():  # one after the other
        assert stopped(old) == 0
        workers[line] = start(line)
        until(lambda: "until stopped" in said(folder), folder)
    assert [stopped(each) for each in workers.values()] == [0, 0]
    ended = {each["recipient"]: each["state"] for each in paperround("deliveries", "list", "--json").json["deliveries"]}
    assert ended == {"ann@lab.example": "accepted", "bo@lab.example": "accepted"}
    assert letters(folder) == 2
