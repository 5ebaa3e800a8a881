"""Who does the tasks: one of Procrastinate's workers for each queue, in one event loop, each task in a thread.

    stop asked for → nothing new is begun, what runs ends as it would by itself → the thread ends
    connection lost → waited for, longer each time, and begun anew; what ran meanwhile is taken over (queueing.py)
    a task fails → tried again a few times, with growing waits, behind its like; then it stays failed, and is told once
    a stop, or another version's schema, came first → the task waits again at once, for whoever else there is
    a task that this version does not know → failed, told once

A queue has a worker of its own, so that letters never wait for a site that dawdles.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from domain.errors import DatabaseTooNew, DatabaseTooOld, Interrupted, PaperroundError
from worker.engine.hearing import listen
from worker.tasks import TASKS, Jobs, Task

log = logging.getLogger("paperround.worker")
_SPARE = 4  # threads beside those of tasks
_TRIES = 3  # after the first
_FIRST, _GROWS = 30, 4  # seconds before the second try; then so many times longer each time
_OTHERS = (Interrupted, DatabaseTooNew, DatabaseTooOld)  # no fault of the task: another process will do it


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds."""

    beat: float = 10.0  #: between two signs of life
    silence: float = 30.0  #: without one, after which a worker counts as gone
    poll: float = 5.0  #: between two looks for what no notice came of: tasks whose time has come
    pause: float = 1.0  #: before a lost connection is tried again; twice as long each time
    longest_pause: float = 30.0


class Runner:
    """Does the tasks of some queues until `stop` is set, up to `concurrency` of each queue side by side.

    `check` is called before each task; what it raises ends the task, and another version's schema all the work.
    """

    def __init__(
        self,
        *,
        address: str,
        queues: Sequence[str],
        concurrency: int,
        jobs: Jobs,
        check: Callable[[], object],
        stop: threading.Event,
        timing: Timing,
    ) -> None:
        self._address = address
        self._queues = queues
        self._concurrency = concurrency
        self._jobs = jobs
        self._check = check
        self._stop = stop
        self._timing = timing
        #: What ended the work before a stop was asked for; None where nothing did.
        self.error: Exception | None = None

    def run(self) -> None:
        """Work until the stop; call it in a thread of its own. Whatever else ends it is kept, and asks for the stop."""
        listen()
        try:
            asyncio.run(self._work())
        except Exception as error:
            log.exception("engine: the queues are not served any more")
            self._end(error)

    def _end(self, error: Exception) -> None:
        self.error = self.error or error
        self._stop.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        # The loop itself resolves host names there: with no thread to spare a lost connection could not be made anew.
        threads = self._concurrency * len(self._queues) + _SPARE
        loop.set_default_executor(ThreadPoolExecutor(threads, "task"))
        loop.set_exception_handler(_told)
        stopped = asyncio.Event()

        def tell() -> None:
            self._stop.wait()
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(stopped.set)

        threading.Thread(target=tell, name="engine-stop", daemon=True).start()
        await asyncio.gather(*(self._keep(queue, stopped) for queue in self._queues))

    async def _keep(self, queue: str, stopped: asyncio.Event) -> None:
        """Serve a queue, again and again, until the stop."""
        pause = self._timing.pause
        while not stopped.is_set():
            serving = asyncio.create_task(self._serve(queue))
            ended = asyncio.create_task(stopped.wait())
            begun = asyncio.get_running_loop().time()
            await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if stopped.is_set():
                serving.cancel()  # to Procrastinate's worker this is a stop: what runs ends first
            try:
                await serving
                said = "the connection was lost"
            except asyncio.CancelledError:
                said = "its worker was cancelled"
            except Exception as error:  # noqa: BLE001 whatever ends a worker, the queue is served again
                said = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
            if stopped.is_set():
                return
            if asyncio.get_running_loop().time() - begun > self._timing.longest_pause:
                pause = self._timing.pause
            log.warning("engine: queue %s is not served, and tried again in %d s: %s", queue, pause, said)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), pause)
            pause = min(2 * pause, self._timing.longest_pause)

    async def _serve(self, queue: str) -> None:
        """Serve a queue until cancelled, or the connection is lost."""
        connector = PsycopgConnector(
            conninfo=self._address,
            kwargs={"application_name": f"paperround {queue}", "connect_timeout": 10},
            min_size=1,
            max_size=2,
        )
        app = App(connector=connector)
        for task in TASKS:
            app.task(name=task.name, queue=task.queue, retry=_Again())(self._deed(task))
        async with app.open_async():
            worker = Worker(
                app=app,
                queues=[queue],
                name=queue,
                concurrency=self._concurrency,
                install_signal_handlers=False,
                listen_notify=True,
                delete_jobs="successful",
                fetch_job_polling_interval=self._timing.poll,
                abort_job_polling_interval=60.0,
                update_heartbeat_interval=self._timing.beat,
                stalled_worker_timeout=self._timing.silence,
            )
            working = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            try:
                await asyncio.shield(working)
            except asyncio.CancelledError:
                worker.stop()  # type: ignore[no-untyped-call]
                await self._drain(app, worker, working)
                raise

    async def _drain(self, app: App, worker: Worker, working: "asyncio.Task[None]") -> None:
        """Wait until what runs has ended, and say meanwhile that its worker lives: that may take minutes."""
        while not working.done():
            await asyncio.wait({working}, timeout=self._timing.beat)
            if not working.done() and worker.worker_id is not None:
                with suppress(ConnectorException):  # then another worker takes it over, as after a loss of connection
                    await app.job_manager.update_heartbeat(worker.worker_id)
        await working

    def _deed(self, task: Task) -> Callable[..., None]:
        def do(**given: Any) -> None:
            if self._stop.is_set():
                raise Interrupted(f"{task.name} was not begun: a stop was asked for")
            try:
                self._check()
                task.run(self._jobs, given)
            except (DatabaseTooNew, DatabaseTooOld) as error:
                self._end(error)  # no later task could be done either
                raise
            except Interrupted:
                raise
            except PaperroundError as error:
                log.error("task %s failed: %s", task.name, error)  # noqa: TRY400 our errors are sentences
                raise
            except Exception:
                log.exception("task %s failed in a way we did not foresee", task.name)
                raise
            if self._stop.is_set():
                raise Interrupted(f"{task.name} may not have been done whole: a stop was asked for")

        return do


class _Again(BaseRetryStrategy):
    """When a task that failed is tried again; behind its like, for with one lock those in front hold up the others."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, _OTHERS):
            return RetryDecision(retry_in={"seconds": 0})
        if job.attempts >= _TRIES:
            log.error("task %s (%s) is not tried any more", job.task_name, job.id)
            return None
        # One that a tick asks for holds up the next of its name: it never waits for long.
        wait = _FIRST if job.queueing_lock else _FIRST * _GROWS**job.attempts
        return RetryDecision(retry_in={"seconds": wait}, priority=job.priority - 1)


def _told(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in a line what nobody waited for: how a task ended that was under way when the connection was lost."""
    error = context.get("exception")
    said = " ".join(str((error and error.__cause__) or error or context.get("message", "")).split())
    log.warning("engine: how a task ended could not be kept, so it may come again: %s", said)
