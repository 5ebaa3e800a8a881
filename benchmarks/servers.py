"""The PostgreSQL server that a bench uses: the one it is told of, or one of its own for as long as it runs."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

NO_SERVER = "no PostgreSQL server is here: its rows are left out"


def server(stack: ExitStack, *, durable: bool = False) -> str:
    """Start the tests' own server, and keep it until the stack is closed; return its URL, "" where there is none.

    A `durable` one waits for the disk and sweeps its tables, as a server does that keeps letters.
    """
    file = stack.enter_context(tempfile.NamedTemporaryFile("w+"))  # noqa: SIM115 the stack closes it
    fcntl.lockf(file, fcntl.LOCK_SH, 1)  # the server ends with the last lock on its file
    command = [sys.executable, Path(__file__).parents[1] / "tests" / "postgres.py", file.name]
    started = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True))
    stack.callback(fcntl.lockf, file, fcntl.LOCK_UN, 1)
    assert started.stdout is not None
    said = started.stdout.readline().strip()
    if not said.startswith("postgres"):
        return ""
    if durable:
        with psycopg.connect(said, autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                connection.execute(f"ALTER SYSTEM SET {name} = on")
            connection.execute("SELECT pg_reload_conf()")
    return said


@contextmanager
def empty_database(url: str, name: str) -> Iterator[str]:
    """Give an empty database of a server, made anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield urlsplit(url)._replace(path=f"/{name}").geturl()
