"""How often one network may ask for what costs something: sign-ups, previews, searches.

    request → who asks (as the guard found out, else the socket) → their network → within every limit? → counted

Counts live in this process's memory and are gone with it. An IPv6 network is a /64, because whoever has one address of
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

_TIDY_AT = 10_000  # networks after which those are let go of that have not asked lately


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

    def __init__(self, limits: str) -> None:
        self._limits = parse_many(limits)
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._turn = threading.Lock()
        self._tidy_at = _TIDY_AT

    def wait(self, request: Request) -> int:
        """Count a request; return 0, or where it is one too many, for how many seconds to wait. Then it is no count."""
        who = network_of(client_of(request))
        with self._turn:
            self._tidy()
            for limit in self._limits:
                if not self._windows.test(limit, who):
                    return max(1, math.ceil(self._windows.get_window_stats(limit, who).reset_time - time.time()))
            for limit in self._limits:
                self._windows.hit(limit, who)
        return 0

    def _tidy(self) -> None:
        """Let go of networks whose requests are past: the library empties their lists and keeps their names."""
        if len(self._storage.events) >= self._tidy_at:
            for key in [key for key, events in self._storage.events.items() if not events]:
                self._storage.clear(key)
            self._tidy_at = max(_TIDY_AT, 2 * len(self._storage.events))
