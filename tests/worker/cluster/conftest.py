"""Many workers, as processes, over one archive; and a relay that counts what it takes and which connections broke."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import text

from domain.errors import StorageError
from domain.papers import FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import SubscriberState
from domain.topics import WishedTopic
from storage.archive import Archive
from storage.database import Database
from storage.ledger import balances
from storage.signing_up import Signup, sign_up
from topics.query import parse

ROOT = Path(__file__).parents[3]
_MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>]*>)", re.MULTILINE | re.IGNORECASE)
_PATIENCE = 120  # seconds after which a test gives up; none takes a tenth of it


def until(is_so: Callable[[], bool], what: str = "it") -> None:
    """Look again and again until it is so."""
    end = monotonic() + _PATIENCE
    while not is_so():
        assert monotonic() < end, f"{what} did not come about"
        sleep(0.1)


class Relay:
    """Takes every letter, each a moment after its dot, and remembers the Message-IDs.

    A letter may come twice when its sender went after the dot without a farewell, before it could note the answer:
    `broken` counts the connections that ended so. It is the bound of what may be doubled.
    """

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.broken = 0
        self.seconds = 0.01  #: before the answer to the dot
        self.talking = 0  #: connections that are open
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._loop.close()

    @property
    def doubled(self) -> int:
        """Copies beyond the first, of all letters."""
        return len(self.taken) - len(set(self.taken))

    def _serve(self) -> None:
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        self._ending = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()
        for each in asyncio.all_tasks() - {asyncio.current_task()}:
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talking += 1
        took = False
        try:
            writer.write(b"220 relay\r\n")
            while line := await reader.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    self.taken.append(_MESSAGE_ID.search(data)[1].decode())
                    took = True
                    await asyncio.sleep(self.seconds)
                    writer.write(b"250 2.0.0 taken\r\n")
                elif word == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    took = False
                    return
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender was killed
        finally:
            self.broken += took
            self.talking -= 1
            writer.close()


class Worker:
    """A process that runs a command of paperround."""

    def __init__(self, nursery: "Nursery", log: Path, words: list[str]) -> None:
        self._nursery, self._log = nursery, log
        self.id = int(nursery.ask("start", str(log), *words))
        self.code: int | None = None

    @property
    def said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        os.kill(self.id, signal.SIGTERM)

    def stop(self) -> int:
        """Ask it to stop once it hears that, and return its exit code when it has ended."""
        until(lambda: "until stopped" in self.said, "the start")
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        if self.code is None:
            self.code = int(self._nursery.ask("wait", str(self.id)))
        return self.code

    def _end(self, how: signal.Signals) -> int:
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.id, how)
        return self.wait()


class Nursery:
    """The process that nursery.py is."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def ask(self, *words: str) -> str:
        self._process.stdin.write(shlex.join(words) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Cluster:
    """An archive, a relay, and as many workers as one likes."""

    def __init__(self, folder: Path, url: str, relay: Relay, nursery: Nursery, asked_at: str = "") -> None:
        """Workers reach the archive at `url`, the test itself at `asked_at` where that is given."""
        self.folder, self.url, self.relay = folder, url, relay
        self._asked_at = asked_at or url
        self._nursery = nursery
        self.workers: list[Worker] = []
        self.mail: dict[str, object] = {
            "transport": "smtp", "host": "127.0.0.1", "port": relay.port, "tls": "none", "connections": 2,
            "retry_seconds": 0, "from": "Paperround <p@lab.example>",
        }  # fmt: skip
        self.worker: dict[str, object] = {}
        self.passes = 1  #: of delivery that one worker makes at once

    def settings(self) -> Path:
        tables = {"database": {"url": self.url}, "mail": self.mail, "worker": self.worker}
        lines = []
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        file = self.folder / "paperround.toml"
        file.write_text("\n".join([*lines, ""]))
        return file

    def start(self, *words: str) -> Worker:
        log = self.folder / f"log-{len(self.workers)}"
        started = Worker(self._nursery, log, ["--config", str(self.settings()), *(words or ("worker",))])
        self.workers.append(started)
        return started

    def run(self, *words: str) -> Worker:
        """Run a command to its end."""
        done = self.start(*words)
        done.wait()
        return done

    @cached_property
    def database(self) -> Database:
        return Database(self._asked_at)

    def end(self) -> None:
        for each in self.workers:
            each.kill()
        if "database" in self.__dict__:
            self.database.close()

    def readers(self, number: int, start: int = 0) -> None:
        """Make confirmed readers, and a paper for all of them: whoever plans next writes each a letter."""
        now = datetime.now(UTC)
        with self.database.writing() as connection:
            for each in range(start, start + number):
                email = f"reader{each}@lab.example"
                signup = Signup(
                    email=email,
                    address_key=email,
                    public_id=f"{each:016x}",
                    topics=[WishedTopic("tides", parse("tides"))],
                    schedule=None,
                    state=SubscriberState.CONFIRMED,
                    shared=False,
                    consent=[],
                )
                sign_up(connection, signup, now)
        papers = tuple(
            ListedPaper(f"Tides of kind {kind}", kind, Identifiers(arxiv=f"2611.8{kind:04}")) for kind in (1, 2, 3)
        )
        Archive(self.database).add(Listing("other", now.date(), papers, FetchStatus.OK), now)

    def letters(self, number: int) -> None:
        """Write each of so many readers a letter, which waits to leave."""
        self.readers(number)
        for verb in ("match", "publish"):
            done = self.run(verb)
            assert done.code == 0, done.said

    def ask(self, query: str, **values: object) -> list[Any]:
        """Return the rows of a query; none while the database cannot be reached."""
        try:
            with self.database.reading() as connection:
                return list(connection.execute(text(query), values))
        except StorageError:
            return []

    def states(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self.ask("SELECT state, count(*) FROM delivery GROUP BY state")}

    def stuck(self) -> list[Any]:
        """Return the tasks that somebody, dead or alive, has begun, and those that failed.

        One whose workers were killed five times is given up and told of (queueing.py); its work is done by others, as
        whoever asks here has seen to.
        """
        if self.worker.get("engine") != "procrastinate":
            return []
        begun = "status = 'doing' OR (status = 'failed' AND attempts < 5)"
        return self.ask(f"SELECT task_name, status, attempts FROM procrastinate_jobs WHERE {begun}")  # noqa: S608 ours

    def is_sound(self) -> None:
        """Every publish adds up, and nobody holds anything any more."""
        with self.database.reading() as connection:
            assert [each.sentence for each in balances(connection) if each.sentence] == []
            assert connection.execute(text("SELECT count(*) FROM delivery WHERE worker <> ''")).scalar_one() == 0
        assert self.stuck() == []

    def is_told(self, *, letters: int, doubled: int = 0) -> None:
        """Each letter left, no more than `doubled` and those in flight at a kill twice, and nobody was at a loss."""
        self.is_sound()
        assert self.states() == {"accepted": letters}
        assert len(set(self.relay.taken)) == letters
        assert self.relay.doubled <= max(doubled, self.relay.broken), Counter(self.relay.taken).most_common(3)
        for each in self.workers:
            assert "Traceback" not in each.said, each.said


@pytest.fixture
def relay() -> Iterator[Relay]:
    with closing(Relay()) as opened:
        yield opened


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with closing(Nursery()) as opened:
        yield opened


@pytest.fixture
def cluster_at(tmp_path: Path, relay: Relay, nursery: Nursery) -> Callable[..., AbstractContextManager[Cluster]]:
    """Open a cluster over an archive; all its workers end with it."""

    @contextmanager
    def opened(url: str, asked_at: str = "") -> Iterator[Cluster]:
        made = Cluster(tmp_path, url, relay, nursery, asked_at)
        try:
            yield made
        finally:
            made.end()

    return opened


@pytest.fixture
def cluster(url: str, cluster_at: Callable[..., AbstractContextManager[Cluster]]) -> Iterator[Cluster]:
    with cluster_at(url) as opened:
        yield opened


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], str], None]:
    return until
