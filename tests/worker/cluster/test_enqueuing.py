"""A worker that is killed between its tick and the end of what the tick puts into a queue: nobody is forgotten."""

import psycopg
import pytest

LETTERS = 20

pytestmark = pytest.mark.engines("postgresql")


def test_whoever_was_about_to_be_handed_out_is_handed_out_by_the_next(cluster, relay, wait_until):
    cluster.worker = {"engine": "procrastinate"}
    assert cluster.run("archive", "migrate").code == 0
    cluster.readers(LETTERS)
    waits = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND query ILIKE '%procrastinate%'"
    )
    with psycopg.connect(cluster.url) as other, psycopg.connect(cluster.url, autocommit=True) as watching:
        other.execute("LOCK TABLE procrastinate_jobs IN SHARE MODE")  # to be read, and not to be put into
        first = cluster.start()
        wait_until(lambda: bool(watching.execute(waits).fetchall()), "the tick that has begun to enqueue")
        first.kill()
        assert watching.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
        assert watching.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
    second = cluster.start()
    wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
    wait_until(lambda: not cluster.stuck(), "the end of all tasks")
    assert second.stop() == 0
    cluster.is_told(letters=LETTERS)
    assert relay.doubled == 0
