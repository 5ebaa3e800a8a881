"""Where everything is built: settings in, a house of ready objects out. Nobody else makes their own tools."""

import ssl
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, partial
from importlib.metadata import version
from types import TracebackType
from typing import Self

from digests.compose import Limits
from digests.links import Links
from digests.mail.bounces.verp import ReturnPaths
from digests.mail.farewell import Farewells
from digests.mail.lanes import Rates
from digests.mail.message import Identity
from digests.render import Frame, Renderer
from digests.transports.registry import transport_of
from digests.transports.transport import MailRoute, Transport
from domain.clock import Clock, SystemClock
from domain.errors import Interrupted
from paperround.readers import Desk
from paperround.settings_model import MailSettings, Settings
from paperround.signing import sign
from scrapers.configuring import SourceConfig
from scrapers.errands import Errands
from scrapers.fetch import Fetcher
from scrapers.pace import Ledger, Pace
from scrapers.registry import IMPORTED, build
from scrapers.source import Source
from storage.archive import Archive
from storage.census import Censuses
from storage.database import Database
from storage.fetches import Fetches
from storage.installation import Installation
from storage.issues import Issues
from storage.keeping import Ages, Keeping
from storage.lanes import Lanes as LaneRecords
from storage.letter_events import LetterEvents
from storage.news import Newsroom
from storage.outbox import Outbox
from storage.runs import Runs
from storage.search import Search
from storage.silences import Silences
from storage.sites import Sites
from storage.sources import Sources
from storage.space import Space
from storage.statistics import Statistics
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.topics import Topics
from storage.troubles import Troubles
from topics.query import parse
from worker.bounces import BounceDesk
from worker.collect import Collector
from worker.deliver import Deliverer
from worker.editing import Editor
from worker.gauge import Gauge
from worker.lanes import Lanes
from worker.liveness import is_alive, worker_name
from worker.match import Matcher
from worker.planning import Policy
from worker.postbox import Mailbox, Postbox
from worker.preview import Previewer
from worker.publish import Publisher
from worker.quiet import Manner as QuietManner
from worker.quiet import QuietNotes
from worker.reading import Reader
from worker.receipts import Receipts
from worker.reports import SOME_DAYS
from worker.road import OpenRoad, Road
from worker.schedule import Rounds, collecting, tick
from worker.sender import Manner
from worker.shortlist import Shortlister
from worker.sweep import Sweeper
from worker.watch import DELIVER, PUBLISH, Pulse, Watch

_PING_SECONDS = 5.0  # a stop waits for a ping that is under way
_LOOK = 0.1  # seconds between two looks at whether a stop is asked for


def identity_of(mail: MailSettings, secret: str) -> Identity:
    """Return who the letters come from; `secret` is the archive's, which keys their Message-IDs."""
    return Identity(mail.sender, mail.reply_to, bounce_domain=mail.bounce_domain, secret=secret)


