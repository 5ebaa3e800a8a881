"""One connection's work in a pass of deliver: letter after letter, and what became of each.

    take a letter → join, sign, hash → the transport, which asks before the dot → ask: settle the letter before and mark
    this one, in one commit → the answer → settled with the next letter's commit, or at once where none is ready

So a letter that was accepted is durably so before the same connection sends another: whatever happens, each connection
leaves at most one of which nobody knows whether it left.
"""

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from digests.addresses import address_key
from digests.mail.envelope import is_plain
from digests.mail.joining import Joiner, whole
from digests.mail.retries import settle
from digests.transports.transport import Connection, Transport
from domain.clock import Clock
from domain.deliveries import Acceptance, DeliveryState, Leased, Message, Outcome
from domain.errors import DeliveryError, NotConnected, PermanentDeliveryError, StorageError, UncertainDelivery
from domain.issues import AWAITED
from storage.sending import Ask, Permission, Settlement
from worker.committing import Committer
from worker.road import Road
from worker.supply import Supply

log = logging.getLogger("paperround.worker")
_PIECE = 2047  # octets
_LATE = timedelta(seconds=1)
_TOLD = 300  # characters of an error that nobody foresaw


@dataclass(frozen=True, slots=True)
class Manner:
    """How to deliver."""

    connections: int
    lease: timedelta
    retry_seconds: int
    uncertain: str  #: "resend" or "hold"


class Reach:
    """Whether the relay can be reached, as all connections of a pass see it."""

    def __init__(self) -> None:
        self._has_accepted = False
        self._is_lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        """Whether nobody should try any more in this pass."""
        return self._is_lost.is_set()

    def accepted(self) -> None:
        """Remember that it took a letter: one connection too many is no reason to give up the others."""
        self._has_accepted = True

    def refused(self) -> None:
        """Remember that it could not be reached."""
        if not self._has_accepted:
            self._is_lost.set()

    def give_up(self) -> None:
        """Let nobody try any more."""
        self._is_lost.set()


