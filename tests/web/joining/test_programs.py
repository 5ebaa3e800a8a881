"""Programs that fill forms are dropped, and hear what everybody hears."""

import re
from datetime import timedelta

import pytest

from web.signup_form import TRAP


@pytest.mark.parametrize("seconds", [0, 2.9, 24 * 3600 + 1, -5])
def test_a_form_that_was_filled_too_fast_or_too_late_is_dropped_with_the_same_answer(place, seconds):
    given_at = re.search(r'name="given" value="([^"]+)"', place.ask("GET", "/subscribe").text)[1]
    usual, before = place.sign_up("usual@lab.example").all, place.tables()
    start = place.clock.now()
    place.clock.set(start + timedelta(seconds=seconds))
    try:
        assert place.sign_up(f"fast{seconds}@lab.example", given=given_at).all == usual
        assert place.tables() == before
    finally:
        place.clock.set(start)


@pytest.mark.parametrize(
    "given_at",
    ["", "0", ".", "nonsense", "1795161600000.", "1795161600000." + "0" * 32, "é.é", "9" * 5000 + ".0", "\0"],
)
def test_a_form_time_that_is_not_ours_is_dropped_with_the_same_answer(place, given_at):
    usual, before = place.sign_up("usual@lab.example").all, place.tables()

    assert place.sign_up("forged@lab.example", given=given_at).all == usual
    assert place.tables() == before


def test_who_fills_the_hidden_field_is_dropped_with_the_same_answer(place):
    usual, before = place.sign_up("usual@lab.example").all, place.tables()

    assert place.sign_up("bot@lab.example", **{TRAP: "Buy"}).all == usual
    assert place.tables() == before
