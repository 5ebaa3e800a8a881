"""A model by its name: the hub's own library fetches it once, over HTTP, and afterwards nobody is asked."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from domain.errors import ModelUnusable
from tests.model_maker import make_model, pooled_by
from topics.meaning.directory import files_in
from topics.meaning.hub import fetched
from topics.meaning.onnx_model import load

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "lab/small-model"


@pytest.fixture
def hub(tmp_path):
    """A loopback hub with one model, and what it was asked."""
    folder = pooled_by(make_model(tmp_path / "there"), cls=False)
    (folder / "README.md").write_text("not wanted")
    files = {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    asked = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/models/{NAME}/revision/"):
                siblings = [{"rfilename": name} for name in files]
                return self._answer(json.dumps({"id": NAME, "sha": COMMIT, "siblings": siblings}).encode(), {})
            if path.startswith(f"/api/models/{NAME}/tree/"):
                rows = [
                    {"type": "file", "oid": hashlib.sha256(data).hexdigest(), "size": len(data), "path": name}
                    for name, data in files.items()
                ]
                return self._answer(json.dumps(rows).encode(), {})
            name = path.partition(f"/{NAME}/resolve/{COMMIT}/")[2]
            if name in files:
                headers = {"ETag": f'"{hashlib.sha256(files[name]).hexdigest()}"', "X-Repo-Commit": COMMIT}
                return self._answer(files[name], headers)
            return self._answer(b"{}", {}, 404)

        do_HEAD = do_GET  # noqa: N815 the name is the standard library's

        def _answer(self, body, headers, status=200):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_is_fetched_once_and_only_what_it_needs(hub, tmp_path):
    endpoint, asked = hub
    cache = tmp_path / "cache"

    folder = fetched(NAME, COMMIT, cache=cache, endpoint=endpoint)

    assert load(folder, name=NAME).identity().name == NAME
    assert not (folder / "README.md").exists()
    before = len(asked)
    assert fetched(NAME, COMMIT, cache=cache, endpoint=endpoint) == folder
    assert len(asked) == before, "what is here is used without asking anybody"


def test_a_download_that_ended_in_the_middle_is_finished_before_it_is_used(hub, tmp_path):
    endpoint, asked = hub
    cache = tmp_path / "cache"
    folder = fetched(NAME, COMMIT, cache=cache, endpoint=endpoint)
    whole = files_in(folder).sha256
    (folder / ".paperround-whole").unlink()
    (folder / "sentence_bert_config.json").unlink()
    (folder / "tokenizer.json").unlink()
    before = len(asked)

    assert files_in(fetched(NAME, COMMIT, cache=cache, endpoint=endpoint)).sha256 == whole
    assert len(asked) > before


@pytest.fixture
def hasty(monkeypatch):
    """Let the hub's library try again without the pauses between its tries."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)


@pytest.mark.usefixtures("hasty")
def test_what_somebody_put_into_the_cache_is_used_where_the_hub_does_not_answer(hub, tmp_path):
    endpoint, _ = hub
    cache = tmp_path / "cache"
    folder = fetched(NAME, COMMIT, cache=cache, endpoint=endpoint)
    (folder / ".paperround-whole").unlink()
    assert fetched(NAME, COMMIT, cache=cache, endpoint="http://127.0.0.1:9") == folder
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelUnusable, match="could not be fetched"):
        fetched(NAME, COMMIT, cache=cache, endpoint="http://127.0.0.1:9")


def test_a_hub_that_has_no_such_model_is_told_in_a_sentence(hub, tmp_path):
    endpoint, _ = hub
    with pytest.raises(ModelUnusable, match="'lab/other' could not be fetched") as error:
        fetched("lab/other", COMMIT, cache=tmp_path / "cache", endpoint=endpoint)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.usefixtures("hasty")
def test_a_hub_that_does_not_answer_is_told_in_a_sentence(tmp_path):
    with pytest.raises(ModelUnusable, match="could not be fetched"):
        fetched(NAME, COMMIT, cache=tmp_path / "cache", endpoint="http://127.0.0.1:9")
