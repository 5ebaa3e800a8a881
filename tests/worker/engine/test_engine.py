"""Processes that share the work over one PostgreSQL: what they do, and what they survive."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from domain.errors import DatabaseTooNew, DatabaseTooOld
from storage.lending import Lending
from worker.engine.queueing import Queues

OURS = (
    "SELECT count(*) FROM procrastinate_jobs WHERE task_name IN ('plan', 'publish', 'deliver') AND status <> 'failed'"
)


def states(house):
    return [each.state for each in house.outbox.records()]


def test_what_is_listed_reaches_readers_through_the_queues_and_leaves_no_task(
    working, opened, listed, readers, transport, sql, until
):
    front = opened()
    listed(front, "Tides of the Moon")
    readers(front, 5)
    working()
    until(lambda: len(transport.messages) == 5)
    until(lambda: states(front) == ["accepted"] * 5)
    until(lambda: sql(OURS) == [(0,)])
    assert {each.slot for each in front.issues.records()} == {"2026-11-20"}


def test_the_same_day_gives_the_same_letters_embedded_and_through_the_queues(
    working, opened, listed, readers, transport, until, tmp_path, clock, fresh
):
    from digests.transports.memory import MemoryTransport
    from paperround.settings import build
    from paperround.wiring import House

    shared = opened()
    alone_sent = MemoryTransport()
    with fresh() as database:
        settings = build({"mail": {"from": "Paperround <p@lab.example>"}}, tmp_path)
        alone = House(settings, clock=clock, transport=alone_sent, database=database)
        for house in (alone, shared):
            listed(house, "Tides of the Moon", "Quasars", "Tides at Sea")
            readers(house, 4)
        alone.rounds.once()
        expected = {(each.subscriber, each.slot, each.papers) for each in alone.issues.records()}
        alone_states = states(alone)
    working()
    until(lambda: len(transport.messages) == 4 and states(shared) == ["accepted"] * 4)
    assert {(each.subscriber, each.slot, each.papers) for each in shared.issues.records()} == expected
    assert alone_states == states(shared)
    assert len(alone_sent.messages) == 4


def test_several_workers_send_each_letter_once(working, opened, listed, readers, transport, until):
    front = opened()
    listed(front, "Tides of the Moon")
    readers(front, 12)
    ends = [working(*queues)[1] for queues in ((), ("deliver",), ("match", "publish", "deliver"))]
    until(lambda: states(front) == ["accepted"] * 12)
    for end in ends:
        assert end() is None
    assert len({each.recipient for each in transport.messages}) == len(transport.messages) == 12


def test_a_worker_does_the_tasks_of_its_queues_alone(working, opened, listed, readers, sql, until):
    front = opened()
    listed(front, "Tides of the Moon")
    readers(front, 1)
    working("deliver")
    until(lambda: sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'plan'") == [(1,)])
    assert front.issues.records() == ()
    working("match", "publish")
    until(lambda: states(front) == ["accepted"])


def test_a_task_that_fails_is_tried_again_later_and_told_of_and_nobody_else_suffers(
    working, opened, listed, readers, sql, until, caplog
):
    front = opened()
    listed(front, "Tides of the Moon")
    readers(front, 1)
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) VALUES "
        "('deliver', 'deliver', 'relay-0', '{\"deliveries\": 5}'), ('publish', 'publish', NULL, '{}')"
    )
    working()
    until(lambda: states(front) == ["accepted"])
    until(lambda: "task publish failed" in caplog.text)
    (found,) = sql(
        "SELECT status::text, attempts, priority, scheduled_at > now() FROM procrastinate_jobs "
        "WHERE task_name = 'publish' AND args = '{}'"
    )
    assert found == ("todo", 1, -1, True)


def test_a_task_of_another_version_fails_once_and_is_told_of(working, sql, until, caplog, opened):
    opened()
    sql("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('deliver', 'deliver_by_pigeon')")
    working()
    until(
        lambda: (
            sql("SELECT status::text FROM procrastinate_jobs WHERE task_name = 'deliver_by_pigeon'") == [("failed",)]
        )
    )
    until(lambda: "another version" in caplog.text)


def test_what_a_killed_worker_was_at_is_taken_over(working, opened, listed, readers, values, sql, until):
    front = opened()
    listed(front, "Tides of the Moon")
    readers(front, 2)
    front.rounds.publish()  # queued, and announced
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    script = Path(__file__).with_name("stuck.py")
    with subprocess.Popen(
        [sys.executable, script, values["database"]["url"]], env=environment, stdout=subprocess.PIPE, text=True
    ) as stuck:
        assert stuck.stdout.readline() == "begun\n"
        stuck.send_signal(signal.SIGKILL)
        stuck.wait()
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == [(1,)]
    house, _ = working("collect", "match", "publish", "deliver")
    until(lambda: states(house) == ["accepted"] * 2)
    until(lambda: sql(OURS) == [(0,)])


def test_a_stop_lets_end_what_runs_and_the_rest_waits_for_others(working, opened, sql, until):
    begun, go_on = threading.Event(), threading.Event()
    front = opened()
    house, end = working("deliver")
    done = []

    def deliver(among=None):
        begun.set()
        go_on.wait(60)
        done.append(among)

    house.rounds._deliverer = type("Slow", (), {"deliver": staticmethod(deliver), "is_due": lambda _: False})()
    with Lending(front.database).writing() as connection:
        front.announcer(connection, [1], [])
    until(begun.is_set)
    # It drains for longer than the silence after which a worker counts as gone, and is not taken for one.
    queues = Queues(Lending(front.database), front.announcer)
    taken: list[int] = []
    stopping = threading.Timer(2.5, lambda: (taken.append(queues.take_over(front.timing.silence)), go_on.set()))
    stopping.start()
    assert end() is None
    assert taken == [0]
    assert done == [[1]]
    # It may not have been whole: another process looks at it again.
    assert sql("SELECT status::text, attempts FROM procrastinate_jobs") == [("todo", 1)]
    assert sql("SELECT count(*) FROM procrastinate_workers") == [(0,)]


def test_connections_that_are_cut_are_made_anew(working, opened, listed, readers, sql, until):
    front = opened()
    working()
    until(lambda: sql("SELECT count(*) FROM procrastinate_workers")[0][0] == 4)
    sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    listed(front, "Tides of the Moon")
    readers(front, 1)
    until(lambda: states(front) == ["accepted"])


def test_a_worker_whose_archive_is_another_versions_now_stops_by_itself(working, opened, sql, until):
    opened()
    for revision, kind in (("0099", DatabaseTooNew), ("0006", DatabaseTooOld)):
        _, end = working()
        until(lambda: sql("SELECT count(*) FROM procrastinate_workers")[0][0] == 4)
        ((current,),) = sql("SELECT version_num FROM alembic_version")
        sql("UPDATE alembic_version SET version_num = %s", revision)
        error = end(by_itself=True)
        sql("UPDATE alembic_version SET version_num = %s", current)
        assert isinstance(error, kind)
        assert "start it again" in str(error)


def test_two_ticks_at_once_hand_out_one_task(opened, sql):
    houses = [opened(), opened()]
    together = threading.Barrier(8)

    def ask(house):
        together.wait()
        from worker.tasks import PLAN

        Queues(Lending(house.database), house.announcer).ask(PLAN, {}, name="plan", lock="plan")

    threads = [threading.Thread(target=ask, args=(houses[number % 2],)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sql("SELECT count(*) FROM procrastinate_jobs") == [(1,)]


def test_a_runner_that_ends_by_itself_ends_the_process_with_what_ended_it(working, monkeypatch):
    def broken(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("worker.engine.runner.Runner._work", broken)
    _, end = working()
    assert "new thread" in str(end(by_itself=True))
