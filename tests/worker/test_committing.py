"""Threads that share their commits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from domain.clock import FixedClock
from domain.deliveries import DeliveryState, Outcome
from domain.errors import DatabaseBusy
from domain.issues import LetterKind
from storage.sending import Ask, Committed, Permission, Settlement
from worker.committing import Committer

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


class Slow:
    """An outbox whose commits take until they are let go."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, int]] = []
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.fails = False

    def commit(self, worker, settlements, asks, now, lease):  # noqa: ARG002 an outbox's signature
        self.groups.append((len(settlements), len(asks)))
        self.began.release()
        self.go.acquire()
        if self.fails:
            raise DatabaseBusy("held by another")
        given = tuple(Permission.LOST if each.delivery_id == 3 else Permission.GIVEN for each in asks)
        return Committed(given, tuple(each.delivery_id != 3 for each in settlements))


@pytest.fixture
def shared():
    outbox = Slow()
    return SimpleNamespace(outbox=outbox, committer=Committer(outbox, "one", FixedClock(NOW), timedelta(minutes=15)))


def ask(number):
    return Ask(number, LetterKind.DIGEST, f"reader{number}@lab.example", "", "")


def settlement(number):
    return Settlement(number, Outcome(DeliveryState.ACCEPTED), NOW)


def gathered(committer, number):
    """Wait until so many have handed in."""
    while len(committer._gathered) < number:
        threading.Event().wait(0.001)


def test_who_comes_during_a_commit_is_in_the_next_and_each_hears_of_their_own(shared):
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(shared.committer.commit, [], ask(1))
        shared.outbox.began.acquire()
        others = [pool.submit(shared.committer.commit, [settlement(each)], ask(each)) for each in (2, 3, 4)]
        others.append(pool.submit(shared.committer.commit, [settlement(3), settlement(5)], None))
        gathered(shared.committer, 4)
        shared.outbox.go.release(2)
        assert first.result().permission is Permission.GIVEN
        answers = [each.result() for each in others]
    assert shared.outbox.groups == [(0, 1), (5, 3)]
    assert [each.permission for each in answers] == [Permission.GIVEN, Permission.LOST, Permission.GIVEN, None]
    assert [each.settled for each in answers] == [(True,), (False,), (True,), (False, True)]


def test_where_a_commit_fails_all_of_its_group_hear_of_it_and_the_next_goes_on(shared):
    shared.outbox.fails = True
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared.committer.commit, [], ask(1))
        shared.outbox.began.acquire()
        second = pool.submit(shared.committer.commit, [], ask(2))
        gathered(shared.committer, 1)
        shared.outbox.go.release(2)
        for each in (first, second):
            with pytest.raises(DatabaseBusy):
                each.result()
    shared.outbox.fails = False
    shared.outbox.go.release()
    assert shared.committer.commit([], ask(4)).permission is Permission.GIVEN
