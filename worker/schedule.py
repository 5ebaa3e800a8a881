"""What happens when: the jobs, each as often as there may be something to do.

    collect   asks the sources whose interval has come round, each site in a job of its own
    publish   matches what is new, learns of what readers saved, then freezes a letter for every reader whose slot has
              opened
    deliver   sends what is due
    sweep     once a day lets go of what is old
    watch     tells the operator of what stays broken, and a monitor that a round was complete (watch.py)

They tick in memory (ticking.py). Whether there is anything to do, and who does it, is decided in the database by
unique keys, claimed run rows and leases: a tick that comes twice, late, or in two processes does no harm. Each job
begins with a cheap look, for nearly every tick finds nothing. Where many machines share the work, ticks only look, and
the same jobs are done by whoever serves their queue (engine/).
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from domain.clock import Clock
from domain.deliveries import DeliveryCounts
from domain.errors import Interrupted
from domain.issues import PublishCounts
from worker.collect import Collector
from worker.deliver import Deliverer
from worker.embedding import Newcomers
from worker.learn import Learner
from worker.match import Matcher, MatchReport
from worker.publish import Publisher
from worker.reports import SourceReport
from worker.sweep import Sweeper, SweepReport
from worker.tally import Tally
from worker.watch import DELIVER, PUBLISH, Pulse, Watch

log = logging.getLogger("paperround.worker")
_PATIENCE = timedelta(minutes=10)  # after a start; a slow site's papers come with the next letter
# After which readers are handed out again of whom nothing was heard: longer than their turn may take to come.
_LEASE = timedelta(minutes=15)


class Rounds:
    """The jobs, whole: each does whatever is due at the clock's present instant."""

    def __init__(
        self,
        *,
        collector: Collector,
        reading: Newcomers,
        matcher: Matcher,
        learner: Learner,
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
        self._reading = reading
        self._matcher = matcher
        self._learner = learner
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
            matched = self._match()
            now = self._clock.now()
            self._learner.learn(now)
            counts = self._publish(now) if self._publisher.is_due(now) else PublishCounts()
        self._published(counts)
        return matched, counts

    def plan(self) -> tuple[MatchReport, PublishCounts]:
        """Match and publish, as one task of this process alone."""
        return self.publish()

    def hand_out(self, enqueue: Callable[[Any, Sequence[int]], None]) -> PublishCounts:
        """Match what is new, then hand the readers who may be due to whoever publishes for them.

        `enqueue` is called with the driver's own connection and their numbers, within the transaction that claims them.
        """
        with self._watched(PUBLISH):
            self._match()
            self._learner.learn(self._clock.now())
            held = self._publisher.hand_out(self._clock.now(), _LEASE, enqueue)
        if held:
            self._watch.published(PublishCounts(held=held))
        return PublishCounts(held=held)

    def publish_for(self, readers: Sequence[int]) -> PublishCounts:
        """Freeze the letters of those of these readers who are due."""
        with self._watched(PUBLISH):
            counts = self._publish(self._clock.now(), readers)
        self._published(counts)
        return counts

    def has_to_collect(self, site: str) -> bool:
        """Whether a source of the site is due; cheap."""
        return self._looked(collecting(site), is_due=self._collector.is_due(site))

    def has_to_plan(self) -> bool:
        """Whether anything is to be matched or anybody to be looked at, and it is time for it; cheap.

        After a start it waits until no source is due any more, whoever asks it, or for a while, as `publish` does.
        """
        now = self._clock.now()
        if (now < self._began + _PATIENCE and self._collector.is_due()) or not self._collector.has_read():
            return False
        return self._looked(
            PUBLISH,
            is_due=self._matcher.is_due()
            or self._learner.is_due()
            or self._publisher.is_due(now)
            or self._reading.is_due(),
        )

    def has_to_deliver(self) -> bool:
        """Whether a letter may leave; what dead workers held is taken over first."""
        with self._watched(DELIVER):
            return self._looked(DELIVER, is_due=self._deliverer.is_due())

    def _looked(self, name: str, *, is_due: bool) -> bool:
        """Take note that nothing is to be done, which is as good as having done it."""
        if not is_due:
            self._pulse.ran(name)
        return is_due

    def _match(self) -> MatchReport:
        self._reading.read()
        if not self._matcher.is_due():
            return MatchReport(papers=0, topics=0, matches=0, new_topics=0)
        matched = self._tally.match(lambda: self._matcher.match(self._clock.now()))
        if matched.papers or matched.new_topics:
            log.info("match: %d papers, %d topics, %d matches", matched.papers, matched.topics, matched.matches)
        return matched

    def _publish(self, now: datetime, readers: Sequence[int] | None = None) -> PublishCounts:
        return self._tally.publish(lambda: self._publisher.publish(now, readers=readers))

    def _published(self, counts: PublishCounts) -> None:
        if counts.issues or counts.quiet:
            log.info(
                "publish: %d of %d due readers get a letter, %d a quiet note", counts.issues, counts.due, counts.quiet
            )
        self._watch.published(counts)
        self._pulse.ran(PUBLISH)

    def deliver(self, among: Sequence[int] | None = None) -> DeliveryCounts:
        """Send what is due; of these deliveries alone, where they are named."""
        with self._watched(DELIVER):
            counts = self._tally.deliver(lambda: self._deliverer.deliver(among=among))
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
        self._look_around()

    def _look_around(self) -> None:
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
        self._look_around()  # no sign of life: this process ends now
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
