"""What the operator's page asks of a house: one look at everything, and the acts of the commands of the same names."""

from datetime import datetime, timedelta
from importlib.metadata import version
from threading import Lock

from domain.operations import Look, Standing
from domain.subscriptions import Subscriber, SubscriberState, Subscription
from paperround.wiring import House
from scrapers.source import Source
from storage.installation import PAUSED
from storage.issues import LastIssue, Reader
from storage.space import room_at
from storage.statistics import PerDay
from web.app import PageGroup
from web.operations.metrics import MetricsPages
from web.operations.pages import OperationsPages
from web.operations.sign_in import Door, Stamp
from web.operations.today import count, next_letters
from web.operations.values import Figures, SourceLine, View
from web.origins import Origins
from web.rendering import Rendering
from worker.dueness import next_due, patience
from worker.planning import due
from worker.reports import SOME_DAYS

_ANY_TOPIC = Subscription(topic_id=0, name="", query="", position=0)
_SEEN_FOR = timedelta(seconds=10)  # a look takes seconds where readers are many, and programs ask for it too
_LATELY = timedelta(days=8)  # of a source's days; the newest of them is shown


def operating_pages(house: House, rendering: Rendering) -> list[PageGroup]:
    """Return the operator's pages."""
    web = house.settings.web
    public = Origins(web.base_url).is_public
    desk, door = OperatorsDesk(house), Door(web.operator_password, rendering)
    return [OperationsPages(desk, door, Stamp(web.secret_key), rendering), MetricsPages(desk, door, public=public)]


class OperatorsDesk:
    """The house, as its operator sees and moves it; what it says is declared in web/operations/values.py."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seen: tuple[datetime, Look] | None = None
        self._looking = Lock()
        self._counted: tuple[datetime, Figures] | None = None
        self._counting = Lock()

    def now(self) -> datetime:
        """Return the present instant."""
        return self._house.clock.now()

    def view(self) -> View:
        """Return how things stand."""
        house, now = self._house, self.now()
        look = self._look(now)
        return View(
            now=now,
            look=look,
            today=count(look.standings, now, is_due),
            hold=house.installation.hold(),
            troubles=house.troubles.all(),
            sources=tuple(self._source(each, now) for each in house.sources),
            next_letters=next_letters(look.standings, now),
        )

    def days(self, number: int) -> PerDay:
        """Return what happened on each of the last days."""
        last = self.now().date()
        return self._house.statistics.per_day(last - timedelta(days=number - 1), last)

    def figures(self) -> Figures:
        """Return what only programs ask for, of the last ten seconds."""
        house, now = self._house, self.now()
        with self._counting:
            if self._counted is None or not self._counted[0] <= now < self._counted[0] + _SEEN_FOR:
                file = house.database.file
                found = Figures(
                    sizes=house.operations.sizes(),
                    works=house.works.look(now),
                    version=version("paperround"),
                    disk_free=room_at(file.parent) if file else None,
                )
                self._counted = (now, found)
            return self._counted[1]

    def collect(self) -> None:
        """Let every source be asked as soon as a worker looks, in this process or another."""
        self._house.states.wish(self.now())
        self._look_again()

    def pause(self, reason: str) -> None:
        """Hold every letter; what holds them already stays."""
        self._house.installation.pause(self.now(), f"{PAUSED}: {reason}" if reason else PAUSED)
        self._look_again()

    def resume(self) -> None:
        """Let letters leave again; raises UsageError for a copy that is not whole."""
        self._house.installation.resume(self.now())
        self._look_again()

    def resolve(self, delivery_id: int, *, sent: bool) -> None:
        """Say what became of an uncertain letter; raises UnknownError, UsageError."""
        self._house.outbox.resolve(delivery_id, self.now(), sent=sent)
        self._look_again()

    def _look(self, now: datetime) -> Look:
        """Return a look of the last ten seconds; of many who ask at once one looks, and the others wait for it."""
        with self._looking:
            if self._seen is None or not self._seen[0] <= now < self._seen[0] + _SEEN_FOR:
                self._seen = (now, self._house.operations.look(now))
            return self._seen[1]

    def _look_again(self) -> None:
        """Let the page that follows a button show what it did."""
        with self._looking:
            self._seen = None

    def _source(self, source: Source, now: datetime) -> SourceLine:
        house = self._house
        last = house.runs.latest(f"collect:{source.name}", but=SOME_DAYS)
        days = house.fetches.days(source.name, now.date() - _LATELY)
        newest = max(days, key=lambda each: (each.listed > 0, each.day), default=None)
        return SourceLine(
            name=source.name,
            status=last.status if last else "",
            error=last.error if last else "",
            last_good=house.fetches.last_good(source.name),
            day=newest.day if newest else None,
            listed=newest.listed if newest else 0,
            new=newest.new if newest else 0,
            next_visit=next_due(last, source) if last else None,
            is_patient=last is not None and patience(last) is not None,
        )


def is_due(standing: Standing, now: datetime) -> bool:
    """Whether readers who stand alike are due a letter that was not made: as planning decides it."""
    last = None
    if standing.slot is not None and standing.cutoff is not None:
        last = LastIssue(slot=standing.slot, cutoff=standing.cutoff, created_at=standing.cutoff)
    reader = Subscriber(
        id=0,
        public_id="",
        email="",
        state=SubscriberState.CONFIRMED,
        schedule=standing.schedule,
        shared=False,
        confirmed_at=None,
        joined_at=last.created_at + timedelta(seconds=1) if last and standing.came_back else None,
        subscriptions=(_ANY_TOPIC,) if standing.has_topics else (),
        away_since=now if standing.is_back else None,
    )
    return standing.confirmed and due(Reader(reader, last, standing.looked_at), now) is not None
