"""Where the simulated letters go: a way out that takes them, sometimes not, and remembers who got what how often.

Faults are drawn from the seed, the reader and the number of the try, so that a run can be repeated:

    dead        one mailbox of 200 does not exist: refused for good whenever it is tried
    busy        2 tries of 100 are put off
    lost        1 try of 1,000 is cut after the dot; every other of those letters has arrived
    slow        between 6 and 9 UTC one keeper of mailboxes takes a letter every three seconds, and asks for patience
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from benchmarks.simulate.readers import SLOW
from domain.deliveries import Acceptance
from domain.errors import PermanentDeliveryError, TransientDeliveryError, UncertainDelivery

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from domain.clock import Clock
    from domain.deliveries import Message

_DEAD, _BUSY, _LOST, _ARRIVED = 0.005, 0.02, 0.001, 0.5
_SLOW_HOURS, _SLOW_EVERY = range(6, 9), timedelta(seconds=3)


@dataclass(slots=True)
class Mailed:
    """What the sink knows of one message."""

    key: str
    recipient: str
    at: datetime  #: when it was taken first; when it was tried first as long as it was not
    taken: int = 0
    unanswered: int = 0  #: tries that were cut after the dot
    refused: bool = False


@dataclass(slots=True)
class SinkTransport:
    """A transport that keeps no letter but what became of each; its own connection, for many threads."""

    clock: Clock
    seed: int
    faults: bool
    #: Message-ID → what is known of it.
    mailed: dict[str, Mailed] = field(default_factory=dict)
    #: Hour of UTC (as an instant) → letters taken.
    hours: Counter[datetime] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    octets: int = 0
    name: str = "smtp"
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _slow_until: datetime | None = None
    _times: Counter[str] = field(default_factory=Counter)

    def connect(self) -> Self:
        """Return itself."""
        return self

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Keep what is known."""

    def send(self, message: Message, before_dot: Callable[[], bool]) -> Acceptance | None:
        """Take a letter, or do to it what the seed says."""
        now = self.clock.now()
        with self._lock:
            known = self.mailed.setdefault(message.message_id, Mailed(message.key, message.recipient, now))
            times = self._times[message.recipient] = self._times[message.recipient] + 1
            fault = self._fault(message, times, now) if self.faults else ""
            self.tries[fault or "taken"] += 1
        if fault == "dead":
            known.refused = True
            raise PermanentDeliveryError("550 5.1.1 no such mailbox here", 550, "5.1.1", phase="rcpt")
        if fault == "busy":
            raise TransientDeliveryError("451 4.3.0 try again later", 451, "4.3.0", phase="rcpt")
        if fault == "slow":
            raise TransientDeliveryError("421 4.7.28 too many letters, slow down", 421, "4.7.28", phase="rcpt")
        if not before_dot():
            return None
        with self._lock:
            if fault == "lost":
                known.unanswered += 1
            cut = random.Random(f"{self.seed} {message.recipient} {times} cut")  # noqa: S311 no secret
            if fault != "lost" or cut.random() < _ARRIVED:
                if not known.taken:
                    known.at = now
                    self.hours[now.replace(minute=0, second=0, microsecond=0)] += 1
                known.taken += 1
                self.octets += len(message.data)
        if fault == "lost":
            raise UncertainDelivery("the connection was lost after the dot", phase="dot")
        return Acceptance(reply="2.0.0 taken", code=250, enhanced="2.0.0")

    def _fault(self, message: Message, times: int, now: datetime) -> str:
        if random.Random(f"{self.seed} {message.recipient}").random() < _DEAD:  # noqa: S311 no secret
            return "dead"
        drawn = random.Random(f"{self.seed} {message.recipient} {times}").random()  # noqa: S311 no secret
        if drawn < _BUSY:
            return "busy"
        if message.recipient.endswith("@" + SLOW) and now.hour in _SLOW_HOURS:
            if self._slow_until is not None and now < self._slow_until:
                return "slow"
            self._slow_until = now + _SLOW_EVERY
        return "lost" if drawn > 1 - _LOST else ""
