"""When things happen: jobs tick side by side, each as often as there may be something to do.

    collect   asks the sources whose interval has come round, each site in a job of its own
    publish   matches what is new, then freezes a letter for every reader whose slot has opened
    deliver   sends what is due
    sweep     once a day lets go of what is old
    watch     tells the operator of what stays broken, and a monitor that a round was complete (watch.py)

APScheduler only ticks, in memory. Whether there is anything to do, and who does it, is decided in the database by
unique keys, claimed run rows and leases: a tick that comes twice, late, or in two processes does no harm. A job that
fails is logged and comes again at its next tick; the other jobs go on.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from domain.clock import Clock
from domain.deliveries import DeliveryCounts
from domain.errors import Interrupted, PaperroundError
from domain.issues import PublishCounts
from worker.collect import Collector
from worker.deliver import Deliverer
from worker.match import Matcher, MatchReport
from worker.publish import Publisher
from worker.reports import SourceReport
from worker.sweep import Sweeper, SweepReport
from worker.tally import Tally
from worker.watch import DELIVER, PUBLISH, Pulse, Watch

log = logging.getLogger("paperround.worker")
_PATIENCE = timedelta(minutes=10)  # after a start; a slow site's papers come with the next letter
_LATE = 3600  # seconds by which a tick may be late and still count (APScheduler's own second drops ticks silently)


class Rounds:
    """The jobs, whole: each does whatever is due at the clock's present instant."""

    def __init__(
        self,
        *,
        collector: Collector,
        matcher: Matcher,
        publisher: Publisher,
        deliverer: Deliverer,
        sweeper: Sweeper,
        watch: Watch,
        pulse: Pulse,
        tally: Tally,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._collector = collector
        self._matcher = matcher
        self._publisher = publisher
        self._deliverer = deliverer
        self._sweeper = sweeper
        self._watch = watch
        self._pulse = pulse
        self._tally = tally
        self._clock = clock
        self._stop = stop
        self._asked: set[str] = set()  # the sites that have been asked once since the start
        self._began = clock.now()
        self._told = ""  # why nothing was sent at the last tick: it is said once

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that are asked, each in a round of its own if one likes."""
        return self._collector.sites

    def collect(self, site: str = "") -> tuple[SourceReport, ...]:
        """Ask the sources (of one site, or of all for "") that are due."""
        reports, complete = self._tally.collect(lambda: self._collector.collect_due(self._stop, site))
        self._watch.collected(reports)
        if complete:
            asked = [site] if site else self._collector.sites
            self._asked.update(asked)
            for name in asked:
                self._pulse.ran(collecting(name))
        for each in reports:
            level = logging.INFO if each.status.is_good else logging.WARNING
            log.log(
                level,
                "collect %s: %s, %d listed, %d new. %s",
                each.source,
                each.status,
                each.listed,
                each.new,
                each.error,
            )
            if each.warning:
                log.warning("collect %s: %s", each.source, each.warning)
        return reports

    def publish(self) -> tuple[MatchReport, PublishCounts]:
        """Match what is new, then freeze the letters that are due.

        After a start it waits until the sources have been asked once, or for a while: no letter is cut from an old
        archive because of haste. Before any source has ever been read there is nothing to tell a reader: nobody's first
        letter is spent on it.
        """
        waiting = not self._asked.issuperset(self._collector.sites) and self._clock.now() < self._began + _PATIENCE
        if waiting or not self._collector.has_read():
            return MatchReport(papers=0, topics=0, matches=0, new_topics=0), PublishCounts()
        with self._watched(PUBLISH):
            matched = self._tally.match(lambda: self._matcher.match(self._clock.now()))
            if matched.papers or matched.new_topics:
                log.info("match: %d papers, %d topics, %d matches", matched.papers, matched.topics, matched.matches)
            counts = self._tally.publish(lambda: self._publisher.publish(self._clock.now()))
        if counts.issues or counts.quiet:
            log.info(
                "publish: %d of %d due readers get a letter, %d a quiet note", counts.issues, counts.due, counts.quiet
            )
        self._watch.published(counts)
        self._pulse.ran(PUBLISH)
        return matched, counts

    def deliver(self) -> DeliveryCounts:
        """Send what is due."""
        with self._watched(DELIVER):
            counts = self._tally.deliver(self._deliverer.deliver)
        numbers = {state: number for state, number in counts.numbers.items() if number}
        if counts.held and counts.held != self._told:
            log.warning("deliver: %s", counts.held)
        if numbers:
            log.info("deliver: %s", ", ".join(f"{number} {state}" for state, number in numbers.items()), extra=numbers)
        self._watch.delivered(counts)
        self._told = counts.held
        self._pulse.ran(DELIVER)
        return counts

    def watch(self) -> None:
        """Tell the operator of what stays broken, and the monitor that a round was complete."""
        self._tally.beat()
        self._watch.tell()
        if not self._stop.is_set():
            self._pulse.beat()

    def sweep(self) -> SweepReport | None:
        """Let go of what is old, if nobody has this day."""
        return self._sweeper.sweep_due()

    def once(self) -> tuple[tuple[SourceReport, ...], PublishCounts, DeliveryCounts]:
        """Do whatever is due, in order; what is not done when a stop is asked for is done the next time."""
        reports = self.collect()
        _, published = self.publish()
        self._watch.tell()  # before the letters leave, so that the operator's leaves with them
        delivered = self.deliver()
        if not self._stop.is_set():
            self.sweep()
        self.watch()
        return reports, published, delivered

    @contextmanager
    def _watched(self, name: str) -> Iterator[None]:
        """Take note of whatever ends a job but a stop, and let it through."""
        try:
            yield
        except Interrupted:
            raise
        except Exception as error:
            self._watch.failed(name, error)
            raise


def collecting(site: str) -> str:
    """Return what the job that asks a site is called."""
    return f"collect {site}"


def tick(jobs: Mapping[str, Callable[[], object]], every: timedelta, stop: threading.Event) -> None:
    """Run the jobs at once and then again and again until `stop` is set; then let those that run finish."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": _LATE},
    )
    # Its own lines would tell of every tick and repeat every error.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for name, job in jobs.items():
        scheduler.add_job(
            _guarded(name, job),
            "interval",
            seconds=every.total_seconds(),
            id=name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    try:
        stop.wait()
    finally:
        stop.set()
        scheduler.shutdown(wait=True)


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            job()
        except Interrupted:
            log.info("%s was interrupted and will go on the next time", name)
        except PaperroundError as error:
            log.error("%s failed and will be tried again: %s", name, error)  # noqa: TRY400 our errors are sentences
        except Exception:
            log.exception("%s failed in a way we did not foresee and will be tried again", name)

    return run
