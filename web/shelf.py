"""Answers that are the same for everyone, kept in memory while they are fresh; the least lately asked go first."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from web.headers import Raw

MOST_OCTETS = 32 * 1024 * 1024
LARGEST_ANSWER = 1024 * 1024  # octets; what is larger is made anew each time
_BESIDE = 2_048  # octets that an entry takes beside its bodies: headers, key, the objects around them


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with status 200, and when it was made."""

    headers: tuple[Raw, ...]  #: but those of its length and of how it is packed
    body: bytes
    packed: bytes | None  #: the body in gzip; None where that is not worth it
    made: float  #: by the shelf's clock
    seconds: float  #: how long it is fresh

    @property
    def octets(self) -> int:
        """What it takes."""
        return len(self.body) + len(self.packed or b"") + _BESIDE


class Shelf:
    """Keeps answers by key. `clock` is such as `time.monotonic`; `most` is in octets, of all answers together."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_OCTETS) -> None:
        self.clock = clock
        self._most = most
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self._octets = 0
        self._turn = threading.Lock()

    @property
    def octets(self) -> int:
        """What all answers together take."""
        return self._octets

    def take(self, key: bytes) -> Answer | None:
        """Return an answer that is still fresh."""
        with self._turn:
            answer = self._answers.get(key)
            if answer is None:
                return None
            if not 0 <= self.clock() - answer.made < answer.seconds:
                self._drop(key)
                return None
            self._answers.move_to_end(key)
            return answer

    def put(self, key: bytes, answer: Answer) -> None:
        """Keep an answer, in the place of others where there is none."""
        if len(answer.body) > LARGEST_ANSWER or answer.octets + len(key) > self._most:
            return
        with self._turn:
            if key in self._answers:
                self._drop(key)
            self._answers[key] = answer
            self._octets += answer.octets + len(key)
            while self._octets > self._most:
                self._drop(next(iter(self._answers)))

    def _drop(self, key: bytes) -> None:
        self._octets -= self._answers.pop(key).octets + len(key)
