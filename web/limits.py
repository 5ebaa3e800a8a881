"""How often one network may ask for what costs something: sign-ups, previews, searches.

    request → who asks (as the guard found out, else the socket) → their network → within every limit? → counted

Counts live in this process's memory, are let go of within a minute after the longest limit is over, and are gone with
it. An IPv6 network is a /64, because whoever has one address of
it has all of them.
"""

import math
import threading
import time
from dataclasses import dataclass

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from web.clients import client_of, network_of

_TIDY_SECONDS = 60.0  # as /privacy promises


@dataclass(frozen=True, slots=True)
class Measures:
    """What newcomers may ask for, each network by itself, and how long they wait."""

    sign_ups: str = "10/hour; 30/day"
    previews: str = "30/minute"
    #: How long an answer to a sign-up takes, whatever became of it: a commit and a letter take a tenth of it.
    same_seconds: float = 0.5
    searches: str = "60/minute"  #: those that are not answered from memory


class Limiter:
    """Counts one kind of request by network; `limits` is such as "10/hour; 30/day". May be shared by threads."""

    def __init__(self, limits: str, tidy_seconds: float = _TIDY_SECONDS) -> None:
        self._limits = parse_many(limits)
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._turn = threading.Lock()
        self._tidy_seconds = tidy_seconds
        self._tidying = False

    def wait(self, request: Request) -> int:
        """Count a request; return 0, or where it is one too many, for how many seconds to wait. Then it is no count."""
        who = network_of(client_of(request))
        with self._turn:
            seconds = self._seconds(who)
            if not seconds:
                self._hit(who)
        return seconds

    def is_over(self, request: Request) -> int:
        """Return for how many seconds to wait, 0 where the next is within the limits; count nothing."""
        with self._turn:
            return self._seconds(network_of(client_of(request)))

    def count(self, request: Request) -> None:
        """Count a request."""
        with self._turn:
            self._hit(network_of(client_of(request)))

    @property
    def networks(self) -> int:
        """How many counts are held."""
        return len(self._storage.events)

    def _seconds(self, who: str) -> int:
        for limit in self._limits:
            if not self._windows.test(limit, who):
                return max(1, math.ceil(self._windows.get_window_stats(limit, who).reset_time - time.time()))
        return 0

    def _hit(self, who: str) -> None:
        for limit in self._limits:
            self._windows.hit(limit, who)
        self._tidy_later()

    def _tidy_later(self) -> None:
        if not self._tidying:
            self._tidying = True
            timer = threading.Timer(self._tidy_seconds, self._tidy)
            timer.daemon = True
            timer.start()

    def _tidy(self) -> None:
        """Let go of networks whose requests are past, also where nobody asks any more."""
        with self._turn:
            now = time.time()
            for key, events in list(self._storage.events.items()):
                if not events or events[0].expiry <= now:  # the newest stands first
                    self._storage.clear(key)
            self._tidying = False
            if self._storage.events:
                self._tidy_later()
