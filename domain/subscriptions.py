"""Readers: who gets a digest, and when the next one is due."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.errors import UsageError
from domain.issues import Slot

MOST_PAPERS = 100  # in full in one letter or under one topic, whoever chooses
MOST_BESIDE = 20  # late risers or trending papers in one letter
LONGEST_PAUSE = timedelta(days=366)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


#: What stands for an hour where letters leave once a reader's sources have closed their day.
READY = "ready"
LATEST = 12  # the hour at which such a letter leaves at the latest, where none is named


class SubscriberState(StrEnum):
    """What may be mailed to an address."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"

    @property
    def is_gone(self) -> bool:
        """Whether no letter comes, and none is waited for."""
        return self in {SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED}


#: The states of who agreed to letters and has not left, whether or not they pause.
REACHED = frozenset({SubscriberState.CONFIRMED, SubscriberState.PAUSED})
#: The states of who may ask for a link to what is kept of them: it stays when they leave, until they have it erased.
MAY_ASK = REACHED | {SubscriberState.UNSUBSCRIBED}


class Cadence(StrEnum):
    """How often a digest comes."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a reader's digest leaves, in the reader's own zone."""

    every: Cadence = Cadence.DAY
    weekday: int = 0  #: 0 is Monday; used weekly only
    hour: int = 7  #: 0 to 23; where it is `ready`, the latest
    zone: str = "UTC"  #: IANA name
    ready: bool = False  #: the letter leaves once the reader's sources have closed their day, at `hour` at the latest

    def __post_init__(self) -> None:
        """Refuse what no clock shows; raises UsageError."""
        if not 0 <= self.hour <= 23:
            message = f"hour must be 0 to 23, not {self.hour}"
            raise UsageError(message)
        if not 0 <= self.weekday <= 6:
            message = f"weekday must be one of {', '.join(WEEKDAYS)}"
            raise UsageError(message)
        zone_of(self.zone)

    def slot(self, now: datetime) -> Slot:
        """Return the slot that `now` (aware) falls into: the local date, or the ISO week."""
        return self._slot_of(now.astimezone(zone_of(self.zone)).date(), now)

    def due_slot(self, now: datetime) -> tuple[Slot, datetime]:
        """Return the slot that opened last, and when that was (UTC).

        Before the hour of the present slot that is the one before, so that a machine which is off at a reader's hour
        still sends when it is on again.
        """
        there = now.astimezone(zone_of(self.zone))
        # In an hour that comes again, over midnight, the next day has begun once already.
        day = there.date() + self._step * there.fold
        while (opened := self._opens_in_slot_of(day)) is None or opened > now:
            day -= self._step
        return self._slot_of(day, now), opened

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant after `now` (aware) at which a slot opens, in UTC."""
        day = now.astimezone(zone_of(self.zone)).date()
        while (opens := self._opens_in_slot_of(day)) is None or opens <= now:
            day += self._step
        return opens

    @property
    def _step(self) -> timedelta:
        return timedelta(days=1 if self.every is Cadence.DAY else 7)

    def _slot_of(self, day: date, now: datetime) -> Slot:
        label = day.isoformat()
        if self.every is Cadence.WEEK:
            year, week, _ = day.isocalendar()
            label = f"{year}-W{week:02}"
        return Slot(label=label, zone=self.zone, day=now.astimezone(zone_of(self.zone)).date())

    def opens(self, now: datetime) -> datetime:
        """Return the first instant at which the slot of `now` is due, in UTC.

        An hour that does not exist (the spring gap) opens at the first instant after it; one that comes twice, at the
        first of the two.
        """
        opens = self._opens_in_slot_of(now.astimezone(zone_of(self.zone)).date())
        return now.astimezone(UTC) if opens is None else opens  # today is never a day that was skipped

    def _opens_in_slot_of(self, day: date) -> datetime | None:
        """Return when the slot of a local date opens; None for a day that the zone never had, which has no slot."""
        if self.every is Cadence.WEEK:
            day += timedelta(days=self.weekday - day.weekday())
        wall = datetime(day.year, day.month, day.day, self.hour, tzinfo=zone_of(self.zone))
        opens = _first_instant(wall)
        # Only where the hour was skipped can the day have been, too.
        if self.every is Cadence.DAY and opens.astimezone(wall.tzinfo).date() != day:
            midnight = _first_instant(wall.replace(hour=0))
            if midnight.astimezone(wall.tzinfo).date() != day:
                return None
        return opens


def _first_instant(wall: datetime) -> datetime:
    """Return the first instant (UTC) at which clocks of its zone show `wall` or, where they skip it, anything later."""
    opens = wall.astimezone(UTC)  # the first of two: `wall` has no fold
    if opens.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return opens
    # In a gap zoneinfo reads a time with the offset from before it, or after it with fold: the gap ends between these.
    early, late = int(wall.replace(fold=1).timestamp()), int(opens.timestamp())
    while early + 1 < late:
        middle = (early + late) // 2
        there = datetime.fromtimestamp(middle, wall.tzinfo).replace(tzinfo=None)
        early, late = (early, middle) if there >= wall.replace(tzinfo=None) else (middle, late)
    return datetime.fromtimestamp(late, UTC)


@dataclass(frozen=True, slots=True)
class Choices:
    """How many papers a reader wants in a letter; None is what the installation's settings say."""

    papers: int | None = None  #: in full under all topics
    per_topic: int | None = None
    late_risers: int | None = None
    trending: int | None = None
    like_saved: int | None = None
    sent_news: int | None = None

    def __post_init__(self) -> None:
        """Refuse what the settings would refuse; raises UsageError."""
        for name, least, most in (
            ("papers", 1, MOST_PAPERS),
            ("per_topic", 1, MOST_PAPERS),
            ("late_risers", 0, MOST_BESIDE),
            ("trending", 0, MOST_BESIDE),
            ("like_saved", 0, MOST_BESIDE),
            ("sent_news", 0, MOST_BESIDE),
        ):
            chosen = getattr(self, name)
            if chosen is not None and not least <= chosen <= most:
                message = f"{name.replace('_', '-')} must be {least} to {most}, not {chosen}"
                raise UsageError(message)

    @property
    def made(self) -> dict[str, int]:
        """Return what was chosen, by name."""
        return {name: chosen for name, chosen in asdict(self).items() if chosen is not None}


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class Subscription:
    """One reader × one topic."""

    topic_id: int
    name: str  #: what the reader calls it; the query as typed by default
    query: str  #: as typed
    position: int
    related: bool | None = None  #: whether related papers are wanted; None: where the query is plain


