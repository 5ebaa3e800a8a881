"""What one try means for a delivery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.mail.retries import LONGEST_PAUSE, pause, settle
from domain.deliveries import Acceptance, DeliveryState, Outcome
from domain.errors import (
    BeyondTheRelay,
    DeliveryError,
    NotConnected,
    PermanentDeliveryError,
    TransientDeliveryError,
    UncertainDelivery,
)

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def tried(result: Acceptance | DeliveryError, **changes: Any) -> Outcome:
    usual: dict[str, Any] = {
        "now": NOW,
        "attempts": 0,
        "uncertain_before": False,
        "expires_at": NOW + timedelta(hours=36),
        "retry_seconds": 300,
        "uncertain_policy": "resend",
        "jitter": 0.0,
    }
    return settle(result, **(usual | changes))


results = st.one_of(
    st.just(Acceptance("250 ok", 250, "2.0.0")),
    st.sampled_from([TransientDeliveryError, NotConnected, PermanentDeliveryError, UncertainDelivery]).map(
        lambda kind: kind("a reason")
    ),
)
tries = st.fixed_dictionaries(
    {
        "attempts": st.integers(0, 10_000),
        "uncertain_before": st.booleans(),
        "expires_at": st.timedeltas(timedelta(days=-2), timedelta(days=6)).map(lambda left: NOW + left),
        "retry_seconds": st.floats(1, 86_400),
        "uncertain_policy": st.sampled_from(["resend", "hold"]),
        "jitter": st.floats(0, 1, exclude_max=True),
    }
)


def test_what_was_accepted_is_settled_with_the_relays_words() -> None:
    outcome = tried(Acceptance("250 2.0.0 queued as 4F2", 250, "2.0.0"))
    assert outcome.state is DeliveryState.ACCEPTED
    assert (outcome.reply, outcome.code, outcome.enhanced) == ("250 2.0.0 queued as 4F2", 250, "2.0.0")
    assert outcome.counts


def test_an_address_that_the_relay_cannot_carry_is_skipped_with_that_reason_and_harms_no_score() -> None:
    outcome = tried(BeyondTheRelay("björn@x needs a relay that knows SMTPUTF8"))
    assert (outcome.state, outcome.reason) == (DeliveryState.SKIPPED, "björn@x needs a relay that knows SMTPUTF8")
    assert (outcome.counts, outcome.blames, outcome.not_before) == (False, False, None)


def test_a_refusal_for_now_is_tried_later_and_later() -> None:
    error = TransientDeliveryError("relay refused ann: 451 4.7.1 greylisted", 451, "4.7.1")
    waits = [tried(error, attempts=n).not_before for n in range(4)]
    assert waits == [NOW + timedelta(minutes=m) for m in (5, 10, 20, 40)]
    outcome = tried(error)
    assert (outcome.state, outcome.code, outcome.enhanced, outcome.counts) == (
        DeliveryState.DEFERRED,
        451,
        "4.7.1",
        True,
    )


@pytest.mark.parametrize("attempts", [0, 3, 50])
def test_a_relay_that_is_not_reached_costs_no_attempt_and_is_asked_again_soon(attempts: int) -> None:
    outcome = tried(NotConnected("relay:587 could not be reached"), attempts=attempts)
    assert (outcome.state, outcome.counts) == (DeliveryState.DEFERRED, False)
    assert outcome.not_before == NOW + timedelta(minutes=5)


def test_a_refusal_for_good_ends_it() -> None:
    outcome = tried(PermanentDeliveryError("relay refused ann: 550 5.1.1 no such user", 550, "5.1.1"))
    assert (outcome.state, outcome.not_before) == (DeliveryState.REJECTED, None)
    assert "no such user" in outcome.reason


def test_a_letter_that_may_have_left_is_taken_up_once_more() -> None:
    first = tried(UncertainDelivery("no answer"))
    assert (first.state, first.not_before) == (DeliveryState.UNCERTAIN, NOW + timedelta(minutes=5))
    second = tried(UncertainDelivery("no answer"), uncertain_before=True, attempts=1)
    assert (second.state, second.not_before) == (DeliveryState.UNCERTAIN, None)


def test_a_letter_that_may_have_left_is_held_where_that_is_the_policy() -> None:
    outcome = tried(UncertainDelivery("no answer"), uncertain_policy="hold")
    assert (outcome.state, outcome.not_before) == (DeliveryState.UNCERTAIN, None)


def test_a_letter_that_may_have_left_is_not_sent_again_once_it_is_too_old() -> None:
    outcome = tried(UncertainDelivery("no answer"), expires_at=NOW + timedelta(minutes=4))
    assert (outcome.state, outcome.not_before) == (DeliveryState.UNCERTAIN, None)


@pytest.mark.parametrize("error", [TransientDeliveryError("421 later", 421), NotConnected("no relay")])
def test_a_letter_whose_mailbox_refused_nothing_expires_with_its_last_reason(error: DeliveryError) -> None:
    outcome = tried(error, attempts=4, expires_at=NOW + timedelta(seconds=299))
    assert (outcome.state, outcome.counts, outcome.not_before) == (DeliveryState.EXPIRED, False, None)
    assert str(error) in outcome.reason
    assert tried(error, expires_at=NOW + timedelta(seconds=300)).state is DeliveryState.DEFERRED


def test_a_mailbox_that_says_later_until_the_letter_is_too_old_is_given_up_with_its_status() -> None:
    error = TransientDeliveryError("relay refused ann: 452 4.2.2 mailbox full", 452, "4.2.2")
    gave_up = tried(error, attempts=12, since=NOW - timedelta(hours=35), expires_at=NOW + timedelta(seconds=299))
    assert (gave_up.state, gave_up.code, gave_up.enhanced) == (DeliveryState.REJECTED, 452, "4.2.2")
    assert gave_up.reason == "gave up after 13 tries over 35 hours; last: relay refused ann: 452 4.2.2 mailbox full"
    at_once = tried(error, since=NOW - timedelta(seconds=5), expires_at=NOW)
    assert at_once.reason.startswith("gave up after 1 try; last: ")
    assert tried(error, expires_at=NOW).reason.startswith("gave up after 1 try; last: ")


def test_a_keeper_that_asks_for_patience_costs_no_attempt() -> None:
    outcome = tried(TransientDeliveryError("relay refused ann: 421 4.7.0 too many", 421, "4.7.0"), attempts=6)
    assert (outcome.state, outcome.counts) == (DeliveryState.DEFERRED, False)
    assert outcome.not_before == NOW + timedelta(minutes=5)


@given(results, tries)
def test_every_result_has_an_outcome_that_can_be_stored(result: Acceptance | DeliveryError, given_: Any) -> None:
    outcome = tried(result, **given_)
    assert outcome.state not in {DeliveryState.PLANNED, DeliveryState.LEASED, DeliveryState.SENDING}
    if outcome.state is DeliveryState.DEFERRED:
        assert outcome.not_before is not None
    if outcome.not_before is not None:
        assert outcome.state in {DeliveryState.DEFERRED, DeliveryState.UNCERTAIN}
        assert NOW < outcome.not_before <= given_["expires_at"]
    if outcome.state in {DeliveryState.SKIPPED, DeliveryState.REJECTED, DeliveryState.EXPIRED}:
        assert outcome.reason


@given(results, tries)
def test_no_letter_is_taken_up_a_third_time_after_a_doubt(result: Acceptance | DeliveryError, given_: Any) -> None:
    outcome = tried(result, **(given_ | {"uncertain_before": True}))
    assert outcome.state is not DeliveryState.UNCERTAIN or outcome.not_before is None


@given(st.floats(1, 100_000), st.integers(0, 100_000), st.floats(0, 1, exclude_max=True))
def test_a_pause_grows_and_never_beyond_four_hours(retry_seconds: float, attempts: int, jitter: float) -> None:
    wait = pause(retry_seconds, attempts, jitter)
    assert timedelta(0) < wait <= LONGEST_PAUSE
    assert wait <= pause(retry_seconds, attempts + 1, jitter)
    assert wait >= min(timedelta(seconds=retry_seconds), LONGEST_PAUSE * 0.8)


def test_chance_keeps_letters_from_coming_back_in_one_wave() -> None:
    assert len({pause(300, 9, jitter / 10) for jitter in range(10)}) == 10
