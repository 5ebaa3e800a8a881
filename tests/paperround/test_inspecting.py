"""The inspector as a process, asked for what it must not have."""

import contextlib
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from paperround.cli import run
from paperround.demo.site import DemoSite, read_pages

COMMAND = [sys.executable, "-m", "paperround"]
#: What belongs to the reader: their address, the words of their topic and its name, what the site knows them by.
SECRETS = ("zilpah", "marmalade", "breakfastroom")
needs_datasette = pytest.mark.skipif(
    importlib.util.find_spec("datasette") is None, reason="Datasette is not here: paperround[inspect]"
)


class Home:
    """An installation with papers, a reader and a letter that left, and every word that is the reader's own."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder = folder
        (folder / "paperround.toml").write_text(
            f'[mail]\nfrom = "P <p@lab.example>"\n[[source]]\nname = "hf"\nkind = "huggingface-daily"\nurl = "{site}"\n'
        )
        # A plugin beside Datasette, which would be loaded, and end the process, where nobody keeps it away.
        nosy = folder / "nosy" / "nosy-1.dist-info"
        nosy.mkdir(parents=True)
        (nosy / "METADATA").write_text("Metadata-Version: 2.1\nName: nosy\nVersion: 1\n")
        (nosy / "entry_points.txt").write_text("[datasette]\nnosy = nosy\n")
        (folder / "nosy" / "nosy.py").write_text("import os\nos._exit(9)\n")
        self("collect", "--day", "2026-11-20")
        self("subscribe", "zilpah@lab.example", "--topic", "Breakfastroom = speech OR marmalade")
        self("match")
        self("publish", "--now", "2026-11-20T18:00Z")
        self("deliver")
        (issue,) = self("issues", "list")["issues"]
        (delivery,) = self("deliveries", "list")["deliveries"]
        self.secrets = (*SECRETS, issue["id"], issue["message_id"].strip("<>"), delivery["sha256"])

    def __call__(self, *arguments: str) -> dict[str, Any]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert run(["--config", str(self.folder / "paperround.toml"), *arguments, "--json"]) == 0
        return json.loads(said.getvalue())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    with DemoSite(read_pages()) as site:
        return Home(tmp_path_factory.mktemp("home"), site.url)


def test_the_copy_is_written_for_any_client_and_holds_no_word_of_a_reader(home: Home, tmp_path: Path):
    file = tmp_path / "look.db"
    said = home("archive", "inspect", "--file", str(file))

    assert (said["rows"]["papers"], said["rows"]["digest_history"]) == (21, 1)
    assert said["size_bytes"] == file.stat().st_size
    content = file.read_bytes().lower()
    assert [each for each in home.secrets if each.lower().encode() in content] == []
    archive = b"".join(each.read_bytes() for each in home.folder.glob("paperround.db*")).lower()
    assert [each for each in home.secrets if each.lower().encode() not in archive] == []


def test_the_archive_itself_is_not_written_over(home: Home, paperround):
    archive = home.folder / "paperround.db"
    before = archive.read_bytes()
    ran = paperround("--config", str(home.folder / "paperround.toml"), "archive", "inspect", "--file", str(archive))

    assert (ran.code, archive.read_bytes()) == (2, before)
    assert "left as it is" in ran.err


def test_without_datasette_one_sentence_says_what_to_install(tmp_path: Path):
    code = (
        "import sys; sys.modules['datasette'] = None; sys.argv = ['paperround', 'archive', 'inspect'];"
        "from paperround.__main__ import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "pip install 'paperround[inspect]'" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


# -- over HTTP ---------------------------------------------------------------------------------------------------------


class Inspector:
    """A running inspector, its address, and what it was asked."""

    def __init__(self, process: subprocess.Popen[str], address: str, temporary: Path) -> None:
        self.process = process
        self.temporary = temporary
        self.address = address
        self.site = address.rsplit("/", 1)[0]

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        request = urllib.request.Request(self.site + path, headers=headers)  # noqa: S310 our own loopback address
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 the same
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def sql(self, query: str) -> tuple[int, bytes]:
        return self.get(f"/paperround.json?sql={quote_plus(query)}&_shape=array")


@contextlib.contextmanager
def started(home: Home, temporary: Path) -> Iterator[Inspector]:
    paths = os.pathsep.join(filter(None, [str(home.folder / "nosy"), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [*COMMAND, "archive", "inspect", "--port", "0", "--no-open"],
        cwd=home.folder,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1", "PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/paperround", line)
            assert found, line + process.stderr.read()
            yield Inspector(process, found[0], temporary)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def inspector(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    with started(home, tmp_path_factory.mktemp("temporary")) as inspector:
        yield inspector


READ = [
    "select * from sqlite_master",
    "select * from sqlite_temp_master",
    "select * from pragma_database_list",
    "select * from pragma_table_list",
    "select * from pragma_function_list",
    "select * from dbstat",
    "select * from papers_fts_data",
    "explain select * from papers",
]
REFUSED = [
    "select * from subscriber",
    "select * from main.subscriber",
    "select email from temp.subscriber",
    "select * from papers_fts_content",
    "select * from papers union all select * from consent",
    "select * from fsdir('.')",
    "select readfile('paperround.db')",
    "select writefile('x', 'y')",
    "select load_extension('x')",
    "pragma database_list",
    "attach database 'paperround.db' as a",
    "attach database 'file:paperround.db?mode=ro' as a; select * from a.subscriber",
    "with a as (select 1) select * from a; attach 'paperround.db' as b",
    "vacuum into 'copied.db'",
    "create table a (b)",
    "insert into papers (id) values (0)",
    "drop table papers",
    "update papers set title = 'x'",
    "with a as (select 1) delete from papers",
]
PAGES = [
    "/",
    "/.json",
    "/paperround",
    "/paperround.json",
    "/paperround.db",
    "/paperround?_show_hidden=1",
    "/paperround/subscriber",
    "/paperround/subscriber.json",
    "/paperround/subscription.csv",
    "/paperround/delivery.csv?_stream=1",
    "/paperround/sqlite_master.json",
    "/paperround/papers.csv?_stream=1",
    "/paperround/papers.json?_search=marmalade",
    "/paperround/papers?_search=speech",
    "/paperround/papers?_where=id+in+(select+id+from+subscriber)",
    "/paperround/papers?_search=%22",
    "/paperround/papers_fts.json",
    "/paperround/papers_fts_docsize.json",
    "/paperround/topics_activity.json",
    "/paperround/digest_history.json",
    "/paperround/deliveries_per_day.csv",
    "/paperround/runs.json",
    "/paperround/source_fetches.json",
    "/_internal",
    "/_internal/databases.json",
    "/_memory",
    "/:memory:",
    "/-/versions.json",
    "/-/plugins.json",
    "/-/settings.json",
    "/-/metadata.json",
    "/-/databases.json",
    "/-/threads.json",
    "/-/actor.json",
    "/-/permissions",
    "/-/messages",
    "/-/allow-debug",
    "/-/patterns",
    "/-/auth-token?token=x",
    "/-/static/../../app.py",
    "/looks/looks.css",
    "/looks/..%2F..%2Fwiring.py",
    "/looks/%2e%2e/%2e%2e/%2e%2e/paperround.toml",
]


@needs_datasette
def test_no_question_and_no_page_gives_away_a_reader(inspector: Inspector, home: Home):
    before = sorted(each.name for each in home.folder.iterdir())
    answers = {f"sql: {query}": inspector.sql(query) for query in (*READ, *REFUSED)}
    answers |= {f"page: {query}": inspector.get(f"/paperround?sql={quote_plus(query)}") for query in (*READ, *REFUSED)}
    answers |= {path: inspector.get(path) for path in PAGES}

    told = {
        (asked, secret)
        for asked, (_, content) in answers.items()
        for secret in home.secrets
        # A page repeats what it was asked.
        if secret.lower().encode() in content.lower() and secret not in asked
    }
    assert told == set()
    assert sorted(each.name for each in home.folder.iterdir()) == before
    assert {query for query in REFUSED if answers[f"sql: {query}"][0] != 400} == set()
    assert answers["/paperround.db"][1] == next(inspector.temporary.rglob("paperround.db")).read_bytes()
    assert (answers["/looks/looks.css"][0], answers["/-/metadata.json"][0]) == (200, 200)
    missing = ["/paperround/subscriber", "/paperround/delivery.csv?_stream=1", "/looks/..%2F..%2Fwiring.py"]
    assert {answers[path][0] for path in missing} == {404}
    assert answers["/_internal"][0] == 403
    plugins = {each["name"] for each in json.loads(answers["/-/plugins.json"][1])}
    assert {name for name in plugins if not name.startswith("datasette.")} == set()


@needs_datasette
def test_only_this_machine_by_its_own_name_is_answered(inspector: Inspector):
    assert inspector.get("/paperround", Host="papers.attacker.example")[0] == 400
    assert inspector.get("/paperround", Host="localhost")[0] == 200


@needs_datasette
def test_the_pages_show_facets_a_search_and_ready_questions(inspector: Inspector):
    first = inspector.get("/paperround")[1].decode()
    assert "Which papers have the most votes?" in first
    assert "Every paper, once." in first
    assert 'name="_search"' in first
    for link in re.findall(r'<a href="(/paperround/[^"]+)"', first):
        assert inspector.get(link)[0] == 200, link
    found = json.loads(inspector.get("/paperround/papers.json?_search=speech")[1])
    assert 0 < found["filtered_table_rows_count"] < 21
    assert {"source", "category", "listed"} <= set(found["facet_results"])
    assert found["human_description_en"] == 'where search matches "speech" sorted by id descending'
    paper = inspector.get(f"/paperround/papers/{found['rows'][0][0]}")[1].decode()
    assert '<dl class="paper">' in paper


@needs_datasette
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_copy_goes_with_the_inspector(home: Home, tmp_path: Path, sign: int):
    with started(home, tmp_path) as inspector:
        (copy,) = tmp_path.rglob("*.db")
        assert (copy.stat().st_mode | copy.parent.stat().st_mode) & 0o077 == 0
        inspector.process.send_signal(sign)

        assert inspector.process.wait(timeout=30) == 0
        assert "Traceback" not in inspector.process.stderr.read()
        assert list(tmp_path.iterdir()) == []


@needs_datasette
def test_a_port_in_use_is_said_in_one_sentence(inspector: Inspector, home: Home):
    port = inspector.site.rsplit(":", 1)[1]
    ran = subprocess.run(
        [*COMMAND, "archive", "inspect", "--port", port],
        cwd=home.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 2
    assert f"--port {port} on 127.0.0.1 is in use" in ran.stderr
