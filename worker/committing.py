"""Group commit: the threads that send share their commits, for a durable one costs much the same for one or for many.

    hand in: how the last try ended, and what to send next → the first who finds nobody at work commits for all who wait
    → those who came meanwhile wait for the next commit, which one of them makes

Nobody waits for more to come: while one commit is made durable, the next group gathers by itself.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from domain.clock import Clock
from storage.outbox import Outbox
from storage.sending import Ask, Permission, Settlement


@dataclass(slots=True, eq=False)
class _Waiting:
    """What one thread handed in, and what came of it."""

    settlements: Sequence[Settlement]
    ask: Ask | None
    turn: threading.Lock = field(default_factory=threading.Lock)  #: held until there is an answer, or a turn to lead
    answer: "Answer | None" = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of what one thread handed in."""

    permission: Permission | None  #: None where nothing was asked
    settled: tuple[bool, ...]  #: of each settlement whether the delivery was still this worker's


class Committer:
    """Commits for the threads of one worker."""

    def __init__(self, outbox: Outbox, worker: str, clock: Clock, lease: timedelta) -> None:
        self._outbox = outbox
        self._worker = worker
        self._clock = clock
        self._lease = lease
        self._lock = threading.Lock()
        self._gathered: list[_Waiting] = []
        self._is_led = False

    def commit(self, settlements: Sequence[Settlement], ask: Ask | None) -> Answer:
        """Return once all of it is durable; raises StorageError, and then nothing of it was changed."""
        mine = _Waiting(settlements, ask)
        with self._lock:
            self._gathered.append(mine)
            leads, self._is_led = not self._is_led, True
            if not leads:
                mine.turn.acquire()
        if not leads:
            mine.turn.acquire()  # released with an answer, or by who led before with the turn to lead
        if mine.answer is None and mine.error is None:
            self._lead()
        if mine.error is not None:
            raise mine.error
        if mine.answer is None:
            raise AssertionError("a commit ended without an answer")
        return mine.answer

    def _lead(self) -> None:
        """Commit for all who have gathered, and hand the turn on."""
        with self._lock:
            group, self._gathered = self._gathered, []
        try:
            self._commit(group)
        except BaseException as error:  # noqa: BLE001 everybody in the group must hear of it, whatever it is
            for each in group:
                each.error = error
        finally:
            with self._lock:
                following = self._gathered[0] if self._gathered else None
                self._is_led = following is not None
            for each in group:
                if each.turn.locked():
                    each.turn.release()
            if following is not None:
                following.turn.release()

    def _commit(self, group: list[_Waiting]) -> None:
        settlements = [each for waiting in group for each in waiting.settlements]
        asks = [waiting.ask for waiting in group if waiting.ask is not None]
        done = self._outbox.commit(self._worker, settlements, asks, self._clock.now(), self._lease)
        permissions, settled = iter(done.permissions), iter(done.settled)
        for waiting in group:
            mine = tuple(next(settled) for _ in waiting.settlements)
            waiting.answer = Answer(next(permissions) if waiting.ask is not None else None, mine)
