"""What is put into the queues: in the transaction that makes it true, or not at all."""

import psycopg
import pytest

from domain.errors import DatabaseTooNew, DatabaseTooOld
from storage import integrity
from storage.database import Database
from storage.lending import Lending
from worker.engine.queueing import Announcer, Queues
from worker.engine.schema import install
from worker.tasks import DELIVER, PLAN

JOBS = "SELECT task_name, queue_name, priority, lock, args FROM procrastinate_jobs ORDER BY id"


def test_letters_are_announced_in_chunks_and_those_that_somebody_waits_for_first(opened, sql):
    house = opened()
    with Lending(house.database).writing() as connection:
        house.announcer(connection, [7, 8], range(1_000, 2_200))
    told = sql(JOBS)
    assert [(queue, priority, lock, len(args["deliveries"])) for _, queue, priority, lock, args in told] == [
        ("deliver", 10, None, 2),
        ("deliver", 0, "relay-0", 500),
        ("deliver", 0, "relay-1", 500),
        ("deliver", 0, "relay-0", 200),
    ]


def test_a_transaction_that_is_rolled_back_leaves_no_task(opened, sql):
    house = opened()

    def announce_and_fail():
        with Lending(house.database).writing() as connection:
            house.announcer(connection, [7], range(600))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        announce_and_fail()
    assert sql(JOBS) == []


def test_a_confirmation_that_the_site_queues_is_announced_before_all_others(opened, sql, tmp_path):
    house = opened(web={"base_url": "https://lab.example", "secret_key": "k" * 32})
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=False, shared=False)
    ((_, _, priority, lock, given),) = sql(JOBS)
    assert (priority, lock) == (10, None)
    assert given["deliveries"] == [each.id for each in house.outbox.records()]


def test_where_there_are_no_queues_yet_letters_are_queued_all_the_same(opened):
    house = opened(queues=False, web={"base_url": "https://lab.example", "secret_key": "k" * 32})
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=False, shared=False)
    assert len(house.outbox.records()) == 1


def test_where_the_queues_refuse_it_letters_are_queued_all_the_same(opened, sql, caplog):
    house = opened(web={"base_url": "https://lab.example", "secret_key": "k" * 32})
    sql("ALTER TABLE procrastinate_jobs ADD CONSTRAINT full_up CHECK (priority < 10)")
    house.desk.subscribe("mira@lab.example", ["tides"], None, vouched=False, shared=False)
    assert len(house.outbox.records()) == 1
    assert sql(JOBS) == []
    assert "nobody told of them" in caplog.text


def test_a_task_of_a_name_is_asked_for_once_while_it_waits_or_runs(opened, sql):
    house = opened()
    queues = Queues(Lending(house.database), house.announcer)
    assert queues.ask(PLAN, {}, name="plan", lock="plan")
    assert not queues.ask(PLAN, {}, name="plan", lock="plan")
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    assert not queues.ask(PLAN, {}, name="plan", lock="plan")
    sql("DELETE FROM procrastinate_jobs")
    assert queues.ask(PLAN, {}, name="plan", lock="plan")


def test_readers_are_claimed_and_handed_out_in_one_transaction(opened, sql, readers, clock):
    house = opened()
    readers(house, 3)
    before = clock.now()

    def fails(connection, ids):
        house.announcer.hand_out(connection, ids)
        raise KeyboardInterrupt  # as a kill between the two would

    with pytest.raises(KeyboardInterrupt):
        house.looking.hand_out(before, before.replace(hour=9), 500, fails)
    assert (sql(JOBS), house.looking.is_due(before)) == ([], True)
    assert house.looking.hand_out(before, before.replace(hour=9), 500, house.announcer.hand_out) == 3
    ((name, queue, _, _, given),) = sql(JOBS)
    assert (name, queue, len(given["readers"])) == ("publish", "publish", 3)
    assert not house.looking.is_due(before)
    assert house.looking.is_due(before.replace(hour=9))  # what came to nothing is handed out again


# -- among a hundred thousand ------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(opened, sql):
    house = opened()
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args) "
        "SELECT 'deliver', 'deliver', 0, 'relay-' || n % 2, '{\"deliveries\": []}' FROM generate_series(1, 100000) n"
    )
    sql("ANALYZE procrastinate_jobs")
    return house