class Sender:
    """Sends what a supply gives over one connection; belongs to one thread."""

    def __init__(
        self,
        *,
        supply: Supply,
        committer: Committer,
        joiner: Joiner,
        road: Road,
        manner: Manner,
        reach: Reach,
        sender: Callable[[int], str],
        sign: Callable[[bytes, datetime], str] | None,
        clock: Clock,
        on_settled: Callable[[DeliveryState], None],
    ) -> None:
        self._supply = supply
        self._committer = committer
        self._joiner = joiner
        self._road = road
        self._manner = manner
        self._reach = reach
        self._sender = sender
        self._sign = sign
        self._clock = clock
        self._on_settled = on_settled
        self._pending: list[Settlement] = []
        self._pen = threading.Lock()  # of what is pending, held until it is durable
        #: What became of letters, each durably.
        self.counted: list[DeliveryState] = []

    def work(self, transport: Transport) -> None:
        """Send until there is no more; raises StorageError, and then no other connection goes on either."""
        try:
            with transport.connect() as connection:
                try:
                    while not self._reach.is_lost and (leased := self._next()) is not None:
                        if isinstance(self._send(connection, leased), NotConnected):
                            break
                finally:
                    self._flush()
        except BaseException:
            self._reach.give_up()
            with suppress(StorageError):  # a database that was only away for a moment still hears what was accepted
                self._flush()
            raise

    def settle_late(self) -> None:
        """Settle from another thread what has been pending for a while.

        A relay that is slow with the next letter must not keep an answer out of the database: until it is there, a kill
        makes a copy, and another machine takes the letter over when its lease ends.
        """
        if not self._pen.acquire(blocking=False):
            return  # it is being committed
        try:
            if self._pending and self._clock.now() - self._pending[0].at > _LATE:
                self._settle(None)
        finally:
            self._pen.release()

    def _next(self) -> Leased | None:
        leased = self._supply.at_once()
        if leased is None:
            self._flush()  # nothing known waits while we do
            leased = self._supply.next()
        return leased

    def _send(self, connection: Connection, leased: Leased) -> Acceptance | DeliveryError | None:
        """Send one letter and take note of what became of it; None if it was not sent at all."""
        given: list[Permission] = []
        result: Acceptance | DeliveryError | None
        try:
            joined = self._joiner.join(leased.fragments, leased.slots)
            # A letter that goes out again has the signature that it had, whatever key there is by now.
            signature = leased.signature or (self._sign(joined.data, leased.date) if self._sign else "")
            data = whole(signature, joined.data)
            plain = joined.is_plain and (not signature or is_plain(f"{signature}\r\n".encode()))
            sha256 = _sha256(data)
            if leased.sha256 and leased.sha256 != sha256:
                log.warning("delivery %d goes out again with other bytes than before", leased.id)
            ask = Ask(leased.id, leased.kind, _key_of(leased.recipient), sha256, signature)

            def before_dot() -> bool:
                given.append(self._commit(ask))
                return given[-1] is Permission.GIVEN

            result = connection.send(self._message(leased, data, is_plain=plain), before_dot)
        except DeliveryError as error:
            result = error
        except StorageError:
            raise
        except Exception as error:
            # One message that cannot be joined or sent must not stand before all others for ever.
            log.exception("delivery %d could not be sent", leased.id)
            kind = UncertainDelivery if Permission.GIVEN in given else PermanentDeliveryError
            result = kind(f"could not be sent: {_told(error)}")
        if result is not None:
            self._note(leased, result)
            return result
        self._road.unused(1)
        if Permission.UNWANTED in given:
            self.counted.append(DeliveryState.SKIPPED)
            self._on_settled(DeliveryState.SKIPPED)
        return None

    def _message(self, leased: Leased, data: bytes, *, is_plain: bool) -> Message:
        return Message(
            key=leased.message_key,
            kind=leased.kind,
            sender=self._sender(leased.id),
            recipient=leased.recipient,
            message_id=leased.message_id,
            data=data,
            is_plain=is_plain,
        )

    def _note(self, leased: Leased, result: Acceptance | DeliveryError) -> None:
        now = self._clock.now()
        self._road.told(leased.keeper, result, now)
        if isinstance(result, Acceptance):
            self._reach.accepted()
        elif isinstance(result, NotConnected):
            self._reach.refused()
        outcome = self._outcome(leased, result, now)
        if outcome.not_before is not None and outcome.not_before <= now:
            self._supply.had(leased.id)
        with self._pen:
            self._pending.append(Settlement(leased.id, outcome, now))
            if len(self._pending) > 1:
                self._settle(None)  # this letter came to no dot, so the one before is not settled yet
        self._on_settled(outcome.state)

    def _outcome(self, leased: Leased, result: Acceptance | DeliveryError, now: datetime) -> Outcome:
        return settle(
            result,
            now=now,
            attempts=leased.attempts,
            uncertain_before=leased.uncertain_before,
            expires_at=leased.expires_at,
            retry_seconds=self._manner.retry_seconds,
            # What somebody waits for and does not get is a reader lost; a second copy of it harms nobody.
            uncertain_policy="resend" if leased.kind in AWAITED else self._manner.uncertain,
            since=leased.date,
            jitter=random.random(),  # noqa: S311 spreads retries, guards nothing
        )

    def _flush(self) -> None:
        with self._pen:
            if self._pending:
                self._settle(None)

    def _commit(self, ask: Ask) -> Permission:
        with self._pen:
            return self._settle(ask)

    def _settle(self, ask: Ask | None) -> Permission:
        """Settle what is pending and ask for a permission; what could not be committed stays pending."""
        settling: Sequence[Settlement] = self._pending
        answer = self._committer.commit(settling, ask)
        self._pending = []
        for settlement, was_ours in zip(settling, answer.settled, strict=True):
            state = settlement.outcome.state
            self.counted.append(state)
            if not was_ours:
                number = settlement.delivery_id
                log.warning("delivery %d was taken over, or erased, before it was settled as %s", number, state)
        return answer.permission or Permission.LOST


def _key_of(recipient: str) -> str:
    """Return the address key; most addresses are their own, in lower case."""
    return recipient.lower() if recipient.isascii() and '"' not in recipient else address_key(recipient)


def _told(error: Exception) -> str:
    """Return an error's words as a database can keep them: they are of nobody knows where."""
    words = f"{type(error).__name__}: {error}"[:_TOLD]
    return words.encode("ascii", "backslashreplace").decode("ascii").replace("\0", " ")


def _sha256(data: bytes) -> str:
    """Return the hex digest, in pieces so small that hashlib keeps the interpreter's lock.

    To let go of it costs more, where sixteen threads wait for it, than to hash a letter.
    """
    digest = hashlib.sha256()
    view = memoryview(data)
    for start in range(0, len(data), _PIECE):
        digest.update(view[start : start + _PIECE])
    return digest.hexdigest()
