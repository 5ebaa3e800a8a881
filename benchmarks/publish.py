"""publish: from matches to frozen letters for many readers who are due at one instant, beside a loop over readers.

Real records (benchmarks/corpus.py) → topics of two words that stand beside each other in their titles, asked as often
as topics are (Zipf), three a reader → a day's papers, matched, and a first letter for everyone, uncounted → the next
day's papers, matched → the publish that is measured, with all its writing to an SQLite file, in a process of its own:
its CPU time, and its most memory beyond what it had before.

The loop takes each reader by itself: it asks for their matches, composes, renders the whole letter with a renderer that
remembers nothing of the letter before, and writes it in a transaction of its own. It has to find the same letters.

`publish [--readers N …] [--topics N] [--papers N] [--naive N]`: 1,000 and 10,000 readers, 2,000 topics, 100 papers a
day and 1,000 readers in the loop by default. Where the records are not at hand, words are made up and match more.
"""

import random
import resource
import shutil
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event, func, insert, select

from benchmarks.corpus import RECORDS, paper, records
from benchmarks.figures import Figure
from benchmarks.letters import settings
from domain.clock import FixedClock
from domain.papers import FetchStatus, Listing
from domain.subscriptions import SubscriberState
from paperround.wiring import House
from storage.tables import CONTENT, DELIVERY, ISSUE_PAPER, SUBSCRIBER, SUBSCRIPTION, TOPIC
from topics.query import parse
from topics.ranking import FUNCTION_WORDS

_DAY_ONE = datetime(2026, 11, 19, 8, tzinfo=UTC)
_DAY_TWO = _DAY_ONE + timedelta(days=1)
_TOPICS_EACH = 3
_BLOCK = 5_000  # readers that are made at once
_AIM = 300.0  # µs a letter: 30 s of CPU for 100,000 readers
_LOOP = "a loop over readers"


def run(options: list[str]) -> list[Figure]:
    """Return the figures."""
    parser = ArgumentParser(prog="publish")
    parser.add_argument("--readers", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--topics", type=int, default=2_000)
    parser.add_argument("--papers", type=int, default=100)
    parser.add_argument("--naive", type=int, default=1_000)
    parser.add_argument("--records", type=Path, default=RECORDS, help="real records, as JSON Lines in gzip")
    chosen = parser.parse_args(options)
    figures = []
    with TemporaryDirectory() as name:
        naive = None
        for readers in dict.fromkeys([chosen.naive, *chosen.readers]):
            folder = Path(name) / str(readers)
            _apart(_prepared, folder, chosen.records, readers, chosen.topics, chosen.papers)
            if readers == chosen.naive:
                shutil.copytree(folder, Path(name) / "loop")
                naive = _apart(_looped, Path(name) / "loop")
            if readers in chosen.readers:
                done = _apart(_published, folder)
                if naive is not None and readers == chosen.naive and naive.letters != done.letters:
                    raise AssertionError(f"the loop found {naive.letters} letters, and not {done.letters}")
                figures += _figures(readers, done, naive)
            shutil.rmtree(folder)
    return figures


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one publish took."""

    seconds: float  #: of CPU
    memory: float  #: MiB at most, beyond what was there before
    letters: int
    papers: int  #: named in all letters
    contents: int  #: distinct ones
    statements: int  #: given to the driver; many rows at once are one


def _figures(readers: int, done: _Cost, naive: _Cost | None) -> Iterator[Figure]:
    known = naive and naive.seconds / naive.letters * 1e6
    each = done.seconds / done.letters * 1e6
    yield Figure(f"{readers:,} readers", done.seconds, "s CPU", readers * _AIM / 1e6, "what we aim at")
    yield Figure(f"{readers:,} readers, a letter", each, "µs CPU", known, _LOOP)
    yield Figure(f"{readers:,} readers, most memory", done.memory, "MiB", naive and naive.memory, _LOOP)
    asked = naive and naive.statements / naive.letters
    yield Figure(f"{readers:,} readers, statements a letter", done.statements / done.letters, "", asked, _LOOP)
    yield Figure(f"{readers:,} readers, papers a letter", done.papers / done.letters, "")
    yield Figure(f"{readers:,} readers, distinct contents", done.contents, "", done.letters, "letters")


def _apart(work: Any, *given: Any) -> Any:
    """Return what comes of it in a fresh process, where neither memory nor caches of another are left."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


# -- in a process each -------------------------------------------------------------------------------------------------


def _house(folder: Path, now: datetime) -> House:
    return House(settings(folder, "sqlite:///archive.db"), clock=FixedClock(now))


def _prepared(folder: Path, file: Path, readers: int, topics: int, papers: int) -> None:
    """Make an archive whose readers had a first letter, and whose next day's papers are matched."""
    folder.mkdir()
    real = records(file)
    with _house(folder, _DAY_ONE) as house:
        _subscribe(house, readers, _asked(real, topics))
        _list(house, real, range(papers), _DAY_ONE)
        house.matcher.match(_DAY_ONE)
        house.publisher.publish(_DAY_ONE)
        _list(house, real, range(papers, 2 * papers), _DAY_TWO)
        house.matcher.match(_DAY_TWO)


def _published(folder: Path) -> _Cost:
    with _house(folder, _DAY_TWO) as house:
        return _measured(house, lambda: [house.publisher.publish(_DAY_TWO).issues])


def _looped(folder: Path) -> _Cost:
    with _house(folder, _DAY_TWO) as house:
        with house.database.reading() as connection:
            ids = list(connection.execute(select(SUBSCRIBER.c.id)).scalars())

        def loop() -> Iterator[int]:
            for each in ids:
                house.__dict__.pop("renderer", None)  # a new one, that remembers nothing
                house.__dict__.pop("publisher", None)
                yield house.publisher.publish(_DAY_TWO, readers=[each]).issues

        return _measured(house, loop)


def _measured(house: House, work: Any) -> _Cost:
    asked = Counter[str]()
    with house.database.reading() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *_: asked.update(statements=1))
        before = connection.execute(select(func.count()).select_from(ISSUE_PAPER)).scalar_one()
        contents = connection.execute(select(func.max(CONTENT.c.id))).scalar() or 0
        delivered = connection.execute(select(func.count()).select_from(DELIVERY)).scalar_one()
    asked.clear()
    memory, cpu = _peak(), time.process_time()
    letters = sum(work())
    cpu, memory, statements = time.process_time() - cpu, _peak() - memory, asked["statements"]
    with house.database.reading() as connection:
        papers = connection.execute(select(func.count()).select_from(ISSUE_PAPER)).scalar_one() - before
        made = connection.execute(select(func.count()).where(CONTENT.c.id > contents)).scalar_one()
        assert connection.execute(select(func.count()).select_from(DELIVERY)).scalar_one() - delivered == letters
    return _Cost(cpu, memory, letters, papers, made, statements)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- readers, their topics, and what comes of a day --------------------------------------------------------------------


