"""What must hold for every route that the site has, whoever adds it: the routes are read off the application.

What docs/security.md promises of one page alone is tested beside that page.
"""

import base64
import http.client
import logging
import re
import socket
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.routing import Mount, Route

from domain.clock import FixedClock
from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.subscriptions import Schedule, Subscriber, SubscriberState
from paperround.serving import site as make_site
from paperround.settings import build
from paperround.wiring import House
from storage.archive import Archive
from storage.database import Database
from storage.subscribers import Signup, WishedTopic
from storage.tables import ISSUE, Base
from topics.query import parse
from web.server import serve

pytestmark = pytest.mark.engines("sqlite")
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOME = "digests.example.org"
PASSWORD = "a password of the tests"
OPERATOR = {"Authorization": f"Basic {base64.b64encode(f'operator:{PASSWORD}'.encode()).decode()}"}
PAPER = "arxiv:2611.00001"
TRICKS = (
    "/%2e%2e/%2e%2e/etc/passwd",
    "/papers/..%2f..%2f..%2fetc%2fpasswd",
    "/papers/%00",
    "/papers/arxiv:2611.00001%0d%0aSet-Cookie:%20a=b",
    "/days/9999-99-99",
    "/days/-1",
    "/weeks/2026-W99",
    "/topics/..%2f..",
    "/topics/%ff.atom",
    "/issues/%2e%2e%2f",
    "/static/../web/app.py",
    "/style.css/../../paperround.toml",
    "/style.css%00.html",
    "//evil.example/%2e%2e",
    "/\\evil.example",
    "/papers?page=1000000000",
    "/papers?page=-1&page=x",
    "/papers?q=%00%ff%fe&since=x&until=%F0%9F%8C%8A",
    "/papers?q=" + "(" * 5000,
    "/topics/preview?q=" + "a%20" * 5000,
    "/.git/config",
    "/.env",
    "/wp-login.php",
    "/operations/../operations",
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


class Whole:
    """The site as it runs: with an operator, a cache, a paper, a reader, a letter and a shared topic."""

    def __init__(self, stack, folder):
        web = {
            "base_url": f"https://{HOME}",
            "secret_key": "a key of the tests alone, long enough to sign",
            "operator_password": PASSWORD,
        }
        mail = {"from": "Paperround <digests@lab.example>", "reply_to": "people@lab.example"}
        url = f"sqlite:///{folder}/archive.db"
        settings = build({"database": {"url": url}, "web": web, "mail": mail}, Path.cwd())
        self.database, self.clock = Database(url), FixedClock(NOW)
        self.house = stack.enter_context(House(settings, clock=self.clock, database=self.database))
        self.app = make_site(self.house)
        self.address = stack.enter_context(serve(self.app, "127.0.0.1", 0, threading.Event()))
        self._paper()
        self.reader = self._reader("mira", SubscriberState.CONFIRMED)
        self.newcomer = self._reader("jun", SubscriberState.PENDING)
        self.issue = self._issue()
        assert self.house.desk.ask_new_address(self.reader.public_id, "mira@elsewhere.example")
        self.topic = self.house.shared_topics.share(
            self.reader.id, self.reader.subscriptions[0].topic_id, "Topic-1", NOW
        )

    def ask(self, method, path, body=None, headers=None):
        with closing(http.client.HTTPConnection(*self.address, timeout=20)) as connection:
            connection.request(method, path, body, {"Host": HOME, **(headers or {})})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode("utf-8", "replace"))

    def tables(self):
        with self.database.reading() as connection:
            return [repr(connection.execute(select(table)).all()) for table in Base.metadata.sorted_tables]

    def paths(self):
        """Return an address of every route, with what stands there; those that take several kinds give several."""
        inner = self.app
        while not hasattr(inner, "routes"):
            inner = inner._app
        return sorted({path for route in walk(inner.routes) for path in self._filled(route)})

    def tokens(self):
        links, public_id = self.house.links, self.reader.public_id
        return {
            "confirm": links.confirm(self.newcomer.public_id, NOW),
            "unsubscribe": links.unsubscribe(public_id),
            "preferences": links.preferences(public_id),
            "account": links.fresh(public_id, NOW),
            "address": links.address(public_id, NOW),
        }

    def _filled(self, template):
        names = re.findall(r"{(\w+)(?::\w+)?}", template)
        if not names:
            return [template]
        first = template.split("/")[1]
        tokens = {name: link.rpartition("/")[2] for name, link in self.tokens().items()}
        said = {
            "token": [tokens.get(first, "x")],
            "key": [PAPER, f"{PAPER}.bib", f"{PAPER}.ris", f"{PAPER}.json", "arxiv:0000.00000"],
            "public_id": [self.topic.public_id if "topics" in template else self.issue, "none"],
            "said": ["2026-11-20"] if first == "days" else ["2026-W47"],
            "day": ["2026-11-20"],
            "date": ["2026-11-20"],
            "week": ["2026-W47"],
            "number": ["1"],
            "provider": ["ses"],
        }
        paths = [template]
        for name in names:
            paths = [re.sub(rf"{{{name}(:\w+)?}}", each, path) for path in paths for each in said.get(name, ["none"])]
        return paths

    def _paper(self):
        day = date(2026, 11, 20)
        hostile = '<script src="//evil.example/a.js">alert(1)</script><img src=//evil.example/p.gif>'
        paper = ListedPaper(
            title=f"Tides {hostile}",
            rank=1,
            ids=Identifiers(arxiv="2611.00001"),
            abstract=f"How far a tide can be pushed. {hostile}",
            abstract_kind=AbstractKind.AUTHORS,
            authors=("Mira Okafor", hostile),
            author_count=2,
        )
        Archive(self.database).add(Listing(source="daily", day=day, status=FetchStatus.OK, papers=(paper,)), NOW)

    def _issue(self) -> str:
        """Freeze the letter that is due; return its public id."""
        self.house.matcher.match(NOW)
        self.house.publisher.publish(NOW)
        with self.database.reading() as connection:
            return str(connection.execute(select(ISSUE.c.public_id)).scalar_one())

    def _reader(self, name: str, state: SubscriberState) -> Subscriber:
        wished = WishedTopic("tides", parse("tides"))
        signup = Signup(
            email=f"{name}@lab.example",
            address_key=f"{name}@lab.example",
            public_id=name.encode().ljust(8, b"\0").hex(),
            topics=[wished],
            schedule=Schedule(hour=7, zone="Europe/Berlin"),
            state=state,
            shared=False,
            consent=[],
        )
        return self.house.subscribers.subscribe(signup, NOW)[0]


