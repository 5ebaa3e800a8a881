"""The receipt's facts: what became of each configured source since a reader's last issue."""

from collections.abc import Sequence
from datetime import date, datetime

from domain.issues import SourceCheck
from domain.papers import FetchStatus
from storage.issues import Issues
from storage.runs import RunRecord, Runs
from worker.reports import SOME_DAYS


class Receipts:
    """Reads the runs again, once for all readers who had their last issue at the same instant."""

    def __init__(self, *, sources: Sequence[tuple[str, str]], runs: Runs, issues: Issues) -> None:
        self._sources = sources  # (configured name, label)
        self._runs = runs
        self._issues = issues
        self._checks: dict[tuple[datetime, bool], tuple[SourceCheck, ...]] = {}
        self._new: dict[datetime, int] = {}

    def checks(self, since: datetime, *, first: bool = False) -> tuple[SourceCheck, ...]:
        """Return one check a configured source that was ever asked; backlog counts in a `first` letter alone."""
        if (since, first) not in self._checks:
            runs = ((name, label, self._runs.since(f"collect:{name}", since)) for name, label in self._sources)
            found = (check(name, label, each, first=first) for name, label, each in runs)
            self._checks[since, first] = tuple(each for each in found if each is not None)
        return self._checks[since, first]

    def new_papers(self, since: datetime) -> int:
        """Return how many papers that are news came since then."""
        if since not in self._new:
            self._new[since] = self._issues.new_papers_since(since)
        return self._new[since]


def check(name: str, label: str, runs: Sequence[RunRecord], *, first: bool) -> SourceCheck | None:
    """Return what the runs of one source, oldest first, come to; None for none.

    The last run tells the status; the newest day that was read, and how many stood on it, are told; new ones add up.
    """
    if not runs:
        return None
    last = next((run for run in reversed(runs) if not run.slot.startswith(SOME_DAYS)), runs[-1])
    read = [run.counts["newest"] for run in runs if run.counts.get("newest")]
    newest = max(read, key=lambda each: str(each["day"]), default=None)
    latest = [each for each in read if newest is not None and each["day"] == newest["day"]]
    status = FetchStatus(last.status)
    return SourceCheck(
        source=name,
        label=label,
        day=date.fromisoformat(str(newest["day"])) if newest else None,
        status=FetchStatus.OK if newest and status is FetchStatus.NOT_MODIFIED else status,
        listed=max((int(each["listed"]) for each in latest), default=0),
        new=sum(int(run.counts["new"]) - (0 if first else int(run.counts.get("backlog", 0))) for run in runs),
        error=last.error,
        at=last.finished_at,
        detour=bool(last.counts.get("detour")),
        warning=str(last.counts.get("warning", "")),
    )
