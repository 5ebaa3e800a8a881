"""bounces: what comes back → what is known of readers.

    one message → read (pure) → its letter looked up where only a Message-ID names it → recorded in one transaction

The same message may be taken in again, by the same way or another: it counts once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from digests.mail.bounces.reading import Heard, read
from digests.mail.bounces.verp import ReturnPaths
from domain.clock import Clock
from domain.letter_events import LetterEvent
from storage.letter_events import LetterEvents

log = logging.getLogger("paperround.worker")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message."""

    heard: tuple[LetterEvent, ...] = ()  #: what it told of letters that are known
    new: int = 0  #: how much of it was not known before
    ignored: str = ""  #: why it changed nothing, in a sentence; "" where something is new


class BounceDesk:
    """Where messages are taken in that mail servers and mailboxes hand on."""

    def __init__(
        self,
        *,
        events: LetterEvents,
        paths: ReturnPaths | None,
        clock: Clock,
        recorded: Callable[[datetime], object] = lambda _: None,
        read: Callable[[bytes, datetime, ReturnPaths | None], Heard] = read,
    ) -> None:
        """`recorded` is called after something new was recorded: the gauge of complaints looks then (gauge.py)."""
        self._recorded = recorded
        self._events = events
        self._paths = paths
        self._clock = clock
        self._read = read

    def take(self, raw: bytes) -> Taken:
        """Take one message in, whatever it is; raises StorageError, and then nothing of it was kept."""
        now = self._clock.now()
        try:
            heard = self._read(raw, now, self._paths)
        except Exception as error:  # noqa: BLE001 an unforeseen fault of one message must not stop those behind it
            log.warning("bounces: a message cannot be read, in a way we did not foresee: %s", type(error).__name__)
            return Taken(ignored="it cannot be read, in a way that was not foreseen")
        if heard.ignored:
            return Taken(ignored=heard.ignored)
        events = [*heard.events, *(each for each in map(self._placed, heard.by_message_id) if each is not None)]
        if not events:
            return Taken(ignored="it names a letter that is not known here, or no more, or that anybody could name")
        new = self._events.record(events, now)
        if new:
            self._recorded(now)
        for each in events if new else ():
            log.info("%s: delivery %d, %s %s", each.source, each.delivery_id, each.kind, each.status)
        known = "" if new else "it was counted before, or its letter is not known any more or too old"
        return Taken(heard=tuple(events), new=new, ignored=known)

    def _placed(self, event: LetterEvent) -> LetterEvent | None:
        delivery_id = self._events.proved_by(event.letter)
        return None if delivery_id is None else replace(event, delivery_id=delivery_id)