class House:
    """Every object of one installation, built when it is first asked for, over one open database.

    A context manager; `stop` is the event that ends long work, `clock` is the machine's unless a test brings its own;
    with `upgrade` an older database is migrated wherever it is; with `database` that one is used, and closed with it.
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
        self.database = database or Database(settings.database.url, upgrade=upgrade)

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

    # -- storage -------------------------------------------------------------------------------------------------------

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
    def runs(self) -> Runs:
        """What ran, and how it ended."""
        return Runs(self.database)

    @cached_property
    def subscribers(self) -> Subscribers:
        """The readers."""
        return Subscribers(self.database)

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
    def outbox(self) -> Outbox:
        """The messages on their way out."""
        return Outbox(self.database)

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

    # -- letters -------------------------------------------------------------------------------------------------------

    @cached_property
    def links(self) -> Links | None:
        """The addresses in letters; None for a personal installation, which has no site."""
        web = self.settings.web
        return Links(web.base_url, web.secret_key) if web.base_url else None

    @cached_property
    def identity(self) -> Identity:
        """Who the letters come from."""
        return identity_of(self.settings.mail, self.letter_events.secret())

    @cached_property
    def sign(self) -> Callable[[bytes, datetime], str] | None:
        """What signs a letter as of an instant; None where letters are not signed."""
        return sign(self.settings.mail)

    @cached_property
    def labels(self) -> dict[str, str]:
        """What readers call the sources, by their configured names."""
        return {**IMPORTED, **{source.name: source.label for source in self.sources}}

    @cached_property
    def renderer(self) -> Renderer:
        """What turns digests into letters."""
        return Renderer(
            Frame(
                linked=self.links is not None,
                postal_address=self.settings.mail.postal_address,
                abstract_chars=self.settings.digest.abstract_chars,
                labels=self.labels,
            )
        )

    @cached_property
    def desk(self) -> Desk:
        """Where readers are added and changed."""
        return Desk(
            subscribers=self.subscribers,
            renderer=self.renderer,
            identity=self.identity,
            links=self.links,
            farewells=self.farewells,
            clock=self.clock,
        )

    @cached_property
    def farewells(self) -> Farewells:
        """What composes the letter to one who left."""
        return Farewells(self.renderer, self.identity, self.links)

    # -- what comes back -----------------------------------------------------------------------------------------------

    @cached_property
    def letter_events(self) -> LetterEvents:
        """What was heard of letters."""
        return LetterEvents(self.database)

    @cached_property
    def suppressions(self) -> Suppressions:
        """The addresses that must not be mailed."""
        return Suppressions(self.database)

    @cached_property
    def return_paths(self) -> ReturnPaths | None:
        """The envelope senders by which bounces are known; None where letters have but one."""
        domain = self.settings.mail.bounce_domain
        return ReturnPaths(domain, self.letter_events.secret()) if domain else None

    def envelope_sender(self, delivery_id: int) -> str:
        """Return the envelope sender of a delivery's letter."""
        return self.return_paths.address(delivery_id) if self.return_paths else self._own_address

    @cached_property
    def _own_address(self) -> str:
        return self.identity.address  # its domain is made into A-labels, which takes 20 µs: once, not for each letter

    @cached_property
    def bounce_desk(self) -> BounceDesk:
        """Where bounces and complaints are taken in."""
        return BounceDesk(events=self.letter_events, paths=self.return_paths, clock=self.clock)

    @cached_property
    def gauge(self) -> Gauge:
        """What stops the house when readers complain."""
        events = self.letter_events
        return Gauge(counts=events.counts, refused=events.refused, installation=self.installation)

    @cached_property
    def postbox(self) -> Postbox | None:
        """The mailbox that bounces come back to; None where none is set."""
        bounces = self.settings.bounces
        if not bounces.imap_host:
            return None
        mailbox = Mailbox(
            host=bounces.imap_host,
            port=bounces.imap_port,
            user=bounces.imap_user,
            password=bounces.imap_password,
            folder=bounces.imap_folder,
            every=bounces.imap_every,
        )
        return Postbox(
            mailbox=mailbox,
            desk=self.bounce_desk,
            context=ssl.create_default_context(),
            clock=self.clock,
            stop=self._stop,
        )

    # -- the four verbs ------------------------------------------------------------------------------------------------

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
        )

    @cached_property
    def previewer(self) -> Previewer:
        """What a query would have brought."""
        return Previewer(archive=self.archive, search=self.search, census=self.census.of, labels=self.labels)

    def receipts(self) -> Receipts:
        """The facts for the foot of the letters of one publish."""
        labels = [(source.name, source.label) for source in self.sources]
        return Receipts(sources=labels, runs=self.runs, issues=self.issues)

    def editor(self) -> Editor:
        """What edits the letters of one publish."""
        digest = self.settings.digest
        policy = Policy(
            limits=Limits(
                papers=digest.papers,
                per_topic=digest.per_topic,
                late_risers=digest.late_risers,
                trending=digest.trending,
            ),
            welcome_days=digest.welcome_days,
            max_age=timedelta(hours=self.settings.mail.max_age_hours),
        )
        parsed = lru_cache(maxsize=4096)(parse)  # many readers ask the same
        newsroom = Newsroom(self.database)
        return Editor(
            shortlister=Shortlister(archive=self.archive, newsroom=newsroom, policy=policy, parsed=parsed),
            receipts=self.receipts(),
            renderer=self.renderer,
            identity=self.identity,
            policy=policy,
            links=self.links,
            clock=self.clock,
            labels=self.labels,
            parsed=parsed,
        )

    @cached_property
    def publisher(self) -> Publisher:
        """Matches → letters."""
        return Publisher(
            issues=self.issues, editor=self.editor, quiet=self.quiet_notes, stopped=self.gauge.look, clock=self.clock
        )

    def quiet_notes(self) -> QuietNotes:
        """What writes the quiet notes of one publish."""
        return QuietNotes(
            silences=self.silences,
            receipts=self.receipts(),
            renderer=self.renderer,
            identity=self.identity,
            links=self.links,
            manner=QuietManner(
                after_days=self.settings.digest.quiet_note_after_days,
                max_age=timedelta(hours=self.settings.mail.max_age_hours),
            ),
            clock=self.clock,
        )

    @cached_property
    def lanes(self) -> LaneRecords:
        """How fast letters may leave, and what shut a lane, as it is remembered."""
        return LaneRecords(self.database)

    @cached_property
    def road(self) -> Road:
        """What limits delivering; nothing does where letters become files and no limit is set."""
        mail = self.settings.mail
        if mail.transport != "smtp" and mail.per_second is None and mail.per_hour is None:
            return OpenRoad()
        rates = Rates(
            per_second=mail.per_second,
            per_hour=mail.per_hour,
            retry_seconds=mail.retry_seconds,
            lease=timedelta(seconds=mail.lease_seconds),
        )
        return Lanes(
            records=self.lanes, rates=rates, worker=self._owner, is_alive=is_alive, hold=self.installation.pause
        )

    @cached_property
    def route(self) -> MailRoute:
        """Where letters go."""
        mail = self.settings.mail
        return MailRoute(
            transport=mail.transport,
            dir=mail.dir,
            host=mail.host,
            port=mail.port,
            tls=mail.tls,
            user=mail.user,
            password=mail.password,
            ehlo_name=mail.ehlo_name,
        )

    @cached_property
    def deliverer(self) -> Deliverer:
        """Letters → mailboxes."""
        mail = self.settings.mail
        return Deliverer(
            outbox=self.outbox,
            installation=self.installation,
            transport=self._transport or transport_of(self.route),
            manner=Manner(
                connections=mail.connections,
                lease=timedelta(seconds=mail.lease_seconds),
                retry_seconds=mail.retry_seconds,
                uncertain=mail.uncertain,
            ),
            road=self.road,
            sender=self.envelope_sender,
            sign=self.sign,
            clock=self.clock,
            worker=self._owner,
            stop=self._stop,
        )

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
            ),
            clock=self.clock,
            owner=self._owner,
            stop=self._stop,
        )

    @cached_property
    def rounds(self) -> Rounds:
        """The jobs, whole."""
        return Rounds(
            collector=self.collector,
            matcher=self.matcher,
            publisher=self.publisher,
            deliverer=self.deliverer,
            sweeper=self.sweeper,
            watch=self.watch,
            pulse=self.pulse,
            clock=self.clock,
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

    def tick(self, every: timedelta, stop: threading.Event) -> None:
        """Run the jobs again and again until `stop` is set."""
        rounds = self.rounds
        jobs: dict[str, Callable[[], object]] = {
            **{collecting(site): partial(rounds.collect, site) for site in rounds.sites},
            PUBLISH: rounds.publish,
            DELIVER: rounds.deliver,
            "sweep": rounds.sweep,
            "watch": rounds.watch,
            **({"bounces": self.postbox.read_due} if self.postbox else {}),
        }
        tick(jobs, every, stop)

    def _source_configs(self) -> list[SourceConfig]:
        return [
            SourceConfig(**{name: getattr(each, name) for name in type(each).model_fields})
            for each in self.settings.sources
        ]

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


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None
