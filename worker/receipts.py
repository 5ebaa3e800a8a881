"""The receipt's facts: what became of each configured source since a reader's last issue."""

from collections.abc import Sequence
from datetime import date, datetime

from domain.issues import SourceCheck
from domain.papers import FetchStatus
from storage.issues import Issues
from storage.runs import RunRecord, Runs


class Receipts:
    """Reads the runs again, once for all readers who had their last issue at the same instant."""

    def __init__(self, *, sources: Sequence[tuple[str, str]], runs: Runs, issues: Issues) -> None:
        self._sources = sources  # (configured name, label)
        self._runs = runs
        self._issues = issues
        self._checks: dict[datetime, tuple[SourceCheck, ...]] = {}
        self._new: dict[datetime, int] = {}

    def checks(self, since: datetime) -> tuple[SourceCheck, ...]:
        """Return one check a configured source that was ever asked."""
        if since not in self._checks:
            found = (check(name, label, self._runs.since(f"collect:{name}", since)) for name, label in self._sources)
            self._checks[since] = tuple(each for each in found if each is not None)
        return self._checks[since]

    def new_papers(self, since: datetime) -> int:
        """Return how many papers that are news came since then."""
        if since not in self._new:
            self._new[since] = self._issues.new_papers_since(since)
        return self._new[since]


def check(name: str, label: str, runs: Sequence[RunRecord]) -> SourceCheck | None:
    """Return what the runs of one source, oldest first, come to; None for none.

    The last run tells the status; the last that read a page tells the day and how many were listed; new ones add up.
    """
    if not runs:
        return None
    last = runs[-1]
    read = next((run for run in reversed(runs) if FetchStatus(run.status).moves_cursor), None)
    status = FetchStatus(last.status)
    return SourceCheck(
        source=name,
        label=label,
        day=date.fromisoformat(str(read.counts["day"])) if read and read.counts["day"] else None,
        status=FetchStatus.OK if read and status is FetchStatus.NOT_MODIFIED else status,
        listed=int(read.counts["listed"]) if read else int(last.counts["listed"]),
        new=sum(int(run.counts["new"]) for run in runs),
        error=last.error,
        at=last.finished_at,
    )
