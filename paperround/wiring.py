"""Where everything is built: settings in, a house of ready objects out. Nobody else makes their own tools.

The stores and what else both sides need are built in wiring_ground.py, what brings papers in wiring_papers.py, what
sends letters in wiring_post.py; here the two sides meet, in the jobs.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from digests.links import CONFIRM_HOURS
from paperround.wiring_meaning import MeaningSide
from paperround.wiring_papers import PapersSide
from paperround.wiring_post import PostSide
from storage.keeping import Ages, Keeping
from storage.lending import Lending
from storage.passes import PassRecords
from worker.reports import SOME_DAYS
from worker.schedule import Rounds, collecting
from worker.sweep import Sweeper
from worker.tally import Tally
from worker.tasks import COLLECT, PLAN, QUEUES
from worker.tasks import DELIVER as SEND
from worker.ticking import tick
from worker.turns import Turns
from worker.watch import DELIVER, PUBLISH, Pulse, Watch

if TYPE_CHECKING:
    from worker.engine.engine import Engine
    from worker.engine.runner import Timing

_PING_SECONDS = 5.0  # a stop waits for a ping that is under way


class House(MeaningSide, PapersSide, PostSide):
    """Every object of one installation, built when it is first asked for, over one open database.

    A context manager; `stop` is the event that ends long work, `clock` is the machine's unless a test brings its own;
    with `upgrade` an older database is migrated wherever it is; with `database` that one is used, and closed with it.
    Raises StorageError when the database cannot be opened, SettingsError for a source that cannot be.
    """

    #: How often processes that share the work give signs of life; None for the usual.
    timing: "Timing | None" = None

    def __enter__(self) -> Self:
        """Return the open house."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self._closed.set()
        if "fetcher" in self.__dict__:
            self.fetcher.close()
        self.database.close()

    @cached_property
    def rounds(self) -> Rounds:
        """The jobs, whole."""
        return Rounds(
            collector=self.collector,
            reading=self.newcomers,
            matcher=self.matcher,
            learner=self.learner,
            publisher=self.publisher,
            deliverer=self.deliverer,
            sweeper=self.sweeper,
            watch=self.watch,
            pulse=self.pulse,
            tally=self.tally,
            clock=self.clock,
            stop=self._stop,
        )

    def work(self, every: timedelta, stop: threading.Event, queues: Sequence[str] = QUEUES) -> None:
        """Do what is to be done until `stop` is set; of what others do too, the tasks of these queues.

        Raises StorageError where the archive is another version's, or the queues cannot be used.
        """
        if self.engine is None:
            self.tick(every, stop)
        else:
            try:
                self.engine.work(queues, self.settings.worker.concurrency, every, stop, self._upkeep())
            finally:
                self.tally.leave()

    def tick(self, every: timedelta, stop: threading.Event) -> None:
        """Run the jobs, in this process alone, again and again until `stop` is set."""
        rounds = self.rounds
        jobs: dict[str, Callable[[], object]] = {
            **{collecting(site): partial(COLLECT.run, rounds, {"site": site}) for site in rounds.sites},
            PUBLISH: partial(PLAN.run, rounds, {}),
            DELIVER: partial(SEND.run, rounds, {}),
            **self._upkeep(),
        }
        try:
            tick(jobs, every, stop, check=self.database.check)
        finally:
            self.tally.leave()

    def _upkeep(self) -> dict[str, Callable[[], object]]:
        """Return what every process that works does beside the tasks; who does it is decided in the database."""
        rounds = self.rounds
        upkeep: dict[str, Callable[[], object]] = {"sweep": rounds.sweep, "watch": rounds.watch}
        if self.postbox is not None:
            turns = Turns(
                runs=self.runs,
                job="bounces",
                every=self.settings.bounces.imap_every,
                owner=self._owner,
                clock=self.clock,
            )
            upkeep["bounces"] = partial(turns.take, self.postbox.round)
        return upkeep

    @cached_property
    def engine(self) -> "Engine | None":
        """What hands out work to many processes; None where there is but this one."""
        if self.announcer is None:
            return None
        from worker.engine.engine import Engine  # noqa: PLC0415 Procrastinate is loaded only where it is used

        return Engine(
            rounds=self.rounds,
            lending=Lending(self.database),
            announcer=self.announcer,
            check=self.database.check,
            timing=self.timing,
        )

    def install_queues(self) -> bool:
        """Make, or bring up to date, the queues that many processes share; return whether there was anything to do."""
        if self.announcer is None:
            return False
        from worker.engine.schema import install  # noqa: PLC0415 Procrastinate is loaded only where it is used

        return install(Lending(self.database), upgrade=True)

    @cached_property
    def tally(self) -> Tally:
        """What keeps what passes did."""
        return Tally(records=PassRecords(self.database), clock=self.clock, owner=self._owner)

    @cached_property
    def sweeper(self) -> Sweeper:
        """What lets go of the old."""
        keep = self.settings.keep
        return Sweeper(
            keeping=Keeping(self.database, by_hand=SOME_DAYS),
            space=self.space,
            runs=self.runs,
            ages=Ages(
                issues=_days(keep.issues_days),
                replies=_days(keep.replies_days),
                pending=_days(keep.pending_days),
                runs=_days(keep.runs_days),
                bounces=_days(keep.bounces_days),
                addresses=timedelta(hours=CONFIRM_HOURS),
            ),
            clock=self.clock,
            owner=self._owner,
            stop=self._stop,
        )

    @cached_property
    def watch(self) -> Watch:
        """What tells the operator."""
        return Watch(
            troubles=self.troubles,
            sources=[source.name for source in self.sources],
            email=self.settings.operator.email,
            renderer=self.renderer,
            identity=self.identity,
            clock=self.clock,
        )

    @cached_property
    def pulse(self) -> Pulse:
        """What tells a monitor."""
        return Pulse(
            url=self.settings.operator.ping_url,
            get=partial(self.errands.get, seconds=_PING_SECONDS),
            jobs=[*map(collecting, self.collector.sites), PUBLISH, DELIVER],
            is_calm=self.watch.is_calm,
            clock=self.clock,
        )


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None
