"""deliver: letters → mailboxes.

    end what is too old → held? → take over what dead workers left → begin → lease a batch → for each, on a few kept
    connections: join → connect → … → mark `sending` durably, if the reader still wants it → the final dot → settle

One pass over what is due; nothing is written where nothing is. An archive that is held, or finds itself to be a copy,
sends nothing (storage/installation.py). A pass can be killed anywhere and run again: the state of each
delivery says what is known of it. A stop lets the message in flight finish and gives the other leases back.
"""

import hashlib
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue

from digests.mail.message import join
from digests.mail.retries import settle
from digests.transports.transport import Connection, Transport
from domain.clock import Clock
from domain.deliveries import Acceptance, DeliveryCounts, DeliveryState, Leased, Message
from domain.errors import DeliveryError, NotConnected, PermanentDeliveryError, StorageError, UncertainDelivery
from domain.issues import LetterKind
from storage.installation import Installation
from storage.outbox import Outbox, Permission
from worker.liveness import is_alive

log = logging.getLogger("paperround.worker")
_BATCH = 50
_COUNTED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.REJECTED,
    DeliveryState.UNCERTAIN,
    DeliveryState.SKIPPED,
    DeliveryState.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to deliver."""

    sender: str  #: the envelope's
    connections: int
    lease: timedelta
    retry_seconds: int
    uncertain: str  #: "resend" or "hold"
    per_second: float | None
    per_hour: int | None


class Deliverer:
    """Sends what is due."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        installation: Installation,
        transport: Transport,
        manner: Manner,
        clock: Clock,
        worker: str,
        stop: threading.Event,
    ) -> None:
        self._outbox = outbox
        self._installation = installation
        self._transport = transport
        self._manner = manner
        self._clock = clock
        self._worker = worker
        self._stop = stop

    def deliver(self, on_settled: Callable[[DeliveryState], None] = lambda _: None) -> DeliveryCounts:
        """Make one pass over what is due and return what became of it."""
        now = self._clock.now()
        resend = self._manner.uncertain == "resend"
        counted: Counter[DeliveryState] = Counter()
        counted[DeliveryState.EXPIRED] += self._outbox.expire(now)
        hold = self._installation.hold()
        if hold is None:
            counted[DeliveryState.UNCERTAIN] += self._outbox.recover(self._is_alive, now, resend=resend)
            if self._outbox.is_due(now) and self._room() > 0:
                hold = self._installation.begin(now)
                if hold is None:
                    self._pass(counted, on_settled)
        held = hold.sentence if hold else ""
        return DeliveryCounts(**{state.value: counted[state] for state in _COUNTED}, held=held)

    def _pass(self, counted: Counter[DeliveryState], on_settled: Callable[[DeliveryState], None]) -> None:
        seen: set[int] = set()
        try:
            while not self._stop.is_set():
                room = self._room()
                if room <= 0:
                    break
                batch = self._outbox.lease(self._worker, self._clock.now(), self._manner.lease, min(room, _BATCH))
                fresh = [each for each in batch if each.id not in seen]
                if not fresh:
                    break
                seen.update(each.id for each in fresh)
                if not self._send_all(fresh, counted, on_settled):
                    break
        finally:
            self._outbox.release(self._worker)
            self._installation.end()

    def _is_alive(self, worker: str) -> bool | None:
        # What this process held in an earlier pass, and could not settle, is in nobody's hands.
        return False if worker == self._worker else is_alive(worker)

    def _room(self) -> int:
        """How many may leave now under the hourly limit."""
        if self._manner.per_hour is None:
            return _BATCH
        return self._manner.per_hour - self._outbox.accepted_since(self._clock.now() - timedelta(hours=1))

    def _send_all(
        self, batch: Sequence[Leased], counted: Counter[DeliveryState], on_settled: Callable[[DeliveryState], None]
    ) -> bool:
        """Send a batch over a few connections; return False if the relay cannot be reached."""
        waiting: SimpleQueue[Leased] = SimpleQueue()
        for each in batch:
            waiting.put(each)
        unreachable = threading.Event()
        gate = _Gate(self._manner.per_second, self._stop)

        def work() -> list[DeliveryState]:
            settled = []
            with self._transport.connect() as connection:
                while not self._stop.is_set() and not unreachable.is_set():
                    try:
                        leased = waiting.get_nowait()
                    except Empty:
                        break
                    gate.wait()
                    state = self._send(connection, leased, unreachable)
                    if state is not None:
                        settled.append(state)
                        on_settled(state)
            return settled

        workers = min(self._manner.connections, len(batch))
        with ThreadPoolExecutor(workers, thread_name_prefix="deliver") as pool:
            for future in [pool.submit(work) for _ in range(workers)]:
                counted.update(future.result())
        return not unreachable.is_set()

    def _send(self, connection: Connection, leased: Leased, unreachable: threading.Event) -> DeliveryState | None:
        """Send one message and settle it; None if another worker has it now."""
        given: list[Permission] = []

        def before_dot() -> bool:
            now = self._clock.now()
            given.append(self._outbox.mark_sending(leased.id, self._worker, now, self._manner.lease))
            return given[-1] is Permission.GIVEN

        data = b""
        result: Acceptance | DeliveryError | None
        try:
            data = join(leased.fragments, leased.slots)
            result = connection.send(self._message(leased, data), before_dot)
        except DeliveryError as error:
            result = error
        except StorageError:
            raise
        except Exception as error:
            # One message that cannot be joined or sent must not stand before all others for ever.
            log.exception("delivery %d could not be sent", leased.id)
            may_have_left = Permission.GIVEN in given
            result = (UncertainDelivery if may_have_left else PermanentDeliveryError)(f"could not be sent: {error}")
        if isinstance(result, NotConnected):
            unreachable.set()
        if result is None:
            return DeliveryState.SKIPPED if Permission.UNWANTED in given else None
        return self._settle(leased, result, hashlib.sha256(data).hexdigest())

    def _message(self, leased: Leased, data: bytes) -> Message:
        return Message(
            key=leased.message_key,
            kind=leased.kind,
            sender=self._manner.sender,
            recipient=leased.recipient,
            message_id=leased.message_id,
            data=data,
        )

    def _settle(self, leased: Leased, result: Acceptance | DeliveryError, sha256: str) -> DeliveryState:
        now = self._clock.now()
        outcome = settle(
            result,
            now=now,
            attempts=leased.attempts,
            uncertain_before=leased.uncertain_before,
            expires_at=leased.expires_at,
            retry_seconds=self._manner.retry_seconds,
            # A confirmation that is lost is a reader lost; a second copy of one harms nobody.
            uncertain_policy="resend" if leased.kind is LetterKind.CONFIRM else self._manner.uncertain,
            jitter=random.random(),  # noqa: S311 spreads retries, guards nothing
            sha256=sha256,
        )
        if not self._outbox.settle(leased.id, self._worker, outcome, now):
            log.warning("delivery %d was taken over, or erased, before it was settled as %s", leased.id, outcome.state)
        return outcome.state


class _Gate:
    """Lets one message through at a time, so many a second."""

    def __init__(self, per_second: float | None, stop: threading.Event) -> None:
        self._pause = 1 / per_second if per_second else 0.0
        self._stop = stop
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next message may leave, or at once when a stop was asked for."""
        if self._pause:
            with self._lock:
                self._stop.wait(self._pause)
