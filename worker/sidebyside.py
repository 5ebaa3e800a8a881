"""Work for several sites at once, in turn within each site."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_SITES_AT_ONCE = 64  # most of the time of each is waiting

T = TypeVar("T")


def side_by_side(jobs: Sequence[tuple[str, Callable[[], T]]], stop: threading.Event) -> list[T]:
    """Do (site, job) pairs, those of one site in turn, sites beside each other; return results in the order given.

    The first error, or Ctrl-C, sets `stop`, lets what is under way end, and is raised.
    """
    by_site: dict[str, list[int]] = {}
    for number, (site, _) in enumerate(jobs):
        by_site.setdefault(site, []).append(number)
    results: dict[int, T] = {}

    def in_turn(numbers: Sequence[int]) -> None:
        for number in numbers:
            results[number] = jobs[number][1]()

    if len(by_site) <= 1:
        in_turn(range(len(jobs)))
        return [results[number] for number in range(len(jobs))]
    with ThreadPoolExecutor(min(_SITES_AT_ONCE, len(by_site)), thread_name_prefix="collect") as pool:
        try:
            for done in [pool.submit(in_turn, numbers) for numbers in by_site.values()]:
                done.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [results[number] for number in range(len(jobs))]
