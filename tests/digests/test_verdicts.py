"""Whom an answer is about: one mailbox, its keeper, the relay, or us."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.mail.verdicts import Note, Verdict, asks_for_patience, heard, verdict
from domain.deliveries import Acceptance
from domain.errors import DeliveryError, NotConnected, PermanentDeliveryError, TransientDeliveryError, UncertainDelivery

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def later(said: str, enhanced: str | None = None, **phase: str) -> TransientDeliveryError:
    """Return the error that a session makes of a reply."""
    return TransientDeliveryError(f"relay.example refused ann@lab.example: {said}", int(said[:3]), enhanced, **phase)


@pytest.mark.parametrize(
    "error",
    [
        later("421 4.7.0 try again later", "4.7.0"),
        later("421 service not available"),
        later("450 4.7.28 unusual amount of mail", "4.7.28"),
        later("451 Too many messages from you"),
        later("452 4.3.2 connection rate limit exceeded", "4.3.2"),
        later("450 message throttled"),
        later("451 please slow down"),
    ],
)
def test_a_keeper_that_asks_for_patience_is_heard(error: DeliveryError) -> None:
    assert verdict(error) is Verdict.KEEPER_SLOWER
    assert asks_for_patience(error)


@pytest.mark.parametrize(
    "error",
    [
        later("450 4.2.1 the user is receiving mail at a rate that prevents more", "4.2.1"),
        later("450 the user you write to is receiving mail at a rate that prevents more"),
        later("452 4.2.2 over quota, too many letters kept", "4.2.2"),
        later("450 mailbox busy"),
        later("451 4.7.1 greylisted for 5 minutes", "4.7.1"),
        later("450 4.1.8 sender domain not found", "4.1.8"),
        later("451 4.3.0 temporary failure", "4.3.0"),
        later("451 a separate generator is temporarily broken"),
        PermanentDeliveryError("refused: 550 5.1.1 no such user", 550, "5.1.1"),
        PermanentDeliveryError("refused: 554 5.7.1 too many spam marks", 554, "5.7.1"),
    ],
)
def test_a_refusal_of_one_letter_slows_nobody(error: DeliveryError) -> None:
    assert verdict(error) is Verdict.ANSWERED
    assert not asks_for_patience(error)


def test_whoever_chooses_an_address_does_not_choose_whom_it_slows() -> None:
    error = TransientDeliveryError("relay.example refused rate@throttle.example: 451 4.3.0 failed", 451, "4.3.0")
    assert verdict(error) is Verdict.ANSWERED


@pytest.mark.parametrize(
    "error",
    [
        later("421 4.7.0 too many connections", "4.7.0", phase="mail"),
        later("454 Throttling failure: maximum send rate exceeded"),
        later("452 4.5.3 your daily sending quota is used up", "4.5.3"),
    ],
)
def test_what_is_said_of_our_own_account_slows_the_lane_of_all(error: DeliveryError) -> None:
    assert verdict(error) is Verdict.RELAY_SLOWER


def test_a_refused_log_in_is_told_from_a_relay_that_is_away() -> None:
    assert verdict(NotConnected("wrong password", 535, "5.7.8")) is Verdict.NOT_LOGGED_IN
    assert verdict(NotConnected("log in first", 530)) is Verdict.NOT_LOGGED_IN
    assert verdict(NotConnected("connection refused")) is Verdict.NOT_REACHED
    assert verdict(NotConnected("greeted us with 421 busy", 421)) is Verdict.NOT_REACHED


@pytest.mark.parametrize(
    "error",
    [
        UncertainDelivery("no answer", 421),
        TransientDeliveryError("lost at DATA"),
        PermanentDeliveryError("the letter holds a bare CR"),
    ],
)
def test_no_clear_answer_teaches_nothing(error: DeliveryError) -> None:
    assert verdict(error) is Verdict.SILENT


def test_what_may_have_left_counts_and_what_was_refused_does_not() -> None:
    assert heard("lab.example", Acceptance("250 ok"), NOW).may_have_left
    assert heard("lab.example", UncertainDelivery("no answer"), NOW).may_have_left
    for error in (TransientDeliveryError("451"), PermanentDeliveryError("550"), NotConnected("no")):
        assert not heard("lab.example", error, NOW).may_have_left


def test_refusals_for_good_are_alike_by_their_status_else_by_their_words_without_addresses_and_numbers() -> None:
    def noted(text: str, status: str | None = None, whom: str = "a@x") -> Note:
        return heard("x", PermanentDeliveryError(f"relay refused {whom}: 550 {text}", 550, status, phase="rcpt"), NOW)

    assert noted("5.7.1 no", "5.7.1").refusal == "5.7.1"
    first, second = noted("no a@x here, id 4f2"), noted("No b@x here,  id 4f3", whom="b@x")
    assert first.refusal == second.refusal != noted("relaying denied").refusal
    assert first.recipient != second.recipient
    assert first.words == "550 no … here, id 4f2"
    assert " " not in noted("no", "5.7.1 . .").refusal
    ours = heard("x", PermanentDeliveryError("the letter has 9 bytes"), NOW)
    later = heard("x", TransientDeliveryError("450 later", 450), NOW)
    assert (ours.refusal, later.refusal) == ("", "")


@given(
    st.sampled_from([TransientDeliveryError, PermanentDeliveryError, NotConnected, UncertainDelivery]),
    st.text(max_size=2000),
    st.none() | st.integers(200, 599),
    st.none() | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}", fullmatch=True),
)
def test_whatever_is_said_makes_a_note_of_bounded_size(
    kind: type[DeliveryError], said: str, code: int | None, status: str | None
) -> None:
    note = heard("lab.example", kind(said, code, status), NOW)
    assert len(note.sentence) <= 300
    assert note.verdict is not Verdict.TAKEN


def test_what_is_kept_of_an_answer_names_nobody():
    for error in (
        TransientDeliveryError("mx refused mira@lab.example: 421 4.7.0 too many for <mira@lab.example>", 421, "4.7.0"),
        NotConnected("mx closed on mira@lab.example"),
    ):
        kept = heard("lab.example", error, NOW).sentence
        assert "mira" not in kept
        assert kept in {"421 4.7.0 too many for <…>", "mx closed on …"}
