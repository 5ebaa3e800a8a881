"""The form of a sign-up: what was typed, when the form was given, and what is wrong with it. No I/O.

body → Typed → what is wrong, field by field (nothing: it can be taken) → topics, schedule
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from digests.addresses import address_key
from digests.readable import clean
from digests.wording import cut
from domain.errors import AddressError, QueryError, UsageError
from domain.seals import seal
from domain.subscriptions import WEEKDAYS, Cadence, Schedule, weekday_of, zone_of
from domain.topics import WishedTopic
from web.bodies import pairs
from web.lookback import Fault, fault
from web.zones import zone_typed

#: Topics in one sign-up; more can be added by who has confirmed.
MOST_TOPICS = 20
#: Rows for topics on an empty form.
ROWS = 3
#: Faster than this nobody fills a form in; nobody waits so long as the other.
LEAST_AGE, MOST_AGE = timedelta(seconds=3), timedelta(days=1)
#: The field that people do not see, and the one that says when the form was given.
TRAP, GIVEN = "subject", "given"
_MOST_FIELDS = 200
_SCHEDULE = ("every", "weekday", "hour", "zone", "ready")
_LINKED = 1000  # characters of all topics in one address
_SHOWN = 60  # characters of a field in an error

#: "NAME = QUERY" or "QUERY" → the topic; raises QueryError or UsageError.
ReadTopic = Callable[[str], WishedTopic]


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it came; every text is hostile."""

    email: str = ""
    topics: tuple[str, ...] = ()  #: without empty rows
    every: str = "day"
    weekday: str = "mon"
    hour: str = "7"
    zone: str = "UTC"
    ready: bool = False  #: as soon as the sources have closed their day; the hour is the latest
    has_schedule: bool = False  #: whether any of the five was sent
    trap: str = ""
    given: str | None = None  #: None where the field was not sent at all

    @property
    def rows(self) -> tuple[str, ...]:
        """The topics, and empty rows up to the number that a form has."""
        return (*self.topics[:MOST_TOPICS], *("",) * (ROWS - len(self.topics)))

    def mended(self, row: int, topic: str) -> str:
        """Return the query of a form with another topic in a row, and without the others where they are very long."""
        topics = [topic if number == row else each for number, each in enumerate(self.topics[:MOST_TOPICS])]
        return urlencode([("topic", each) for each in (topics if sum(map(len, topics)) <= _LINKED else [topic])])

    @property
    def schedule(self) -> Schedule | None:
        """When letters should come; None where nothing was said. Raises UsageError."""
        if not self.has_schedule:
            return None
        return Schedule(Cadence(self.every), weekday_of(self.weekday), _hour(self.hour), self.zone, ready=self.ready)


@dataclass(frozen=True, slots=True)
class Wrongs:
    """What is wrong with a form."""

    fields: Mapping[str, str] = field(default_factory=dict)  #: field → sentence; "topic" for all of them together
    topics: Mapping[int, Fault] = field(default_factory=dict)  #: row → fault

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.fields or self.topics)


NOTHING_WRONG = Wrongs()


def typed(body: bytes) -> Typed:
    """Read an urlencoded form; of a field that came twice the first counts, of topics all. Raises UsageError."""
    try:
        sent = pairs(body, _MOST_FIELDS)
    except ValueError as error:
        raise UsageError("the form has too many fields") from error
    fields: dict[str, list[str]] = {}
    for name, value in sent:
        fields.setdefault(name, []).append(value)

    def first(name: str, default: str = "") -> str:
        return fields.get(name, [""])[0].strip() or default

    return Typed(
        email=first("email"),
        topics=tuple(topic for topic in fields.get("topic", ()) if topic.strip()),
        every=first("every", "day"),
        weekday=first("weekday", "mon"),
        hour=first("hour", "7"),
        zone=zone_typed(first("zone", "UTC")),
        ready=first("ready") == "yes",
        has_schedule=any(first(name) for name in _SCHEDULE),
        trap=first(TRAP),
        given=fields[GIVEN][0] if GIVEN in fields else None,
    )


def wrongs(form: Typed, read: ReadTopic, domains: frozenset[str] | None) -> Wrongs:
    """Return what is wrong with a form; `domains` are those that addresses may have, None: any."""
    fields = {
        "email": _email(form.email, domains),
        "topic": _topics(form.topics),
        "every": "" if form.every in set(Cadence) else "Choose every day or every week.",
        "weekday": _refusal(weekday_of, form.weekday, f"A weekday is one of {', '.join(WEEKDAYS)}."),
        "hour": _refusal(_hour, form.hour, "An hour is a number from 0 to 23."),
        "zone": _refusal(
            zone_of,
            form.zone,
            f"There is no time zone “{_cut(form.zone)}”. Take one of the list, such as Europe/Berlin.",
        ),
    }
    topics = {row: found for row, text in enumerate(form.topics[:MOST_TOPICS]) if (found := _fault(text, read))}
    return Wrongs({name: sentence for name, sentence in fields.items() if sentence}, topics)


class Stamps:
    """When a form was given, sealed so that nobody but this site can say it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def stamp(self, now: datetime) -> str:
        """Return what a form given now carries."""
        instant = str(int(now.timestamp() * 1000))
        return f"{instant}.{self._seal(instant)}"

    def is_good(self, stamp: str, now: datetime) -> bool:
        """Whether a form that carries this was given by us, and neither too lately nor too long ago."""
        instant, _, mac = stamp.partition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), self._seal(instant).encode()):
            return False
        return LEAST_AGE <= now - datetime.fromtimestamp(int(instant) / 1000, UTC) <= MOST_AGE

    def _seal(self, instant: str) -> str:
        return seal(self._secret, "sign-up form", instant).hex()[:32]


def _email(text: str, domains: frozenset[str] | None) -> str:
    if not text:
        return "Write the address that letters should go to."
    try:
        key = address_key(text)
    except AddressError as error:
        return f"{clean(str(error))}."
    if domains is not None and key.rpartition("@")[2] not in domains:
        return f"Letters go only to addresses at {' or '.join(sorted(domains)) or 'domains that are yet to be named'}."
    return ""


def _topics(topics: tuple[str, ...]) -> str:
    if not topics:
        return "Write at least one topic: two or three words that titles and abstracts of your papers have."
    if len(topics) > MOST_TOPICS:
        return f"At first {MOST_TOPICS} topics are enough; more can be added once you have confirmed."
    return ""


def _fault(text: str, read: ReadTopic) -> Fault | None:
    try:
        read(text)
    except QueryError as error:
        return fault(text, error)
    except UsageError as error:
        sentence = clean(str(error))
        return Fault(f"{sentence[:1].upper()}{sentence[1:]}.")
    return None


def _hour(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 23):
        raise UsageError("an hour is a number from 0 to 23")
    return int(text)


def _refusal(read: Callable[[str], object], text: str, sentence: str) -> str:
    try:
        read(text)
    except UsageError:
        return sentence
    return ""


def _cut(text: str) -> str:
    return cut(clean(text), _SHOWN)
