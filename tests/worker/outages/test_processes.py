"""`paperround deliver` as a process: told to stop while letters are on the wire, and two of them at once."""

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
CONNECTIONS = 2
LETTERS = 30  # more than one process leases at once


@pytest.fixture
def clock():
    return FixedClock(datetime.now(UTC))  # the processes go by the machine's


@pytest.fixture
def start(town, names):
    """Give what starts a process that delivers; all are ended with the test."""
    town.again(connections=CONNECTIONS)
    town.readers(*names("reader", LETTERS, "lab.example"))
    assert town.publish() == LETTERS
    file = town.settings()
    town.end()
    started = []

    def go():
        command = [sys.executable, "-m", "paperround", "--config", file, "deliver", "--json"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=town.folder, env=environment, text=True, **pipes)
        started.append(process)
        return process

    yield go
    for each in started:
        if each.poll() is None:
            each.kill()
        each.wait()
        each.stdout.close()
        each.stderr.close()


def test_sigterm_lets_what_is_on_the_wire_finish_and_gives_the_rest_back(town, relay, start):
    on_the_wire, go_on = threading.Event(), threading.Event()

    def after_dot(recipient):
        if len(relay.arrived) < 4:
            return b"250 2.0.0 queued"
        on_the_wire.set()
        return lambda talk: (go_on.wait(20), talk.say(b"250 2.0.0 queued"))

    relay.after_dot = after_dot
    process = start()
    assert on_the_wire.wait(30)
    process.send_signal(signal.SIGTERM)
    go_on_later = threading.Timer(0.3, go_on.set)  # the signal comes while it waits for the answer
    go_on_later.start()
    out, err = process.communicate(timeout=30)
    go_on_later.join()
    assert "Traceback" not in err
    taken = len(relay.arrived)
    assert 4 <= taken <= 6  # of each connection the letter that was on its way, and no more
    assert town.states() == {"accepted": taken, "planned": LETTERS - taken}
    town.is_sound()  # no lease is left
    assert f'"accepted": {taken}' in out
    assert town.deliver().accepted == LETTERS - taken
    assert len({each.recipient for each in relay.arrived}) == len(relay.arrived) == LETTERS


def test_two_processes_at_once_send_each_letter_once(town, relay, start):
    both = threading.Event()

    def at_rcpt(recipient):
        # Nobody gets on before the other is there too: two processes hold letters at the same time.
        if relay.connections > CONNECTIONS:
            both.set()
        both.wait(60)
        return b"250 2.1.5 ok"

    relay.at_rcpt = at_rcpt
    processes = [start(), start()]
    said = [each.communicate(timeout=100) for each in processes]
    assert [each.returncode for each in processes] == [0, 0], said
    assert Counter(each.recipient for each in relay.arrived).most_common(1)[0][1] == 1
    assert len(relay.arrived) == LETTERS
    assert town.states() == {"accepted": LETTERS}
    assert town.attempts() == {1}
    town.is_sound()
    assert all('"accepted": 0' not in out for out, _ in said)


@pytest.mark.engines("sqlite")
def test_a_process_that_is_killed_on_the_wire_leaves_one_letter_a_connection_that_comes_twice(town, relay, start):
    on_the_wire = threading.Event()

    def after_dot(recipient):
        if len(relay.arrived) < 4:
            return b"250 2.0.0 queued"
        on_the_wire.set()
        return lambda talk: talk.stall()

    relay.after_dot = after_dot
    process = start()
    assert on_the_wire.wait(30)
    process.kill()
    process.wait()
    before = len(relay.arrived)
    relay.after_dot = lambda _: b"250 2.0.0 queued"
    town.deliver()
    assert town.states() == {"accepted": LETTERS}
    times = Counter(each.recipient for each in relay.arrived)
    assert len(times) == LETTERS
    assert set(times.values()) == {1, 2}
    doubled = [name for name, number in times.items() if number == 2]
    assert len(doubled) <= CONNECTIONS < before
    for each in doubled:
        one, other = relay.letters_of(each)
        assert one.data == other.data
