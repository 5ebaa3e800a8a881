"""Whatever is wrong with one reader, the others get their letters; and no machine undoes what another has looked at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from domain.clock import FixedClock
from domain.subscriptions import Schedule
from storage.looking import Looking, note_looks
from storage.tables import SUBSCRIBER, SUBSCRIPTION
from topics.query import parse
from worker.closing import SourceClosings

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.mark.engines("sqlite")
def test_a_letter_that_the_database_does_not_take_holds_up_no_other_of_its_block(desk_on, database, caplog):
    desk = desk_on(database, FixedClock(NOW))
    bad, *_ = [desk.reader(name, Schedule(hour=7)).id for name in ("bad", "ann", "ben")]
    edit = desk.edit

    def spoilt(readers, now, up_to):
        return [
            replace(each, plan=replace(each.plan, mailing=replace(each.plan.mailing, slots={"x": "\ud800"})))
            if each.subscriber_id == bad
            else each
            for each in edit(readers, now, up_to)
        ]

    desk.edit = spoilt
    done = desk.publisher().publish(NOW)
    assert (done.issues, done.skipped) == (2, {"could not be composed": 1})
    assert set(desk.issues()) == {"ann", "ben"}
    assert "could not be written" in caplog.text
    assert desk.publisher().publish(NOW + timedelta(minutes=30)).due == 0, "who is to blame waits for an hour"
    desk.edit = edit
    assert desk.publisher().publish(NOW + timedelta(minutes=61)).issues == 1


@pytest.mark.engines("sqlite")
def test_a_stored_query_that_cannot_be_read_any_more_holds_up_nobody_else(desk_on, database):
    desk = desk_on(database, FixedClock(NOW))
    bad = desk.reader("bad", Schedule(hour=7, ready=True)).id
    desk.reader("ann", Schedule(hour=7))
    with database.writing() as connection:
        mine = update(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == bad)
        connection.execute(mine.values(query="tides AND ("))
    desk.closings = lambda now: SourceClosings([], days=lambda *_: {}, parsed=parse, now=now)
    assert desk.publisher().publish(NOW).issues == 1


def test_a_machine_whose_clock_is_ahead_hides_nobody_behind_one_whose_clock_is_right(database, desk_on):
    desk = desk_on(database, FixedClock(NOW))
    mira = desk.reader("mira", Schedule(hour=7)).id
    looking = Looking(database)
    looking.mend(NOW, 1)
    with database.writing() as connection:
        note_looks(connection, {mira: NOW + YEAR}, NOW + YEAR)
        note_looks(connection, {}, NOW)
    assert looking.mend(NOW, 1)
    assert looking.is_due(NOW)
    assert not looking.mend(NOW, 1)


def test_machines_with_other_rules_of_time_zones_do_not_look_at_everyone_at_every_tick(database):
    looking = Looking(database)
    assert [looking.mend(NOW, rules) for rules in (1, 2, 1, 2, 1)] == [True, True, False, False, False]


@pytest.mark.engines("sqlite")
def test_who_changes_something_while_their_letter_is_written_gets_one_that_knows_of_it(desk_on, database):
    desk = desk_on(database, FixedClock(NOW))
    mira = desk.reader("mira", Schedule(hour=7)).id

    def moves(_reader):
        with database.writing() as connection:
            mine = update(SUBSCRIBER).where(SUBSCRIBER.c.id == mira)
            connection.execute(mine.values(email="new@lab.example", revision=SUBSCRIBER.c.revision + 1))
        desk.before = lambda _: None

    desk.before = moves
    assert desk.publisher().publish(NOW).skipped == {"the reader changed something meanwhile": 1}
    assert desk.publisher().publish(NOW).issues == 1
    with database.reading() as connection:
        assert connection.execute(select(SUBSCRIBER.c.email)).scalars().all() == ["new@lab.example"]
