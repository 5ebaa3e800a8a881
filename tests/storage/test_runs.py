"""One owner per slot, whatever a clock said before."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.runs import Runs

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LEASE, YEAR = timedelta(minutes=10), timedelta(days=365)


@pytest.fixture
def runs(database):
    return Runs(database)


def test_a_claim_holds_for_its_lease_and_a_finished_slot_for_ever(runs):
    number = runs.claim("sweep", "today", "one", NOW, LEASE)
    assert number is not None
    assert runs.claim("sweep", "today", "other", NOW + LEASE - timedelta(seconds=1), LEASE) is None
    assert runs.claim("sweep", "today", "other", NOW + LEASE, LEASE) == number
    runs.finish(number, NOW + LEASE, "ok", {})
    assert runs.claim("sweep", "today", "one", NOW + YEAR, LEASE) is None


def test_a_claim_of_a_clock_that_was_ahead_is_void(runs):
    number = runs.claim("sweep", "today", "one", NOW + YEAR, LEASE)
    assert runs.claim("sweep", "today", "other", NOW, LEASE) == number
    runs.claim("sweep", "tomorrow", "one", NOW + YEAR, LEASE)
    assert runs.claim("sweep", "the day after", "other", NOW, LEASE, beside=True) is not None


def test_a_job_under_way_by_a_clock_that_was_ahead_stops_no_other_slot(runs):
    assert runs.claim("sweep", "one day", "one", NOW + YEAR, LEASE) is not None
    assert runs.claim("sweep", "another", "other", NOW, LEASE) is not None


def test_a_claim_that_was_renewed_by_a_clock_that_was_ahead_is_void(runs):
    number = runs.claim("sweep", "today", "one", NOW, LEASE)
    runs.renew(number, NOW + YEAR + LEASE)
    assert runs.claim("sweep", "today", "other", NOW + timedelta(minutes=1), LEASE) == number


def test_a_machine_whose_clock_is_a_little_ahead_keeps_its_claim(runs):
    runs.claim("sweep", "today", "one", NOW + timedelta(minutes=2), LEASE)
    assert runs.claim("sweep", "today", "other", NOW, LEASE) is None
