"""How things stand, counted alike by both engines, and from indexes."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from domain.deliveries import DeliveryState
from domain.letter_events import LetterEvent, LetterEventKind, SuppressionReason
from domain.subscriptions import SubscriberState
from storage.letter_events import LetterEvents
from storage.operations import Operations
from storage.runs import Runs
from storage.sources import Sources
from storage.suppressions import Suppressions
from storage.tables import SILENCE, SUBSCRIBER

S = DeliveryState
HOUR = timedelta(hours=1)


@pytest.fixture
def operations(database):
    return Operations(database)


@pytest.fixture
def change(database):
    def rows(table, condition, **values):
        with database.writing() as connection:
            connection.execute(update(table).where(condition).values(values))

    return rows


def test_readers_who_stand_alike_are_counted_together(operations, reader, issue, now):
    for name in ("mira", "jun"):
        issue(reader(name), now)
    issue(reader("ada"), now, state=S.PLANNED)
    reader("new")
    reader("pending", SubscriberState.PENDING)

    look = operations.look(now + HOUR)

    found = [(each.number, each.slot, each.state, each.status) for each in look.standings]
    assert sorted(found, key=lambda each: (each[0], each[1] or "")) == [
        (1, None, None, ""),
        (1, "2026-11-20", S.PLANNED, ""),
        (2, "2026-11-20", S.ACCEPTED, "2.0.0"),
    ]
    assert look.readers == {SubscriberState.CONFIRMED: 4, SubscriberState.PENDING: 1}


def test_who_is_back_from_a_pause_stands_apart_until_a_letter_told_of_it(operations, reader, issue, change, now):
    mira, jun = reader("mira"), reader("jun")
    issue(mira, now)
    issue(jun, now)
    change(SUBSCRIBER, SUBSCRIBER.c.id == jun.id, away_since=now)
    assert sorted(each.is_back for each in operations.look(now + HOUR).standings) == [False, True]


def test_only_the_newest_letter_of_a_reader_counts_and_only_for_a_day(operations, reader, issue, now):
    mira = reader("mira")
    issue(mira, now - 23 * HOUR, state=S.REJECTED)
    issue(mira, now)

    assert [each.state for each in operations.look(now + HOUR).standings] == [S.ACCEPTED]
    assert [each.state for each in operations.look(now + 25 * HOUR).standings] == [None]


def test_a_reader_whose_mailbox_refused_and_who_is_suppressed_since_still_counts(
    operations, database, reader, issue, change, now
):
    mira = reader("mira")
    issue(mira, now, state=S.REJECTED)
    change(SUBSCRIBER, SUBSCRIBER.c.id == mira.id, state="suppressed")

    (one,) = operations.look(now + HOUR).standings

    assert (one.confirmed, one.state, one.has_topics) == (False, S.REJECTED, True)


def test_what_waits_is_told_by_state_with_its_oldest(operations, reader, issue, now):
    issue(reader("b"), now - 5 * HOUR, state=S.DEFERRED)
    for name, state in (("c", S.UNCERTAIN), ("d", S.ACCEPTED), ("a", S.PLANNED)):
        issue(reader(name), now, state=state)

    look = operations.look(now + HOUR)

    assert [(each.state, each.number, each.held, each.oldest) for each in look.waiting] == [
        (S.PLANNED, 1, 0, now),
        (S.DEFERRED, 1, 0, now - 5 * HOUR),
        (S.UNCERTAIN, 1, 1, now),
    ]
    assert look.ended == {S.ACCEPTED: 1}
    assert [(each.state, each.held) for each in look.failures] == [(S.UNCERTAIN, True)]


def test_a_silence_counts_unless_a_letter_came_after_it(operations, database, reader, issue, now):
    mira, jun, ada = reader("mira"), reader("jun"), reader("ada")
    issue(jun, now + 2 * HOUR)
    row = {"first_slot": "s", "last_slot": "s", "slots": 1, "since": now, "until": now}
    with database.writing() as connection:
        for each, reason in ((mira, "could not be composed"), (jun, "could not be composed"), (ada, "nothing matched")):
            connection.execute(SILENCE.insert().values(subscriber_id=each.id, reason=reason, **row))

    assert operations.look(now + 3 * HOUR).unserved == {"could not be composed": 1}
    assert operations.look(now + 25 * HOUR).unserved == {}


def test_what_came_back_and_who_is_not_mailed_is_counted_by_days(operations, database, reader, issue, now):
    mira = reader("mira")
    issue(mira, now)
    complaint = LetterEvent(
        source="arf", source_event_id="1", delivery_id=1, kind=LetterEventKind.COMPLAINT, at=now + HOUR
    )
    LetterEvents(database).record([complaint], now + HOUR)
    Suppressions(database).add("gone@lab.example", SuppressionReason.OPERATOR, "a wish", now)

    look = operations.look(now + 3 * 24 * HOUR)

    assert [(each.accepted, each.bounces, each.complaints) for each in (look.day, look.week, look.month)] == [
        (0, 0, 0),
        (1, 0, 1),
        (1, 0, 1),
    ]
    assert look.suppressed == {"complaint": 1, "operator": 1}


def test_sign_ups_count_who_came_by_themselves(operations, database, reader, change, now):
    reader("vouched")
    reader("pending", SubscriberState.PENDING)
    mira = reader("mira")
    change(SUBSCRIBER, SUBSCRIBER.c.id == mira.id, confirmed_at=now)

    arrivals = operations.look(now + HOUR).arrivals

    assert (arrivals.asked, arrivals.confirmed) == (2, 1)
    assert operations.look(now + 8 * 24 * HOUR).arrivals.asked == 0


def test_runs_with_an_error_and_the_newest_of_each_job_are_told(operations, database, now):
    runs = Runs(database)
    for slot, error in (("1", "no answer"), ("2", "")):
        number = runs.claim("collect:hf", slot, "one", now, HOUR)
        runs.finish(number, now + timedelta(seconds=3), "ok", {}, error)

    look, sizes = operations.look(now + HOUR), operations.sizes()

    assert [(each.job, each.error) for each in look.errors] == [("collect:hf", "no answer")]
    assert look.last_run == now + timedelta(seconds=3)
    assert [(each.job, each.seconds) for each in sizes.runs] == [("collect:hf", 3.0)]
    assert (sizes.papers, sizes.sightings, sizes.topics) == (0, 0, 0)


def test_an_empty_archive_is_looked_at_as_calmly(operations, now):
    look = operations.look(now)

    assert (look.standings, look.waiting, look.failures, look.shut, look.last_run) == ((), (), (), "", None)


def test_a_wish_to_collect_is_remembered_to_the_second(database, now):
    sources = Sources(database)
    assert sources.wished() is None

    sources.wish(now + timedelta(milliseconds=700))

    assert sources.wished() == now


def test_a_look_is_a_few_statements_whatever_there_is(operations, database, reader, issue, now):
    for number in range(5):
        issue(reader(f"r{number}"), now)
    said = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: said.append(given[2]))

    operations.look(now + HOUR)

    assert len([each for each in said if each.lstrip().startswith("SELECT")]) < 25


@pytest.mark.engines("sqlite")
def test_no_statement_of_a_look_walks_deliveries_events_or_runs(operations, database, now):
    """Readers are walked once, papers and sightings by `sizes` alone."""
    said = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: said.append(given[2:4]))
    operations.look(now)
    with database.reading() as connection:
        plans = [
            row[3]
            for statement, values in said
            if statement.lstrip().startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    whole = [plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan]

    assert {plan.split()[1] for plan in whole} <= {"subscriber", "suppression", "installation", "lane", "anon_1"}
