"""Work for several sites at once, in turn within each site."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_SITES_AT_ONCE = 64  # most of the time of each is waiting

T = TypeVar("T")


def side_by_side(jobs: Sequence[tuple[str, Callable[[], T]]], stop: threading.Event) -> list[T]:
    """Do (site, job) pairs, those of one site in turn, sites beside each other; return results in the order given.

    An error stops none of the others, and is raised when all are done: the first in the order given. Ctrl-C, or
    whatever else ends the caller, sets `stop` and lets what is under way end.
    """
    by_site: dict[str, list[int]] = {}
    for number, (site, _) in enumerate(jobs):
        by_site.setdefault(site, []).append(number)
    results: dict[int, T] = {}
    errors: dict[int, Exception] = {}

    def in_turn(numbers: Sequence[int]) -> None:
        for number in numbers:
            try:
                results[number] = jobs[number][1]()
            except Exception as error:  # noqa: BLE001 it is raised below, once the others are done
                errors[number] = error

    with ThreadPoolExecutor(min(_SITES_AT_ONCE, len(by_site)) or 1, thread_name_prefix="collect") as pool:
        try:
            for done in [pool.submit(in_turn, numbers) for numbers in by_site.values()]:
                done.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    for number in sorted(errors):
        raise errors[number]
    return [results[number] for number in range(len(jobs))]