def _asked(real: Sequence[dict[str, Any]], topics: int) -> list[str]:
    """Return so many topics, the likeliest first: pairs of words that often stand beside each other in titles."""
    pairs: Counter[str] = Counter()
    for each in real:
        words = each["title"].lower().split()
        pairs.update(f"{one} {other}" for one, other in pairwise(words) if _is_word(one) and _is_word(other))
    known: dict[str, str] = {}
    for pair, _ in pairs.most_common():
        known.setdefault(parse(pair).normal_form, pair)
        if len(known) == topics:
            break
    return list(known.values())


def _is_word(text: str) -> bool:
    return text.isascii() and text.isalpha() and len(text) > 3 and text not in FUNCTION_WORDS


def _subscribe(house: House, readers: int, asked: Sequence[str]) -> None:
    dice = random.Random(20261119)  # noqa: S311 - figures that can be repeated, no secret
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(asked))))
    with house.database.writing() as connection:
        rows = [
            {"id": number, "normal_form": parse(text).normal_form, "created_at": _DAY_ONE}
            for number, text in enumerate(asked, 1)
        ]
        connection.execute(insert(TOPIC), rows)
    for start in range(1, readers + 1, _BLOCK):
        numbers = range(start, min(start + _BLOCK, readers + 1))
        held = [
            {"subscriber_id": number, "topic_id": topic + 1, "name": asked[topic], "query": asked[topic], "position": n}
            for number in numbers
            for n, topic in enumerate(_drawn(dice, weights))
        ]
        with house.database.writing() as connection:
            connection.execute(insert(SUBSCRIBER), [_reader(number) for number in numbers])
            connection.execute(insert(SUBSCRIPTION), held)


def _drawn(dice: random.Random, weights: Sequence[float]) -> list[int]:
    drawn: dict[int, None] = {}
    while len(drawn) < _TOPICS_EACH:
        drawn[dice.choices(range(len(weights)), cum_weights=weights)[0]] = None
    return list(drawn)


def _reader(number: int) -> dict[str, object]:
    email = f"reader{number}@mail{number % 50}.example"
    joined = _DAY_ONE - timedelta(days=30)
    return {
        "id": number,
        "public_id": f"{number:016x}",
        "email": email,
        "address_key": email,
        "mailbox": email,
        "state": SubscriberState.CONFIRMED.value,
        "every": "day",
        "weekday": 0,
        "hour": 7,
        "zone": "UTC",
        "shared": False,
        "created_at": joined,
        "confirmed_at": joined,
        "joined_at": joined,
    }


def _list(house: House, real: Sequence[dict[str, Any]], numbers: range, now: datetime) -> None:
    listed = tuple(paper(real, number) for number in numbers)
    house.archive.add(Listing("huggingface-daily", now.date(), listed, FetchStatus.OK), now)