class Act(StrEnum):
    """What a reader, or the operator for them, said; the values stand in archives, so none is ever changed."""

    ASKED = "asked"
    ASKED_AGAIN = "asked again"  # other wishes took the place of those before; nobody may wait longer by it
    CONFIRMED = "confirmed"
    VOUCHED = "vouched"  # by the operator, or where an installation has no site
    UNSUBSCRIBED = "unsubscribed"
    UNSUBSCRIBED_BY_OPERATOR = "unsubscribed by the operator"
    CAME_BACK_WEEKLY = "came back, weekly"
    CAME_BACK_PAUSED = "came back, paused"
    PAUSED = "paused"
    PAUSED_BY_OPERATOR = "paused by the operator"
    RESUMED = "resumed"
    RESUMED_BY_OPERATOR = "resumed by the operator"
    MOVED = "address changed"


@dataclass(frozen=True, slots=True)
class Consent:
    """One entry of the append-only record of what a reader agreed to."""

    action: Act
    wording: str  #: the version of the words that were shown
    at: datetime
    place: str = ""  #: where it was said: "/subscribe", "command"; "" where that was not kept


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address and its wishes."""

    id: int
    public_id: str  #: random; what signed links name
    email: str  #: as typed
    state: SubscriberState
    schedule: Schedule
    shared: bool  #: a mailbox of several people: no personal tokens in its letters
    confirmed_at: datetime | None  #: when the reader said yes; None where the operator vouched
    joined_at: datetime | None = None  #: when letters began, or began again; None while pending
    subscriptions: tuple[Subscription, ...] = ()
    choices: Choices = NO_CHOICES
    text_only: bool = False  #: letters have no HTML part
    paused_until: date | None = None  #: the day on which letters begin again, in the reader's zone; None: not by itself
    away_since: datetime | None = None  #: when the reader paused; kept until the letter that ends it was planned
    revision: int = 0  #: rises with every change of what the reader chose


def checked_pause(until: date | None, zone: str, now: datetime) -> date | None:
    """Return the day on which letters begin again in a zone; raises UsageError for one that is past or too far off."""
    today = now.astimezone(zone_of(zone)).date()
    if until is not None and not today < until <= today + LONGEST_PAUSE:
        message = f"a pause ends on a day after today, {today}, and within a year, not on {until}"
        raise UsageError(message)
    return until


def zone_of(name: str) -> ZoneInfo:
    """Return the IANA zone of that name; raises UsageError for any other text."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        message = f"there is no time zone {name!r}; use an IANA name such as Europe/Berlin"
        raise UsageError(message) from error


def weekday_of(name: str) -> int:
    """Return 0 for "mon" or "Monday" up to 6 for Sunday; raises UsageError for any other text."""
    short = name.strip().lower()[:3]
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    if short not in WEEKDAYS or not full[WEEKDAYS.index(short)].startswith(name.strip().lower()):
        message = f"weekday must be one of {', '.join(WEEKDAYS)}, not {name!r}"
        raise UsageError(message)
    return WEEKDAYS.index(short)
