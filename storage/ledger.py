"""The ledger of a publish: what was planned, and what became of it, add up at every moment (mail.md section 2).

    a block is frozen → due, planned and excluded of its run are raised in the same transaction → the run ends
    an issue is swept, or its reader erased → it is counted as gone, in the same transaction
    at any time: planned = accepted + rejected + skipped + expired + uncertain + open + gone

The row of a run is made with its first block, so a run with nothing to do leaves none, and one that was killed says
truly how far it came.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, false, func, insert, select, update

from domain.deliveries import DeliveryState
from storage.tables import DELIVERY, ISSUE, PUBLISH_RUN

S = DeliveryState
_ENDS = (S.ACCEPTED, S.REJECTED, S.SKIPPED, S.EXPIRED, S.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of the issues that one publish planned."""

    run_id: int
    planned: int
    accepted: int
    rejected: int
    skipped: int
    expired: int
    uncertain: int  #: also those that will be sent once more
    open: int  #: planned, leased, being sent, deferred
    gone: int  #: swept, or erased with their reader

    @property
    def found(self) -> int:
        """All that is known of."""
        ends = self.accepted + self.rejected + self.skipped + self.expired + self.uncertain
        return ends + self.open + self.gone

    @property
    def sentence(self) -> str:
        """What does not add up; "" where all does."""
        if self.planned == self.found:
            return ""
        return f"publish {self.run_id} planned {self.planned} letters, but {self.found} are accounted for"


def begin_run(connection: Connection, at: datetime) -> int:
    """Make the row of a run, with its first block; return its number."""
    fresh = insert(PUBLISH_RUN).values(at=at, due=0, planned=0, excluded={}).returning(PUBLISH_RUN.c.id)
    return int(connection.execute(fresh).scalar_one())


def raise_run(connection: Connection, run_id: int, *, planned: int, excluded: Mapping[str, int]) -> None:
    """Count a block of a run: `excluded` is reason → due readers without a letter."""
    row = connection.execute(select(PUBLISH_RUN).where(PUBLISH_RUN.c.id == run_id)).one()
    reasons = Counter(row.excluded)
    reasons.update(excluded)
    due = row.due + planned + sum(excluded.values())
    counts = {"due": due, "planned": row.planned + planned, "excluded": dict(reasons)}
    connection.execute(update(PUBLISH_RUN).where(PUBLISH_RUN.c.id == run_id).values(counts))


def count_gone(connection: Connection, which: Any) -> None:
    """Count the issues that meet a condition as gone, before they are deleted in the same transaction."""
    runs = select(ISSUE.c.run_id, func.count()).where(which, ISSUE.c.run_id.is_not(None)).group_by(ISSUE.c.run_id)
    for run_id, number in connection.execute(runs).all():
        more = update(PUBLISH_RUN).where(PUBLISH_RUN.c.id == run_id)
        connection.execute(more.values(gone=PUBLISH_RUN.c.gone + number))


def balances(connection: Connection, run_id: int | None = None) -> tuple[Balance, ...]:
    """Return the balance of one run, or of all that are kept, oldest first.

    Issues of before schema 0005 know of no run, so the runs of that time are left out: they ended as they began.
    """
    known = [func.count(case((DELIVERY.c.state == each.value, 1))).label(each.value) for each in _ENDS]
    others = func.count(case((DELIVERY.c.state.not_in([each.value for each in _ENDS]), 1))).label("open")
    is_old = (func.coalesce(PUBLISH_RUN.c.ended_at == PUBLISH_RUN.c.at, false())).label("is_old")
    query = (
        select(PUBLISH_RUN.c.id.label("run_id"), PUBLISH_RUN.c.planned, PUBLISH_RUN.c.gone, *known, others, is_old)
        .outerjoin(ISSUE, ISSUE.c.run_id == PUBLISH_RUN.c.id)
        .outerjoin(DELIVERY, DELIVERY.c.issue_id == ISSUE.c.id)
        .group_by(PUBLISH_RUN.c.id)
        .order_by(PUBLISH_RUN.c.id)
    )
    if run_id is not None:
        query = query.where(PUBLISH_RUN.c.id == run_id)
    found: list[Balance] = []
    for row in connection.execute(query):
        balance = Balance(**{name: value for name, value in row._asdict().items() if name != "is_old"})
        if balance.found or not row.is_old:
            found.append(balance)
    return tuple(found)
