"""Pace: two requests to one host never start closer together than that host's interval.

Every request asks for its start before it opens a connection. The start is reserved under a lock and waited for
outside it, so threads that ask for the same host queue up one interval apart and other hosts wait for nobody.
"""

import threading
from collections.abc import Callable, Mapping


class Pace:
    """Keeps the seconds between the starts of two requests to one host.

    `intervals` maps a lower-case host name to seconds; hosts not named there take `default` seconds.
    `clock` is monotonic, in seconds. `sleep` takes seconds and may raise to abandon the wait.
    """

    def __init__(
        self,
        *,
        default: float,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        intervals: Mapping[str, float] | None = None,
    ) -> None:
        self._default = default
        self._intervals = dict(intervals or {})
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}  # host → first instant at which a request may start

    def wait(self, host: str) -> None:
        """Return when a request to `host` may start."""
        host = host.lower()
        with self._lock:
            now = self._clock()
            start = max(now, self._free.get(host, now))
            self._free[host] = start + self._intervals.get(host, self._default)
        if start > now:
            self._sleep(start - now)
