"""The tasks: what is done in which queue, the same whoever hands it out.

    collect   a site's sources are asked                                 queue collect
    plan      what is new is matched, readers who may be due are found   queue match
    publish   their letters are frozen                                   queue publish
    deliver   letters are sent                                           queue deliver

Embedded, a tick calls them itself. On many machines a tick only puts them into their queue, and whoever serves it calls
them (engine/). The database holds the truth either way: a task that is lost, or comes twice, does no harm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

AWAITED = 10  #: the priority of letters that somebody waits for; of everything else it is 0
CHUNK = 500  #: readers, or letters, that one task is about at most


class Jobs(Protocol):
    """What the tasks call."""

    def collect(self, site: str) -> object:
        """Ask the sources of a site that are due."""
        ...

    def plan(self) -> object:
        """Match what is new, and see to the readers who may be due."""
        ...

    def publish_for(self, readers: Sequence[int]) -> object:
        """Freeze the letters of those of these readers who are due."""
        ...

    def deliver(self, among: Sequence[int] | None = None) -> object:
        """Send what is due of these deliveries; of all, where none are named."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of work."""

    name: str
    queue: str
    run: Callable[[Jobs, Mapping[str, Any]], object]  #: with the arguments, which are JSON


COLLECT = Task("collect", "collect", lambda jobs, given: jobs.collect(given["site"]))
PLAN = Task("plan", "match", lambda jobs, _: jobs.plan())
PUBLISH = Task("publish", "publish", lambda jobs, given: jobs.publish_for(given["readers"]))
DELIVER = Task(
    "deliver",
    "deliver",
    lambda jobs, given: jobs.deliver(among=given["deliveries"]) if "deliveries" in given else jobs.deliver(),
)
TASKS = (COLLECT, PLAN, PUBLISH, DELIVER)
QUEUES = tuple(task.queue for task in TASKS)


def chunks(numbers: Sequence[int]) -> list[list[int]]:
    """Return the numbers in parts that one task each is about."""
    return [list(numbers[start : start + CHUNK]) for start in range(0, len(numbers), CHUNK)]
