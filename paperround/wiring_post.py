"""The side of a house that letters go out by, and bounces come back: matches → letters → mailboxes."""

import ssl
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from digests.compose import Limits
from digests.mail.bounces.verp import ReturnPaths
from digests.mail.lanes import Rates
from digests.transports.registry import transport_of
from digests.transports.transport import MailRoute
from paperround.readers import Desk
from paperround.settings_model import MailSettings
from paperround.wiring_letters import LettersSide
from storage.afterwards import Afterwards
from storage.news import Newsroom
from topics.query import parse
from worker.bounces import BounceDesk
from worker.closing import SourceClosings
from worker.deliver import Deliverer
from worker.editing import Editor
from worker.gauge import Gauge
from worker.lanes import Lanes
from worker.liveness import is_alive
from worker.planning import Policy
from worker.postbox import Mailbox, Postbox
from worker.publish import Publisher
from worker.quiet import Manner as QuietManner
from worker.quiet import QuietNotes
from worker.receipts import Receipts
from worker.road import OpenRoad, Road
from worker.sender import Manner
from worker.shortlist import Shortlister


def route_of(mail: MailSettings) -> MailRoute:
    """Return where letters go."""
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


class PostSide(LettersSide):
    """What writes letters, sends them, and hears what became of them."""

    @cached_property
    def desk(self) -> Desk:
        """Where readers are added and changed."""
        return Desk(
            subscribers=self.subscribers,
            changes=self.changes,
            outside=self.outside_signups,
            fresh_letters=self.fresh_letters,
            address_changes=self.address_changes,
            exports=self.exports,
            askings=self.askings,
            farewells=self.farewells,
            clock=self.clock,
        )

    # -- publishing ----------------------------------------------------------------------------------------------------

    @cached_property
    def publisher(self) -> Publisher:
        """Matches → letters."""
        return Publisher(
            issues=self.issues,
            looking=self.looking,
            editor=self.editor,
            quiet=self.quiet_notes,
            stopped=self.gauge.look,
            wake=self.waking.wake,
            closings=self.closings,
            learn=self.learner.learn,
            clock=self.clock,
        )

    def closings(self, now: datetime) -> SourceClosings:
        """Which sources have closed their day, for one publish."""
        parsed = lru_cache(maxsize=4096)(parse)
        return SourceClosings(self.sources, days=self.states.days_read, parsed=parsed, now=now)

    def editor(self) -> Editor:
        """What edits the letters of one publish."""
        digest = self.settings.digest
        policy = Policy(
            limits=Limits(
                papers=digest.papers,
                per_topic=digest.per_topic,
                late_risers=digest.late_risers,
                trending=digest.trending,
                like_saved=digest.like_saved,
                sent_news=digest.sent_news,
            ),
            welcome_days=digest.welcome_days,
            max_age=timedelta(hours=self.settings.mail.max_age_hours),
            window=timedelta(minutes=digest.window_minutes),
        )
        parsed = lru_cache(maxsize=4096)(parse)  # many readers ask the same
        newsroom = Newsroom(self.database)
        return Editor(
            shortlister=Shortlister(
                archive=self.archive,
                newsroom=newsroom,
                policy=policy,
                parsed=parsed,
                taster=self.taster(newsroom, policy),
                afterwards=Afterwards(self.database),
                nearness=self.nearness,
            ),
            receipts=self.receipts(),
            renderer=self.renderer,
            identity=self.identity,
            policy=policy,
            links=self.links,
            clock=self.clock,
            labels=self.labels,
            parsed=parsed,
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

    def receipts(self) -> Receipts:
        """The facts for the foot of the letters of one publish."""
        labels = [(source.name, source.label) for source in self.sources]
        return Receipts(sources=labels, runs=self.runs, issues=self.issues)

    # -- delivering ----------------------------------------------------------------------------------------------------

    @cached_property
    def route(self) -> MailRoute:
        """Where letters go."""
        return route_of(self.settings.mail)

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

    def envelope_sender(self, delivery_id: int) -> str:
        """Return the envelope sender of a delivery's letter."""
        return self.return_paths.address(delivery_id) if self.return_paths else self._own_address

    @cached_property
    def _own_address(self) -> str:
        return self.identity.address  # its domain is made into A-labels, which takes 20 µs: once, not for each letter

    @cached_property
    def return_paths(self) -> ReturnPaths | None:
        """The envelope senders by which bounces are known; None where letters have but one."""
        domain = self.settings.mail.bounce_domain
        return ReturnPaths(domain, self.letter_events.secret()) if domain else None

    # -- what comes back -----------------------------------------------------------------------------------------------

    @cached_property
    def bounce_desk(self) -> BounceDesk:
        """Where bounces and complaints are taken in."""
        return BounceDesk(
            events=self.letter_events, paths=self.return_paths, recorded=self.gauge.look, clock=self.clock
        )

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

    @cached_property
    def gauge(self) -> Gauge:
        """What stops the house when readers complain."""
        events = self.letter_events
        return Gauge(counts=events.counts, refused=events.refused, installation=self.installation)
