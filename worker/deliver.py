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
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count

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

_MARK = "#"  # a pass holds letters as WORKER#NUMBER
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
        self._numbers = count()
        self._passes: set[str] = set()
        self._lock = threading.Lock()  # of the passes

    def is_due(self) -> bool:
        """Whether a letter may leave now; what is too old is ended, and what dead workers held is taken over, first."""
        now, resend = self._clock.now(), self._manner.uncertain == "resend"
        self._outbox.expire(now)
        if self._installation.hold() is None:
            self._outbox.recover(self._is_alive, now, resend=resend, lease=self._manner.lease)
        return self._outbox.is_due(now)

    def deliver(
        self,
        on_settled: Callable[[DeliveryState], None] = lambda _: None,
        *,
        among: Collection[int] | None = None,
    ) -> DeliveryCounts:
        """Make one pass over what is due, or over those `among` it, and return what became of it.

        Several passes may go on in one process at once, over the same deliveries or others.
        """
        now = self._clock.now()
        resend = self._manner.uncertain == "resend"
        counted: Counter[DeliveryState] = Counter()
        counted[DeliveryState.EXPIRED] += self._outbox.expire(now)
        hold, shut = self._installation.hold(), ""
        if hold is None:
            lease = self._manner.lease
            counted[DeliveryState.UNCERTAIN] += self._outbox.recover(self._is_alive, now, resend=resend, lease=lease)
            if self._outbox.is_due(now, among):
                hold = self._installation.begin(now)
                if hold is None:
                    shut = self._pass(counted, on_settled, among)
        held = hold.sentence if hold else shut
        return DeliveryCounts(**{state.value: counted[state] for state in _COUNTED}, held=held, is_shut=bool(shut))

    def _is_alive(self, worker: str) -> bool | None:
        # What this process held in an earlier pass, and could not settle, is in nobody's hands.
        if worker.partition(_MARK)[0] == self._worker:
            return worker in self._passes
        return is_alive(worker)

    @contextmanager
    def _as_a_pass(self) -> Iterator[str]:
        """Give the name under which one pass holds deliveries; the last one that ends, ends on the road too."""
        name = f"{self._worker}{_MARK}{next(self._numbers)}"
        with self._lock:
            self._passes.add(name)
        try:
            yield name
        finally:
            with self._lock:
                self._passes.discard(name)
                if not self._passes:
                    self._road.end(self._clock.now())

    def _pass(
        self,
        counted: Counter[DeliveryState],
        on_settled: Callable[[DeliveryState], None],
        among: Collection[int] | None,
    ) -> str:
        """Send what is due; return why nothing could leave, "" if something did or nothing stood in its way."""
        with ExitStack() as ends:
            ends.callback(self._installation.end)
            return self._send(ends.enter_context(self._as_a_pass()), counted, on_settled, among)

    def _send(
        self,
        worker: str,
        counted: Counter[DeliveryState],
        on_settled: Callable[[DeliveryState], None],
        among: Collection[int] | None,
    ) -> str:
        connections = self._manner.connections
        committer = Committer(self._outbox, worker, self._clock, self._manner.lease)
        supply = Supply(
            self._outbox,
            self._road,
            worker=worker,
            clock=self._clock,
            lease=self._manner.lease,
            connections=connections,
            stop=self._stop,
            among=among,
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
