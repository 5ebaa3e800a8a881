"""What is put into Procrastinate's queues: in a transaction of ours, over its own connection.

    letters are queued       → announced in that transaction: chunks of at most 500, those that somebody waits for first
    readers may be due       → a block's look is moved ahead and the task that plans them enqueued, in one transaction
    a tick finds work to do  → one task of that name, unless one waits or runs

A task that waits already is found by looking, under the lock of whoever writes. Procrastinate's queueing locks are not
relied on: a task that is to be done again while its like waits would break that lock, and be stuck for ever.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from procrastinate import App, SyncPsycopgConnector, exceptions
from procrastinate.jobs import Job
from procrastinate.sql import queries

from domain.errors import DatabaseUnavailable
from storage.lending import Lending
from worker.engine.hearing import listen
from worker.engine.schema import is_there
from worker.tasks import AWAITED, CHUNK, DELIVER, PUBLISH, Task, chunks

log = logging.getLogger("paperround.worker")
_DEATHS = 5  # tries after which a task whose worker died again is left alone
_KEPT_HOURS = 7 * 24  # of tasks that failed
# Of those that a clock which was ahead has put off: runner.py puts off by eight minutes at most.
_AHEAD = """
SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at > now() + interval '20 minutes' LIMIT 1
"""
_DUE_NOW = """
UPDATE procrastinate_jobs SET scheduled_at = now()
WHERE status = 'todo' AND scheduled_at > now() + interval '20 minutes'
"""
_WAITS = "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status IN ('todo', 'doing') LIMIT 1"


class Announcer:
    """Tells of queued letters in the transaction that queues them (storage/announcing.py).

    Letters that somebody waits for stand before all others, and wait for no relay. Of the others, so many chunks are
    sent side by side as there are `relays`, over all machines. Where there are no queues yet, or they do not take it,
    the letters are queued all the same: a tick finds what is due.
    """

    def __init__(self, relays: int) -> None:
        listen()
        self._relays = relays
        self._manager = App(connector=SyncPsycopgConnector()).job_manager

    def __call__(self, connection: Any, awaited: Sequence[int], others: Sequence[int]) -> None:
        """Enqueue, over the driver's own connection and in its transaction."""
        if not is_there(connection):
            return
        tasks = [_job(DELIVER, {"deliveries": part}, priority=AWAITED) for part in chunks(awaited)]
        tasks += [_job(DELIVER, {"deliveries": part}, lock=self._relay(part)) for part in chunks(others)]
        try:
            with connection.transaction():  # a savepoint: no letter is lost because nobody could be told of it
                self._manager.batch_defer_jobs(tasks, connection=connection)
        except exceptions.ProcrastinateException as error:
            log.warning("engine: letters were queued and nobody told of them; the next tick will: %s", _said(error))

    def hand_out(self, connection: Any, readers: Sequence[int]) -> None:
        """Enqueue the planning of readers, over the driver's own connection and in its transaction."""
        self.put(connection, [_job(PUBLISH, {"readers": part}) for part in chunks(readers)])

    def put(self, connection: Any, tasks: Iterable[Job]) -> None:
        """Enqueue tasks; raises StorageError."""
        try:
            self._manager.batch_defer_jobs(list(tasks), connection=connection)
        except exceptions.ProcrastinateException as error:
            raise DatabaseUnavailable(f"the queues could not be used: {_said(error)}") from error

    def _relay(self, deliveries: Sequence[int]) -> str:
        return relay(deliveries[0] // CHUNK % self._relays)


class Queues:
    """The queues of one database, as a tick sees them."""

    def __init__(self, lending: Lending, announcer: Announcer) -> None:
        self._lending = lending
        self._announcer = announcer

    def ask(self, task: Task, given: Mapping[str, Any], *, name: str, lock: str) -> bool:
        """Enqueue a task unless one of its name waits or runs; return whether it was.

        No two of one `lock` run at the same time. Raises StorageError.
        """
        with self._lending.reading() as connection:
            if connection.execute(_WAITS, [name]).fetchone():
                return False  # as nearly always while there is much to do: nobody is held up for that
        with self._lending.writing() as connection:
            if connection.execute(_WAITS, [name]).fetchone():
                return False
            self._announcer.put(connection, [_job(task, given, lock=lock, name=name)])
        return True

    def take_over(self, silent_seconds: float) -> int:
        """Let tasks wait again whose workers have not been heard of for so long; return how many. Raises StorageError.

        One whose workers died again and again has failed. One that was put off by a clock that was ahead, longer than
        we ever put off, is due now: it would hold up the others of its name and lock.
        """
        given = {"queue": None, "task_name": None, "seconds_since_heartbeat": silent_seconds}
        with self._lending.reading() as connection:
            silent = (
                "SELECT 1 FROM procrastinate_workers WHERE last_heartbeat < now() - %s * interval '1 second' LIMIT 1"
            )
            stalled = connection.execute(queries["select_stalled_jobs_by_heartbeat"], given).fetchone()
            ahead = connection.execute(_AHEAD).fetchone()
            if not stalled and not ahead and not connection.execute(silent, [silent_seconds]).fetchone():
                return 0
        with self._lending.writing() as connection:
            again = 0
            connection.execute(_DUE_NOW)
            for row in connection.execute(queries["select_stalled_jobs_by_heartbeat"], given).fetchall():
                number, name, attempts = row[0], row[2], row[9]
                if attempts < _DEATHS:
                    again += 1
                    connection.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [number])
                else:
                    connection.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [number])
                    log.error("engine: task %s (%d) ended its worker again and again, and is left alone", name, number)
            connection.execute(queries["prune_stalled_workers"], {"seconds_since_heartbeat": silent_seconds})
        if again:
            log.warning("engine: %d tasks of workers that are gone were taken over", again)
        return again

    def clear(self) -> None:
        """Forget tasks that failed long ago; raises StorageError."""
        states = ["succeeded", "failed", "cancelled", "aborted"]
        with self._lending.writing() as connection:
            connection.execute(queries["delete_old_jobs"], {"nb_hours": _KEPT_HOURS, "queue": None, "statuses": states})


def relay(number: int) -> str:
    """Return the lock of one of the passes of delivery that run side by side."""
    return f"relay-{number}"


def _job(task: Task, given: Mapping[str, Any], *, priority: int = 0, lock: str | None = None, name: str = "") -> Job:
    return Job(
        id=None,
        queue=task.queue,
        task_name=task.name,
        task_kwargs=dict(given),
        priority=priority,
        lock=lock,
        queueing_lock=name or None,
    )


def _said(error: BaseException) -> str:
    """Return what the driver said, in one line."""
    return " ".join(str(error.__cause__ or error).split())
