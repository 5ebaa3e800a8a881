"""How the machinery stands, on both engines: what waits, what passes did, which jobs the engine keeps."""

from datetime import timedelta
from threading import Thread

import pytest
from procrastinate.schema import SchemaManager

from domain.deliveries import DeliveryState
from domain.operations import QueuedJobs
from storage.passes import PASS, PassRecords
from storage.runs import Runs
from storage.tables import RUN
from storage.works import WorksRecords

HOUR = timedelta(hours=1)


@pytest.fixture
def works(database):
    return WorksRecords(database)


@pytest.fixture
def records(database):
    return PassRecords(database)


def test_an_empty_archive_has_nothing_to_do(works, now):
    found = works.look(now)
    backlog = found.backlog
    assert (backlog.unmatched, backlog.to_plan, backlog.longest_wait, backlog.due, backlog.oldest_due) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert (found.workers, found.worker_seen, found.jobs, found.matches) == (0, None, None, 0)
    assert [(each.verb, each.ended, each.last_at) for each in found.passes] == [
        (verb, 0, None) for verb in ("collect", "match", "publish", "deliver")
    ]


def test_papers_wait_until_they_are_matched(works, archive, listed, listing, now):
    archive.add(listing(listed("Tides of the North Sea"), listed("Tides of the Red Sea")), now)
    assert works.look(now).backlog.unmatched == 2


def test_the_first_letter_that_may_leave_says_how_old_the_outbox_is(works, reader, issue, now):
    issue(reader("a"), now - 3 * HOUR, state=DeliveryState.PLANNED)
    issue(reader("b"), now - HOUR, state=DeliveryState.PLANNED)
    issue(reader("c"), now - 9 * HOUR)
    backlog = works.look(now).backlog
    assert (backlog.due, backlog.oldest_due) == (2, 10_800)
    assert works.look(now - 2 * HOUR).backlog.due == 1


def test_passes_of_many_workers_add_up(records, now):
    def work(owner):
        for _ in range(5):
            records.add("match", now, now + timedelta(seconds=2), {"papers": 3}, owner)

    threads = [Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    records.add("match", now, now + timedelta(seconds=1), {"matches": 4}, "last", failed=True)

    done = {each.verb: each for each in records.all()}["match"]
    assert (done.ended, done.failed, done.seconds, done.last_seconds) == (21, 1, 41.0, 1.0)
    assert (done.counts, done.last_at) == ({"papers": 60, "matches": 4}, now + timedelta(seconds=1))


def test_a_clock_that_was_set_back_takes_nothing_off(records, now):
    records.add("deliver", now, now - HOUR, {"accepted": 1}, "one")
    assert {each.verb: each.seconds for each in records.all()}["deliver"] == 0


def test_workers_are_those_that_were_heard_of_lately(works, records, now):
    records.beat("one", now)
    records.beat("two", now)
    records.beat("one", now + timedelta(minutes=4))
    found = works.look(now + timedelta(minutes=4))
    assert (found.workers, found.worker_seen) == (1, now + timedelta(minutes=4))
    records.leave("one")
    assert works.look(now + timedelta(minutes=4)).workers == 0


def test_a_worker_that_was_not_heard_of_for_a_day_is_forgotten(records, database, now):
    records.beat("one", now)
    records.beat("two", now + timedelta(days=1, minutes=1))
    with database.reading() as connection:
        assert [row.slot for row in connection.execute(RUN.select())] == ["two"]


def test_sums_of_passes_are_no_runs(database, records, now):
    from storage.operations import Operations

    records.add("match", now, now, {"papers": 1}, "one")
    records.beat("one", now)
    number = Runs(database).claim("sweep", "1", "one", now, HOUR)
    Runs(database).finish(number, now, "ok", {})
    assert [each.job for each in Operations(database).sizes().runs] == ["sweep"]
    assert Runs(database).latest(f"{PASS}match") is not None


@pytest.mark.engines("postgresql")
def test_jobs_of_the_engine_are_counted_by_queue_where_it_keeps_any(works, database, now):
    with database.writing() as connection:
        connection.connection.driver_connection.execute(SchemaManager.get_schema())
    assert works.look(now).jobs == ()
    with database.writing() as connection:
        for queue, status, number in (("deliver", "todo", 3), ("deliver", "failed", 1), ("match", "succeeded", 2)):
            for _ in range(number):
                connection.exec_driver_sql(
                    "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES (%s, 'x', %s)",
                    (queue, status),
                )
    assert works.look(now).jobs == (QueuedJobs("deliver", "failed", 1), QueuedJobs("deliver", "waiting", 3))


@pytest.mark.engines("sqlite")
def test_no_statement_walks_deliveries_readers_or_papers(works, database, now):
    from sqlalchemy import event

    said = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: said.append(given[2:4]))
    works.look(now)
    with database.reading() as connection:
        plans = [
            row[3]
            for statement, values in said
            if statement.lstrip().startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    whole = {plan for plan in plans if plan.startswith("SCAN") and "USING" not in plan}
    assert {plan.split()[1] for plan in whole} <= {"rematch", "alembic_version", "sqlite_master"}
