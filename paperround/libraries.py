"""A file of a reader's library → saved papers: read as it is taken, five hundred at a time."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from digests.wording import counted
from domain.clock import Clock
from domain.errors import Interrupted, UsageError
from domain.learning import Liking
from domain.papers import ListedPaper
from scrapers.libraries.entry import Rejected
from scrapers.libraries.reading import read_library
from storage.likings import MOST_SAVED
from storage.reading import BLOCK
from storage.taking_in import Libraries

_TOLD = 5  # rejected entries


@dataclass(slots=True)
class LibraryReport:
    """What came of a file."""

    kind: str
    read: int = 0  #: papers in it
    new: int = 0
    known: int = 0  #: saved before, or twice in the file
    left: int = 0  #: found no room
    rejected: int = 0
    first_rejected: list[Rejected] = field(default_factory=list)

    @property
    def sentences(self) -> list[str]:
        """What to say of it."""
        said = [f"{counted(self.read, 'paper')} read: {self.new:,} saved, {self.known:,} known before."]
        if self.known:
            said.append("What was known before stays as it is.")
        if self.left:
            said.append(f"{counted(self.left, 'paper')} found no room: {MOST_SAVED:,} are the most of one reader.")
        if self.rejected:
            said.append(f"{counted(self.rejected, 'entry', 'entries')} left out:")
            said += [f"Line {each.line} {each.reason}." for each in self.first_rejected]
            more = self.rejected - len(self.first_rejected)
            said += [f"And {more:,} more."] if more else []
        return said


class LibraryDesk:
    """Takes in the libraries of readers."""

    def __init__(self, libraries: Libraries, clock: Clock) -> None:
        self._libraries = libraries
        self._clock = clock

    def take(
        self,
        public_id: str,
        data: bytes | BinaryIO,
        liking: Liking,
        place: str,
        *,
        stop: threading.Event | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> LibraryReport:
        """Save what is in a file; raises UsageError for a file that is no library or too large.

        Raises Interrupted where `stop` is set; what was saved until then stays, and the same file may come again.
        """
        now = self._clock.now()
        library = read_library(BytesIO(data) if isinstance(data, bytes) else data, now.date())
        report = LibraryReport(library.kind)
        papers = _papers(library.entries, report, progress)
        while block := list(islice(papers, BLOCK)):
            if stop is not None and stop.is_set():
                raise Interrupted("stopped; what was saved stays, and the same file goes on from there")
            if report.left:  # there is room for no more: the rest is only counted
                report.left += len(block)
                continue
            taken = self._libraries.take_in(public_id, block, liking, now, place)
            report.new += taken.new
            report.known += taken.known
            report.left += taken.left
        if not report.read:
            first = next((f": line {each.line} {each.reason}" for each in report.first_rejected), "")
            raise UsageError(f"no paper could be read of the file{first}")
        return report


def _papers(
    entries: Iterator[ListedPaper | Rejected], report: LibraryReport, progress: Callable[[int], None]
) -> Iterator[ListedPaper]:
    for each in entries:
        progress(1)
        if isinstance(each, Rejected):
            report.rejected += 1
            if len(report.first_rejected) < _TOLD:
                report.first_rejected.append(each)
        else:
            report.read += 1
            yield each
