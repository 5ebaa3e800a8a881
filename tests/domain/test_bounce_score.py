"""What a bounce says of a mailbox, as points (mail.md item 28)."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from domain.bounce_score import SUPPRESS_AT, Scored, count, is_refusal_of_content, score, weigh, weigh_at_the_door
from domain.letter_events import LetterEventKind

K = LetterEventKind
DAY = timedelta(days=1)
BEGIN = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "detail", "points"),
    [
        ("5.1.1", "", 4),
        ("5.1.0", "", 1),  # Postfix says it of a sender, too
        ("5.1.4", "", 1),
        ("5.1.2", "", 4),
        ("5.1.10", "", 4),
        ("5.2.1", "", 4),
        ("5.1.1", "see our antispam page", 4),  # the mailbox is named: it is not there
        ("5.1.7", "", 0),  # the sender's address, ours
        ("5.1.8", "", 0),
        ("5.0.0", "", 1),
        ("5.2.0", "", 1),
        ("5.3.0", "", 1),
        ("5.4.1", "", 1),
        ("5.1.3", "", 4),
        ("5.1.6", "", 4),
        ("5.5.0", "", 1),
        ("5.5.2", "", 0),
        ("5.4.5", "", 0),
        ("", "", 1),
        ("nonsense", "", 1),
        ("5.2.2", "", 0.5),
        ("5.4.4", "", 0.5),
        ("4.2.2", "", 0.5),
        ("4.4.7", "", 0.5),
        ("4.7.0", "", 0.5),
        ("5.7.1", "", 0),
        ("5.7.515", "", 0),
        ("5.0.0", "this looks like spam", 0),
        ("5.3.0", "listed on a blocklist", 0),
        ("2.1.5", "", 0),
    ],
)
def test_a_bounce_weighs_what_its_status_says(status, detail, points):
    assert weigh(K.BOUNCE, status, detail) == points


@pytest.mark.parametrize("kind", [each for each in K if each is not K.BOUNCE])
def test_nothing_but_a_bounce_weighs(kind):
    assert weigh(kind, "5.1.1") == 0
    assert not is_refusal_of_content(kind, "5.7.1")


@pytest.mark.parametrize(
    ("status", "detail", "counts"),
    [("5.7.1", "", True), ("5.0.0", "spam", True), ("5.1.1", "spam", False), ("5.2.2", "spam", False), ("", "", False)],
)
def test_what_was_refused_for_its_content_is_for_the_gauge(status, detail, counts):
    assert is_refusal_of_content(K.BOUNCE, status, detail) is counts


@pytest.mark.parametrize(
    ("status", "points"),
    [("5.1.1", 1), ("5.2.1", 1), ("5.2.2", 0.5), ("4.2.2", 0.5), ("5.0.0", 0), ("5.1.0", 0), ("5.4.5", 0), ("", 0)],
)
def test_at_the_door_only_what_names_the_mailbox_weighs_and_never_enough_at_once(status, points):
    assert weigh_at_the_door(status) == points


def test_a_day_brings_one_point_at_most_and_a_letter_counts_once():
    assert count(1, that_day=0, of_the_letter=0) == 1
    assert count(1, that_day=1, of_the_letter=0) == 0
    assert count(1, that_day=0.5, of_the_letter=0) == 0.5
    assert count(0.5, that_day=0, of_the_letter=0.5) == 0
    assert count(1, that_day=0, of_the_letter=0.5) == 0.5
    assert count(SUPPRESS_AT, that_day=1, of_the_letter=1) == SUPPRESS_AT


def bounces(*days: float, points: float = 1) -> list[Scored]:
    return [Scored(BEGIN + day * DAY, points) for day in days]


def test_four_points_are_enough_in_whatever_order_they_are_heard():
    for order in permutations(bounces(0, 1, 2, 9)):
        assert score(order, (), BEGIN + 9 * DAY) == 4
    assert score(bounces(0, 1, 2), (), BEGIN + 2 * DAY) == 3
    assert score(bounces(*range(8), points=0.5), (), BEGIN + 7 * DAY) == 4


def test_thirty_days_without_a_bounce_begin_at_zero():
    assert score(bounces(0, 1, 2, 31), (), BEGIN + 31 * DAY) == 4
    assert score(bounces(0, 1, 2, 32.1), (), BEGIN + 33 * DAY) == 1
    assert score(bounces(0, 1, 2, 3), (), BEGIN + 34 * DAY) == 0
    assert score((), (), BEGIN) == 0


def test_a_letter_of_seven_days_ago_that_nobody_reported_on_begins_at_zero():
    arrived = [BEGIN + 2.5 * DAY]
    assert score(bounces(0, 1, 2, 9), arrived, BEGIN + 9 * DAY) == 4  # it may still come back
    assert score(bounces(0, 1, 2, 9.5), arrived, BEGIN + 9.5 * DAY) == 1
    assert score(bounces(0, 1, 2), arrived, BEGIN + 9.5 * DAY) == 0
    assert score(bounces(0, 1, 2, 3), [BEGIN - DAY], BEGIN + 10 * DAY) == 4


def test_a_weekly_letter_that_always_comes_back_is_enough_after_four_weeks():
    # Each comes back within the minute; none of the letters between is without a report.
    assert score(bounces(0, 7, 14, 21), (), BEGIN + 21 * DAY) == 4
