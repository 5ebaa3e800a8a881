"""What comes round is done once a slot, whichever process asks, and however many."""

import threading
from datetime import timedelta

import pytest

from storage.database import Database
from storage.runs import Runs
from worker.liveness import worker_name
from worker.turns import Turns


@pytest.fixture
def turns(url, clock):
    """The turns of so many processes, each with a connection to the archive of its own."""
    opened = []

    def make(number):
        opened.extend(Database(url) for _ in range(number))
        return [
            Turns(runs=Runs(each), job="bounces", every=timedelta(minutes=15), owner=worker_name(), clock=clock)
            for each in opened
        ]

    yield make
    for each in opened:
        each.close()


def test_of_several_processes_at_once_one_does_it_and_in_the_next_slot_one_again(turns, clock):
    done = []
    everyone = turns(4)
    for slot in range(3):
        together = threading.Barrier(4)

        def ask(one, slot=slot, together=together):
            together.wait()
            one.take(lambda: done.append(slot))
            one.take(lambda: done.append(slot))

        threads = [threading.Thread(target=ask, args=(each,)) for each in everyone]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert done == list(range(slot + 1))
        clock.set(clock.now() + timedelta(minutes=15))


def test_what_fails_is_done_by_another_process(turns):
    first, second = turns(2)
    with pytest.raises(ZeroDivisionError):
        first.take(lambda: 1 / 0)
    assert first.take(lambda: "again at once") is None
    assert second.take(lambda: "done") == "done"
