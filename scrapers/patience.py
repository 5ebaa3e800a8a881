"""One hop asked patiently: in the site's turn, again where that may help, and not at all where the site asked for rest.

What failed is asked again twice, after a short pause that grows; what we ended ourselves is not, since it would take as
long again. Who asks for patience is left alone by all processes;
if that is for less than half a minute, the next turn waits for it and asks again, else the error says until when.
"""

from collections.abc import Callable
from datetime import timedelta

from domain.errors import Throttled, TooSlow, Unreachable
from scrapers.pace import PATIENCE, Pace
from scrapers.source import Page

_PAUSES = (timedelta(seconds=1), timedelta(seconds=4))  # before the second and the third try


class Asker:
    """Asks in turns of `pace`, which end after `lease` seconds; `sleep` takes seconds and may raise to abandon it."""

    def __init__(self, pace: Pace, *, sleep: Callable[[float], object], lease: float) -> None:
        self._pace = pace
        self._sleep = sleep
        self._lease = lease

    def ask(self, site: str, lane: str, seconds: float, once: Callable[[], Page | str]) -> Page | str:
        """Return what `once` returns, a page or the place it redirects to; raises what it raises in the end."""
        pauses = list(_PAUSES)
        while True:
            try:
                return self._in_turn(site, lane, seconds, once)
            except Throttled as error:
                if error.retry_after is None or error.retry_after > PATIENCE:
                    raise
                if not pauses:  # it was given what it asked for: that is as good as not saying how long
                    raise self._left_alone(site, error.__cause__ or error, None) from error
                pauses.pop(0)
            except Unreachable as error:
                if not pauses or isinstance(error, TooSlow):
                    raise
                self._sleep(pauses.pop(0).total_seconds())

    def _in_turn(self, site: str, lane: str, seconds: float, once: Callable[[], Page | str]) -> Page | str:
        with self._pace.turn(site, lane, seconds, lease=self._lease):
            try:
                answer = once()
            except Throttled as error:
                raise self._left_alone(site, error, error.retry_after) from error
        return answer

    def _left_alone(self, site: str, error: BaseException, asked: timedelta | None) -> Throttled:
        patience = self._pace.hold(site, asked)
        return Throttled(f"{error}: {patience}", patience.retry_after)
