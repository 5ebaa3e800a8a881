"""Workers are restarted one after the other while letters leave: none is lost, none comes twice, each ends well."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.clock import FixedClock

ROOT = Path(__file__).parents[3]
LETTERS = 300
FIRST, SECOND = 60, 160  # letters after which the relay waits for a restart


@pytest.fixture
def clock():
    return FixedClock(datetime.now(UTC))  # the processes go by the machine's


@pytest.fixture
def worker(town):
    """Give what starts a worker; all are ended with the test."""
    file = town.settings()
    started = []

    def go():
        command = [sys.executable, "-m", "paperround", "--config", file, "worker"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        said = (town.folder / f"worker{len(started)}.log").open("w+")
        started.append((subprocess.Popen(command, cwd=town.folder, env=environment, stderr=said), said))
        return started[-1]

    yield go
    for process, said in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        said.close()


class Gate:
    """Keeps letters at the relay from one number on, until it is opened."""

    def __init__(self, number):
        self.number = number
        self.reached, self.open = threading.Event(), threading.Event()


def stopped(started):
    """Tell a worker to stop; return what it said."""
    process, said = started
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    said.seek(0)
    return said.read()


def test_two_workers_restarted_in_turn_lose_and_double_nothing(town, relay, names, worker):
    town.again(connections=2)
    town.readers(*names("reader", LETTERS, "lab.example"))
    assert town.publish() == LETTERS
    town.end()
    gates, all_there = [Gate(FIRST), Gate(SECOND)], threading.Event()

    def after_dot(_recipient):
        number = len(relay.arrived)
        for gate in gates:
            if number >= gate.number:
                gate.reached.set()
                gate.open.wait(60)
        if number == LETTERS:
            all_there.set()
        return b"250 2.0.0 queued"

    relay.after_dot = after_dot
    one, other = worker(), worker()
    said = []
    for gate, old in zip(gates, (one, other), strict=True):
        assert gate.reached.wait(90)
        opener = threading.Timer(0.2, gate.open.set)  # the signal comes while letters are on the wire
        opener.start()
        said.append(stopped(old))
        opener.join()
        if old is one:
            new = [worker()]
        else:
            new.append(worker())
    assert all_there.wait(120)
    said += [stopped(each) for each in new]

    assert "Traceback" not in "".join(said)
    assert Counter(each.recipient for each in relay.arrived).most_common(1)[0][1] == 1
    assert len(relay.arrived) == LETTERS
    assert town.states() == {"accepted": LETTERS}
    assert town.attempts() == {1}
    town.is_sound()
    done = {each.verb: each for each in town.house.works.look(town.clock.now()).passes}["deliver"]
    assert done.counts == {"accepted": LETTERS}  # all four of them counted what they did
    assert town.house.works.look(town.clock.now()).workers == 0  # each said that it ended
