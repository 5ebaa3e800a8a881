"""What came of asking a source: the values that commands show, runs keep and receipts read again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from domain.papers import FetchStatus, Listing

#: How the slots of runs begin that were asked for some days by hand: they say nothing of how a source is today.
SOME_DAYS = "days by hand"
_WORST_FIRST = (
    FetchStatus.FAILED,
    FetchStatus.BLOCKED,
    FetchStatus.LAYOUT_CHANGED,
    FetchStatus.THROTTLED,
    FetchStatus.STALE,
    FetchStatus.PARTIAL,
    FetchStatus.OK,
    FetchStatus.OK_EMPTY,
    FetchStatus.NOT_MODIFIED,
)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one source; one entry of the report that interface.md shows."""

    source: str
    status: FetchStatus
    day: date | None
    listed: int = 0
    new: int = 0
    backlog: int = 0  #: of the new ones, those that are no news
    updated: int = 0
    pages: int = 0
    error: str = ""  #: one sentence or more; with a good status, what is worth knowing all the same
    warning: str = ""  #: what is unusual although nothing failed
    detour: bool = False  #: another place of the site had what the usual page did not give
    retry_at: datetime | None = None  #: before which the site wants no further request; aware UTC

    def as_json(self) -> dict[str, Any]:
        """Return the report's JSON object."""
        return {
            "source": self.source,
            "status": self.status.value,
            "day": self.day.isoformat() if self.day else None,
            "listed": self.listed,
            "new": self.new,
            "updated": self.updated,
            "pages": self.pages,
            "error": self.error,
            "warning": self.warning,
        }


def report_of(source: str, listing: Listing) -> SourceReport:
    """Return the report of one page, before it met the archive."""
    return SourceReport(
        source=source,
        status=listing.status,
        day=listing.day,
        listed=len(listing.papers),
        pages=1,
        error=listing.note,
    )


def joined(name: str, parts: Sequence[SourceReport]) -> SourceReport:
    """Return one report of many pages: sums, the newest day, and the status that most needs to be seen."""
    days = [part.day for part in parts if part.day]
    waits = [part.retry_at for part in parts if part.retry_at]
    return SourceReport(
        source=name,
        status=min((part.status for part in parts), key=_WORST_FIRST.index),
        day=max(days) if days else None,
        listed=sum(part.listed for part in parts),
        new=sum(part.new for part in parts),
        backlog=sum(part.backlog for part in parts),
        updated=sum(part.updated for part in parts),
        pages=sum(part.pages for part in parts),
        error=_told(part.error for part in parts),
        warning=_told(part.warning for part in parts),
        detour=any(part.detour for part in parts),
        retry_at=max(waits) if waits else None,
    )


def newest_read(parts: Sequence[SourceReport]) -> dict[str, Any] | None:
    """Return the newest day of which a page was read, and how many stood on it; one with papers comes first."""
    listed: dict[date, int] = {}
    for part in parts:
        if part.day and part.pages and (part.status.moves_cursor or part.status is FetchStatus.PARTIAL):
            listed[part.day] = listed.get(part.day, 0) + part.listed
    newest = max(listed, key=lambda day: (listed[day] > 0, day), default=None)
    return {"day": str(newest), "listed": listed[newest]} if newest else None


def newest_shown(parts: Iterable[SourceReport]) -> date | None:
    """Return the newest day whose listing the site showed, or said to be as before; None where it showed none."""
    fine = (part for part in parts if part.status.is_good or part.status is FetchStatus.PARTIAL)
    return max((part.day for part in fine if part.day and part.pages), default=None)


def _told(sentences: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(each for each in sentences if each))
