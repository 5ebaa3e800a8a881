"""What `paperround worker` does with its settings, and what it refuses in a sentence."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

COMMAND = [sys.executable, "-m", "paperround"]


@pytest.fixture
def settings(folder, postgres_archive_url):
    def write(kind="procrastinate", url=postgres_archive_url):
        (folder / "paperround.toml").write_text(
            f'[database]\nurl = "{url}"\n[worker]\nengine = "{kind}"\n[mail]\ntransport = "folder"\n',
            encoding="utf-8",
        )

    return write


def test_many_processes_need_postgresql(paperround, settings):
    settings(url="sqlite:///archive.db")
    ran = paperround("worker")
    assert ran.code == 2
    assert "needs PostgreSQL" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_an_unknown_queue_is_refused_with_the_names_that_there_are(paperround, settings):
    settings()
    ran = paperround("worker", "--queues", "deliver,pigeons")
    assert ran.code == 2
    assert ran.err.strip().endswith("there is no queue 'pigeons'; there are: collect, match, publish, deliver")


def test_queues_are_for_many_processes_alone(paperround, settings):
    settings(kind="embedded")
    ran = paperround("worker", "--queues", "deliver")
    assert ran.code == 2
    assert "--queues needs" in ran.err


def test_migrating_makes_the_queues_once(paperround, settings, postgres_archive_url):
    settings()
    for _ in range(2):
        assert paperround("archive", "migrate").code == 0
    with psycopg.connect(postgres_archive_url) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)
    assert paperround("archive", "check").out.strip() == "The archive is sound."


@pytest.mark.parametrize("kind", ["embedded", "procrastinate"])
def test_a_worker_whose_archive_a_later_version_migrates_says_so_and_ends_with_3(
    folder, settings, postgres_archive_url, kind
):
    settings(kind)
    with subprocess.Popen([*COMMAND, "worker"], cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert "until stopped" in process.stderr.readline()
        with psycopg.connect(postgres_archive_url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0099'")
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert said.splitlines()[-1].endswith("install that version, and start it again")
    assert "Traceback" not in said


def test_a_worker_of_some_queues_ends_well_when_told_to(folder, settings):
    settings()
    command = [*COMMAND, "worker", "--queues", "deliver, publish"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stderr.readline() == "Working on deliver, publish until stopped.\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (0, False), said
