"""What an operator wants to know at a glance, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.deliveries import DeliveryState
from domain.subscriptions import Schedule, SubscriberState

#: How far back "today" reaches.
DAY = timedelta(days=1)
#: What every pass is of, in the order of the road.
VERBS = ("collect", "match", "publish", "deliver")


@dataclass(frozen=True, slots=True)
class Standing:
    """Readers who stand alike: one schedule, one newest letter's slot and fate, one last look."""

    number: int
    schedule: Schedule
    confirmed: bool  #: else they left, or were suppressed, since their letter
    has_topics: bool
    slot: str | None  #: of their newest letter; None before the first
    cutoff: datetime | None  #: when that was cut
    came_back: bool  #: since that letter: the next is a first one again
    looked_at: datetime | None  #: the newest look that found nothing
    is_back: bool  #: from a pause that no letter has told of yet: the next waits for its hour
    state: DeliveryState | None  #: of that letter, where it is of the last day; else None
    held: bool  #: whether it waits for the operator's word alone
    status: str  #: what was said of it: "5.2.2", "550", ""
    is_note: bool = False  #: whether it says that nothing matched


@dataclass(frozen=True, slots=True)
class Waiting:
    """Deliveries that have not ended, by state."""

    state: DeliveryState
    number: int
    held: int  #: of them, those that wait for the operator's word alone
    oldest: datetime  #: the date of the oldest
    next_try: datetime | None  #: when the first of them is due; None where all are held


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back of letters in some days."""

    accepted: int
    bounces: int
    complaints: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A letter that did not leave."""

    delivery_id: int
    recipient: str
    state: DeliveryState
    status: str
    said: str  #: what the relay said, or why
    at: datetime  #: of the letter
    held: bool  #: it waits for the operator's word


@dataclass(frozen=True, slots=True)
class RunError:
    """A run that did not end well."""

    job: str
    status: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Sign-ups of some days: who is not confirmed within `[keep] pending_days` is erased and counted no more."""

    asked: int  #: by themselves, on the site
    confirmed: int  #: of them


@dataclass(frozen=True, slots=True)
class Look:
    """All of it, seen at one moment."""

    standings: tuple[Standing, ...]
    unserved: Mapping[str, int]  #: reason → readers whose slot of the last day has no letter; "nothing matched" apart
    waiting: tuple[Waiting, ...]
    ended: Mapping[DeliveryState, int]  #: letters of the last day of every kind that have ended
    week: Heard
    month: Heard
    day: Heard
    arrivals: Arrivals  #: of the last week
    readers: Mapping[SubscriberState, int]
    suppressed: Mapping[str, int]  #: reason → addresses
    failures: tuple[Failure, ...]
    errors: tuple[RunError, ...]
    shut: str  #: why nothing leaves through the relay now; "" if it may
    shut_until: datetime | None
    last_run: datetime | None  #: when anything that is planned last ended


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How the newest run of a job ended."""

    job: str
    finished_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is kept."""

    papers: int
    sightings: int
    topics: int
    runs: tuple[RunEnd, ...]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be done, from papers to letters."""

    unmatched: int  #: papers that the topics have not been held against, or have to be again
    to_plan: int  #: confirmed readers whom planning has yet to look at
    longest_wait: float  #: seconds since the first of them was to be looked at; 0 for none
    due: int  #: letters whose time to leave has come
    oldest_due: float  #: seconds since the first of them was to leave; 0 for none
    last_accepted: datetime | None  #: when a relay took a letter last, of those that are kept; None: never
    put_off: Mapping[str, int]  #: keeper of mailboxes → letters to it that were told "later"


@dataclass(frozen=True, slots=True)
class Passes:
    """What all passes of one verb did that had something to do."""

    verb: str
    ended: int
    failed: int  #: of them
    seconds: float  #: that they took together
    counts: Mapping[str, int]  #: what they did, by what it is called
    last_at: datetime | None  #: when the newest of them ended; None before the first
    last_seconds: float  #: that it took


@dataclass(frozen=True, slots=True)
class QueuedJobs:
    """Jobs of the engine, by queue."""

    queue: str
    state: str  #: waiting, doing, failed
    number: int


@dataclass(frozen=True, slots=True)
class Works:
    """How the machinery stands: what waits, what was done, who does it, and the room there is."""

    backlog: Backlog
    matches: int
    passes: tuple[Passes, ...]
    workers: int  #: processes that were heard of in the last minutes
    worker_seen: datetime | None  #: when any was heard of last; None: never
    jobs: tuple[QueuedJobs, ...] | None  #: None where no engine keeps any
    schema: str
    engine: str  #: "sqlite" or "postgresql"
    database_bytes: int
