"""What a plot is made of: a panel of stacked bars, one bar a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: How many series of one panel have a colour of their own; the next one, and "others", is grey.
COLOURS = 5
GREY = COLOURS


@dataclass(frozen=True, slots=True)
class Series:
    """One figure a day, the oldest first."""

    name: str  #: text from outside
    values: tuple[int, ...]  #: none below 0
    ink: int = 0  #: which colour, from 0; GREY for what is many things or not yet one

    @property
    def total(self) -> int:
        """The sum over all days."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Panel:
    """Series over the same days, stacked in their order from the ground up."""

    title: str
    note: str  #: what is counted, and whose days these are
    first: date
    series: tuple[Series, ...]  #: all of one length, at least one day; may be empty
    nothing: str = "nothing in these days"  #: the words in place of bars

    @property
    def days(self) -> int:
        """How many days there are."""
        return len(self.series[0].values) if self.series else 0

    @property
    def last(self) -> date:
        """The newest day."""
        return self.first + timedelta(days=max(self.days, 1) - 1)


def ranked(series: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Series, ...]:
    """Give colours to series in their order; where they are too many, the last ones become "7 others" in grey."""
    if len(series) <= COLOURS + 1:
        return tuple(Series(name, values, ink) for ink, (name, values) in enumerate(series))
    rest = [values for _, values in series[COLOURS:]]
    others = Series(f"{len(rest)} others", tuple(map(sum, zip(*rest, strict=True))), GREY)
    return (*ranked(series[:COLOURS]), others)
