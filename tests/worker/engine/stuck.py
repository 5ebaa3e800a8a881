"""A worker of the deliveries that begins a task and never ends it: `stuck.py URL`. Says "begun" when it is at it."""

import sys
import threading

from worker.engine.runner import Runner, Timing


class Stuck:
    def deliver(self, among: object = None) -> None:  # noqa: ARG002 whatever it is
        print("begun", flush=True)  # noqa: T201 heard by the test
        threading.Event().wait()


Runner(
    address=sys.argv[1],
    queues=["deliver"],
    concurrency=1,
    jobs=Stuck(),
    check=lambda: None,
    stop=threading.Event(),
    timing=Timing(beat=0.3, silence=1.5, poll=0.3),
).run()
