"""Whose pause ends: on their own day, where they are, once, and with everything else as it was."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain.subscriptions import Cadence, Consent, Schedule, SubscriberState
from storage.changing import Changes
from storage.subscribers import Subscribers
from storage.tables import SUBSCRIBER
from storage.waking import Waking

MONDAY = date(2026, 11, 23)
PAUSED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


JUST = timedelta(microseconds=1)


@pytest.fixture
def paused(database, reader):
    """Add a reader in a zone who paused until a day."""

    def make(name="mira", until=MONDAY, zone="UTC"):
        changes = Changes(database)
        whose = reader(name)
        changes.schedule(whose.public_id, None, Schedule(every=Cadence.DAY, hour=7, zone=zone))
        return changes.pause(whose.public_id, None, until, Consent("paused", "web 1", PAUSED_AT, "/preferences"))

    return make


@pytest.fixture
def look(database):
    def at(whose):
        with database.reading() as connection:
            query = select(SUBSCRIBER.c.looked_at).where(SUBSCRIBER.c.id == whose.id)
            return Subscribers(database).by_public_id(whose.public_id), connection.execute(query).scalar_one()

    return at


def test_a_reader_is_back_on_the_day_they_named_and_it_is_on_record(database, paused, look):
    mira = paused()
    waking = Waking(database)
    eve = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert waking.wake(eve, eve) == 0
    assert look(mira) == (mira, None)
    now = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    assert waking.wake(now, now + timedelta(seconds=3)) == 1
    back, looked_at = look(mira)
    assert (back.state, back.paused_until, back.away_since) == (SubscriberState.CONFIRMED, None, PAUSED_AT)
    assert back.revision == mira.revision + 1
    assert looked_at == now - JUST, "what opened before belongs to the absence, and what opens now does not"
    last = Subscribers(database).consents(mira.id)[-1]
    assert last == Consent("resumed", "", now + timedelta(seconds=3), "calendar")


def test_a_second_look_wakes_nobody_again(database, paused, look):
    mira = paused()
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert [Waking(database).wake(now, now) for _ in range(3)] == [1, 0, 0]
    assert [each.action for each in Subscribers(database).consents(mira.id)].count("resumed") == 1


@pytest.mark.parametrize(
    ("zone", "began"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 11, 22, 23, tzinfo=UTC)),
        ("Pacific/Pago_Pago", datetime(2026, 11, 23, 11, tzinfo=UTC)),
    ],
)
def test_the_day_begins_where_the_reader_is(database, paused, look, zone, began):
    mira = paused(zone=zone)
    before = began - timedelta(seconds=1)
    assert Waking(database).wake(before, before) == 0
    assert Waking(database).wake(began, began) == 1
    assert look(mira)[1] == began - JUST


def test_one_machine_that_was_off_for_days_wakes_everybody_whose_day_is_past(database, paused, look):
    readers = [paused(name) for name in ("ann", "ben", "cat")]
    late = datetime(2026, 12, 6, 15, tzinfo=UTC)
    assert Waking(database).wake(late, late) == 3
    assert {look(each)[0].state for each in readers} == {SubscriberState.CONFIRMED}
    assert {look(each)[1] for each in readers} == {datetime(2026, 11, 23, tzinfo=UTC) - JUST}, (
        "the slots since are theirs"
    )


def test_a_pause_without_an_end_and_readers_in_any_other_state_stay_as_they_are(database, paused, reader, look):
    endless = paused("ann", until=None)
    others = {state: reader(state.value) for state in SubscriberState if state is not SubscriberState.PAUSED}
    with database.writing() as connection:
        for state, whose in others.items():
            this = update(SUBSCRIBER).where(SUBSCRIBER.c.id == whose.id)
            connection.execute(this.values(state=state.value, paused_until=date(2026, 1, 1)))
    late = datetime(2027, 11, 23, tzinfo=UTC)
    assert Waking(database).wake(late, late) == 0
    assert look(endless)[0] == endless
    assert {state: look(whose)[0].state for state, whose in others.items()} == {state: state for state in others}


def test_a_later_look_that_found_nothing_is_not_forgotten(database, paused, look):
    mira = paused()
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == mira.id).values(looked_at=noon))
    later = noon + timedelta(hours=1)
    assert Waking(database).wake(later, later) == 1
    assert look(mira)[1] == noon


def test_readers_wake_a_block_at_a_time_and_the_next_publish_goes_on_where_a_kill_came(database, paused, monkeypatch):
    monkeypatch.setattr("storage.waking.BLOCK", 2)
    readers = [paused(f"reader{number}", zone="Pacific/Pago_Pago" if number == 1 else "UTC") for number in range(6)]
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def awake():
        return sum(
            Subscribers(database).by_public_id(each.public_id).state is SubscriberState.CONFIRMED for each in readers
        )

    blocks, begin = [], database.writing

    def dying():
        blocks.append(awake())
        if len(blocks) == 3:
            raise KeyboardInterrupt
        return begin()

    monkeypatch.setattr(database, "writing", dying)
    with pytest.raises(KeyboardInterrupt):
        Waking(database).wake(now, now)
    assert blocks == [0, 1, 3], "and between two of them others may write"
    monkeypatch.undo()
    assert Waking(database).wake(now, now) == 2
    assert awake() == 5, "it is not the day yet where the sixth is"
    assert Waking(database).wake(now, now) == 0
