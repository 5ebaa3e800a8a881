"""Ticks: jobs side by side, each again and again, in the memory of one process.

A job that fails is told of and comes again at its next tick; the others go on. Only what no later tick can mend ends
them all: an archive that is another version's meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from domain.errors import DatabaseTooNew, DatabaseTooOld, Interrupted, PaperroundError, StorageError

log = logging.getLogger("paperround.worker")
_BACK = 5.0  # seconds: clocks are corrected by less all the time
_LATE = 3600  # seconds by which a tick may be late and still count (APScheduler's own second drops ticks silently)


def tick(
    jobs: Mapping[str, Callable[[], object]],
    every: timedelta,
    stop: threading.Event,
    *,
    check: Callable[[], object] = lambda: None,
    wall: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    look: float = 10.0,
) -> None:
    """Run the jobs at once and then again and again until `stop` is set; then let those that run finish.

    A clock that is set back, by which APScheduler would sleep until it has come to its next tick again, is noticed
    every `look` seconds: `wall` shows seconds since 1970, `steady` those that truly pass. `check` goes before each job.
    Raises what it, or a job, raised of DatabaseTooNew or DatabaseTooOld: then nothing more is begun, and `stop` is set.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": _LATE},
    )
    # Its own lines would tell of every tick and repeat every error.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    ended: list[StorageError] = []

    def end(error: StorageError) -> None:
        ended.append(error)
        stop.set()

    for name, job in jobs.items():
        scheduler.add_job(
            _guarded(name, job, check, end),
            "interval",
            seconds=every.total_seconds(),
            id=name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    try:
        _stand_by(scheduler, stop, wall, steady, look)
    finally:
        stop.set()
        scheduler.shutdown(wait=True)
    if ended:
        raise ended[0]


def _stand_by(
    scheduler: BackgroundScheduler,
    stop: threading.Event,
    wall: Callable[[], float],
    steady: Callable[[], float],
    look: float,
) -> None:
    """Wait for the stop, and let the jobs tick at once where the clock was set back."""
    ahead = wall() - steady()
    while not stop.wait(look):
        before, ahead = ahead, wall() - steady()
        if ahead < before - _BACK:
            log.warning("the clock was set back by %d s; the jobs go on at once", before - ahead)
            for job in scheduler.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))


def _guarded(
    name: str, job: Callable[[], object], check: Callable[[], object], end: Callable[[StorageError], None]
) -> Callable[[], None]:
    def run() -> None:
        try:
            check()
            job()
        except Interrupted:
            log.info("%s was interrupted and will go on the next time", name)
        except (DatabaseTooNew, DatabaseTooOld) as error:
            end(error)
        except PaperroundError as error:
            log.error("%s failed and will be tried again: %s", name, error)  # noqa: TRY400 our errors are sentences
        except Exception:
            log.exception("%s failed in a way we did not foresee and will be tried again", name)

    return run
