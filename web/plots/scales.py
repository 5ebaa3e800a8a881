"""From figures and days to places: which days share a bar, how high a bar may be, what stands at the axes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from digests.wording import MONTHS, short_date
from web.plots.lettering import SMALL, width

_MOST_BARS = 62  #: two months of days, or five years of months
_DAYS_A_WEEK = 7
_EXTREME = 10  # so many times the upper quartile: such a bar would make all others invisible
_GAP = 12.0  # px between two labels of an axis
_STRIDES = {"day": (1, 2, 3, 4, 7, 14, 28, 56), "week": (1, 2, 4, 8, 13, 26, 52), "month": (1, 2, 3, 6, 12, 24, 60)}

#: The longest span of days that still makes bars that can be told apart.
MOST_DAYS = 1826


@dataclass(frozen=True, slots=True)
class Span:
    """The days that one bar stands for."""

    unit: str  #: "day", "week" (from Monday) or "month"; the first and last may be cut short
    first: date
    start: int  #: index of the first day
    stop: int  #: index after the last day

    def sum(self, values: Sequence[int]) -> int:
        """Return the sum of a series over these days."""
        return sum(values[self.start : self.stop])


def spans(first: date, days: int) -> tuple[Span, ...]:
    """Return a span for each day, or where those are too many for each week, or for each month."""
    unit = "day" if days <= _MOST_BARS else "week" if days <= _MOST_BARS * _DAYS_A_WEEK else "month"
    starts = [number for number in range(days) if number == 0 or _begins(unit, first + timedelta(days=number))]
    return tuple(Span(unit, first + timedelta(days=start), start, stop) for start, stop in pairwise([*starts, days]))


def _begins(unit: str, day: date) -> bool:
    return unit == "day" or (day.weekday() == 0 if unit == "week" else day.day == 1)


@dataclass(frozen=True, slots=True)
class Heights:
    """The scale of the bars."""

    top: int  #: the figure at the upper edge
    ticks: tuple[int, ...]  #: from 0 to `top`

    def is_over(self, value: int) -> bool:
        """Return whether a bar is cut at the upper edge and says its figure itself."""
        return value > self.top


def heights(values: Iterable[int]) -> Heights:
    """Return a scale from 0; bars of another order than nearly all others do not set it."""
    counted = sorted(value for value in values if value)
    if not counted:
        return Heights(0, (0,))
    usual = counted[len(counted) * 3 // 4] * _EXTREME
    highest = max(value for value in counted if value <= usual)
    if counted[-1] > usual:
        highest += highest // 3 + 1  # room, so that a cut bar is the highest by far
    step = next(step for step in _steps() if highest <= 4 * step)
    top = -(-highest // step) * step
    return Heights(top, tuple(range(0, top + 1, step)))


def _steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def short_number(value: int) -> str:
    """Return "0", "1,500", "20k", "1.5M": exact for the ticks of a scale."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= max(10_000, unit) and value % (unit // 10) == 0:
            return f"{value / unit:,.1f}".removesuffix(".0") + letter
    return f"{value:,}"


@dataclass(frozen=True, slots=True)
class Label:
    """A text of 14 px below or above a bar; `left` and `right` are where it is sure to end, in px."""

    text: str
    at: float  #: the middle of its bar
    left: float
    right: float

    @property
    def middle(self) -> float:
        """Where the text's own middle stands: not over its bar at the edges."""
        return (self.left + self.right) / 2


def label(text: str, at: float, low: float, high: float) -> Label:
    """Return a label with its middle at a bar's, moved so far that it stays between two edges."""
    room = width(text, SMALL)
    left = max(low, min(at - room / 2, high - room))
    return Label(text, at, left, left + room)


def apart(labels: Iterable[Label]) -> list[Label]:
    """Return the labels, from left to right, that do not touch the one before."""
    kept: list[Label] = []
    for each in labels:
        if not kept or each.left - kept[-1].right >= _GAP:
            kept.append(each)
    return kept


def dates(bars: Sequence[Span], middles: Sequence[float], low: float, high: float) -> list[Label]:
    """Return as many labels of bars as have room, evenly spaced and counted back from the newest."""
    last = len(bars) - 1
    year = bars[last].first.year
    for stride in _STRIDES[bars[last].unit]:
        chosen = [label(_named(bars[n], year), middles[n], low, high) for n in range(last % stride, last + 1, stride)]
        if len(apart(chosen)) == len(chosen):
            return chosen
    return [label(_named(bars[last], year), middles[last], low, high)]


def _named(span: Span, year: int) -> str:
    if span.unit == "month":
        return f"{MONTHS[span.first.month - 1][:3]} {span.first.year}"
    return short_date(span.first, year=year)