def walk(routes, before=""):
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(route.routes or (), before + route.path)
        elif isinstance(route, Route):
            yield before + route.path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The site on which no button was pressed."""
    with ExitStack() as stack:
        yield Whole(stack, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def pressed(tmp_path_factory):
    """Another, on which every button is."""
    with ExitStack() as stack:
        yield Whole(stack, tmp_path_factory.mktemp("pressed"))


class Loaded(HTMLParser):
    """What a page makes a browser load or send to, without a person's doing."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.inline = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in given:
            self.inline.append("script")
        if tag == "link" and given.get("rel") in {"canonical", "alternate"}:
            return
        if tag != "a":
            names = ("src", "href", "action", "formaction", "data", "srcset", "poster", "background")
            self.addresses += [given[name] for name in names if given.get(name)]


def is_here(address):
    return not re.match(r"\s*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})", address, re.IGNORECASE)


# -- every route -------------------------------------------------------------------------------------------------------


def test_the_walk_finds_the_routes_that_there_are(whole):
    paths = whole.paths()
    assert {"/", "/style.css", "/healthz", "/privacy"} <= set(paths)
    for purpose in ("confirm", "unsubscribe", "preferences"):
        assert [path for path in paths if path.startswith(f"/{purpose}/") and len(path) > 40]


@pytest.mark.parametrize("headers", [{}, OPERATOR], ids=["anybody", "the operator"])
def test_looking_changes_nothing_on_any_route(whole, headers):
    before = whole.tables()
    for path in whole.paths():
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = whole.ask(method, path, headers=headers)
            assert answer.status < 500 or path.endswith("/readyz"), (method, path)
            assert answer.text == "" or method != "HEAD", path
    assert whole.tables() == before


def test_every_answer_carries_the_headers_that_keep_pages_and_tokens_in_place(pressed):
    for path in [*pressed.paths(), "/nothing/here", "/confirm/cut", *TRICKS]:
        for method, host in (("GET", HOME), ("POST", HOME), ("TRACE", HOME), ("GET", "evil.example")):
            headers = pressed.ask(method, path, headers={"Host": host}).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "script-src 'unsafe" not in policy, path
            # No path is told, but the origin of a form; letters have none.
            is_letter = pressed.issue in path and (method, host) == ("GET", HOME)
            assert headers["referrer-policy"] == ("no-referrer" if is_letter else "strict-origin"), path
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["x-frame-options"] == "DENY", path
            assert headers["permissions-policy"].startswith("camera=()"), path
            assert headers["cross-origin-opener-policy"] == "same-origin", path
            assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}, path
            assert ("strict-transport-security" in headers) is (host == HOME), path
            assert "server" not in headers, path


