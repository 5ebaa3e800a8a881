"""A whole town for a browser: sample papers, the real site, a real mailbox, Debian's Chromium.

What is seen is kept as pictures in $PAPERROUND_TESTS_PICTURES, or in pytest's own folder, which keeps the last three
runs. The browser resolves no name, so that nothing can be asked for beyond this machine, whatever a page says.
"""

import base64
import email
import email.policy
import http.client
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, sync_playwright
from sqlalchemy import select

from domain.clock import FixedClock
from paperround.demo.mailbox import Mailbox
from paperround.demo.play import EVENING
from paperround.demo.site import DAYS, DemoSite, read_pages
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from storage.tables import Base
from web.limits import Measures
from web.server import serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PASSWORD = "opens the operations page"
ELSEWHERE = "elsewhere.example"  # a name of this machine that the site does not know
WIDTHS = {"phone": 360, "desktop": 1000}
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
_PATIENCE = 120_000  # milliseconds
_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass
class Town:
    """One installation and its readers' mailbox."""

    url: str  #: of the site, without a slash at its end
    house: House
    clock: FixedClock
    mail: Path

    def letters(self, to: str) -> list[EmailMessage]:
        """Deliver what waits; return every letter to an address, in the order in which they came."""
        self.house.deliverer.deliver()
        files = sorted(self.mail.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        messages = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [each for each in messages if each["To"].addresses[0].addr_spec == to]

    def links(self, message: EmailMessage) -> list[str]:
        """Return every link of a letter into the site, of its text, its HTML part and its head, each once."""
        parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
        parts += [value for name, value in message.items() if name.lower().startswith("list-")]
        found = [link for part in parts for link in _LINK.findall(part.replace("&amp;", "&"))]
        whole = dict.fromkeys(link.rstrip(".,)") for link in found)
        return [link for link in whole if link == self.url or link.startswith(f"{self.url}/")]

    def link(self, message: EmailMessage, path: str) -> str:
        """Return the one link of a letter to a kind of page."""
        links = {link.partition("#")[0] for link in self.links(message)}
        (link,) = {link for link in links if re.fullmatch(f"{re.escape(self.url)}/{path}/[^/]+", link)}
        return link

    def reader(self, name: str, *topics: str) -> str:
        """Add a confirmed reader; return their address."""
        address = f"{name}@lab.example"
        self.house.desk.subscribe(address, topics, None, vouched=True, shared=False)
        return address

    def id_of(self, address: str) -> str:
        """Return a reader's public id."""
        return self.house.desk.find(address).public_id

    def publish(self) -> None:
        """Make the letters that are due."""
        self.house.matcher.match(self.clock.now())
        self.house.publisher.publish(self.clock.now())

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.clock.set(self.clock.now() + timedelta(**span))

    def ask(self, method: str, link: str) -> tuple[int, str]:
        """Ask for a link without a browser; return the status and the text."""
        parts = urlsplit(link)
        with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
            connection.request(method, parts._replace(scheme="", netloc="", fragment="").geturl() or "/")
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8")

    def everything(self) -> dict[str, list[str]]:
        """Return all rows of all tables, to be compared."""
        with self.house.database.reading() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in Base.metadata.sorted_tables
            }


@contextmanager
def _town(folder: Path) -> Iterator[Town]:
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
        # A browser asks for more pages a minute than people do, and nobody here measures how long an answer takes.
        measures = Measures(sign_ups="1000/minute", previews="1000/minute", same_seconds=0.05)
        app = make_site(house, measures, caching=False)
        stack.enter_context(serve(app, "127.0.0.1", port, threading.Event()))
        yield Town(url, house, clock, folder / "mail")


@pytest.fixture(scope="module")
def make_town(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AbstractContextManager[Town]]:
    """Build a town, which stands while its context is open."""
    return lambda: _town(tmp_path_factory.mktemp("town"))


@pytest.fixture
def town(make_town: Callable[[], AbstractContextManager[Town]]) -> Iterator[Town]:
    with make_town() as town:
        yield town


@dataclass
class Window:
    """One page of a browser, and what was noticed in it."""

    page: Page
    clicks: list[str] = field(default_factory=list)  #: the buttons that were pressed, by their words
    asked: list[str] = field(default_factory=list)  #: every address that was asked for
    complaints: list[str] = field(default_factory=list)  #: errors of the console, and of scripts

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_PATIENCE)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, link: str) -> Response:
        answer = self.page.goto(link)
        assert answer is not None
        return answer

    def forget(self) -> None:
        """Begin anew on an empty page."""
        self.page.goto("about:blank")
        for noticed in (self.clicks, self.asked, self.complaints):
            noticed.clear()

    def press(self, words: str) -> None:
        self.clicks.append(words)
        self.page.get_by_role("button", name=words, exact=True).click()

    def says(self, words: str) -> None:
        """Wait until the page's text has these words."""
        self.page.locator("main").get_by_text(words).first.wait_for()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; named as skipped where there is none.

    One for each module: as long as it is open, its loop runs in this thread, and no other test could have one.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not here")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def _windows(browser: Browser) -> Iterator[Callable[..., Window]]:
    with ExitStack() as stack:

        def opened(width: str = "phone", *, scripts: bool = True, password: bool = False) -> Window:
            context = browser.new_context(
                viewport={"width": WIDTHS[width], "height": 800},
                java_script_enabled=scripts,
                timezone_id="Europe/Berlin",
                http_credentials={"username": "operator", "password": PASSWORD} if password else None,
            )
            stack.callback(context.close)
            return Window(context.new_page())

        yield opened


@pytest.fixture
def open_window(browser: Browser) -> Iterator[Callable[..., Window]]:
    """Open a page of a width, with or without JavaScript, of anybody or with the operator's password."""
    with _windows(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_windows(browser: Browser) -> Iterator[Callable[..., Window]]:
    """Open a page that all tests of a module share."""
    with _windows(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what was seen is kept."""
    named = os.environ.get("PAPERROUND_TESTS_PICTURES")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def keep(pictures: Path) -> Callable[[Page, str], None]:
    """Keep a picture of a whole page."""

    def kept(page: Page, name: str) -> None:
        # By the browser's own means, which take a third of the time: these are the greater part of what is done here.
        tools = page.context.new_cdp_session(page)
        size = tools.send("Page.getLayoutMetrics")["cssContentSize"]
        how = {"format": "jpeg", "quality": 85, "captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        picture = tools.send("Page.captureScreenshot", how)["data"]
        (pictures / f"{name}.jpg").write_bytes(base64.b64decode(picture))
        tools.detach()

    return kept
