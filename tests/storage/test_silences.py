"""Why there was no letter: slots in a row are one row, and what queues a note settles the slot."""

from datetime import timedelta

import pytest

from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.seals import address_hash
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED, Quietness, Unserved
from storage.issues import Issues
from storage.keeping import Ages, Keeping
from storage.silences import Silences
from storage.subscribers import Subscribers
from storage.tables import DELIVERY, INSTALLATION, LANE, SILENCE, SUPPRESSION

DAY = timedelta(days=1)


@pytest.fixture
def silences(database):
    return Silences(database)


@pytest.fixture
def pass_over(database):
    def do(reader, at, reason=NOTHING_MATCHED, note=None, slot=None):
        unserved = Unserved(reader.id, slot or at.date().isoformat(), reason, note)
        Issues(database).run(at).freeze([], {reader.id: at}, [unserved], at)

    return do


@pytest.fixture
def note(now):
    def make(reader, key="quiet:mira:2026-11-21", at=now):
        return Mailing(
            message_key=key,
            subscriber_id=reader.public_id,
            recipient=reader.email,
            content=Content(LetterKind.QUIET, "Quiet", (Fragment(Role.HEAD, b"Quiet\r\n"),)),
            slots={"to": reader.email},
            message_id=f"<{key}@lab.example>",
            date=at,
            not_before=at,
            expires_at=at + DAY,
        )

    return make


def spans(silences, reader):
    return [(each.reason, each.first_slot, each.last_slot, each.slots) for each in silences.of(reader.id)]


def test_slots_in_a_row_with_one_reason_are_one_row(silences, reader, pass_over, now):
    mira = reader()
    for day in range(3):
        pass_over(mira, now + day * DAY)
    (only,) = silences.of(mira.id)
    assert (only.reason, only.first_slot, only.last_slot, only.slots) == (
        NOTHING_MATCHED, "2026-11-20", "2026-11-22", 3,
    )  # fmt: skip
    assert (only.since, only.until) == (now, now + 2 * DAY)


def test_the_same_slot_twice_counts_once(silences, reader, pass_over, now):
    mira = reader()
    pass_over(mira, now, NOT_COMPOSED)
    pass_over(mira, now + timedelta(hours=1), NOT_COMPOSED)
    (only,) = silences.of(mira.id)
    assert (only.slots, only.until) == (1, now + timedelta(hours=1))


def test_another_reason_or_a_letter_begins_a_new_row(silences, reader, pass_over, issue, now):
    mira = reader()
    pass_over(mira, now)
    pass_over(mira, now + DAY, NOT_COMPOSED)
    pass_over(mira, now + 2 * DAY)
    issue(mira, now + 3 * DAY)
    pass_over(mira, now + 4 * DAY)
    assert spans(silences, mira) == [
        (NOTHING_MATCHED, "2026-11-24", "2026-11-24", 1),
        (NOTHING_MATCHED, "2026-11-22", "2026-11-22", 1),
        (NOT_COMPOSED, "2026-11-21", "2026-11-21", 1),
        (NOTHING_MATCHED, "2026-11-20", "2026-11-20", 1),
    ]


def test_a_letter_that_is_not_written_is_a_silence_too(database, silences, reader, issue, now):
    mira = reader()
    Subscribers(database).erase(mira.public_id, now)
    with pytest.raises(AssertionError):
        issue(mira, now)  # erased meanwhile: nothing is written of nobody
    assert silences.of(mira.id) == ()


def test_readers_do_not_share_silences(silences, reader, pass_over, now):
    mira, noor = reader("mira"), reader("noor")
    pass_over(mira, now)
    pass_over(noor, now, NOT_COMPOSED)
    pass_over(mira, now + DAY)
    assert spans(silences, mira) == [(NOTHING_MATCHED, "2026-11-20", "2026-11-21", 2)]
    assert spans(silences, noor) == [(NOT_COMPOSED, "2026-11-20", "2026-11-20", 1)]


