import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from domain.errors import DatabaseUnavailable
from domain.papers import Fetched, FetchStatus, Identifiers
from storage.archive import Archive
from storage.database import Database
from storage.fetches import Fetches
from storage.sources import Sources

_THREADS = 4
_LISTINGS = 6
_PAPERS = 15


pytestmark = pytest.mark.engines("sqlite", "memory", "postgresql")


def test_threads_that_add_at_once_lose_nothing(database: Database, listed, listing, now):
    archive, sources, fetches = Archive(database), Sources(database), Fetches(database)

    def collect(thread: int) -> int:
        name, new = f"source {thread}", 0
        for number in range(_LISTINGS):
            day = date(2026, 11, 1 + number)
            papers = [
                listed(
                    f"Title {number} {place} Found by Thread {thread}",
                    ids=Identifiers(arxiv=f"26{thread + 10}.{number * _PAPERS + place:05}"),
                    rank=place + 1,
                )
                for place in range(_PAPERS)
            ]
            shown_everywhere = listed("Shown by Everybody", ids=Identifiers(arxiv="2601.99999"), rank=_PAPERS + 1)
            added = archive.add(listing(*papers, shown_everywhere, source=name, day=day), now)
            new += len(added.new)
            sources.settle(name, day, whole=True, cursor=day, newest=day, now=now)
            fetches.record(_fetched(name, day, len(added.new)), body=b"%d" % number)
            assert sources.state(name).cursor == day
        return new

    new = _at_once(collect)
    assert sum(new) == _THREADS * _LISTINGS * _PAPERS + 1
    stats = archive.stats()
    assert stats["papers"] == _THREADS * _LISTINGS * _PAPERS + 1
    assert stats["sightings"] == _THREADS * _LISTINGS * (_PAPERS + 1)
    assert [paper.id for paper in archive.every()] == list(range(1, stats["papers"] + 1))
    assert sorted(archive.paper("arxiv:2601.99999").sources) == [f"source {thread}" for thread in range(_THREADS)]
    assert [len(list(fetches.kept(f"source {thread}"))) for thread in range(_THREADS)] == [_LISTINGS] * _THREADS
    assert sum(count.new for n in range(_THREADS) for count in fetches.days(f"source {n}", date.min)) == sum(new)


def test_a_failure_in_one_thread_undoes_nothing_of_another(database: Database, listed, listing, now):
    archive = Archive(database)

    def add(thread: int) -> int:
        stored = 0
        for number in range(10):
            title = f"Title {number} of Thread {thread}"
            if thread % 2:
                # No day can be stored for it: the whole listing is refused.
                with pytest.raises(DatabaseUnavailable, match=r"SQLite Date type only|syntax for type date"):
                    archive.add(listing(listed(title, published="no day")), now)
            else:
                stored += len(archive.add(listing(listed(title)), now).new)
        return stored

    assert sum(_at_once(add)) == archive.stats()["papers"] == 20


def test_a_transaction_inside_a_transaction_in_memory_is_refused_and_waits_for_nobody():
    with Database("sqlite://") as database:
        with database.writing(), pytest.raises(DatabaseUnavailable, match="within a transaction"), database.reading():
            pass
        assert Archive(database).stats()["papers"] == 0


def _at_once(work: Callable[[int], int]) -> Sequence[int]:
    together = threading.Barrier(_THREADS)

    def run(thread: int) -> int:
        together.wait(timeout=10)
        return work(thread)

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, range(_THREADS)))


def _fetched(source: str, day: date, new: int) -> Fetched:
    return Fetched(
        source=source,
        url="https://papers.example/",
        day=day,
        at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        seconds=0.1,
        bytes=1,
        http=200,
        status=FetchStatus.OK,
        read=_PAPERS + 1,
        new=new,
    )
