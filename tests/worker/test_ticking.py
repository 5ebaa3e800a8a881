"""Ticks: what ends one job, and what ends them all."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.errors import DatabaseBusy, DatabaseTooNew, DatabaseTooOld
from storage.database import Database
from worker.ticking import tick

OFTEN = timedelta(milliseconds=20)


def test_a_job_that_fails_comes_again_and_the_others_go_on():
    stop, came = threading.Event(), {"fails": 0, "works": 0}

    def fails():
        came["fails"] += 1
        raise DatabaseBusy("somebody else is writing")

    def works():
        came["works"] += 1
        if min(came.values()) >= 2:
            stop.set()

    tick({"fails": fails, "works": works}, OFTEN, stop)
    assert min(came.values()) >= 2


@pytest.mark.parametrize("kind", [DatabaseTooNew, DatabaseTooOld])
def test_an_archive_of_another_version_ends_all_jobs_before_they_begin_again(kind):
    stop, begun = threading.Event(), []

    def check():
        if begun:
            raise kind("the archive is another version's")

    with pytest.raises(kind):
        tick({"job": lambda: begun.append(1)}, OFTEN, stop, check=check)
    assert begun == [1]
    assert stop.is_set()


@pytest.mark.parametrize(("revision", "kind"), [("0099", DatabaseTooNew), ("0006", DatabaseTooOld)])
def test_a_schema_that_moved_under_an_open_archive_is_seen(url, revision, kind):
    with Database(url) as database:
        database.check()
        with database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        with pytest.raises(kind, match="start it again"):
            database.check()


def test_a_clock_that_is_set_back_stops_no_tick():
    stop, ticks = threading.Event(), []
    shown = iter([10_000.0, 6_000.0])  # an hour and more back, between two looks

    def job():
        ticks.append(1)
        if len(ticks) == 2:
            stop.set()

    # The job would come again in an hour: that it comes now is because the clock was seen to go back.
    tick({"job": job}, timedelta(hours=1), stop, wall=lambda: next(shown, 6_000.0), steady=lambda: 50.0, look=0.1)
    assert len(ticks) == 2
