"""What a benchmark hands back: figures, each with its unit and, where there is one, what it is compared with.

Time is counted as CPU time of this process, not time on the wall: a shared machine makes the wall lie, and the
best of a few runs is the one least disturbed by the neighbours.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    `what` says what was measured in a few words, `value` is counted in `unit` ("s", "MB", "papers/s").
    `reference` is the same measure for `reference_name` (another library, another way, a stated limit).
    """

    what: str
    value: float
    unit: str
    reference: float | None = None
    reference_name: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the reference the value is: 2.0 means twice as much; None without a reference."""
        return self.value / self.reference if self.reference else None


def cpu_seconds(call: Callable[[], object], repeat: int = 3) -> float:
    """Run the call `repeat` times and return the least CPU time one run took in this process, in seconds."""
    return min(_one_run(call) for _ in range(max(1, repeat)))


def _one_run(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start
