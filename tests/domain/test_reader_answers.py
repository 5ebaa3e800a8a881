"""What a reader hears of their letters: our own words, without a command and without what others said."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.answers import Known, LetterRecord, Suppressed, why_no_mail
from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.reader_answers import FATES, fate, slot_name, why_no_letter
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED, Silence
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, Subscription

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SEVEN = NOW.replace(hour=7)
S = DeliveryState
SAID = "`evil` <b>said</b> by mx.lab.example of mira@lab.example"
READER = Subscriber(
    id=1, public_id="a", email="mira@lab.example", state=SubscriberState.CONFIRMED, schedule=Schedule(hour=7),
    shared=False, confirmed_at=None, joined_at=NOW - timedelta(days=30),
    subscriptions=(Subscription(1, "tides", "tides", 0),),
)  # fmt: skip
OLD = LetterRecord(
    delivery_id=3, kind=LetterKind.DIGEST, issue="old", slot="2026-11-17", date=NOW - timedelta(days=3),
    state=S.ACCEPTED, reply=SAID, reason=SAID, attempts=1, last_try=NOW - timedelta(days=3), not_before=None,
)  # fmt: skip
TODAY = replace(OLD, slot="2026-11-20", date=SEVEN, last_try=SEVEN)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (S.ACCEPTED, "Yes: it left at 07:00 on 20 November 2026. If it is not in your inbox, look where spam goes."),
        (S.PLANNED, "Not yet: it leaves shortly."),
        (S.LEASED, "Not yet: it leaves shortly."),
        (S.SENDING, "Not yet: it leaves shortly."),
        (S.DEFERRED, "Not yet: it could not leave at 07:00 on 20 November 2026. It is tried again at 10:00 on"),
        (S.UNCERTAIN, "Perhaps: it may have left"),
        (S.REJECTED, "No: your mailbox refused it"),
        (S.SKIPPED, "No: it was not sent."),
        (S.EXPIRED, "No: it could not leave before it was too old."),
    ],
)
def test_the_letter_of_the_slot_answers_by_its_state(state: DeliveryState, said: str) -> None:
    again = NOW.replace(hour=10) if state is S.DEFERRED else None
    found = replace(TODAY, state=state, not_before=again)

    answer = why_no_letter(READER, Known(letters=(found, OLD), held=""), NOW)

    assert answer.startswith(said)
    assert SAID not in answer


@pytest.mark.parametrize("known", [Known(held=SAID), Known(relay=SAID)], ids=["held", "relay"])
def test_what_holds_letters_back_is_not_told_in_others_words(known: Known) -> None:
    waiting = replace(known, letters=(replace(TODAY, state=S.PLANNED), OLD))

    assert why_no_letter(READER, waiting, NOW) == "Not yet: it is written, but no letters leave at present."


@pytest.mark.parametrize(
    ("changes", "known", "said"),
    [
        ({"state": SubscriberState.PENDING}, Known(), "No: your address is not confirmed yet."),
        ({"state": SubscriberState.PAUSED}, Known(), "No: your letters are paused."),
        (
            {"state": SubscriberState.PAUSED, "paused_until": date(2026, 12, 24)}, Known(),
            "No: your letters are paused until 24 December 2026.",
        ),
        ({"state": SubscriberState.UNSUBSCRIBED}, Known(), "No: you are unsubscribed."),
        ({"state": SubscriberState.SUPPRESSED}, Known(), "No: letters to this address have stopped."),
        ({}, Known(suppressed=Suppressed("bounce", SAID, NOW)), "No: letters to this address have stopped because m"),
        ({}, Known(suppressed=Suppressed("odd", SAID, NOW)), "No: letters to this address have stopped."),
        ({"subscriptions": ()}, Known(), "No: you have no topics"),
        ({}, Known(), "Not yet: your first letter is made as soon as new listings have been read."),
        ({"joined_at": NOW}, Known(letters=(OLD,)), "Not yet: your first letter"),
        ({}, Known(letters=(replace(TODAY, heard=SAID), OLD)), "No: it left at 07:00 on 20 November 2026, but your m"),
        ({}, Known(letters=(OLD,), planning=SAID), "Not yet: no letters can be made at present."),
        ({}, Known(letters=(OLD,)), "Not yet: the letter is late."),
        (
            {}, Known(letters=(OLD,), silences=(Silence(NOTHING_MATCHED, "a", "2026-11-20", 3, NOW, NOW),)),
            "No: nothing new matched your topics for 20 November 2026. That is no fault.",
        ),
        (
            {}, Known(letters=(OLD,), silences=(Silence(NOT_COMPOSED, "a", "2026-11-20", 1, NOW, NOW),)),
            "No: it could not be made, through a fault of ours.",
        ),
        ({}, Known(letters=(OLD,), silences=(Silence(SAID, "a", "2026-11-20", 1, NOW, NOW),)), "Not yet: the letter i"),
        ({"schedule": Schedule(hour=11)}, Known(letters=(OLD,)), "Not yet: today’s letter is due at 11:00 on 20 Nov"),
        (
            {"schedule": Schedule(hour=11, ready=True)}, Known(letters=(OLD,)),
            "Not yet: today’s letter comes once your sources have closed their day, at 11:00 on 20 November 2026 at th",
        ),
        (
            {"schedule": Schedule(hour=11, ready=True)},
            Known(letters=(OLD,), silences=(Silence(NOTHING_MATCHED, "a", "2026-11-20", 1, NOW, NOW),)),
            "No: nothing new matched your topics",
        ),
        (
            {"schedule": Schedule(every=Cadence.WEEK, weekday=6)}, Known(letters=(OLD,)),
            "Not yet: this week’s letter is due at 07:00 on 22 November 2026.",
        ),
    ],
)  # fmt: skip
def test_without_a_letter_the_nearest_reason_answers(changes, known: Known, said: str) -> None:
    answer = why_no_letter(replace(READER, **changes), known, NOW)

    assert answer.startswith(said)
    assert SAID not in answer


def test_a_list_of_letters_has_a_word_for_every_state_and_for_one_that_came_back() -> None:
    assert set(FATES) == set(DeliveryState)
    assert fate(replace(OLD, heard=SAID)) == "sent, but it came back"
    assert (slot_name("2026-W05"), slot_name("2026-11-02"), slot_name(None)) == (
        "week 5 of 2026",
        "2 November 2026",
        "",
    )


@pytest.mark.parametrize("state", SubscriberState)
@pytest.mark.parametrize("fate", [None, *DeliveryState])
def test_reader_and_operator_are_answered_alike_whatever_the_states(state: SubscriberState, fate: DeliveryState | None):
    letters = () if fate is None else (replace(TODAY, state=fate),)
    reader, known = replace(READER, state=state), Known(letters=letters)

    told, said = why_no_letter(reader, known, NOW), why_no_mail(reader, known, NOW)

    assert told.partition(":")[0] == said.partition(":")[0]
    if state is not SubscriberState.CONFIRMED:
        others = {why_no_letter(replace(READER, state=each), known, NOW) for each in set(SubscriberState) - {state}}
        assert told not in others, "a new state is told by a sentence of its own"
