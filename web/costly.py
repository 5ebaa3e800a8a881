"""What keeps a core busy for a while: searches, pages of topics, previews. A few at once, some more wait their turn.

    asked → too many wait already? Crowded → waits its turn → done in a thread of its own

These threads are not those that all other pages are made in, so that however many search, the rest of the site answers.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

AT_ONCE = 3
WAITING = 20  # more than these are told to come again
BUSY_SECONDS = 5

T = TypeVar("T")


class Crowded(Exception):
    """Too many wait already."""


class Lanes:
    """One for a site and its event loop, shared by all pages that cost much."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once = at_once
        self._most = at_once + waiting
        self._limit: anyio.CapacityLimiter | None = None  # belongs to the event loop that first asks
        self._asked = 0  # running and waiting; changed by the event loop's thread alone

    async def run(self, work: Callable[[], T]) -> T:
        """Do something in its turn, in a thread; raises Crowded, and whatever the work does."""
        if self._asked >= self._most:
            raise Crowded
        self._limit = self._limit or anyio.CapacityLimiter(self._at_once)
        self._asked += 1  # before anything is awaited: who came at the same moment is counted too
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limit)
        finally:
            self._asked -= 1
