"""Did I get today's letter, and if not, why: one answer a reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.answers import Known, LetterRecord, Suppressed, why_no_mail
from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED, Silence
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, Subscription

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday
SEVEN = NOW.replace(hour=7)
S = DeliveryState
READER = Subscriber(
    id=1, public_id="a", email="mira@lab.example", state=SubscriberState.CONFIRMED, schedule=Schedule(hour=7),
    shared=False, confirmed_at=None, joined_at=NOW - timedelta(days=30),
    subscriptions=(Subscription(1, "tides", "tides", 0),),
)  # fmt: skip
OLD = LetterRecord(
    delivery_id=3, kind=LetterKind.DIGEST, issue="old", slot="2026-11-17", date=NOW - timedelta(days=3),
    state=S.ACCEPTED, reply="250 ok", reason="", attempts=1, last_try=NOW - timedelta(days=3), not_before=None,
)  # fmt: skip


def letter(state: DeliveryState, slot: str = "2026-11-20", reply: str = "", reason: str = "") -> LetterRecord:
    again = NOW + timedelta(hours=1) if state in {S.DEFERRED, S.PLANNED} else None
    return replace(
        OLD, delivery_id=7, slot=slot, state=state, reply=reply, reason=reason, date=SEVEN, last_try=SEVEN,
        not_before=again,
    )  # fmt: skip


def silence(reason: str, slots: int = 1, last_slot: str = "2026-11-20") -> Silence:
    return Silence(reason, "2026-11-18", last_slot, slots, SEVEN - timedelta(days=2), SEVEN)


def answer(known: Known, reader: Subscriber = READER, now: datetime = NOW) -> str:
    return why_no_mail(reader, known, now)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (letter(S.ACCEPTED), "Yes: the letter of 2026-11-20 was taken by the relay at 2026-11-20 07:00 UTC. If it"),
        (letter(S.PLANNED), "Not yet: the letter of 2026-11-20 is written and waits for its turn; the worker, or `pap"),
        (letter(S.LEASED), "Not yet: the letter of 2026-11-20 is being sent."),
        (letter(S.SENDING), "Not yet: the letter of 2026-11-20 is being sent."),
        (
            letter(S.DEFERRED, reply="451 greylisted, later."),
            "Not yet: the letter of 2026-11-20 could not leave at 2026-11-20 07:00 UTC: 451 greylisted, later; it is",
        ),
        (letter(S.UNCERTAIN), "Perhaps: the letter of 2026-11-20 may have left at 2026-11-20 07:00 UTC, but no ans"),
        (letter(S.REJECTED, reply="550 no such user"), "No: the letter of 2026-11-20 was refused at 2026-11-20 07:00 "),
        (letter(S.SKIPPED, reason="the reader was paused"), "No: the letter of 2026-11-20 was not sent: the reader"),
        (
            letter(S.SKIPPED, reason="the operator counted what waited as sent", reply="could not be reached"),
            "No: the letter of 2026-11-20 was not sent: the operator counted what waited as sent.",
        ),
        (
            replace(letter(S.ACCEPTED), heard="bounce 5.2.2 mailbox full"),
            "No: the letter of 2026-11-20 was taken by the relay at 2026-11-20 07:00 UTC, but then this was heard",
        ),
        (letter(S.EXPIRED, reason="too old when its turn came"), "No: the letter of 2026-11-20 could not leave bef"),
    ],
    ids=lambda value: value.state.value if isinstance(value, LetterRecord) else "",
)  # fmt: skip
def test_the_letter_of_the_slot_answers_by_its_state(found: LetterRecord, said: str) -> None:
    assert answer(Known(letters=(found, OLD))).startswith(said)


def test_an_uncertain_letter_that_is_held_names_the_command_that_settles_it() -> None:
    assert "`paperround deliveries resolve 7 --as sent`" in answer(Known(letters=(letter(S.UNCERTAIN),)))
    again = replace(letter(S.UNCERTAIN), not_before=NOW)
    assert answer(Known(letters=(again,))).endswith("it is sent once more.")


def test_a_waiting_letter_says_what_it_waits_for() -> None:
    waiting = Known(letters=(letter(S.PLANNED), OLD))
    assert "nothing is sent: the operator paused" in answer(replace(waiting, held="the operator paused deliveries"))
    down = replace(waiting, relay="535 wrong password.")
    assert answer(down) == (
        "Not yet: the letter of 2026-11-20 is written and waits, for the relay is not asked for a while: "
        "535 wrong password."
    )
    put_off = replace(down, letters=(letter(S.DEFERRED, reply="connection refused"),))
    assert answer(put_off).endswith(", for the relay is not asked for a while: 535 wrong password.")


def test_nothing_matched_says_for_how_long_and_whether_a_note_said_so() -> None:
    once = answer(Known(letters=(OLD,), silences=(silence(NOTHING_MATCHED),)))
    assert once == "No: nothing new matched the topics for 2026-11-20."
    note = replace(OLD, kind=LetterKind.QUIET, slot=None, date=SEVEN)
    longer = answer(Known(letters=(note, OLD), silences=(silence(NOTHING_MATCHED, slots=3),)))
    assert longer == (
        "No: nothing new matched the topics for 2026-11-20, nor has anything for 3 letters in a row, since 2026-11-18. "
        "A short note said so on 2026-11-20 07:00 UTC."
    )


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (NOT_COMPOSED, "No: the letter of 2026-11-20 could not be composed; the log says why, and it is tried again"),
        ("its papers changed meanwhile", "No: there is no letter of 2026-11-20: its papers changed meanwhile."),
    ],
)
def test_any_other_silence_says_its_reason(reason: str, said: str) -> None:
    assert answer(Known(letters=(OLD,), silences=(silence(reason),))).startswith(said)


def test_before_the_hour_todays_letter_is_not_due_and_the_one_before_is_told() -> None:
    early = NOW.replace(hour=5)
    found = Known(letters=(letter(S.REJECTED, "2026-11-19", reply="550 no"),))
    assert answer(found, now=early) == (
        "Not yet: today's letter is due at 2026-11-20 07:00 UTC. The one before: that of 2026-11-19 was refused at "
        "2026-11-20 07:00 UTC: 550 no."
    )
    quiet = Known(letters=(OLD,), silences=(silence(NOTHING_MATCHED, last_slot="2026-11-19"),))
    assert "The one before: nothing new matched the topics for 2026-11-19." in answer(quiet, now=early)
    assert answer(Known(letters=(OLD,)), now=early) == "Not yet: today's letter is due at 2026-11-20 07:00 UTC."


def test_a_weekly_reader_is_answered_for_the_week() -> None:
    weekly = replace(READER, schedule=Schedule(every=Cadence.WEEK, weekday=5, hour=7, zone="Europe/Berlin"))
    assert answer(Known(letters=(OLD,)), weekly) == (
        "Not yet: this week's letter is due at 2026-11-21 07:00 Europe/Berlin."
    )
    assert answer(Known(letters=(letter(S.ACCEPTED, "2026-W47"),)), weekly).startswith("Yes: the letter of 2026-W47")


def test_a_slot_that_nobody_looked_at_asks_whether_the_worker_runs() -> None:
    assert answer(Known(letters=(OLD,))) == (
        "No: nothing has made the letters of 2026-11-20 since they became due at 2026-11-20 07:00 UTC. "
        "Does `paperround run` or `paperround worker` run?"
    )
    broken = Known(letters=(OLD,), planning="the disk is full.")
    assert answer(broken) == "No: no letter is made at present. Planning does not work: the disk is full"


def test_before_the_first_letter_and_after_coming_back_a_first_one_is_awaited() -> None:
    assert answer(Known()) == "Not yet: the first letter is made once a source has been read."
    back = replace(READER, joined_at=NOW - timedelta(hours=1))
    assert answer(Known(letters=(OLD,)), back).startswith("Not yet: the first letter")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SubscriberState.PENDING, "No: the reader has not confirmed the address yet."),
        (SubscriberState.PAUSED, "No: the reader is paused, and gets no letters for now."),
        (SubscriberState.UNSUBSCRIBED, "No: the reader has unsubscribed."),
        (
            SubscriberState.SUPPRESSED,
            "No: this address must not be mailed. `paperround suppressions remove mira@lab.ex",
        ),
    ],
)
def test_the_readers_state_answers_before_any_letter(state: SubscriberState, said: str) -> None:
    assert answer(Known(letters=(letter(S.ACCEPTED),)), replace(READER, state=state)).startswith(said)


def test_a_pending_reader_is_told_what_became_of_the_confirmation() -> None:
    asked = replace(letter(S.REJECTED, reply="550 no such user"), kind=LetterKind.CONFIRM, slot=None)
    said = answer(Known(letters=(asked,)), replace(READER, state=SubscriberState.PENDING))
    assert said.endswith("The confirmation letter was refused at 2026-11-20 07:00 UTC: 550 no such user.")


def test_a_suppressed_address_says_since_when_and_why() -> None:
    found = Known(suppressed=Suppressed("bounce", "5.1.1 no such user.", SEVEN))
    assert answer(found).startswith(
        "No: this address must not be mailed since 2026-11-20 07:00 UTC, by reason of bounce (5.1.1 no such user)."
    )


def test_without_topics_there_is_no_letter() -> None:
    assert answer(Known(letters=(OLD,)), replace(READER, subscriptions=())).startswith("No: the reader has no topics")


def test_a_long_reply_is_cut() -> None:
    assert len(answer(Known(letters=(letter(S.REJECTED, reply="x" * 500_000),)))) < 500
