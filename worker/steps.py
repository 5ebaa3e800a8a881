"""What came of each request of a visit, and how several become one report. Values and pure decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.errors import CollectError
from domain.papers import Listing, PageRequest
from worker.reports import SourceReport


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what came of it."""

    request: PageRequest
    report: SourceReport
    seen: Listing | CollectError | None  #: None where nothing changed since the last visit
    ways: tuple[PageRequest, ...] = ()  #: where else to ask


def counting(step: Step, dropped: Sequence[Step]) -> Step:
    """Return a step that counts what others stored that are not told of."""
    reports = [each.report for each in dropped]
    counted = replace(
        step.report,
        new=step.report.new + sum(each.new for each in reports),
        backlog=step.report.backlog + sum(each.backlog for each in reports),
        updated=step.report.updated + sum(each.updated for each in reports),
    )
    return replace(step, report=counted)


def noted(steps: Sequence[Step], instead_of: Sequence[Step]) -> list[Step]:
    """Return the steps of the other way with a word on why; `instead_of` begins with the way that failed."""
    first = counting(steps[0], instead_of)
    note = f"read from {first.request.url} instead"
    told = "; ".join(each for each in (first.report.error, instead_of[0].report.error, note) if each)
    return [replace(first, report=replace(first.report, error=told, detour=True)), *steps[1:]]
