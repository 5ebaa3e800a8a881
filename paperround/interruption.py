"""SIGTERM and Ctrl-C become an event: work that can stop early looks at it, and nothing is cut off in the middle."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 130  # what shells give to a command that Ctrl-C ended


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Give an event that is set by the first SIGTERM or SIGINT; a second one of the same kind acts as always."""
    stop = threading.Event()
    before: dict[int, Any] = {}

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 the signature is the signal module's
        stop.set()
        signal.signal(number, before[number] or signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)
