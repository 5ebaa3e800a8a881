"""What a plot says to those who do not see it, or who point at a bar."""

from collections.abc import Sequence
from datetime import timedelta

from digests.readable import clean
from digests.wording import full_date
from web.plots.scales import Span
from web.plots.values import Panel

_OF = {"day": "", "week": "the week of ", "month": "the month of "}


def in_words(panel: Panel) -> str:
    """Return a panel as a few sentences: the days, the sum, the highest day, each series."""
    title = clean(panel.title)
    if not any(each.total for each in panel.series):
        return f"{title}: {clean(panel.nothing)}."
    days = [sum(parts) for parts in zip(*(each.values for each in panel.series), strict=True)]
    most = max(range(len(days)), key=days.__getitem__)
    parts = ", ".join(f"{clean(each.name)} {each.total:,}" for each in panel.series if each.total)
    return (
        f"{title}, {full_date(panel.first)} to {full_date(panel.last)}: {sum(days):,} in all, "
        f"most on {full_date(panel.first + timedelta(days=most))} ({days[most]:,}). Of them: {parts}."
    )


def bar_in_words(panel: Panel, span: Span, parts: Sequence[int]) -> str:
    """Return the days of one bar and what it is made of."""
    told = [f"{clean(each.name)} {value:,}" for each, value in zip(panel.series, parts, strict=True) if value]
    return f"{_OF[span.unit]}{full_date(span.first)}: {', '.join(told) or 'none'}"
