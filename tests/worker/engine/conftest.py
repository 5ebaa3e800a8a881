import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest

from digests.transports.memory import MemoryTransport
from domain.clock import FixedClock
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from paperround.settings import build
from paperround.wiring import House
from worker.engine.runner import Timing

TICK = timedelta(milliseconds=200)
TIMING = Timing(beat=0.3, silence=1.5, poll=0.3, pause=0.1, longest_pause=0.5)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 8, tzinfo=UTC))


@pytest.fixture
def transport() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def values(postgres_archive_url: str) -> dict[str, Any]:
    return {
        "database": {"url": postgres_archive_url},
        "mail": {"from": "Paperround <p@lab.example>"},
        "worker": {"engine": "procrastinate", "deliveries": 2, "concurrency": 2},
    }


@pytest.fixture
def opened(tmp_path: Path, clock, transport, values) -> Iterator[Callable[..., House]]:
    """Open a house over the archive, its queues made; each has a stop of its own."""
    with ExitStack() as houses:

        def make(stop: threading.Event | None = None, *, queues: bool = True, **sections: Any) -> House:
            settings = build({**values, **sections}, tmp_path)
            house = houses.enter_context(House(settings, clock=clock, transport=transport, stop=stop))
            house.timing = TIMING
            if queues:
                house.install_queues()
            return house

        yield make


@pytest.fixture
def working(opened) -> Iterator[Callable[..., tuple[House, Callable[[], BaseException | None]]]]:
    """Let a house work in a thread; give it, and what stops it and returns the error that it ended with."""
    ends: list[Callable[[], BaseException | None]] = []

    def begin(*queues: str, **sections: Any) -> tuple[House, Callable[[], BaseException | None]]:
        stop, raised = threading.Event(), []
        house = opened(stop, **sections)

        def run() -> None:
            try:
                house.work(TICK, stop, queues or ("collect", "match", "publish", "deliver"))
            except BaseException as error:  # noqa: BLE001 told to the test
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()

        def end(*, by_itself: bool = False) -> BaseException | None:
            if not by_itself:
                stop.set()
            thread.join(60)
            assert not thread.is_alive()
            return raised[0] if raised else None

        ends.append(end)
        return house, end

    yield begin
    for end in ends:
        end()


@pytest.fixture
def sql(postgres_archive_url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    with psycopg.connect(postgres_archive_url, autocommit=True) as connection:

        def do(statement: str, *values: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

        yield do


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait(met: Callable[[], bool]) -> None:
        end = monotonic() + 60
        while not met():
            assert monotonic() < end, "it did not happen in time"
            sleep(0.02)

    return wait


@pytest.fixture
def listed(clock) -> Callable[..., None]:
    """Put papers on the day's listing, into the archive of a house."""

    def add(house: House, *titles: str) -> None:
        papers = tuple(
            ListedPaper(
                title=title,
                rank=rank,
                ids=Identifiers(arxiv=f"2611.1{rank:04d}"),
                abstract=f"{title}, told at some length and with care.",
                abstract_kind=AbstractKind.AUTHORS,
            )
            for rank, title in enumerate(titles, 1)
        )
        day = clock.now().date()
        house.archive.add(Listing(source="hf", day=day, papers=papers, status=FetchStatus.OK), clock.now())

    return add


@pytest.fixture
def readers() -> Callable[[House, int], None]:
    def join(house: House, number: int, start: int = 0) -> None:
        for each in range(start, start + number):
            house.desk.subscribe(f"reader{each}@lab.example", ["tides"], None, vouched=True, shared=False)

    return join
