from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.plots.scales import MOST_DAYS, heights, short_number, spans


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], (0,)),
        ([0, 0], (0,)),
        ([1], (0, 1)),
        ([4, 3], (0, 1, 2, 3, 4)),
        ([7], (0, 2, 4, 6, 8)),
        ([120], (0, 50, 100, 150)),
        ([1, 100_000], (0, 50_000, 100_000)),
        ([3] * 29 + [100_000], (0, 2, 4, 6)),
        ([20] + [2] * 6, (0, 5, 10, 15, 20)),
    ],
)
def test_a_scale_begins_at_nothing_and_has_a_few_round_steps(values, ticks):
    assert heights(values).ticks == ticks


@given(st.lists(st.integers(0, 10**12), max_size=70))
def test_any_scale_holds_nearly_all_bars(values):
    scale = heights(values)
    over = [value for value in values if scale.is_over(value)]
    assert len(over) <= len([value for value in values if value]) / 4
    assert len(scale.ticks) <= 5
    counted = sorted(value for value in values if value)
    assert all(value > 10 * counted[len(counted) * 3 // 4] for value in over)  # what nearly all others stay below
    # Room above the others, so that a cut bar is the highest by far.
    assert not over or scale.top > max(value for value in counted if not scale.is_over(value))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (1_500, "1,500"),
        (9_999, "9,999"),
        (20_000, "20k"),
        (1_500_000, "1.5M"),
        (2_000_000, "2M"),
        (500_000, "500k"),
        (5_000_000_000, "5,000M"),
    ],
)
def test_figures_beside_the_bars_are_short_and_exact(number, words):
    assert short_number(number) == words


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, MOST_DAYS))
def test_every_day_is_in_one_bar_and_there_are_never_too_many(first, days):
    bars = spans(first, days)
    assert [number for bar in bars for number in range(bar.start, bar.stop)] == list(range(days))
    assert len(bars) <= 64
    assert sum(bar.sum([1] * days) for bar in bars) == days


def test_bars_of_weeks_begin_on_mondays_and_those_of_months_on_the_first():
    weeks, months = spans(date(2026, 10, 22), 100), spans(date(2022, 10, 22), 1_000)
    assert {each.first.weekday() for each in weeks[1:]} == {0}
    assert {each.first.day for each in months[1:]} == {1}
    assert {each.unit for each in weeks + months} == {"week", "month"}
