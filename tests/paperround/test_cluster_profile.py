"""compose.yaml's cluster as processes on this machine, with its commands and environment: one reader's first letter.

Read from the file, so that it cannot drift. What containers would give is put in its place: the names of hosts, paths,
ports and the secret; everything else is as it stands. PostgreSQL is the tests' own, with an empty database.
"""

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlencode

import pytest
import yaml

from paperround.demo.site import DAYS, DemoSite, read_pages

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds after which the test gives up
READER = "mira@lab.example"


def until(look, what):
    end = monotonic() + PATIENCE
    while not (found := look()):
        assert monotonic() < end, f"{what} did not come"
        sleep(0.1)
    return found


def ports(number):
    """Return ports that are free, all of them different."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    found = [each.getsockname()[1] for each in opened]
    for each in opened:
        each.close()
    return found


def fetch(url, fields=None):
    body = None if fields is None else urlencode(fields).encode()
    with urllib.request.urlopen(url, body, timeout=20) as page:  # noqa: S310 our own loopback address
        return page.read().decode()


def is_up(url):
    try:
        return bool(fetch(url))
    except OSError:
        return False


@pytest.fixture
def todays_site():
    """A source whose newest page is of today."""
    today = datetime.now(UTC).date()
    page = read_pages()[DAYS[-1]].replace(str(DAYS[-1]).encode(), str(today).encode())
    with DemoSite({today: page}) as site:
        yield site


class Stack:
    """The services of the profile."""

    def __init__(self, folder, database_url, site_url):
        compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
        self.services = {name: each for name, each in compose["services"].items() if "cluster" in each["profiles"]}
        self.folder = folder
        self.mail_port, web_port = ports(2)
        self.url = f"http://localhost:{web_port}"
        self.box = folder / "box"
        config = (ROOT / compose["configs"]["paperround"]["file"]).read_text()
        (folder / "paperround.toml").write_text(config.split("[[source]]")[0] + source(site_url))
        (folder / "secret_key").write_text("k" * 43 + "\n")
        self.values = {"BASE_URL": self.url}  # what .env would hold
        self.places = {
            "postgresql://paperround@db/paperround": database_url,
            "/etc/paperround/paperround.toml": str(folder / "paperround.toml"),
            "/run/secrets/secret_key": str(folder / "secret_key"),
            "mail": "127.0.0.1",
            "2525": str(self.mail_port),
            "0.0.0.0:2525": f"127.0.0.1:{self.mail_port}",
            "/mail/box": str(self.box),
            "python": sys.executable,
        }
        image = re.findall(r"(PAPERROUND_WEB__\w+)=(\S+)", (ROOT / "Dockerfile").read_text())
        assert dict(image) == {"PAPERROUND_WEB__HOST": "0.0.0.0", "PAPERROUND_WEB__PORT": "8000"}
        self.image = {"PAPERROUND_WEB__HOST": "127.0.0.1", "PAPERROUND_WEB__PORT": str(web_port)}
        self.started = {}

    def environment(self, name):
        said = self.services[name].get("environment", {})
        filled = {key: re.sub(r"\$\{(\w+):-(.*)\}", self._value, text) for key, text in said.items()}
        mapped = {key: self.places.get(text, text) for key, text in filled.items()}
        return {**os.environ, "PYTHONPATH": str(ROOT), **self.image, **mapped}

    def _value(self, found):
        return self.values.get(found[1], found[2])

    def start(self, name):
        service = self.services[name]
        words = [*service.get("entrypoint", [sys.executable, "-m", "paperround"]), *service["command"]]
        with (self.folder / f"{name}.log").open("w") as log:
            self.started[name] = subprocess.Popen(
                [self.places.get(word, word) for word in words],
                cwd=self.folder,
                env=self.environment(name),
                stdout=log,
                stderr=log,
            )
        return self.started[name]

    def said(self):
        return "\n".join(f"{each.stem}: {each.read_text()}" for each in sorted(self.folder.glob("*.log")))

    def stop(self):
        """Ask all to stop, and return their exit codes."""
        for each in self.started.values():
            if each.poll() is None:
                each.send_signal(signal.SIGTERM)
        try:
            return {name: each.wait(timeout=60) for name, each in self.started.items()}
        finally:
            for each in self.started.values():
                each.kill()
                each.wait()

    def letters(self):
        files = sorted(self.box.glob("new/*"), key=lambda file: file.stat().st_mtime_ns)
        return [email.message_from_bytes(each.read_bytes(), policy=email.policy.default) for each in files]

    def letter(self, is_meant, what):
        """Return the first such letter, once it has come."""
        return until(lambda: next(filter(is_meant, self.letters()), None), what)


def text_of(letter):
    return letter.get_body(("plain",)).get_content()


def source(url):
    return f'[[source]]\nname = "hf"\nkind = "huggingface-daily"\nurl = "{url}"\n'


@pytest.fixture
def stack(tmp_path, postgres_url, todays_site):
    made = Stack(tmp_path, postgres_url, todays_site.url)
    yield made
    made.stop()


def test_a_reader_signs_up_at_the_cluster_confirms_and_gets_the_first_letter(stack):
    assert stack.start("migrate").wait(timeout=PATIENCE) == 0, stack.said()
    for name in ("mail", "worker", "letters", "web"):
        stack.start(name)
    until(lambda: is_up(f"{stack.url}/readyz"), "the site")

    fetch(
        f"{stack.url}/subscribe", {"email": READER, "topic": "language OR learning OR model", "zone": "Europe/Berlin"}
    )
    asking = stack.letter(lambda each: "/confirm/" in text_of(each), "the letter to confirm")
    (link,) = set(re.findall(rf"{stack.url}/confirm/[^\s#]+", text_of(asking)))
    assert "Confirm" in fetch(link)
    assert "Your address is confirmed" in fetch(link, {})
    digest = stack.letter(lambda each: "List-Unsubscribe-Post" in each, "the first letter")
    assert digest["To"].addresses[0].addr_spec == READER
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"{stack.url}/papers/" in text_of(digest)

    assert len(stack.letters()) == 2
    codes = stack.stop()
    assert {name: code for name, code in codes.items() if name != "mail"} == dict.fromkeys(
        ("migrate", "worker", "letters", "web"), 0
    ), stack.said()
    assert "Traceback" not in stack.said()