def test_whether_a_task_waits_is_found_by_an_index(crowded, sql):
    plan = " ".join(
        line
        for (line,) in sql(
            "EXPLAIN SELECT 1 FROM procrastinate_jobs "
            "WHERE queueing_lock = 'plan' AND status IN ('todo', 'doing') LIMIT 1"
        )
    )
    assert "paperround_jobs_name" in plan or "procrastinate_jobs_queueing_lock_idx" in plan
    assert "Seq Scan" not in plan


def test_what_somebody_waits_for_is_fetched_before_a_hundred_thousand_others(crowded, sql):
    with Lending(crowded.database).writing() as connection:
        crowded.announcer(connection, [7], [])
    sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    (worker,) = sql("SELECT max(id) FROM procrastinate_workers")[0]
    fetched = "SELECT priority, lock FROM procrastinate_fetch_job_v2(ARRAY['deliver'], %s)"
    assert sql(fetched, worker) == [(10, None)]
    assert {sql(fetched, worker)[0][1] for _ in range(2)} == {"relay-0", "relay-1"}
    assert sql(fetched, worker) == [(None, None)]  # as many side by side as there are relays


# -- their tables ------------------------------------------------------------------------------------------------------


def test_the_queues_are_made_once_and_are_no_part_of_the_archive(opened, values):
    house = opened()
    assert not install(Lending(house.database), upgrade=False)
    assert integrity.faults(house.database) == ()
    house.database.check()


def test_a_database_that_holds_nothing_but_queues_is_no_other_programs(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        from procrastinate.schema import SchemaManager

        connection.execute(SchemaManager.get_schema())
    Database(postgres_url).close()


def test_queues_of_a_later_release_are_refused_and_those_of_an_earlier_one_wait_for_the_operator(opened, sql):
    lending = Lending(opened().database)
    sql("COMMENT ON TABLE procrastinate_jobs IS 'paperround: 99.00.00_01_pre_more.sql'")
    with pytest.raises(DatabaseTooNew, match="later release"):
        install(lending, upgrade=True)
    sql("COMMENT ON TABLE procrastinate_jobs IS 'paperround: 03.03.00_01_pre_priority_lock_fetch_job.sql'")
    with pytest.raises(DatabaseTooOld, match="paperround archive migrate"):
        install(lending, upgrade=False)


def test_queues_of_an_earlier_release_are_migrated(opened, sql):
    lending = Lending(opened().database)
    # As the release left them that had all migrations but the newest, which makes this trigger anew.
    sql("DROP TRIGGER procrastinate_trigger_status_events_update_v1 ON procrastinate_jobs")
    sql("COMMENT ON TABLE procrastinate_jobs IS 'paperround: 03.04.00_01_pre_add_retry_failed_job_procedure.sql'")
    assert install(lending, upgrade=True)
    made = "SELECT count(*) FROM pg_trigger WHERE tgname = 'procrastinate_trigger_status_events_update_v1'"
    assert sql(made) == [(1,)]
    assert not install(lending, upgrade=True)


def test_failed_tasks_are_forgotten_after_a_week(opened, sql):
    house = opened()
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status) "
        "VALUES ('deliver', 'old', 'todo'), ('deliver', 'new', 'todo')"
    )
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    sql(
        "UPDATE procrastinate_events SET at = now() - interval '8 days' "
        "WHERE job_id = (SELECT id FROM procrastinate_jobs WHERE task_name = 'old')"
    )
    Queues(Lending(house.database), Announcer(1)).clear()
    assert sql("SELECT task_name FROM procrastinate_jobs") == [("new",)]


def test_a_task_whose_workers_die_again_and_again_is_left_alone(opened, sql, caplog):
    house = opened()
    queues = Queues(Lending(house.database), house.announcer)
    queues.ask(DELIVER, {}, name="deliver", lock="relay-0")
    for _ in range(5):
        sql("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
        assert queues.take_over(30) == 1
    sql("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    assert queues.take_over(30) == 0
    assert sql("SELECT status::text FROM procrastinate_jobs") == [("failed",)]
    assert "again and again" in caplog.text


def test_a_task_that_a_clock_which_was_ahead_put_off_is_due_at_the_next_tick(opened, sql):
    house = opened()
    queues = Queues(Lending(house.database), house.announcer)
    queues.ask(DELIVER, {}, name="deliver", lock="relay-0")
    sql("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '8 minutes'")
    queues.take_over(30)
    assert sql("SELECT scheduled_at > now() FROM procrastinate_jobs") == [(True,)], "as long as we put off ourselves"
    sql("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 year'")
    queues.take_over(30)
    assert sql("SELECT scheduled_at <= now() FROM procrastinate_jobs") == [(True,)]