def test_every_link_of_a_letter_opens_a_page_with_its_buttons(whole):
    for name, link in whole.tokens().items():
        answer = whole.ask("GET", link.removeprefix(f"https://{HOME}"))
        assert (answer.status, "<form" in answer.text, "<button" in answer.text) == (200, True, True), name
    assert whole.ask("GET", f"/issues/{whole.issue}").status == 200


def test_no_answer_sets_a_cookie(pressed):
    for path in [*pressed.paths(), *TRICKS]:
        for method in ("GET", "POST"):
            if "operations" not in path:  # where the operator's sign-in may need one
                assert "set-cookie" not in pressed.ask(method, path).headers, path


def test_one_persons_pages_are_kept_and_packed_by_nobody(whole):
    links = whole.tokens().values()
    for path in [*(link.removeprefix(f"https://{HOME}") for link in links), "/operations"]:
        headers = whole.ask("GET", path, headers={**OPERATOR, "Accept-Encoding": "gzip"}).headers
        assert headers["cache-control"] == "no-store", path
        assert "content-encoding" not in headers, path
        assert "etag" not in headers, path


def test_no_page_loads_anything_from_elsewhere_or_runs_what_stands_on_it(whole):
    for path in whole.paths():
        answer = whole.ask("GET", path, headers=OPERATOR)
        if answer.headers.get("content-type", "").startswith("text/html"):
            found = Loaded(answer.text)
            assert [each for each in found.addresses if not is_here(each)] == [], path
            assert found.inline == [] or path.startswith("/issues/"), path
    sheet = whole.ask("GET", "/style.css").text
    assert not re.search(r"@import|url\(", sheet)


def test_a_link_that_leads_elsewhere_does_not_tell_that_somebody_came_from_here(whole):
    for path in whole.paths():
        for tag in re.findall(r"<a [^>]*>", whole.ask("GET", path, headers=OPERATOR).text):
            leads = re.search(r'href="([^"]*)"', tag)[1]
            is_ours = is_here(leads) or leads.startswith((f"https://{HOME}/", "mailto:"))
            assert is_ours or 'rel="noreferrer"' in tag or path.startswith("/issues/"), (path, tag)


def test_no_address_of_a_reader_and_no_token_reaches_the_log(pressed, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("paperround").setLevel(logging.DEBUG)
    for path in pressed.paths():
        pressed.ask("GET", path, headers=OPERATOR)
        pressed.ask("POST", path, b"email=mira%40lab.example&action=noise", {"Content-Type": "text/plain"})
    said = caplog.text
    for each in ("mira@lab.example", "mira%40lab.example", "jun@lab.example", "mira@elsewhere.example"):
        assert each not in said
    assert PASSWORD not in said
    assert OPERATOR["Authorization"].removeprefix("Basic ") not in said
    assert [each for each in pressed.tokens().values() if each.rpartition("/")[2] in said] == []


# -- bad requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRICKS, ids=lambda path: path[:40])
@pytest.mark.parametrize("method", ["GET", "POST", "TRACE", "PROPFIND"])
def test_a_tricky_path_is_a_calm_answer_that_leads_nowhere_else(whole, method, path):
    before = whole.tables()
    answer = whole.ask(method, path)

    assert answer.status < 500
    assert "evil.example" not in answer.headers.get("location", "")
    assert "set-cookie" not in answer.headers
    assert "root:" not in answer.text
    assert "Traceback" not in answer.text
    assert whole.tables() == before


@pytest.mark.parametrize("path", ["/", "/subscribe", "/operations", "/privacy", "/papers"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data; boundary=a"},
        {"Content-Type": "text/plain"},
        {"Content-Length": "70000"},
    ],
    ids=str,
)
def test_a_post_that_no_page_of_ours_sends_is_refused_and_changes_nothing(whole, path, headers):
    before = whole.tables()
    answer = whole.ask("POST", path, b"", headers)

    assert answer.status in {403, 413, 415, 421}
    assert whole.tables() == before


def test_trace_repeats_nothing(whole):
    answer = whole.ask("TRACE", "/", headers={"X-Secret": "of a proxy"})
    assert answer.status == 405
    assert "of a proxy" not in answer.text


@pytest.mark.parametrize(
    "request_line", [b"CONNECT evil.example:443", b"BREW /", b"get /", b"GET http://evil.example/", b"\xff\xfe /"]
)
def test_a_method_that_there_is_not_is_refused(whole, request_line):
    with closing(socket.create_connection(whole.address, timeout=10)) as connection:
        connection.sendall(request_line + b" HTTP/1.1\r\nHost: digests.example.org\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            assert answer.readline().split()[1][:1] == b"4"
