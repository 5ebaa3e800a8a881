"""The work of one process where many share it: it ticks, and does the tasks of its queues.

    every tick   is there anything to do? → into the queues, unless it waits or runs there already
                 tasks of workers that are gone → they wait again
                 upkeep: the sweep of the day, the watch, the mailbox of bounces; each is claimed in the database
    meanwhile    the tasks of this process's queues are done (runner.py)

Any process may die at any moment, and any may tick: what is true stands in the database, a task is but a nudge.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from domain.issues import PublishCounts
from storage.lending import Lending
from worker.engine import schema
from worker.engine.queueing import Announcer, Queues, relay
from worker.engine.runner import Runner, Timing
from worker.schedule import Rounds, collecting
from worker.tasks import COLLECT, DELIVER, PLAN
from worker.ticking import tick
from worker.watch import DELIVER as DELIVERING
from worker.watch import PUBLISH as PUBLISHING


class Engine:
    """Hands out the work of one database, and does its part of it."""

    def __init__(
        self,
        *,
        rounds: Rounds,
        lending: Lending,
        announcer: Announcer,
        check: Callable[[], object],
        timing: Timing | None = None,
    ) -> None:
        """`check` raises DatabaseTooNew or DatabaseTooOld once the schema is another version's."""
        self._rounds = rounds
        self._lending = lending
        self._announcer = announcer
        self._queues = Queues(lending, announcer)
        self._check = check
        self._timing = timing or Timing()

    def work(
        self,
        queues: Sequence[str],
        concurrency: int,
        every: timedelta,
        stop: threading.Event,
        upkeep: Mapping[str, Callable[[], object]],
    ) -> None:
        """Tick, and do the tasks of these queues, until `stop`; then let end what runs.

        Raises StorageError where the queues cannot be used at all, or the schema is another version's now.
        """
        schema.install(self._lending, upgrade=False)
        runner = Runner(
            address=self._lending.address,
            queues=queues,
            concurrency=concurrency,
            jobs=_Handing(self._rounds, self._announcer),
            check=self._check,
            stop=stop,
            timing=self._timing,
        )
        running = threading.Thread(target=runner.run, name="engine")
        running.start()
        try:
            tick({**self._ticks(), **upkeep, "sweep": self._sweep}, every, stop, check=self._check)
        finally:
            stop.set()
            running.join()
        if runner.error is not None:
            raise runner.error

    def _ticks(self) -> dict[str, Callable[[], object]]:
        return {
            "engine": partial(self._queues.take_over, self._timing.silence),
            **{collecting(site): partial(self._look_for_pages, site) for site in self._rounds.sites},
            PUBLISHING: self._look_for_readers,
            DELIVERING: self._look_for_letters,
        }

    def _look_for_pages(self, site: str) -> None:
        if self._rounds.has_to_collect(site):
            name = collecting(site)
            self._queues.ask(COLLECT, {"site": site}, name=name, lock=name)

    def _look_for_readers(self) -> None:
        if self._rounds.has_to_plan():
            self._queues.ask(PLAN, {}, name=PLAN.name, lock=PLAN.name)

    def _look_for_letters(self) -> None:
        """Ask for a pass over all that is due: what was put off, and whatever nobody was told of."""
        if self._rounds.has_to_deliver():
            self._queues.ask(DELIVER, {}, name=DELIVER.name, lock=relay(0))

    def _sweep(self) -> None:
        if self._rounds.sweep() is not None:
            self._queues.clear()


class _Handing:
    """The jobs, but that planning hands readers out instead of planning them itself."""

    def __init__(self, rounds: Rounds, announcer: Announcer) -> None:
        self._announcer = announcer
        self.collect = rounds.collect
        self.publish_for = rounds.publish_for
        self.deliver = rounds.deliver
        self._hand_out = rounds.hand_out

    def plan(self) -> PublishCounts:
        """Match what is new, and hand out the readers who may be due."""
        return self._hand_out(self._announcer.hand_out)
