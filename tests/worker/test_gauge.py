"""Too many complaints hold the house until a person resumes; then they are counted anew."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from storage.database import Database
from storage.installation import PAUSED, Installation
from worker.gauge import Gauge

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Events:
    """Complaints at instants, among a thousand letters."""

    def __init__(self, *complaints):
        self.complaints = list(complaints)
        self.asked = []

    def counts(self, since):
        self.asked.append(since)
        return 1000, sum(at >= since for at in self.complaints)


@pytest.fixture
def installation(url):
    with Database(url) as database:
        yield Installation(database)


def test_a_calm_week_holds_nothing(installation):
    events = Events(NOW - 8 * DAY, NOW - 9 * DAY, *[NOW - 10 * DAY] * 5)

    assert Gauge(counts=events.counts, installation=installation).look(NOW) == ""
    assert installation.hold() is None
    assert events.asked == [NOW - 7 * DAY]


def test_five_complaints_hold_the_house_for_every_process_until_it_is_resumed(installation):
    events = Events(*[NOW - DAY] * 5)
    first = Gauge(counts=events.counts, installation=installation).look(NOW)

    assert "5 of 1000 letters" in first
    assert "deliveries resume" in first
    again = Gauge(counts=Events().counts, installation=installation)
    assert again.look(NOW + 8 * DAY) == first

    installation.resume(NOW + 8 * DAY)
    assert again.look(NOW + 8 * DAY) == ""


def test_after_a_resume_complaints_count_anew(installation):
    events = Events(*[NOW - DAY] * 5)
    gauge = Gauge(counts=events.counts, installation=installation)
    assert gauge.look(NOW)
    installation.resume(NOW)

    assert gauge.look(NOW + DAY) == ""
    assert events.asked[-1] == NOW

    events.complaints += [NOW + DAY] * 5
    assert gauge.look(NOW + DAY)


def test_a_pause_of_the_operator_stays_as_it_is_and_cannot_hide_complaints(installation):
    gauge = Gauge(counts=Events(*[NOW - DAY] * 5).counts, installation=installation)
    installation.pause(NOW)

    assert "called letters spam" in gauge.look(NOW)
    hold = installation.hold()
    assert hold is not None
    assert hold.reason == PAUSED

    installation.resume(NOW)
    assert "called letters spam" in gauge.look(NOW)
    hold = installation.hold()
    assert hold is not None
    assert hold.reason != PAUSED


@pytest.mark.engines("memory")
def test_a_warning_is_said_once_a_day(installation, caplog):
    gauge = Gauge(counts=Events(*[NOW] * 2).counts, installation=installation)
    with caplog.at_level(logging.WARNING):
        for hours in (0, 1, 23, 24, 25):
            assert gauge.look(NOW + timedelta(hours=hours)) == ""

    assert [each.getMessage().count("2 of 1000") for each in caplog.records] == [1, 1]
    assert installation.hold() is None


@pytest.mark.engines("memory")
def test_refusals_by_policy_are_part_of_the_warning(installation, caplog):
    with caplog.at_level(logging.WARNING):
        gauge = Gauge(counts=Events().counts, installation=installation, refused=lambda _: 50)
        assert gauge.look(NOW) == ""

    assert "50 were refused" in caplog.text


def test_a_later_pause_does_not_bring_back_complaints_that_a_person_has_looked_at(installation):
    gauge = Gauge(counts=Events(*[NOW - DAY] * 5).counts, installation=installation)
    assert gauge.look(NOW)
    installation.resume(NOW)
    installation.pause(NOW + DAY / 24)
    assert installation.counts_from() == NOW
    installation.resume(NOW + DAY / 12)
    assert gauge.look(NOW + DAY / 8) == ""
