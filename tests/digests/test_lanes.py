"""How fast letters may leave, and what shuts a lane: values in, values out."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.mail.lanes import FASTEST, FIRST, LOG_IN_PAUSE, RELAY_PAUSE, SLOWEST, Given, Rates, give, learn
from digests.mail.shunning import shunned
from digests.mail.verdicts import Note, Verdict
from domain.lanes import RELAY, TO, TRIES, Lane

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RATES = Rates()


def after(known: Mapping[str, Lane], *notes: Note, seen: Mapping[str, int] | None = None) -> dict[str, Lane]:
    changed = learn(known, notes, RATES, seen or {})
    return {name: lane for name, lane in {**known, **changed}.items() if lane is not None}


def note(verdict: Verdict, at: datetime = NOW, keeper: str = "gmail", sentence: str = "said so") -> Note:
    return Note(keeper, verdict, at, sentence)


def taken(known: Mapping[str, Lane], given_: Given) -> dict[str, Lane]:
    return {name: lane for name, lane in {**known, **given_.changed}.items() if lane is not None}


# -- keepers -----------------------------------------------------------------------------------------------------------


def test_without_limits_and_without_a_refusal_nothing_is_remembered() -> None:
    assert give({}, RATES, NOW, 50) == Given(50)
    assert learn({}, [note(Verdict.TAKEN), note(Verdict.ANSWERED), note(Verdict.SILENT)], RATES, {}) == {}


def test_a_keeper_that_asks_for_patience_is_left_alone_and_nobody_else_is() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER))
    opening = give(lanes, RATES, NOW + 4 * MINUTE, 50)
    assert (opening.room, opening.shut) == (50, {"gmail"})
    assert set(lanes) == {"to:gmail"}


def test_then_it_gets_one_letter_and_the_others_follow_slowly() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER))
    opening = give(lanes, RATES, NOW + 5 * MINUTE, 50)
    assert (opening.room, opening.shut, opening.caps) == (50, frozenset(), {"gmail": 1})
    lanes = taken(lanes, opening)
    assert give(lanes, RATES, NOW + 5 * MINUTE, 50).shut == {"gmail"}
    assert give(lanes, RATES, NOW + 6 * MINUTE, 50).caps == {"gmail": 1}


def test_it_begins_with_half_of_what_it_took_before() -> None:
    assert after({}, note(Verdict.KEEPER_SLOWER), seen={"gmail": 3000})["to:gmail"].per_hour == 1500
    assert after({}, note(Verdict.KEEPER_SLOWER), seen={"gmail": 3})["to:gmail"].per_hour == FIRST


def test_each_storm_halves_its_rate_and_lengthens_its_pause() -> None:
    lanes: dict[str, Lane] = {}
    at, seen = NOW, []
    for _ in range(6):
        lanes = after(lanes, note(Verdict.KEEPER_SLOWER, at))
        lane = lanes["to:gmail"]
        assert lane.shut_until is not None
        seen.append((lane.per_hour, lane.shut_until - at))
        at = lane.shut_until
    rates, pauses = zip(*seen, strict=True)
    assert rates == (60, 30, 15, SLOWEST, SLOWEST, SLOWEST)
    assert pauses == tuple(each * MINUTE for each in (5, 10, 20, 40, 60, 60))
    assert lane.shut_since == NOW


def test_the_answers_of_one_storm_are_one_strike() -> None:
    storm = [note(Verdict.KEEPER_SLOWER, NOW + timedelta(seconds=each)) for each in range(20)]
    assert after({}, *storm)["to:gmail"].strikes == 1
    assert after(after({}, storm[0]), *storm[1:])["to:gmail"].strikes == 1


def test_what_was_on_its_way_when_the_lane_was_shut_does_not_open_it() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER), note(Verdict.TAKEN, NOW + timedelta(seconds=2)))
    assert give(lanes, RATES, NOW + MINUTE, 50).shut == {"gmail"}


def test_each_letter_that_is_taken_adds_one_an_hour_until_the_lane_is_forgotten() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER))
    at = NOW + 5 * MINUTE
    lanes = after(lanes, note(Verdict.TAKEN, at))
    assert (lanes["to:gmail"].per_hour, lanes["to:gmail"].strikes) == (FIRST + 1, 0)
    assert after(lanes, *[note(Verdict.TAKEN, at)] * int(FASTEST - FIRST)) == {}


def test_a_keeper_that_nobody_wrote_to_for_a_day_is_met_afresh() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER))
    opening = give(lanes, RATES, NOW + timedelta(days=1, minutes=6), 50)
    assert (opening.shut, opening.caps, opening.changed) == (frozenset(), {}, {"to:gmail": None})


# -- the relay ---------------------------------------------------------------------------------------------------------


def test_a_relay_that_is_away_shuts_the_lane_of_all_and_one_letter_tries_it() -> None:
    lanes = after({}, note(Verdict.NOT_REACHED, sentence="connection refused"))
    early = give(lanes, RATES, NOW + 4 * MINUTE, 50)
    assert (early.room, early.wait) == (0, None)
    assert "since 2026-11-20 07:00 UTC" in early.reason
    assert "connection refused" in early.reason
    probe = give(lanes, RATES, NOW + 5 * MINUTE, 50)
    assert (probe.room, probe.is_probe) == (1, True)
    assert give(taken(lanes, probe), RATES, NOW + 5 * MINUTE, 50).room == 0


@pytest.mark.parametrize("answer", [Verdict.TAKEN, Verdict.ANSWERED, Verdict.KEEPER_SLOWER])
def test_the_first_answer_opens_it_wholly(answer: Verdict) -> None:
    lanes = after({}, note(Verdict.NOT_REACHED))
    lanes = taken(lanes, give(lanes, RATES, NOW + 5 * MINUTE, 50))
    lanes = after(lanes, note(answer, NOW + 6 * MINUTE))
    assert give(lanes, RATES, NOW + 6 * MINUTE, 50).room == 50


def test_no_answer_does_not_open_it() -> None:
    lanes = after({}, note(Verdict.NOT_REACHED), note(Verdict.SILENT))
    assert give(lanes, RATES, NOW + MINUTE, 50).room == 0


@pytest.mark.parametrize(
    ("failure", "minutes", "longest"),
    [
        (Verdict.NOT_REACHED, [5, 10, 20, 30, 30], RELAY_PAUSE),
        (Verdict.NOT_LOGGED_IN, [15, 30, 60, 120, 240, 240], LOG_IN_PAUSE),
    ],
)
def test_it_is_tried_less_and_less_often(failure: Verdict, minutes: list[int], longest: timedelta) -> None:
    lanes = after({}, note(failure))
    at, waits = NOW, []
    for _ in minutes:
        opens = lanes[RELAY].shut_until
        assert opens is not None
        waits.append(round((opens - at) / MINUTE))
        at = opens
        lanes = after(taken(lanes, give(lanes, RATES, at, 50)), note(failure, at))
    assert waits == minutes
    assert max(waits) * MINUTE == longest
    assert lanes[RELAY].shut_since == NOW


def test_many_connections_that_fail_at_once_are_one_strike() -> None:
    assert after({}, *[note(Verdict.NOT_REACHED)] * 16)[RELAY].strikes == 1


def test_a_relay_whose_log_in_fails_after_it_was_away_is_tried_as_slowly_as_any_log_in() -> None:
    lanes = after({}, note(Verdict.NOT_REACHED), note(Verdict.NOT_LOGGED_IN))
    assert lanes[RELAY].shut_until == NOW + 15 * MINUTE


def test_a_relay_that_asks_for_patience_itself_slows_all() -> None:
    lanes = after({}, note(Verdict.RELAY_SLOWER, sentence="454 throttling"))
    assert give(lanes, RATES, NOW + MINUTE, 50).room == 0
    opening = give(lanes, RATES, NOW + 5 * MINUTE, 50)
    assert (opening.room, opening.is_probe) == (1, False)
    again = give(taken(lanes, opening), RATES, NOW + 5 * MINUTE, 50)
    assert (again.room, again.wait) == (0, None)
    assert "454 throttling" in again.reason


def test_a_clock_that_was_set_back_shuts_no_lane_for_longer_than_a_pause() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER), note(Verdict.NOT_REACHED))
    opening = give(lanes, RATES, NOW - timedelta(days=2), 50)
    assert opening.room == 1
    assert not opening.shut


# -- a second ----------------------------------------------------------------------------------------------------------


@given(
    st.floats(0.05, 200),
    st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
def test_never_more_than_per_second_in_any_second(per_second: float, steps: list[float]) -> None:
    rates, lanes, at, gone = replace(RATES, per_second=per_second), {}, NOW, []
    for step in steps:
        at += timedelta(seconds=step)
        opening = give(lanes, rates, at, 50)
        lanes = taken(lanes, opening)
        gone += [at] * opening.room
    # Below ten a second letters leave one by one, so that a second holds the next whole number at most.
    most = -(-per_second // 1)
    for place, first in enumerate(gone):
        assert bisect_left(gone, first + timedelta(seconds=1)) - place <= most


def test_where_a_second_is_used_up_it_is_said_how_long_to_wait() -> None:
    rates = replace(RATES, per_second=0.5)
    opening = give({}, rates, NOW, 50)
    assert opening.room == 1
    spent = give(taken({}, opening), rates, NOW, 50)
    assert (spent.room, spent.wait, spent.reason) == (0, 2.0, "")


# -- a person has to look ----------------------------------------------------------------------------------------------


def tries(*refusals: str) -> list[Note]:
    return [Note("x", Verdict.ANSWERED, NOW, refusal=each) for each in refusals]


def test_the_same_refusal_of_policy_over_five_in_a_hundred_is_too_often() -> None:
    record, worst = shunned(Lane(TRIES), tries(*[""] * 190, *["5.7.1"] * 10))
    assert worst == ""
    record, worst = shunned(record, tries(""))
    assert (len(record.reason.split()), worst) == (200, "")
    _, worst = shunned(record, tries("5.7.1"))
    assert worst == "5.7.1"


def test_different_refusals_are_not_the_same() -> None:
    assert shunned(Lane(TRIES), tries(*["5.7.1", "5.7.26"] * 10))[1] == ""


def test_tries_that_reached_nobody_are_no_tries() -> None:
    record, _ = shunned(Lane(TRIES), [note(Verdict.NOT_REACHED), note(Verdict.SILENT)])
    assert record.reason == ""


def test_a_name_of_a_keeper_is_never_that_of_the_relay() -> None:
    lanes = after({}, note(Verdict.KEEPER_SLOWER, keeper=RELAY))
    assert set(lanes) == {TO + RELAY}
    assert give(lanes, RATES, NOW, 50).room == 50
