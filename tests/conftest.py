"""What holds for every test: a clean environment, the engines it runs on, no silent skips where CI asks for none."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import hypothesis
import pytest

MUST_NOT_SKIP = "PAPERROUND_TESTS_MUST_NOT_SKIP"
#: What a test that asks for `url` or `engine` runs on, once each; its mark `engines` may choose, or add "memory".
ENGINES = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "engines(*names): the engines that the test runs on, where it is not all of them"
    )
    # Settings of the person who runs the tests are no part of the tests; commands started by them inherit this too.
    for name in list(os.environ):
        if name.startswith("PG") or (name.startswith("PAPERROUND_") and not name.startswith("PAPERROUND_TESTS_")):
            del os.environ[name]
    # A run in the background of a shell is deaf to Ctrl-C, and so would be every command that a test interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes says how busy the machine is, and nothing of what is tested.
    slow = [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile("paperround", deadline=None, suppress_health_check=slow)
    hypothesis.settings.load_profile("paperround")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A report that holds half a character (an example, a line of the log) reaches who asked, and ends no worker."""
    return encodable((yield))


def encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: encodable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(encodable(each) for each in value)
    return value


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # Of the session's scope, so that tests of one engine come together and share what is opened once for all of them.
    if "engine" in metafunc.fixturenames:
        chosen = metafunc.definition.get_closest_marker("engines")
        names = [each for each in chosen.args if each in {*ENGINES, "memory"}] if chosen else ENGINES
        metafunc.parametrize("engine", names, scope="session")


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest) -> str:
    """Where a fresh archive is, its tables made; in memory the first to open it makes them."""
    named = {"memory": "memory_url", "sqlite": "sqlite_archive_url"}
    return request.getfixturevalue(named.get(engine, "postgres_archive_url"))


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest) -> str:
    """Where nothing is yet, not even the tables."""
    return request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")


@pytest.fixture
def memory_url() -> str:
    return "sqlite://"


@pytest.fixture(scope="session", autouse=True)
def _migrations_by_heart() -> Iterator[None]:
    """Let the migrations of an empty SQLite archive run once a session; what they leave is said again for the others.

    The archive is the same but for its two secrets, and half of a small test's time is saved.
    """
    from storage import migrate

    whole, left = migrate.command.upgrade, []

    def upgrade(config: Any, revision: str) -> None:
        connection = config.attributes["connection"]
        is_new = revision == "head" and connection.dialect.name == "sqlite" and migrate.current(connection) is None
        if is_new and left:
            for each in left:
                connection.exec_driver_sql(each)
            secrets = "public_id = lower(hex(randomblob(16))), secret = lower(hex(randomblob(32)))"
            connection.exec_driver_sql(f"UPDATE installation SET {secrets}")  # noqa: S608 our own words
            return
        whole(config, revision)
        if is_new:
            named = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
            left.extend(connection.exec_driver_sql(named).scalars())
            for table in ("alembic_version", "installation", "sqlite_sequence"):
                for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):  # noqa: S608 our own names
                    values = ", ".join("NULL" if each is None else repr(each) for each in row)
                    left.append(f"INSERT INTO {table} VALUES ({values})")  # noqa: S608 likewise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate.command, "upgrade", upgrade)
        yield


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/archive.db"


@pytest.fixture
def sqlite_archive_url(sqlite_url: str, sqlite_archive: Path) -> str:
    shutil.copyfile(sqlite_archive, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture(scope="session")
def sqlite_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of today, to be copied: to make them takes a hundred times as long."""
    from storage.database import Database

    file = tmp_path_factory.mktemp("sqlite") / "archive.db"
    Database(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def fresh(sqlite_archive: Path) -> Callable[[], AbstractContextManager[Any]]:
    """Open an empty archive, for tests that need many of them."""
    from storage.database import Database

    @contextmanager
    def make() -> Iterator[Database]:
        with TemporaryDirectory() as folder:
            file = shutil.copyfile(sqlite_archive, Path(folder) / "archive.db")
            with Database(f"sqlite:///{file}") as database:
                yield database

    return make


@pytest.fixture
def postgres_url(postgres: "Postgres") -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def postgres_archive_url(postgres: "Postgres") -> Iterator[str]:
    with postgres.database(postgres.archive()) as url:
        yield url


@pytest.fixture(scope="session")
def amazon() -> ModuleType:
    """What tests/amazon.py holds: a key and a certificate as Amazon SNS has them, and messages signed with them."""
    spec = spec_from_file_location("amazon", Path(__file__).with_name("amazon.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- a real PostgreSQL server, which tests/postgres.py keeps -----------------------------------------------------------


class Postgres:
    """The server that all processes of this session share: what makes databases, and drops them."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def do(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def url_of(self, name: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    @contextmanager
    def database(self, like: str = "") -> Iterator[str]:
        """Make an empty database, or one like that of a URL; give its URL, and drop it whoever is still connected."""
        name = f"test_{uuid4().hex}"
        # Version 15 would write the whole of it to the log instead, which takes twice as long where nothing is synced.
        how = "STRATEGY FILE_COPY" if self._connection.info.server_version >= 150000 else ""
        self.do(f"CREATE DATABASE {name} TEMPLATE {urlsplit(like).path.removeprefix('/') or 'template0'} {how}")
        try:
            yield self.url_of(name)
        finally:
            self.do(f"DROP DATABASE {name} WITH (FORCE)")

    def archive(self) -> str:
        """Return the URL of a database with the tables of today, which is made once a session."""
        from storage.database import Database

        self.do("SELECT pg_advisory_lock(1)")
        try:
            if not self.do("SELECT 1 FROM pg_database WHERE datname = 'archive'"):
                self.do("DROP DATABASE IF EXISTS half_an_archive WITH (FORCE)")
                self.do("CREATE DATABASE half_an_archive TEMPLATE template0")
                Database(self.url_of("half_an_archive")).close()
                self.do("ALTER DATABASE half_an_archive RENAME TO archive")
        finally:
            self.do("SELECT pg_advisory_unlock(1)")
        return self.url_of("archive")


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    with _kept_server(shared / "postgres.url") as url, closing(Postgres(url)) as server:
        yield server


@contextmanager
def _kept_server(file: Path) -> Iterator[str]:
    """Hold the first byte of the file, and with it the server; start one, a process at a time, where none is yet."""
    keeper = None
    shared = file.open("a+", encoding="utf-8")
    try:
        fcntl.lockf(shared, fcntl.LOCK_SH, 1, 0)
        fcntl.lockf(shared, fcntl.LOCK_EX, 1, 1)
        shared.seek(0)
        url = shared.read()
        if not url:
            script = Path(__file__).with_name("postgres.py")
            keeper = subprocess.Popen(
                [sys.executable, script, file],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            url = keeper.stdout.readline().strip()
        fcntl.lockf(shared, fcntl.LOCK_UN, 1, 1)
        if not url.startswith("postgresql://"):
            (pytest.skip if url else pytest.fail)(url or "the PostgreSQL server did not start: see above")
        yield url
    finally:
        shared.close()
        if keeper:
            keeper.wait()  # for the other processes too, so that nothing is left when the session ends
            keeper.stdout.close()


# -- skips -------------------------------------------------------------------------------------------------------------


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get(MUST_NOT_SKIP) and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if os.environ.get(MUST_NOT_SKIP) and _skipped(config):
        terminalreporter.write_line(f"{MUST_NOT_SKIP} is set, and tests were skipped: this counts as a failure")
