"""Someone is told: what stays broken for a day is written to the operator, and a round without trouble pings a monitor.

    a job says how it went → a trouble begins, lasts or ends (storage/troubles.py)
    watch: lasts a day and nobody was told → one letter to the operator of all such, and told, in one transaction
    ping:  every job has run through since the last ping, and nothing is in trouble → GET ping_url

A trouble lasts from its first failure without a success since to its newest failure: what nobody tried for a day, such
as on a machine that was off, has not been broken for a day. An alert takes the road of all letters; where that road is
what is broken the log says so at once, and only a monitor that misses the ping can tell.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from digests.mail.message import Identity, Letter, freeze, mailing_slots, message_id
from domain.clock import Clock
from domain.deliveries import DeliveryCounts
from domain.errors import CollectError, PaperroundError, StorageError
from domain.issues import Mailing, PublishCounts
from domain.silences import NOT_COMPOSED
from domain.troubles import Trouble
from storage.troubles import Troubles
from worker.reports import SourceReport

log = logging.getLogger("paperround.worker")
PUBLISH, DELIVER = "publish", "deliver"
SOURCE = "source:"
ALERT_AFTER = timedelta(days=1)
#: How long an alert is worth sending (RFC 5321 section 4.5.4.1: give up after 4 to 5 days).
ALERT_AGE = timedelta(days=5)
PING_PAUSE = timedelta(minutes=1)  # between two pings
_COMPOSING = "no letter could be composed"
_HELD = "letters are held"
_SHUT = "no letter can leave"  # mended by a letter that is accepted alone: that nothing is due proves nothing
_MANY = 10  # refusals and nothing else are no typos in addresses any more
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")  # of a reader: what is wrong outlives an erasure
_LONGEST = 1_000  # characters that are kept of what is wrong


class AlertRenderer(Protocol):
    """Makes a letter of what is broken."""

    def alert(self, troubles: Sequence[Trouble], now: datetime) -> Letter:
        """Return the letter to the operator."""
        ...


def publishing_said(counts: PublishCounts) -> str | None:
    """Return what is wrong with planning, "" where it works; None where these counts tell nothing."""
    if not counts.due:
        return None
    broken = counts.skipped.get(NOT_COMPOSED, 0)
    if broken and not counts.issues:
        return f"{_COMPOSING} ({broken} due); the log says why"
    return ""


def delivering_said(counts: DeliveryCounts) -> str | None:
    """Return what is wrong with delivering, "" where it works; None where these counts tell nothing.

    One letter that a relay took proves that it works, whatever became of others. That it refused a few proves nothing:
    it is there, and their addresses may be wrong.
    """
    if counts.held:
        return f"{_SHUT if counts.is_shut else _HELD}, {counts.held}"
    if counts.accepted:
        return ""
    if not counts.deferred and not counts.uncertain and counts.rejected < _MANY:
        return None
    failed = {"put off": counts.deferred, "refused": counts.rejected, "without an answer": counts.uncertain}
    told = ", ".join(f"{number} {what}" for what, number in failed.items() if number)
    return f"no letter was accepted: {told}; `paperround deliveries list` says why"


def overdue(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Return those of which the operator is to be told: broken for a day, and not told yet."""
    return [each for each in troubles if each.told_at is None and each.last_at - each.since >= ALERT_AFTER]


