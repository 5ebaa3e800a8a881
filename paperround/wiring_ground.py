"""What both sides of a house stand on: settings, clock, sources, and the stores over one open database."""

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from digests.transports.transport import Transport
from domain.clock import Clock, SystemClock
from paperround.settings_model import Settings
from scrapers.configuring import SourceConfig
from scrapers.pace import Ledger
from scrapers.registry import IMPORTED, build
from scrapers.source import Source
from storage.address_changes import AddressChanges
from storage.archive import Archive
from storage.census import Censuses
from storage.changing import Changes
from storage.database import Database
from storage.exporting import Exports
from storage.fetches import Fetches
from storage.fresh_letters import FreshLetters
from storage.installation import Installation
from storage.issues import Issues
from storage.lanes import Lanes as LaneRecords
from storage.letter_events import LetterEvents
from storage.looking import Looking
from storage.operations import Operations
from storage.outbox import Outbox
from storage.outside import OutsideSignups
from storage.runs import Runs
from storage.search import Search
from storage.shared_topics import SharedTopics
from storage.silences import Silences
from storage.sources import Sources
from storage.space import Space
from storage.statistics import Statistics
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.topics import Topics
from storage.troubles import Troubles
from storage.waking import Waking
from storage.works import WorksRecords
from worker.liveness import worker_name
from worker.nearness import Nearness

if TYPE_CHECKING:
    from worker.engine.queueing import Announcer


class Ground:
    """Settings in; the sources, and whatever keeps something in the database, out; each is built when it is asked for.

    Raises StorageError when the database cannot be opened, SettingsError for a source that cannot be.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: threading.Event | None = None,
        clock: Clock | None = None,
        transport: Transport | None = None,
        ledger: Ledger | None = None,
        upgrade: bool = False,
        database: Database | None = None,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._stop = stop or threading.Event()
        self._closed = threading.Event()
        self._transport = transport
        self._ledger = ledger
        self._owner = worker_name()
        self.sources: tuple[Source, ...] = tuple(build(config) for config in self._source_configs())
        self.database = database or Database(settings.database.url, upgrade=upgrade, announce=self.announcer)

    @cached_property
    def nearness(self) -> Nearness | None:
        """How near papers are in meaning to what topics ask; None where papers are not read for their meaning."""
        return None

    @cached_property
    def announcer(self) -> "Announcer | None":
        """What tells the workers of queued letters; None where there is but this process."""
        if self.settings.worker.engine == "embedded":
            return None
        from worker.engine.queueing import Announcer  # noqa: PLC0415 Procrastinate is loaded only where it is used

        return Announcer(self.settings.worker.deliveries)

    @cached_property
    def archive(self) -> Archive:
        """The papers."""
        return Archive(self.database)

    @cached_property
    def states(self) -> Sources:
        """How far the sources were read."""
        return Sources(self.database)

    @cached_property
    def fetches(self) -> Fetches:
        """Every answer that a source gave."""
        return Fetches(self.database)

    @cached_property
    def search(self) -> Search:
        """The archive's full-text search."""
        return Search(self.database)

    @cached_property
    def statistics(self) -> Statistics:
        """What happened day by day."""
        return Statistics(self.database)

    @cached_property
    def works(self) -> WorksRecords:
        """How the machinery stands."""
        return WorksRecords(self.database)

    @cached_property
    def operations(self) -> Operations:
        """How things stand, for the operator."""
        return Operations(self.database)

    @cached_property
    def runs(self) -> Runs:
        """What ran, and how it ended."""
        return Runs(self.database)

    @cached_property
    def subscribers(self) -> Subscribers:
        """The readers."""
        return Subscribers(self.database)

    @cached_property
    def changes(self) -> Changes:
        """What readers change of their own letters."""
        return Changes(self.database)

    @cached_property
    def outside_signups(self) -> OutsideSignups:
        """The sign-ups on the site."""
        return OutsideSignups(self.database, per_hour=self.settings.web.signups_per_hour)

    @cached_property
    def exports(self) -> Exports:
        """Everything that is kept of one reader."""
        return Exports(self.database)

    @cached_property
    def fresh_letters(self) -> FreshLetters:
        """The letters with a fresh link."""
        return FreshLetters(self.database)

    @cached_property
    def address_changes(self) -> AddressChanges:
        """Readers who move to another address."""
        return AddressChanges(self.database, per_hour=self.settings.web.signups_per_hour)

    @cached_property
    def shared_topics(self) -> SharedTopics:
        """The topics that have a page."""
        return SharedTopics(self.database)

    @cached_property
    def census(self) -> Censuses:
        """What scores ask of the whole archive."""
        return Censuses(self.database)

    @cached_property
    def topics(self) -> Topics:
        """The distinct topics."""
        return Topics(self.database)

    @cached_property
    def issues(self) -> Issues:
        """The dated letters."""
        return Issues(self.database)

    @cached_property
    def looking(self) -> Looking:
        """When readers are looked at again."""
        return Looking(self.database)

    @cached_property
    def waking(self) -> Waking:
        """Readers whose pause is over."""
        return Waking(self.database)

    @cached_property
    def outbox(self) -> Outbox:
        """The messages on their way out."""
        return Outbox(self.database)

    @cached_property
    def lanes(self) -> LaneRecords:
        """How fast letters may leave, and what shut a lane, as it is remembered."""
        return LaneRecords(self.database)

    @cached_property
    def space(self) -> Space:
        """The room that the archive takes."""
        return Space(self.database)

    @cached_property
    def installation(self) -> Installation:
        """Where the archive lives, and whether it may send."""
        return Installation(self.database)

    @cached_property
    def silences(self) -> Silences:
        """Why readers got no letter."""
        return Silences(self.database)

    @cached_property
    def troubles(self) -> Troubles:
        """What is broken."""
        return Troubles(self.database)

    @cached_property
    def letter_events(self) -> LetterEvents:
        """What was heard of letters."""
        return LetterEvents(self.database)

    @cached_property
    def suppressions(self) -> Suppressions:
        """The addresses that must not be mailed."""
        return Suppressions(self.database)

    @cached_property
    def labels(self) -> dict[str, str]:
        """What readers call the sources, by their configured names."""
        return {**IMPORTED, **{source.name: source.label for source in self.sources}}

    def _source_configs(self) -> list[SourceConfig]:
        return [
            SourceConfig(**{name: getattr(each, name) for name in type(each).model_fields})
            for each in self.settings.sources
        ]