def test_a_slot_that_has_a_letter_has_no_silence_and_gets_no_note(silences, reader, pass_over, issue, note, count, now):
    mira = reader()
    issue(mira, now)
    pass_over(mira, now + timedelta(minutes=1), note=note(mira))
    assert silences.of(mira.id) == ()
    assert count(DELIVERY) == 1


def test_a_note_is_queued_once_with_the_slot_it_goes_in(silences, reader, pass_over, issue, note, count, now):
    mira = reader()
    issue(mira, now)
    assert silences.quietness([mira.id]) == {mira.id: Quietness(first_slot=None, is_noted=False)}
    pass_over(mira, now + DAY)
    assert silences.quietness([mira.id]) == {mira.id: Quietness(first_slot="2026-11-21", is_noted=False)}
    for _ in range(2):
        pass_over(mira, now + 2 * DAY, note=note(mira, at=now + 2 * DAY))
    assert silences.quietness([mira.id]) == {mira.id: Quietness(first_slot="2026-11-21", is_noted=True)}
    assert count(DELIVERY) == 2
    issue(mira, now + 3 * DAY)
    assert silences.quietness([mira.id]) == {mira.id: Quietness(first_slot=None, is_noted=False)}


def test_who_left_meanwhile_gets_no_note(database, reader, pass_over, note, count, now):
    from domain.subscriptions import Consent

    mira = reader()
    Subscribers(database).unsubscribe(mira.public_id, Consent("unsubscribed", "1", now))
    pass_over(mira, now, note=note(mira))
    assert count(DELIVERY) == 0


def test_nothing_is_known_of_a_reader_before_the_first_letter(silences, reader, pass_over, now):
    mira = reader()
    pass_over(mira, now)
    assert silences.quietness([mira.id]) == {}


def test_silences_go_with_what_relays_said_and_one_that_lasts_stays(database, reader, pass_over, silences, now):
    mira, noor = reader("mira"), reader("noor")
    pass_over(noor, now)
    for day in (0, 100):
        pass_over(mira, now + day * DAY)
    ages = Ages(issues=None, replies=90 * DAY, pending=None, runs=None)
    assert Keeping(database).sweep(ages, now + 120 * DAY).silences == 1
    assert (len(silences.of(mira.id)), silences.of(noor.id)) == (1, ())


def test_silences_go_with_the_reader(database, reader, pass_over, count, now):
    mira = reader()
    pass_over(mira, now)
    Subscribers(database).erase(mira.public_id, now)
    assert count(SILENCE) == 0


def test_a_readers_last_letters_are_told_with_what_became_of_them(silences, reader, issue, now):
    mira = reader()
    issue(mira, now)
    issue(mira, now + DAY)
    (newest,) = silences.letters(mira.id, 1)
    assert (newest.slot, newest.kind, newest.state.value) == ("2026-11-21", LetterKind.DIGEST, "accepted")
    assert newest.reply == "mira@lab.example: thank you"
    assert len(silences.letters(mira.id, 10)) == 2


def test_a_suppression_is_found_by_the_address(database, silences, now):
    with database.writing() as connection:
        secret = connection.execute(INSTALLATION.select()).one().secret
        connection.execute(
            SUPPRESSION.insert().values(
                address_hash=address_hash(secret, "mira@lab.example"), reason="bounce", detail="5.1.1", at=now, was="",
            )
        )  # fmt: skip
    found = silences.suppressed("mira@lab.example")
    assert (found.reason, found.detail, found.at) == ("bounce", "5.1.1", now)
    assert silences.suppressed("noor@lab.example") is None


HOUR = timedelta(hours=1)


def test_the_relay_is_shut_for_a_while(database, silences, now):
    assert silences.relay_shut(now) == ""
    with database.writing() as connection:
        connection.execute(
            LANE.insert().values(
                name="relay", tokens=0.0, filled_at=0.0, strikes=1, shut_until=now + HOUR, shut_since=now, reason="535",
            )
        )  # fmt: skip
    assert silences.relay_shut(now) == "535"
    assert silences.relay_shut(now + HOUR) == ""
    assert silences.relay_shut(now - DAY) == ""  # a clock that was ahead shut it: no pause is that long
