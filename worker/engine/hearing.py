"""What Procrastinate and its driver log: heard here, and said in our words where an operator should know of it."""

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger("paperround.worker")
_GUEST = logging.getLogger("procrastinate")


def listen() -> None:
    """Hear them from now on, each line once."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a server that is away is told of by us, once a try
    if not any(isinstance(each, _Ear) for each in _GUEST.handlers):
        _GUEST.addHandler(_Ear(logging.WARNING))
        _GUEST.propagate = False
        _GUEST.setLevel(logging.WARNING)


class _Ear(logging.Handler):
    """Says in our words what Procrastinate warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        facts: Mapping[str, Any] = record.__dict__
        match facts.get("action"):
            case "task_not_found":
                log.error("engine: a task of another version of Paperround is not known here, and has failed")
            case "job_error" | "side_task_failed":
                pass  # said where it happened; and when the queue is served again
            case _:
                log.log(record.levelno, "engine: %s", record.getMessage())
