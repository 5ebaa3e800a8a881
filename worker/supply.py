"""The letters of one pass: leased a batch at a time, while those of the batch before are being sent.

    what the road lets through now → a lease of so many → handed out one by one → low again: the next

One thread leases, the sending ones take; no connection waits between two batches. Where the road says that there will
be room in some seconds, they are waited for; else, or when nothing more is due, the pass is over.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection
from datetime import timedelta

from domain.clock import Clock
from domain.deliveries import Leased
from storage.outbox import Outbox
from worker.road import Road

_AHEAD = 12  # letters for each connection in one lease
_PATIENCE = 5.0  # seconds of waiting for room; where it takes longer, the next pass is for that
_LONGEST = 60.0  # seconds of waiting in a row: others may have taken what was waited for
_LOOK = 0.1  # seconds between two looks at whether a stop is asked for
_HURRY = timedelta(seconds=5)  # between two looks for letters that somebody waits for


class Supply:
    """Hands the letters of one pass to the threads that send them."""

    def __init__(
        self,
        outbox: Outbox,
        road: Road,
        *,
        worker: str,
        clock: Clock,
        lease: timedelta,
        connections: int,
        stop: threading.Event,
        among: Collection[int] | None = None,
    ) -> None:
        """`among` are the deliveries that the pass is over; None for all that is due."""
        self._outbox = outbox
        self._road = road
        self._worker = worker
        self._clock = clock
        self._lease = lease
        self._batch = _AHEAD * connections
        self._stop = stop
        self._ready: deque[Leased] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._again: set[int] = set()
        self._among = None if among is None else set(among)
        self._hurried = clock.now() - 2 * _HURRY
        self._waited = 0.0
        #: Why the road let nothing through at last, in a sentence; "" where it did, or had no reason to tell.
        self.shut = ""

    def at_once(self) -> Leased | None:
        """Return a letter if one is ready; None if it would have to be waited for, or the pass is over."""
        if self._stop.is_set():
            return None
        with self._changed:
            return self._take() if self._ready else None

    def next(self) -> Leased | None:
        """Return a letter, waiting for the next lease if need be; None if the pass is over."""
        with self._changed:
            while not self._ready and not self._is_over:
                self._changed.wait(_LOOK)
            return self._take() if self._ready and not self._stop.is_set() else None

    def had(self, delivery_id: int) -> None:
        """Remember that a letter is due again at once: one that waits no time between two tries gets one a pass."""
        with self._changed:
            self._again.add(delivery_id)

    def lease(self, is_sending: Callable[[], bool]) -> None:
        """Lease batch after batch, for as long as there are some and there is somebody to send them."""
        try:
            while not self._stop.is_set() and is_sending():
                with self._changed:
                    if len(self._ready) > self._batch // 2:
                        self._changed.wait(_LOOK)
                        continue
                if not self._refill():
                    break
        finally:
            self.close()

    def close(self) -> None:
        """Let nobody wait for more; what is ready is still handed out, unless a stop is asked for."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def give_back(self) -> None:
        """Give back what nobody took."""
        with self._changed:
            left = len(self._ready)
            self._ready.clear()
        if left:
            self._road.unused(left)
        self._outbox.release(self._worker)

    def _refill(self) -> bool:
        """Lease what the road lets through; return False if this pass gets no more."""
        if self._among is not None and not self._among:
            return False  # each was leased once
        now = self._clock.now()
        opening = self._road.opening(now, self._batch)
        batch: tuple[Leased, ...] = ()
        self.shut = opening.reason
        if opening.room > 0:
            hurries = now - self._hurried >= _HURRY
            if hurries:
                self._hurried = now
            leased = self._outbox.lease(
                self._worker,
                now,
                self._lease,
                opening.room,
                shut=opening.shut,
                caps=opening.caps,
                awaited_first=hurries,
                among=self._among,
            )
            if self._among is not None:
                self._among.difference_update(each.id for each in leased)
            batch = tuple([each for each in leased if each.id not in self._again])
            if len(batch) < opening.room:
                self._road.unused(opening.room - len(batch))
        if batch:
            self._waited = 0.0
            with self._changed:
                self._ready.extend(batch)
                self._changed.notify_all()
            return True
        if opening.wait is None or opening.wait > _PATIENCE or self._waited > _LONGEST:
            return False
        self._waited += opening.wait
        return not self._stop.wait(opening.wait)

    def _take(self) -> Leased:
        taken = self._ready.popleft()
        if len(self._ready) == self._batch // 2:
            self._changed.notify_all()
        return taken
