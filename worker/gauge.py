"""The complaint gauge: too many complaints, and nothing is planned or sent until a person resumes (mail.md item 23).

    held for complaints already? → count since seven days, or since the last resume → judge (digests/mail/gauge.py)
    → fine · one warning a day · a hold that `paperround deliveries resume` takes off

Looked at after reports were recorded, by whichever way they came, and before each publish. A hold of another kind
stays as it is: the operator who paused gets the word of the gauge after resuming.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from digests.mail.gauge import WINDOW, Reading, Verdict, judge
from domain.holding import COMPLAINED, Hold

log = logging.getLogger("paperround.worker")
_AGAIN = timedelta(days=1)


class Holding(Protocol):
    """What the gauge asks of the installation; may raise StorageError."""

    def hold(self) -> Hold | None:
        """Return what holds deliveries now."""
        ...

    def pause(self, now: datetime, reason: str = ...) -> Hold:
        """Hold deliveries for a reason; what holds them already stays."""
        ...

    def counts_from(self) -> datetime | None:
        """Return when a hold for complaints was last taken off."""
        ...


class Gauge:
    """Stops the house when readers complain.

    `counts` returns (accepted letters, readers who complained) since an instant, `refused` the readers whose letters
    were turned away by policy, which only warns; both may raise StorageError.
    """

    def __init__(
        self,
        *,
        counts: Callable[[datetime], tuple[int, int]],
        installation: Holding,
        refused: Callable[[datetime], int] = lambda _: 0,
    ) -> None:
        self._counts = counts
        self._refused = refused
        self._installation = installation
        self._warned: datetime | None = None

    def reading(self, now: datetime) -> Reading:
        """Return what the gauge shows, and do nothing about it."""
        resumed = self._installation.counts_from()
        since = now - WINDOW if resumed is None else max(resumed, now - WINDOW)
        return judge(*self._counts(since), self._refused(since))

    def look(self, now: datetime) -> str:
        """Return why nothing may be planned, in a sentence; "" if all is well. Holds deliveries where that is new."""
        hold = self._installation.hold()
        if hold is not None and hold.reason.startswith(COMPLAINED):
            return hold.sentence
        reading = self.reading(now)
        if reading.verdict is Verdict.STOP:
            reason = f"{COMPLAINED}: {reading.sentence}"
            held = self._installation.pause(now, reason)
            log.error("complaints: %s", held.sentence)
            return held.sentence if held.reason == reason else Hold(reason, held.waiting).sentence
        if reading.verdict is Verdict.WARN and (self._warned is None or not now < self._warned + _AGAIN):
            self._warned = now
            log.warning("complaints: %s; at 0.30 %% and five complaints nothing more is sent", reading.sentence)
        return ""
