"""The archive's days as panels: papers listed and new by source, matches, letters by what became of them."""

from collections.abc import Mapping

from digests.wording import counted, full_date, subject_date
from domain.deliveries import DeliveryState
from storage.statistics import PerDay
from web.plots.drawing import figure
from web.plots.scales import spans
from web.plots.values import GREY, Panel, Series, ranked

S = DeliveryState
#: What became of letters, as readers of a plot need it: name, states, colour.
_LETTERS = (
    ("sent", (S.ACCEPTED,), 0),
    ("on their way", (S.PLANNED, S.LEASED, S.SENDING, S.DEFERRED), GREY),
    ("uncertain", (S.UNCERTAIN,), 1),
    ("rejected", (S.REJECTED,), 3),
    ("skipped or expired", (S.SKIPPED, S.EXPIRED), 2),
)


def panels(counts: PerDay) -> tuple[Panel, ...]:
    """Return the four panels of the archive; a source has one colour in both of its panels."""
    days = len(counts.matches)
    each = f"each {spans(counts.first, days)[0].unit}"
    return (
        Panel(
            title=f"Papers listed {each}",
            note="by source and its own listing day; on two lists, counted in both",
            first=counts.first,
            series=ranked([(source.source, source.listed) for source in counts.sources]),
            nothing=_nothing("list", days),
        ),
        Panel(
            title=f"New papers {each}",
            note="by the source that listed them first, on the day when it did",
            first=counts.first,
            series=ranked([(source.source, source.new) for source in counts.sources]),
            nothing=_nothing("new paper", days),
        ),
        Panel(
            title=f"Matches {each}",
            note="of a topic and a paper, by the day when that was first listed",
            first=counts.first,
            series=(Series("all topics", counts.matches),),
            nothing=_nothing("match", days),
        ),
        Panel(
            title=f"Letters {each}",
            note="by the day of the letter (UTC) and what became of it",
            first=counts.first,
            series=_letters(counts.letters, days),
            nothing=_nothing("letter", days),
        ),
    )


def archive_figure(counts: PerDay) -> str:
    """Return all panels as one SVG."""
    first, last = counts.days[0], counts.days[-1]
    begin = full_date(first) if first.year != last.year else subject_date(first)
    when = full_date(last) if first == last else f"{begin} to {full_date(last)}"
    return figure("The archive over time", f"{when}; the figures at the right are sums", panels(counts))


def _letters(letters: Mapping[DeliveryState, tuple[int, ...]], days: int) -> tuple[Series, ...]:
    none = (0,) * days
    return tuple(
        Series(name, tuple(map(sum, zip(*(letters.get(state, none) for state in states), strict=True))), ink)
        for name, states, ink in _LETTERS
    )


def _nothing(what: str, days: int) -> str:
    return f"no {what} in {counted(days, 'day')}"
