"""A day with a fault of each kind, as the log has it: no reader's address, and every warning has its name."""

import io
import json
import logging
import threading
from datetime import timedelta

import pytest

from domain.errors import StorageError
from paperround.events import EVENTS, OTHER
from paperround.logs import handler
from worker.ticking import tick

READERS = ("ann", "ben", "cat", "dan", "eve", "fay")


@pytest.fixture
def lines(monkeypatch):
    """Give what was logged as JSON until it is asked for."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    ours, root = handler("json"), logging.getLogger()
    level = root.level
    root.addHandler(ours)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(ours)
    root.setLevel(level)


class Broken:
    """A renderer that fails at the first letter of each pass, and says whose it is."""

    def __init__(self, whole):
        self._whole = whole
        self._failed = False

    def __getattr__(self, name):
        return getattr(self._whole, name)

    def digest(self, digest, *, shared):
        if not self._failed:
            self._failed = True
            raise ValueError("no letter for ann@lab.example")
        return self._whole.digest(digest, shared=shared)


class Full:
    """A place for the sums of passes that takes none."""

    def add(self, *_given, **_more):
        raise StorageError("no room for ben@lab.example")

    beat = leave = add


def test_a_day_of_faults_names_each_and_nobody(town, relay, lines, capfd):
    addresses = [f"{name}@lab.example" for name in READERS]
    town.more = '[[source]]\nname = "gone"\nkind = "huggingface-daily"\nurl = "http://127.0.0.1:9"\n'
    town.again(uncertain="hold")
    answers = {
        "ben": b"550 5.1.1 <ben@lab.example>: no such mailbox",
        "cat": b"450 4.2.1 cat@lab.example: later",
        "dan": b"421 4.7.0 dan@lab.example has too many letters",
    }
    relay.at_rcpt = lambda recipient: answers.get(recipient.partition("@")[0], b"250 2.1.5 ok")
    relay.after_dot = lambda recipient: (
        (lambda talk: talk.hang_up()) if recipient.startswith("eve") else b"250 2.0.0 ok"
    )
    town.house.renderer = Broken(town.house.renderer)
    town.readers(*addresses)
    town.publish()
    rounds = town.house.rounds

    rounds.once()
    town.later(timedelta(minutes=30))
    relay.close()
    rounds.deliver()
    town.house.installation.pause(town.clock.now(), "asked by fay@lab.example")
    rounds.deliver()
    town.house.installation.resume(town.clock.now())
    town.house.troubles.failed("deliver", "no relay for ann@lab.example", town.clock.now() - timedelta(days=2))
    rounds.watch()
    town.house.tally._records = Full()
    relay.open()
    town.later(timedelta(minutes=90))
    rounds.deliver()
    stop = threading.Event()

    def fail(error):
        stop.set()
        raise error

    jobs = {
        "publish": lambda: fail(StorageError("held by ann@lab.example")),
        "deliver": lambda: fail(KeyError("ben@lab.example")),
    }
    tick(jobs, timedelta(hours=1), stop)

    found = lines()
    said = json.dumps(found)
    assert [each for each in addresses if each in said] == []
    assert "@lab.example" not in said
    assert [each for each in found if each["level"] != "info" and each["event"] == OTHER] == []
    known = {each.name for each in EVENTS.values()}
    assert {each["event"] for each in found if each["logger"].startswith("paperround")} <= known
    assert {each["event"] for each in found} >= {
        "collect.source",
        "letter.broken",
        "deliver.pass",
        "tally.lost",
        "job.failed",
        "job.broken",
    }
    passes = [each for each in found if each["event"] == "deliver.pass" and each["level"] == "info"]
    assert sum(each.get("rejected", 0) for each in passes) == 1
    assert all(isinstance(each.get("accepted", 0), int) for each in passes)
