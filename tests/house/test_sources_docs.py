"""docs/sources.md: its table is the registry's, and following it adds a source."""

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus
from scrapers.configuring import SourceConfig, SourceKind
from scrapers.fetch import Fetcher
from scrapers.pace import MemoryLedger, Pace
from scrapers.registry import KINDS, build
from scrapers.source import Source
from storage.archive import Archive
from storage.database import Database
from storage.fetches import Fetches
from storage.runs import Runs
from storage.sources import Sources
from worker.collect import Collector
from worker.reading import Reader

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
MODULE, ROW = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
NOW = datetime(2026, 11, 19, 9, tzinfo=UTC)


# -- the table ---------------------------------------------------------------------------------------------------------


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _row(kind: SourceKind) -> list[str]:
    place = "its own" if "url" in kind.needs else f"`{kind.url}`"
    hours, rest = divmod(kind.every, timedelta(hours=1))
    assert not rest, f"{kind.kind} is fresh for a time that the table has no word for"
    return [f"`{kind.kind}`", kind.doc, place, kind.pace, f"{hours}h"]


def test_the_table_of_kinds_is_that_of_the_registry() -> None:
    table = TEXT.split("\n## The kinds\n", 1)[1].strip().split("\n\n")[0].splitlines()

    assert _cells(table[0]) == ["kind", "what it is", "asked at", "at most", "fresh for"]
    assert [_cells(line) for line in table[2:]] == [_row(kind) for kind in KINDS.values()]


def test_a_kind_is_filed_under_its_own_name() -> None:
    assert [row.kind for row in KINDS.values()] == list(KINDS)


# -- adding a kind -----------------------------------------------------------------------------------------------------


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> SourceKind:
    """Add the document's source to the registry, by its module and its row."""
    module = ModuleType("toy")
    exec(compile(MODULE, "docs/sources.md", "exec"), module.__dict__)  # noqa: S102 - the document's own code is the test
    given = {**module.__dict__, "SourceKind": SourceKind, "timedelta": timedelta}
    row: SourceKind = eval(compile(ROW.strip(), "docs/sources.md", "eval"), given)  # noqa: S307 - the same
    monkeypatch.setitem(KINDS, row.kind, row)
    return row


class _Site(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve a folder with the toy's page on this machine."""
    (tmp_path / "papers.txt").write_text("2401.01234 A title\nastro-ph/0601001  Another\n", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _collector(source: Source, database: Database, fetcher: Fetcher, pace: Pace) -> Collector:
    clock = FixedClock(NOW)
    parts: dict[str, Any] = {
        "archive": Archive(database),
        "fetches": Fetches(database),
        "clock": clock,
    }
    states = Sources(database)
    reader = Reader(fetcher=fetcher, sources=states, patience=pace, keep=1, **parts)
    runs, stop = Runs(database), threading.Event()
    return Collector(sources=[source], reader=reader, states=states, runs=runs, owner="test", stop=stop, **parts)


def test_the_source_of_the_document_collects_from_a_site(toy: SourceKind, site: str) -> None:
    (written,) = tomllib.loads(toy.example)["source"]
    source = build(SourceConfig(**written, url=site))
    pace = Pace(ledger=MemoryLedger(), clock=NOW.timestamp, sleep=lambda _: None)

    with (
        Database("sqlite://") as database,
        Fetcher(contact="", version="0", pace=pace, sleep=lambda _: None, now=lambda: NOW) as fetcher,
    ):
        (report,) = _collector(source, database, fetcher, pace).collect()
        (again,) = _collector(source, database, fetcher, pace).collect()
        keys = {paper.key: paper.title for paper in Archive(database).every()}

    assert (report.status, report.listed, report.new, report.error) == (FetchStatus.OK, 2, 2, "")
    assert again.status is FetchStatus.NOT_MODIFIED
    assert keys == {"arxiv:2401.01234": "A title", "arxiv:astro-ph/0601001": "Another"}


def test_the_source_of_the_document_names_a_page_that_changed(toy: SourceKind, site: str, tmp_path: Path) -> None:
    (tmp_path / "papers.txt").write_text("2401.01234 A title\nno paper\n", encoding="utf-8")
    source = build(SourceConfig("toy", toy.kind, url=site))
    pace = Pace(ledger=MemoryLedger(), clock=NOW.timestamp, sleep=lambda _: None)

    with (
        Database("sqlite://") as database,
        Fetcher(contact="", version="0", pace=pace, sleep=lambda _: None, now=lambda: NOW) as fetcher,
    ):
        (report,) = _collector(source, database, fetcher, pace).collect()

    assert (report.status, report.new) == (FetchStatus.LAYOUT_CHANGED, 0)
    assert report.error == "line 2 is not an id and a title"


@pytest.mark.parametrize(
    ("verb", "code"),
    [(["format", "--diff"], MODULE), (["format", "--diff"], ROW), (["check", "--quiet"], MODULE)],
    ids=["module", "row", "module's rules"],
)
def test_the_code_of_the_document_is_written_as_the_house_writes(verb: list[str], code: str) -> None:
    command = [sys.executable, "-m", "ruff", *verb, "--no-cache", "--stdin-filename", "scrapers/toy.py", "-"]
    answer = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, timeout=60, check=False)

    assert (answer.returncode, answer.stdout) == (0, ""), answer.stdout + answer.stderr
