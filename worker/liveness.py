"""Who holds something, and whether they still can: a worker's name tells its machine and its process."""

import os
import secrets
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path


def worker_name() -> str:
    """Return what tells this worker from every other: machine, process id, the process's start, and a random end."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid()) or ''}/{secrets.token_hex(4)}"


def is_alive(worker: str) -> bool | None:
    """Whether a worker's process still runs; None of one on another machine, in another container, or hidden."""
    machine, process_id, started, _ = worker.rsplit("/", 3)
    if machine != _machine():
        return None
    found = _started(int(process_id))
    if found is not None:
        return found == started
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    return None


@cache
def _machine() -> str:
    """Return what tells where process ids are ours: the host, its boot, and the PID namespace, as far as there are any.

    Containers may share a host's name, and each counts its processes from 1.
    """
    boot = space = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii", errors="replace").strip()
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    return f"{socket.gethostname()}+{boot}+{space}"


def _started(process_id: int) -> str | None:
    """Return when a process began, in ticks since boot, so that a reused process id is another process.

    "" for one that has ended and waits to be buried; None where it cannot be seen, as in a hidden /proc or without one.
    """
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *numbers = status.rpartition(")")[2].split()
    return "" if state in {"Z", "X"} else numbers[18]
