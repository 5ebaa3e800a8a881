"""What the operator's page asks of a house: one look at everything, and the acts of the commands of the same names."""

from datetime import datetime, timedelta

from domain.operations import Sizes, Standing
from domain.subscriptions import Subscriber, SubscriberState, Subscription
from paperround.wiring import House
from scrapers.source import Source
from storage.installation import PAUSED
from storage.issues import LastIssue, Reader
from storage.statistics import PerDay
from web.app import PageGroup
from web.operations.metrics import MetricsPages
from web.operations.pages import OperationsPages
from web.operations.sign_in import Door, Stamp
from web.operations.today import count, next_letters
from web.operations.values import SourceLine, View
from web.origins import Origins
from web.rendering import Rendering
from worker.dueness import next_due
from worker.planning import due
from worker.reports import SOME_DAYS

_ANY_TOPIC = Subscription(topic_id=0, name="", query="", position=0)
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

    def now(self) -> datetime:
        """Return the present instant."""
        return self._house.clock.now()

    def view(self) -> View:
        """Return how things stand."""
        house, now = self._house, self.now()
        look = house.operations.look(now)
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

    def sizes(self) -> Sizes:
        """Return how much is kept."""
        return self._house.operations.sizes()

    def collect(self) -> None:
        """Let every source be asked as soon as a worker looks, in this process or another."""
        self._house.states.wish(self.now())

    def pause(self, reason: str) -> None:
        """Hold every letter; what holds them already stays."""
        self._house.installation.pause(self.now(), f"{PAUSED}: {reason}" if reason else PAUSED)

    def resume(self) -> None:
        """Let letters leave again; raises UsageError for a copy that is not whole."""
        self._house.installation.resume(self.now())

    def resolve(self, delivery_id: int, *, sent: bool) -> None:
        """Say what became of an uncertain letter; raises UnknownError, UsageError."""
        self._house.outbox.resolve(delivery_id, self.now(), sent=sent)

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
            next_visit=next_due(last, source.every) if last else None,
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
    )
    return standing.confirmed and due(Reader(reader, last, standing.looked_at), now) is not None
