"""A whole town for a browser: sample papers, the real site, a real mailbox, Debian's Chromium.

What is seen is kept as pictures in $PAPERROUND_TESTS_PICTURES, or in pytest's own folder, which keeps the last three
runs.
"""

import email
import email.policy
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from domain.clock import FixedClock
from paperround.demo.mailbox import Mailbox
from paperround.demo.play import EVENING
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from web.server import serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PASSWORD = "opens the operations page"
FORMS = {
    "phone-light": (360, "light"),
    "phone-dark": (360, "dark"),
    "desktop-light": (1000, "light"),
    "desktop-dark": (1000, "dark"),
}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass
class Town:
    """One installation and its readers' mailbox."""

    url: str  #: of the site, without a slash at its end
    house: House
    clock: FixedClock
    mail: Path

    def letters(self, to: str) -> list[EmailMessage]:
        """Deliver what waits; return every letter to an address, in the order of their dates."""
        self.house.deliverer.deliver()
        messages = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in self._files()]
        mine = [each for each in messages if each["To"].addresses[0].addr_spec == to]
        return sorted(mine, key=lambda each: (each["Date"].datetime, each["X-Paperround-Letter"] or ""))

    def _files(self) -> list[Path]:
        return sorted(self.mail.glob("*.eml"))

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now() + timedelta(**span))

    def everything(self) -> list[str]:
        """Return all rows of all tables, to be compared."""
        from sqlalchemy import select

        from storage.tables import Base

        with self.house.database.reading() as connection:
            return [repr(connection.execute(select(table)).all()) for table in Base.metadata.sorted_tables]


def links_of(message: EmailMessage) -> list[str]:
    """Return every link of a letter, of its text and its HTML part, each once."""
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    found = [link for part in parts for link in _LINK.findall(part.replace("&amp;", "&"))]
    return list(dict.fromkeys(link.rstrip(".,)") for link in found))


@contextmanager
def make_town(folder: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        papers = stack.enter_context(DemoSite(read_pages()))
        mailbox = stack.enter_context(Mailbox(folder / "mail"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        clock = FixedClock(EVENING)
        settings = build(
            {
                "database": {"url": f"sqlite:///{folder}/archive.db"},
                "mail": {
                    "transport": "smtp",
                    "host": "127.0.0.1",
                    "port": mailbox.port,
                    "tls": "none",
                    "from": "Paperround <digests@lab.example>",
                    "postal_address": "Example Lab, 1 Example Street, Example City",
                },
                "web": {
                    "base_url": url,
                    "port": port,
                    "secret_key": "a key of the tests, which is long enough to sign",
                    "operator_password": PASSWORD,
                },
                "source": [{"name": "huggingface-daily", "kind": "huggingface-daily", "url": papers.url}],
            },
            folder,
        )
        house = stack.enter_context(House(settings, clock=clock))
        house.collector.collect(days=DAYS)
        stack.enter_context(serve(make_site(house), "127.0.0.1", port, threading.Event()))
        yield Town(url, house, clock, folder / "mail")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; named as skipped where there is none, unless nothing may be skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium to look with")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with make_town(tmp_path) as town:
        yield town


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in one of the four forms, with or without JavaScript; nothing but the site may be asked for."""
    with ExitStack() as stack:

        def opened(form: str = "phone-light", *, scripts: bool = True, **more: object) -> Page:
            width, scheme = FORMS[form]
            context = browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
                java_script_enabled=scripts,
                timezone_id="Europe/Berlin",
                **more,
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.foreign = []
            page.complaints = []
            page.on("request", lambda request: _note(page, request.url))
            page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
            return page

        yield opened


def _note(page: Page, url: str) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "about:")):
        page.foreign.append(url)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what was seen is kept."""
    named = os.environ.get("PAPERROUND_TESTS_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what another thread does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
