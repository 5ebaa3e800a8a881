"""What happens to workers when PostgreSQL restarts, has too many connections, is held by somebody, or is another's."""

from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit
from uuid import uuid4

import psycopg
import pytest

from storage.database import Database

LETTERS = 200
PEN = 0x70617065  # the lock of whoever writes: storage/postgres.py

pytestmark = pytest.mark.engines("postgresql")


@pytest.fixture
def server_of_its_own():
    """Start a server that the test may restart; its commits reach the log file, as the promise of sending asks."""
    spec = spec_from_file_location("a_server", Path(__file__).parents[2] / "postgres.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    binaries = module.found()
    if binaries is None:
        pytest.skip(module.MISSING)
    with TemporaryDirectory(prefix="paperround-", dir="/tmp") as folder:
        server = module.Server(binaries, Path(folder), "synchronous_commit = on\n")
        server.start()
        try:
            yield server, f"postgresql://paperround@/postgres?host={quote(folder)}"
        finally:
            server.stop()


def test_workers_outlive_a_restart_of_postgresql_in_the_middle_of_delivery(
    relay, server_of_its_own, cluster_at, wait_until
):
    server, url = server_of_its_own
    Database(url).close()
    with cluster_at(url) as cluster:
        cluster.letters(LETTERS)
        at_work = [cluster.start(), cluster.start()]
        wait_until(lambda: len(relay.taken) >= LETTERS // 4, "a quarter of the letters")
        server.restart()
        wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
        assert [each.stop() for each in at_work] == [0, 0]
        # What became of a letter in flight could be told to nobody: it comes twice, one of a connection.
        cluster.is_told(letters=LETTERS, doubled=len(at_work) * cluster.mail["connections"])
        assert any("cannot be reached" in each.said or "cannot be used" in each.said for each in at_work)


@pytest.fixture
def small_place(postgres):
    """Make a database whose owner may have eight connections; give the URLs of the owner and of the server's."""
    name = f"small_{uuid4().hex}"
    postgres.do(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 8")
    postgres.do(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
    url = postgres.url_of(name)
    owners = urlsplit(url)
    yield owners._replace(netloc=f"{name}@").geturl(), url
    postgres.do(f"DROP DATABASE {name} WITH (FORCE)")
    postgres.do(f"DROP ROLE {name}")


@contextmanager
def all_connections(url, postgres):
    """Take every connection that the URL's user may have, whoever has one now."""
    held = []
    others = "FROM pg_stat_activity WHERE usename = %s AND pid <> ALL(%s)"
    try:
        while True:
            try:
                held.append(psycopg.connect(url))
            except psycopg.OperationalError:
                mine = [each.info.backend_pid for each in held]
                if not postgres.do(f"SELECT pg_terminate_backend(pid) {others}", urlsplit(url).username, mine):
                    break
        yield
    finally:
        for each in held:
            each.close()


def test_a_worker_without_a_connection_says_so_and_goes_on_when_there_is_one(
    postgres, small_place, relay, cluster_at, wait_until
):
    url, unlimited = small_place
    Database(url).close()
    with cluster_at(url, asked_at=unlimited) as cluster:
        cluster.letters(1)
        before = cluster.start()
        wait_until(lambda: cluster.states() == {"accepted": 1}, "a first letter")  # it is at work
        with all_connections(url, postgres):
            cluster.readers(LETTERS - 1, start=1)
            late = cluster.run("worker")
            wait_until(lambda: "too many connections" in before.said, "what it says")
        assert late.code == 3, late.said
        assert len(late.said.splitlines()) == 1
        assert "too many connections" in late.said
        wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
        assert before.stop() == 0
        cluster.is_told(letters=LETTERS)


def test_a_lock_that_somebody_holds_is_waited_for(cluster, relay, postgres, wait_until):
    cluster.letters(LETTERS)
    at_work = [cluster.start(), cluster.start()]
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(cluster.url, autocommit=True) as other:
        wait_until(lambda: len(relay.taken) >= LETTERS // 4, "a quarter of the letters")
        other.execute("SELECT pg_advisory_lock(%s)", (PEN,))
        wait_until(lambda: len(other.execute(waiting).fetchall()) >= len(at_work), "both to wait")
    wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
    assert [each.stop() for each in at_work] == [0, 0]
    cluster.is_told(letters=LETTERS)
    assert relay.doubled == 0
    assert not any("WARNING" in each.said or "ERROR" in each.said for each in at_work)


@pytest.mark.parametrize(
    ("revision", "sentence"), [("0006", "archive migrate"), ("9999", "written by a later version of Paperround")]
)
def test_a_worker_of_another_version_changes_nothing_and_says_what_to_do(cluster, relay, revision, sentence):
    cluster.readers(2)
    with psycopg.connect(cluster.url, autocommit=True) as other:
        other.execute("UPDATE alembic_version SET version_num = %s", (revision,))
        stopped = cluster.run("worker")
        assert stopped.code == 3, stopped.said
        assert sentence in stopped.said
        assert len(stopped.said.splitlines()) == 1
        assert other.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
        assert other.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
    assert relay.taken == []
