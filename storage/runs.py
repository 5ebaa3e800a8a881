"""One owner per slot: a slot is claimed by inserting its row; an expired claim is taken again, a finished one never."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.database import Database
from storage.tables import RUN


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One finished run."""

    job: str
    slot: str
    status: str
    counts: Mapping[str, Any]
    error: str
    finished_at: datetime
    started_at: datetime | None = None  #: None where that is not told


class Runs:
    """The runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        job: str,
        slot: str,
        owner: str,
        now: datetime,
        lease: timedelta,
        *,
        is_alive: Callable[[str], bool | None] = lambda _: None,
        beside: bool = False,
    ) -> int | None:
        """Claim a job's slot; return the run's number, or None if it is done, somebody else's, or the job is under way.

        A claim is over with its lease, or at once when its owner is known to be dead; one that began, or was renewed,
        more than its lease from now was made by a clock that was ahead, and is void. With `beside` the job may be under
        way in another slot.
        """
        fresh = upsert(RUN).values(
            job=job, slot=slot, owner=owner, started_at=now, lease_until=now + lease, status="", counts={}, error=""
        )
        with self._database.writing() as connection:
            others = select(RUN.c.owner).where(
                RUN.c.job == job,
                RUN.c.slot != slot,
                RUN.c.finished_at.is_(None),
                RUN.c.lease_until > now,
                RUN.c.lease_until <= now + 2 * lease,
            )
            if not beside and any(is_alive(other) is not False for other in connection.execute(others).scalars()):
                return None
            made = fresh.on_conflict_do_nothing(index_elements=["job", "slot"]).returning(RUN.c.id)
            number = connection.execute(made).scalar()
            if number is not None:
                return int(number)
            held = connection.execute(select(RUN).where(RUN.c.job == job, RUN.c.slot == slot)).one()
            is_held = now < held.lease_until <= now + 2 * lease
            if held.finished_at is not None or (is_held and is_alive(held.owner) is not False):
                return None
            values = {"owner": owner, "started_at": now, "lease_until": now + lease}
            connection.execute(update(RUN).where(RUN.c.id == held.id).values(values))
            return int(held.id)

    def finish(self, number: int, now: datetime, status: str, counts: Mapping[str, Any], error: str = "") -> None:
        """Record how a run ended."""
        with self._database.writing() as connection:
            connection.execute(
                update(RUN)
                .where(RUN.c.id == number)
                .values(finished_at=now, status=status, counts=dict(counts), error=error)
            )

    def give_up(self, number: int, now: datetime) -> None:
        """Let a claim expire at once, so that the slot is tried again."""
        with self._database.writing() as connection:
            connection.execute(
                update(RUN).where(RUN.c.id == number, RUN.c.finished_at.is_(None)).values(lease_until=now)
            )

    def renew(self, number: int, until: datetime) -> None:
        """Hold a claim until a later instant: its run still makes progress."""
        with self._database.writing() as connection:
            connection.execute(
                update(RUN).where(RUN.c.id == number, RUN.c.finished_at.is_(None)).values(lease_until=until)
            )

    def latest(self, job: str, *, but: str = "") -> RunRecord | None:
        """Return a job's newest finished run, leaving out slots that begin with `but`; None if there is none."""
        newest = select(func.max(RUN.c.id)).where(RUN.c.job == job, RUN.c.finished_at.is_not(None))
        if but:
            newest = newest.where(RUN.c.slot.not_like(f"{but}%"))
        with self._database.reading() as connection:
            row = connection.execute(select(RUN).where(RUN.c.id == newest.scalar_subquery())).first()
        return _record(row) if row else None

    def since(self, job: str, moment: datetime | None) -> tuple[RunRecord, ...]:
        """Return a job's runs that finished after an instant (all of them for None), oldest first."""
        query = select(RUN).where(RUN.c.job == job, RUN.c.finished_at.is_not(None)).order_by(RUN.c.id)
        if moment is not None:
            query = query.where(RUN.c.finished_at > moment)
        with self._database.reading() as connection:
            return tuple(_record(row) for row in connection.execute(query))


def _record(row: Any) -> RunRecord:
    return RunRecord(
        job=row.job,
        slot=row.slot,
        status=row.status,
        counts=row.counts,
        error=row.error,
        finished_at=row.finished_at,
        started_at=row.started_at,
    )