class Watch:
    """Remembers what is broken, and tells the operator."""

    def __init__(
        self,
        *,
        troubles: Troubles,
        sources: Iterable[str],
        email: str,
        renderer: AlertRenderer,
        identity: Identity,
        clock: Clock,
    ) -> None:
        """`sources` are the configured names; `email` is the operator's address, "" where nobody is written to."""
        self._troubles = troubles
        self._sources = frozenset(f"{SOURCE}{name}" for name in sources)
        self._email = email
        self._renderer = renderer
        self._identity = identity
        self._clock = clock

    def collected(self, reports: Iterable[SourceReport]) -> None:
        """Take note of what came of sources, each for itself."""
        for each in reports:
            said = "" if each.status.is_good else f"{each.source} is {each.status}: {each.error or 'no more is known'}"
            self._note(f"{SOURCE}{each.source}", said)

    def published(self, counts: PublishCounts) -> None:
        """Take note of a publish that ran through; what a letter broke on is mended only when one is made."""
        self._note(PUBLISH, publishing_said(counts), mends=lambda what: not what.startswith(_COMPOSING))

    def delivered(self, counts: DeliveryCounts) -> None:
        """Take note of a pass of deliver; one that tried nothing proves only that nothing is held."""
        self._note(DELIVER, delivering_said(counts), mends=lambda what: what.startswith(_HELD))

    def failed(self, name: str, error: Exception) -> None:
        """Take note that a job ended with an error."""
        known = isinstance(error, PaperroundError)
        self._note(name, str(error) if known else f"{type(error).__name__}: {error}")

    def is_calm(self) -> bool:
        """Whether planning and delivery work, and no source has been broken for a day: one visit may fail."""
        return not any(
            each.name in {PUBLISH, DELIVER} or each.last_at - each.since >= ALERT_AFTER for each in self._troubles.all()
        )

    def tell(self) -> tuple[Trouble, ...]:
        """Tell the operator of what has been broken for a day, once; return what was told."""
        for each in self._troubles.all():
            if each.name.startswith(SOURCE) and each.name not in self._sources:
                self._troubles.works(each.name)  # nobody asks it any more
        now = self._clock.now()
        late = overdue(self._troubles.all())
        if not late:
            return ()
        names = [each.name for each in late]
        mailing = self._alert(late, now) if self._email else None
        if not self._troubles.told(names, mailing, now):
            return ()
        if mailing is None or DELIVER in names:
            whom = f"{self._email} is written to" if mailing else "nobody was written to"
            what = "; ".join(f"{each.name} since {each.since:%Y-%m-%d %H:%M} UTC: {each.what}" for each in late)
            log.error("broken for a day (%s): %s", whom, what)
        return tuple(late)

    def _alert(self, troubles: Sequence[Trouble], now: datetime) -> Mailing | None:
        """Return the letter; None, with a line in the log, where it cannot be made."""
        try:
            content = freeze(self._renderer.alert(troubles, now), self._identity)
            key = alert_key(troubles)
            identifier = message_id(key, self._identity)
            slots = mailing_slots(recipient=self._email, message_id=identifier, date=now)
        except Exception:  # an alert that cannot be written is told in the log instead
            log.exception("the alert to the operator could not be composed")
            return None
        return Mailing(
            message_key=key,
            subscriber_id="",
            recipient=self._email,
            content=content,
            slots=slots,
            message_id=identifier,
            date=now,
            not_before=now,
            expires_at=now + ALERT_AGE,
        )

    def _note(self, name: str, said: str | None, mends: Callable[[str], bool] = lambda _: False) -> None:
        """Keep what was said of something; where nothing was said, `mends` tells whether that ends a known trouble.

        A note that cannot be kept never ends the job that it is about.
        """
        try:
            if said is None and mends(next((each.what for each in self._troubles.all() if each.name == name), "")):
                said = ""
            if said:
                self._troubles.failed(name, _ADDRESS.sub("…", said[: 2 * _LONGEST])[:_LONGEST], self._clock.now())
            elif said is not None and self._troubles.works(name):
                log.info("%s works again", name)
        except StorageError as error:
            log.warning("how %s went could not be kept: %s", name, error)


def alert_key(troubles: Iterable[Trouble]) -> str:
    """Return the message key of the alert that tells of these troubles: another time, another key."""
    named = "\n".join(sorted(f"{each.name}\t{each.since.isoformat()}" for each in troubles))
    return f"alert:{hashlib.sha256(named.encode()).hexdigest()[:32]}"


class Pulse:
    """Pings a monitor after each complete round.

    A round is complete when every one of `jobs` has run through since the last ping and nothing is in trouble; there
    is one ping a minute at most. A ping that fails is a warning, and the next round pings again.
    """

    def __init__(
        self, *, url: str, get: Callable[[str], bytes], jobs: Iterable[str], is_calm: Callable[[], bool], clock: Clock
    ) -> None:
        self._url = url
        self._get = get
        self._jobs = frozenset(jobs)
        self._is_calm = is_calm
        self._clock = clock
        self._done: set[str] = set()
        self._lock = threading.Lock()
        self._pinged: datetime | None = None

    def ran(self, job: str) -> None:
        """Take note that a job has run through; any thread may call it."""
        with self._lock:
            self._done.add(job)

    def beat(self) -> bool:
        """Ping if a round is complete; return whether the monitor answered."""
        now = self._clock.now()
        with self._lock:
            early = self._pinged is not None and self._pinged <= now < self._pinged + PING_PAUSE
            if not self._url or early or not self._done >= self._jobs or not self._is_calm():
                return False
            self._done.clear()
            self._pinged = now
        try:
            self._get(self._url)
        except CollectError as error:
            log.warning("ping: %s", error)
            return False
        return True
