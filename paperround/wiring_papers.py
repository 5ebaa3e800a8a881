"""The side of a house that papers come in by: pages → papers, papers × topics."""

import threading
import time
from functools import cached_property
from importlib.metadata import version

from domain.errors import Interrupted
from paperround.wiring_ground import Ground
from scrapers.errands import Errands
from scrapers.fetch import Fetcher
from scrapers.pace import Pace
from storage.sites import Sites
from worker.collect import Collector
from worker.liveness import is_alive
from worker.match import Matcher
from worker.preview import Previewer
from worker.reading import Reader

_LOOK = 0.1  # seconds between two looks at whether a stop is asked for


class PapersSide(Ground):
    """What fetches, collects and matches."""

    @cached_property
    def fetcher(self) -> Fetcher:
        """The only socket for pages."""
        fetcher = Fetcher(
            contact=self.settings.collect.contact,
            version=version("paperround"),
            pace=self.pace,
            sleep=self._sleep,
            now=self.clock.now,
            proxy=self.settings.collect.proxy or None,
            allow_private_hosts=self.settings.collect.allow_private_hosts,
        )
        threading.Thread(target=self._abandon_when_stopped, args=(fetcher,), daemon=True).start()
        return fetcher

    @cached_property
    def pace(self) -> Pace:
        """When a site may be asked; in true time, whatever the house's clock says: other processes keep it too."""
        return Pace(
            ledger=self._ledger or Sites(self.database),
            clock=time.time,
            sleep=self._sleep,
            owner=self._owner,
            is_alive=is_alive,
        )

    @cached_property
    def errands(self) -> Errands:
        """Small errands beside the collecting: the monitor's ping, a provider's certificate."""
        collect = self.settings.collect
        return Errands(
            contact=collect.contact,
            version=version("paperround"),
            now=self.clock.now,
            proxy=collect.proxy,
            allow_private_hosts=collect.allow_private_hosts,
        )

    @cached_property
    def collector(self) -> Collector:
        """Pages → papers."""
        return Collector(
            sources=self.sources,
            reader=self.reader,
            archive=self.archive,
            states=self.states,
            fetches=self.fetches,
            runs=self.runs,
            clock=self.clock,
            owner=self._owner,
            stop=self._stop,
        )

    @cached_property
    def reader(self) -> Reader:
        """One source, one visit."""
        return Reader(
            fetcher=self.fetcher,
            archive=self.archive,
            sources=self.states,
            fetches=self.fetches,
            patience=self.pace,
            clock=self.clock,
            keep=self.settings.keep.raw_pages,
        )

    @cached_property
    def matcher(self) -> Matcher:
        """Papers × topics."""
        return Matcher(
            archive=self.archive,
            topics=self.topics,
            census=self.census.of,
            welcome_days=self.settings.digest.welcome_days,
            nearness=self.nearness,
        )

    @cached_property
    def previewer(self) -> Previewer:
        """What a query would have brought."""
        return Previewer(
            archive=self.archive,
            search=self.search,
            census=self.census.of,
            labels=self.labels,
            nearness=self.nearness,
        )

    def _abandon_when_stopped(self, fetcher: Fetcher) -> None:
        """Let nobody wait for a host that dawdles once a stop is asked for."""
        while not self._closed.wait(_LOOK):
            if self._stop.is_set():
                fetcher.abandon()
                return

    def _sleep(self, seconds: float) -> None:
        """Wait; raises Interrupted when a stop is asked for."""
        if self._stop.wait(seconds):
            raise Interrupted("stopped while waiting for a source's turn; it will be asked the next time")
