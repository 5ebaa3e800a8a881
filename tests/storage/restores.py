"""Kill a restore at each of its steps and say what stands there then; one JSON line a kill. Run as a script.

A child kills itself with SIGKILL at the begin or commit of a transaction, or after a step of copying pages.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, event

from storage.archive import Archive
from storage.database import Database
from storage.installation import Installation
from storage.restoring import prepared

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


class Steps:
    """Dies at the step it is told."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._taken = 0

    def __call__(self, *_: object) -> None:
        self._taken += 1
        if self._taken == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(step: int, backup: Path, live: Path) -> bool:
    child = os.fork()
    if child == 0:
        count = Steps(step)
        event.listen(Engine, "begin", count)
        event.listen(Engine, "commit", count)
        with prepared(backup, live, NOW) as ready:
            ready.put(NOW, count)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def facts(live: Path) -> dict[str, object]:
    with closing(sqlite3.connect(live)) as plain:
        (said,) = plain.execute("PRAGMA integrity_check").fetchone()
    with Database(f"sqlite:///{live}") as database:
        return {
            "fault": "" if said == "ok" else said,
            "papers": Archive(database).stats()["papers"],
            "held": Installation(database).hold() is not None,
        }


def main(backup: Path, template: Path, place: Path) -> None:
    step, killed = 0, True
    while killed:
        step += 1
        folder = place / f"step-{step}"
        folder.mkdir()
        # The note and the inode of the template are not its copy's: what is asked is whether the row says "held".
        live = folder / "paperround.db"
        template.rename(live)
        note = Path(f"{template}.passes").rename(f"{live}.passes")
        spare = shutil.copy(live, folder / "spare.db")
        killed = killed_at(step, backup, live)
        print(json.dumps({"step": step, "killed": killed, **facts(live)}))  # noqa: T201 the result
        for suffix in ("-wal", "-shm"):
            Path(f"{live}{suffix}").unlink(missing_ok=True)
        live.write_bytes(Path(spare).read_bytes())  # the same inode: it stays at home
        live.rename(template)
        note.rename(f"{template}.passes")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
