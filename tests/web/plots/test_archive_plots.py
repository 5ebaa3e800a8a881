from datetime import date

import pytest
from lxml import etree

from domain.deliveries import DeliveryState
from storage.statistics import PerDay, SourceDays
from web.plots.archive import archive_figure, panels
from web.plots.drawing import WIDE
from web.plots.lettering import TITLE, fitted

FIRST = date(2026, 11, 18)
COUNTS = PerDay(
    first=FIRST,
    sources=(SourceDays("arxiv", (90, 0, 110), (80, 0, 95)), SourceDays("hf", (30, 0, 41), (2, 0, 0))),
    matches=(7, 0, 9),
    letters={
        DeliveryState.ACCEPTED: (4, 4, 2),
        DeliveryState.PLANNED: (0, 0, 1),
        DeliveryState.SENDING: (0, 0, 1),
        DeliveryState.SKIPPED: (0, 1, 0),
        DeliveryState.EXPIRED: (1, 0, 0),
    },
)


def test_the_four_panels_tell_what_was_counted():
    listed, new, matches, letters = panels(COUNTS)
    assert [(each.name, each.values) for each in listed.series] == [("arxiv", (90, 0, 110)), ("hf", (30, 0, 41))]
    assert [(each.name, each.values) for each in new.series] == [("arxiv", (80, 0, 95)), ("hf", (2, 0, 0))]
    assert [each.ink for each in listed.series] == [each.ink for each in new.series]
    assert [each.values for each in matches.series] == [(7, 0, 9)]
    assert {each.name: each.values for each in letters.series if each.total} == {
        "sent": (4, 4, 2),
        "on their way": (0, 0, 2),
        "skipped or expired": (1, 1, 0),
    }


def test_every_state_of_a_letter_is_drawn_once():
    one_each = PerDay(FIRST, (), (0,), dict.fromkeys(DeliveryState, (1,)))
    assert sum(each.total for each in panels(one_each)[3].series) == len(DeliveryState)


def test_the_figure_names_its_days():
    assert "18 November to 20 November 2026" in archive_figure(COUNTS)
    assert "<title>The archive over time</title>" in archive_figure(COUNTS)
    one = PerDay(date(2026, 1, 1), (), (0,), {})
    assert "1 January 2026;" in archive_figure(one)
    turn = PerDay(date(2025, 12, 31), (), (0, 0), {})
    assert "31 December 2025 to 1 January 2026;" in archive_figure(turn)


def test_an_empty_archive_is_four_calm_sentences():
    words = archive_figure(PerDay(FIRST, (), (0,) * 30, {}))
    etree.fromstring(words.encode())
    for nothing in ("no list", "no new paper", "no match", "no letter"):
        assert f"{nothing} in 30 days" in words


@pytest.mark.parametrize(("days", "unit"), [(1, "day"), (62, "day"), (63, "week"), (434, "week"), (435, "month")])
def test_a_title_says_what_a_bar_stands_for_and_is_never_cut(days, unit):
    for each in panels(PerDay(FIRST, (), (1,) * days, {})):
        assert each.title.endswith(f"each {unit}")
        assert fitted(each.title, WIDE, TITLE) == each.title
