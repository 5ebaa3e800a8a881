"""What the passes of each verb did and how long they took, over all processes and restarts: one row of `run` a verb.

    a pass that had something to do → its counts, its seconds and its end are added to the verb's row
    a worker that lives             → its own row says when it was last heard of

The numbers only rise: whoever scrapes the site sees what workers did in other processes. A pass that was killed is in
none of them. Each public method is one transaction.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.operations import VERBS, Passes
from storage.database import Database
from storage.tables import RUN

PASS, WORKER = "pass:", "worker"
SEEN_FOR = timedelta(minutes=3)  # after which a worker that is not heard of is none any more
_ALL = "all"
_FORGOTTEN = timedelta(days=1)
_ENDED, _FAILED, _SECONDS, _LAST = "passes", "failed", "seconds", "last_seconds"


class PassRecords:
    """The passes of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        verb: str,
        began: datetime,
        ended: datetime,
        counts: Mapping[str, int],
        owner: str,
        *,
        failed: bool = False,
    ) -> None:
        """Add what a pass did."""
        job, seconds = f"{PASS}{verb}", max(0.0, (ended - began).total_seconds())
        with self._database.writing() as connection:
            known = connection.execute(select(RUN.c.counts).where(RUN.c.job == job, RUN.c.slot == _ALL)).scalar() or {}
            did = {_ENDED: 1, _FAILED: int(failed), **counts}
            totals: dict[str, Any] = dict(Counter({name: known.get(name, 0) for name in {*known, *did}}))
            for name, number in did.items():
                totals[name] += number
            totals |= {_SECONDS: round(known.get(_SECONDS, 0) + seconds, 3), _LAST: round(seconds, 3)}
            values = {
                "owner": owner,
                "started_at": began,
                "lease_until": ended,
                "finished_at": ended,
                "status": "failed" if failed else "ok",
                "counts": totals,
            }
            row = upsert(RUN).values(job=job, slot=_ALL, error="", **values)
            connection.execute(row.on_conflict_do_update(index_elements=["job", "slot"], set_=values))

    def beat(self, owner: str, now: datetime) -> None:
        """Take note that a worker lives; those that were not heard of for a day are forgotten."""
        values = {"owner": owner, "lease_until": now, "finished_at": now}
        row = upsert(RUN).values(job=WORKER, slot=owner, started_at=now, status="ok", counts={}, error="", **values)
        with self._database.writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["job", "slot"], set_=values))
            gone = or_(RUN.c.finished_at < now - _FORGOTTEN, RUN.c.finished_at > now + _FORGOTTEN)
            connection.execute(delete(RUN).where(RUN.c.job == WORKER, gone))

    def leave(self, owner: str) -> None:
        """Take note that a worker ended by itself."""
        with self._database.writing() as connection:
            connection.execute(delete(RUN).where(RUN.c.job == WORKER, RUN.c.slot == owner))

    def all(self) -> tuple[Passes, ...]:
        """Return what was done, by verb in the order of the road; zeros for a verb that never had anything to do."""
        query = select(RUN).where(RUN.c.job.in_([f"{PASS}{verb}" for verb in VERBS]), RUN.c.slot == _ALL)
        with self._database.reading() as connection:
            rows = {row.job.removeprefix(PASS): row for row in connection.execute(query)}
        return tuple(_passes(verb, rows.get(verb)) for verb in VERBS)


def _passes(verb: str, row: Any) -> Passes:
    known = dict(row.counts) if row else {}
    return Passes(
        verb=verb,
        ended=known.pop(_ENDED, 0),
        failed=known.pop(_FAILED, 0),
        seconds=known.pop(_SECONDS, 0.0),
        last_seconds=known.pop(_LAST, 0.0),
        counts=known,
        last_at=row.finished_at if row else None,
    )
