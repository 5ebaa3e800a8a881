"""deliver: letters → mailboxes.

    end what is too old → held? → take over what dead workers left → begin → lease a batch, and the next while that is
    sent (supply.py) → for each, on connections kept for the whole pass: join, sign → connect → … → one commit settles
    the letter before and marks this one `sending`, if the reader still wants it (committing.py) → the final dot

One pass over what is due; nothing is written where nothing is. An archive that is held, or finds itself to be a copy,
sends nothing (storage/installation.py). A pass can be killed anywhere and run again: the state of each delivery says
what is known of it, and of each connection at most one letter may have left without anybody knowing. A stop lets the
letters in flight finish and gives the other leases back.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import datetime

from digests.mail.joining import Joiner
from digests.transports.transport import Transport
from domain.clock import Clock
from domain.deliveries import DeliveryCounts, DeliveryState
from storage.installation import Installation
from storage.outbox import Outbox
from worker.committing import Committer
from worker.liveness import is_alive
from worker.road import Road
from worker.sender import Manner, Reach, Sender
from worker.supply import Supply

_LOOK = 0.5  # seconds between two looks at what is not settled, once all is leased
_COUNTED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.REJECTED,
    DeliveryState.UNCERTAIN,
    DeliveryState.SKIPPED,
    DeliveryState.EXPIRED,
)


class Deliverer:
    """Sends what is due."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        installation: Installation,
        transport: Transport,
        manner: Manner,
        road: Road,
        sender: Callable[[int], str],
        sign: Callable[[bytes, datetime], str] | None,
        clock: Clock,
        worker: str,
        stop: threading.Event,
    ) -> None:
        """`sender` gives the envelope sender of a delivery; `sign` the header that signs a message of an instant."""
        self._outbox = outbox
        self._installation = installation
        self._transport = transport
        self._manner = manner
        self._road = road
        self._sender = sender
        self._sign = sign
        self._clock = clock
        self._worker = worker
        self._stop = stop
        self._at_it = threading.Lock()

    def is_due(self) -> bool:
        """Whether a letter may leave now; what is too old is ended, and what dead workers held is taken over, first."""
        now = self._clock.now()
        if self._at_it.acquire(blocking=False):  # a pass does this itself
            try:
                self._outbox.expire(now)
                if self._installation.hold() is None:
                    self._outbox.recover(self._is_alive, now, resend=self._manner.uncertain == "resend")
            finally:
                self._at_it.release()
        return self._outbox.is_due(now)

    def deliver(
        self,
        on_settled: Callable[[DeliveryState], None] = lambda _: None,
        *,
        among: Collection[int] | None = None,  # noqa: ARG002 until a pass can be over some letters alone
    ) -> DeliveryCounts:
        """Make one pass over what is due and return what became of it; passes of one process take turns."""
        with self._at_it:
            return self._deliver(on_settled)

    def _deliver(self, on_settled: Callable[[DeliveryState], None]) -> DeliveryCounts:
        now = self._clock.now()
        resend = self._manner.uncertain == "resend"
        counted: Counter[DeliveryState] = Counter()
        counted[DeliveryState.EXPIRED] += self._outbox.expire(now)
        hold, shut = self._installation.hold(), ""
        if hold is None:
            counted[DeliveryState.UNCERTAIN] += self._outbox.recover(self._is_alive, now, resend=resend)
            if self._outbox.is_due(now):
                hold = self._installation.begin(now)
                if hold is None:
                    shut = self._pass(counted, on_settled)
        held = hold.sentence if hold else shut
        return DeliveryCounts(**{state.value: counted[state] for state in _COUNTED}, held=held, is_shut=bool(shut))

    def _is_alive(self, worker: str) -> bool | None:
        # What this process held in an earlier pass, and could not settle, is in nobody's hands.
        return False if worker == self._worker else is_alive(worker)

    def _pass(self, counted: Counter[DeliveryState], on_settled: Callable[[DeliveryState], None]) -> str:
        """Send what is due; return why nothing could leave, "" if something did or nothing stood in its way."""
        connections = self._manner.connections
        committer = Committer(self._outbox, self._worker, self._clock, self._manner.lease)
        supply = Supply(
            self._outbox,
            self._road,
            worker=self._worker,
            clock=self._clock,
            lease=self._manner.lease,
            connections=connections,
            stop=self._stop,
        )
        reach, joiner = Reach(), Joiner()
        senders = [
            Sender(
                supply=supply,
                committer=committer,
                joiner=joiner,
                road=self._road,
                manner=self._manner,
                reach=reach,
                sender=self._sender,
                sign=self._sign,
                clock=self._clock,
                on_settled=on_settled,
            )
            for _ in range(connections)
        ]
        with ExitStack() as ends:  # whatever fails, each of these is done
            ends.callback(self._installation.end)
            ends.callback(lambda: self._road.end(self._clock.now()))
            ends.callback(supply.give_back)
            ends.callback(lambda: [counted.update(each.counted) for each in senders])
            with ThreadPoolExecutor(connections, thread_name_prefix="deliver") as pool:
                sending = [pool.submit(each.work, self._transport) for each in senders]

                def is_sending() -> bool:
                    for each in senders:
                        each.settle_late()
                    return not reach.is_lost and not all(each.done() for each in sending)

                try:
                    supply.lease(is_sending)
                    while wait(sending, _LOOK).not_done:
                        is_sending()
                except BaseException:
                    reach.give_up()
                    raise
            for each in sending:
                each.result()
        return "" if counted[DeliveryState.ACCEPTED] else supply.shut
