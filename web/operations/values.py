"""What the operator's page shows, as values, and what it asks of the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from domain.holding import Hold
from domain.operations import Look, Sizes, Works
from domain.troubles import Trouble
from storage.statistics import PerDay


@dataclass(frozen=True, slots=True)
class Today:
    """What became of the letters of readers whose hour came in the last day; a reader counts once."""

    got: int = 0  #: a relay took it
    notes: int = 0  #: of them, those that say that nothing matched
    on_the_way: int = 0
    put_off: int = 0  #: a mailbox or the relay said "later"
    unsure: int = 0  #: an answer got lost; sent once more by itself
    undecided: int = 0  #: an answer got lost; the operator has to say
    refused: Mapping[str, int] | None = None  #: by status, such as "5.2.2"
    expired: int = 0
    skipped: int = 0  #: the reader left meanwhile, or it counts as sent
    unplanned: int = 0  #: due now, and no letter was made yet
    nothing_matched: int = 0

    @property
    def waiting(self) -> int:
        """Letters that leave by themselves sooner or later."""
        return self.on_the_way + self.put_off + self.unsure

    @property
    def turned_away(self) -> int:
        """Letters that were refused for good."""
        return sum((self.refused or {}).values())

    @property
    def due(self) -> int:
        """Readers who were to have a letter."""
        return self.got + self.waiting + self.undecided + self.turned_away + self.expired + self.unplanned


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One configured source."""

    name: str
    status: str  #: of its last visit; "" before the first
    error: str
    last_good: datetime | None  #: when it was last read in full, or had nothing to add
    day: date | None  #: the newest listing day that was read
    listed: int  #: how many stood on that day's list
    new: int  #: how many of them were new
    next_visit: datetime | None  #: None: at the next look, within seconds
    is_patient: bool = False  #: its site asked to be left alone until then, which no button overrides


@dataclass(frozen=True, slots=True)
class View:
    """How things stand at one moment."""

    now: datetime
    look: Look
    today: Today
    hold: Hold | None
    troubles: tuple[Trouble, ...]
    sources: tuple[SourceLine, ...]
    next_letters: tuple[tuple[datetime, int], ...]  #: when readers' hours come next, and of how many


@dataclass(frozen=True, slots=True)
class Figures:
    """What only programs ask for."""

    sizes: Sizes
    works: Works
    version: str  #: of this process
    disk_free: int | None  #: bytes where the archive's file lies; None for a server's


class Desk(Protocol):
    """What the page asks of the house; each may raise StorageError."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...

    def view(self) -> View:
        """Return how things stand."""
        ...

    def days(self, number: int) -> PerDay:
        """Return what happened on each of the last days."""
        ...

    def figures(self) -> Figures:
        """Return what only programs ask for."""
        ...

    def collect(self) -> None:
        """Let every source be asked as soon as a worker looks."""
        ...

    def pause(self, reason: str) -> None:
        """Let no letter leave from now on; `reason` is what the operator typed, "" for nothing."""
        ...

    def resume(self) -> None:
        """Let letters leave again; raises UsageError where that must not be."""
        ...

    def resolve(self, delivery_id: int, *, sent: bool) -> None:
        """Say what became of an uncertain letter; raises UnknownError, UsageError."""
        ...
