"""What delivery itself remembers: what holds or shuts it, what keeps failing, what waits for a person, who complained.

Only read: nothing is held, opened or settled here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from digests.mail.gauge import Verdict as Complaints
from digests.mail.lanes import Rates, give
from domain.errors import StorageError
from domain.troubles import Trouble
from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.visit import Visit
from storage.database import Database
from storage.installation import Installation
from storage.lanes import Lanes
from storage.letter_events import LetterEvents
from storage.outbox import Outbox
from storage.troubles import Troubles
from worker.gauge import Gauge
from worker.watch import ALERT_AFTER, DELIVER, PUBLISH, SOURCE

_MOST = 5  # names that one sentence counts up
_LANES = "`paperround deliveries lanes` shows it all"


def check(visit: Visit) -> Iterator[Finding]:
    """Say whether letters may leave, or what holds them, and what else a person should know of them."""
    if isinstance(visit.database, StorageError):
        yield unknown("whether something holds the letters: the archive could not be opened")
        return
    database, now = visit.database, visit.clock.now()
    installation = Installation(database)
    hold = installation.hold()
    if hold is None:
        yield ok("nothing holds the letters")
        yield from _complaints(Gauge(counts=LetterEvents(database).counts, installation=installation), now)
    else:
        said, _, advice = hold.sentence.partition(". ")
        yield wrong(shown(said), shown(advice))
    yield from _lanes(database, now)
    for each in Troubles(database).all():
        if hold is None or each.name != DELIVER:  # what holds the letters was said
            yield from _trouble(each, visit.sources)
    yield from _undecided(Outbox(database).undecided())


def _complaints(gauge: Gauge, now: datetime) -> Iterator[Finding]:
    reading = gauge.reading(now)
    advice = "find out why: a topic that brings too much, or addresses that never asked"
    if reading.verdict is Complaints.STOP:
        yield wrong(f"{reading.sentence}: the next `paperround publish` holds all letters", advice)
    elif reading.verdict is Complaints.WARN:
        yield ok(reading.sentence, f"{advice}; at 0.30 % and five complaints nothing more is sent")


def _lanes(database: Database, now: datetime) -> Iterator[Finding]:
    lanes = Lanes(database).all()
    given = give(lanes, Rates(), now, 1)
    if given.reason:
        said, divided, advice = given.reason.rpartition("; tried again")
        yield wrong(shown(said if divided else given.reason), shown(f"tried again{advice}") if divided else _LANES)
    elif given.is_probe:
        yield unknown(
            f"whether letters leave again: {shown(lanes['relay'].reason)}",
            "`paperround deliver` tries one; see the relay below",
        )
    if given.shut:
        keepers = sorted(given.shut)
        more = f" and {len(keepers) - _MOST} others" if len(keepers) > _MOST else ""
        yield ok(
            f"letters to {shown(', '.join(keepers[:_MOST]))}{more} wait: who keeps those mailboxes asked for patience",
            f"they leave by themselves; {_LANES}",
        )


def _trouble(trouble: Trouble, sources: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what is told of a trouble; one failed visit to a source, or a source that is gone, is none."""
    name = trouble.name.removeprefix(SOURCE)
    if trouble.name in {PUBLISH, DELIVER}:
        command = f"`paperround {trouble.name}` tries again and says why"
    elif name in sources and trouble.last_at - trouble.since >= ALERT_AFTER:
        command = f"`paperround sources check {name}` asks it now and says what to do"
    else:
        return
    since = f"{trouble.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    yield wrong(f"{shown(name)} fails since {since}: {shown(trouble.what)}", command)


def _undecided(number: int) -> Iterator[Finding]:
    if number:
        letters = "1 letter waits" if number == 1 else f"{number:,} letters wait"
        yield wrong(
            f"{letters} for your word: nobody knows whether the relay took it",
            "`paperround deliveries list --state uncertain` shows which; `paperround deliveries resolve ID --as sent`, "
            "or `--as resend`, settles one",
        )
