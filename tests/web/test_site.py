"""What holds for every page, the probes, the letters in the browser, and the socket."""

import http.client
import logging
import re
import socket
import sqlite3
import threading
from contextlib import closing
from html.parser import HTMLParser

import pytest

from domain.errors import DatabaseUnavailable, SettingsError
from domain.subscriptions import SubscriberState
from web.app import create_app
from web.bodies import LARGEST_BODY
from web.issues import IssuePages
from web.leaving import LeavingPages
from web.rendering import Rendering, SiteFacts
from web.server import serve


class Outline(HTMLParser):
    """What a page holds, as far as the rules for pages go."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.lang = None
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        is_ours = tag == "script" and re.fullmatch(r"/site\.js\?v=[0-9a-f]{12}", dict(attrs).get("src", ""))
        is_plots = (
            tag == "style" and "svg" in self.tags
        )  # drawn by us where there is something to plot: plots/drawing.py
        self.tags.append("our script" if is_ours else "a plot's style" if is_plots else tag)
        if tag == "html":
            self.lang = dict(attrs).get("lang")

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "title" and "body" not in self.tags:  # a plot has a title of its own
            self.title += data.strip()


def pages_of(site):
    reader = site.reader(SubscriberState.PENDING)
    links = (
        site.links.confirm(reader.public_id, site.clock.now()),
        site.links.unsubscribe(reader.public_id),
        site.links.preferences(reader.public_id),
    )
    front = ["/", "/subscribe", "/topics/preview", "/topics/preview?q=tides"]
    return [*front, *map(site.path, links), "/confirm/cut", "/nothing/here", "/issues/none"]


def raw(address, request):
    """Send bytes that no client would; return the first line of the answer."""
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.readline()


# -- every page ------------------------------------------------------------------------------------------------------


def test_every_page_has_a_language_a_title_one_heading_and_no_script_but_the_one_file(site):
    for path in pages_of(site):
        outline = Outline(site.ask("GET", path).text)

        assert outline.lang == "en", path
        assert outline.title.endswith("Paperround"), path
        assert outline.tags.count("h1") == 1, path
        assert not {"script", "img", "style", "iframe"} & set(outline.tags), path


def test_every_answer_carries_the_headers_that_keep_pages_and_tokens_in_place(site):
    for path in [*pages_of(site), "/healthz", "/readyz", "/style.css", "/favicon.ico"]:
        for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
            headers = site.ask(method, path).headers
            policy = headers["content-security-policy"]

            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["referrer-policy"] == "strict-origin"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == ("no-store" if method[0] in "DO" else KEPT.get(path, "no-store"))
            assert "server" not in headers


#: What is the same for everyone; whatever else there is, is one person's own, or of this moment.
KEPT = {"/": "public, max-age=60", "/style.css": "no-cache"}


def test_a_file_is_kept_for_ever_under_its_own_version_alone(site):
    ours = re.search(r'href="(/style\.css\?v=[0-9a-f]+)"', site.ask("GET", "/").text)[1]

    assert site.ask("GET", ours).headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/style.css?v=1", "/style.css?v=", f"{ours}0"):
        answer = site.ask("GET", path)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
        assert site.ask("GET", path, headers={"If-None-Match": answer.headers["etag"]}).status == 304


def test_only_the_first_page_is_for_search_engines(site):
    robots = {path: site.ask("GET", path).headers.get("x-robots-tag") for path in pages_of(site)}

    assert robots.pop("/") is None
    assert set(robots.values()) == {"noindex"}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/api/v1/docs", "/docs/oauth2-redirect", "//", "/issues/", "/%2e"])
def test_there_is_nothing_else(site, path):
    answer = site.ask("GET", path)

    assert answer.status == 404
    assert "There is no" in answer.text


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /%00 HTTP/1.1\r\nHost: \x01\r\n\r\n",
        b'GET /%ff%fe HTTP/1.1\r\nHost: a"<b>\r\n\r\n',
        b"GET /confirm/%00%ff HTTP/1.1\r\nHost: [::\r\n\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/unsubscribe/x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: digests.example.org\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: digests.example.org\r\n\r\n",
        b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: digests.example.org\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"a" * 60_000 + b"\r\n\r\n",
        b"POST /unsubscribe/x HTTP/1.1\r\nHost: digests.example.org\r\nContent-Length: -1\r\n\r\n",
        b"POST /unsubscribe/x HTTP/1.1\r\nHost: digests.example.org\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: digests.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_an_odd_request_is_never_a_fault_of_ours(site, request_line):
    first = raw(site.address, request_line)

    assert first.startswith(b"HTTP/1.1 ")
    assert first.split()[1][:1] in b"24"


def test_a_host_that_somebody_invents_is_not_repeated(site):
    for path in pages_of(site):
        answer = site.ask("GET", path, headers={"Host": "evil.example"})
        assert "evil.example" not in answer.text + str(answer.headers)


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_and_changes_nothing(site):
    reader = site.reader()
    path = site.path(site.links.unsubscribe(reader.public_id))

    answer = site.ask("POST", path, b"x" * (LARGEST_BODY + 1))

    assert answer.status == 413
    assert "<h1>That was too much</h1>" in answer.text
    assert answer.headers["content-security-policy"]
    assert site.state(reader) is SubscriberState.CONFIRMED


def test_a_body_in_chunks_has_the_same_limit(site):
    reader = site.reader()
    path = site.path(site.links.unsubscribe(reader.public_id))
    with closing(http.client.HTTPConnection(*site.address, timeout=10)) as connection:
        connection.request("POST", path, body=iter([b"x" * 60_000, b"x" * 6_000]), encode_chunked=True)
        assert connection.getresponse().status == 413
    assert site.state(reader) is SubscriberState.CONFIRMED

    with closing(http.client.HTTPConnection(*site.address, timeout=10)) as connection:
        connection.request("POST", path, body=iter([b"List-Unsub", b"scribe=One-Click"]), encode_chunked=True)
        assert connection.getresponse().status == 200
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_a_body_as_large_as_the_limit_is_taken(site):
    reader = site.reader()
    path = site.path(site.links.unsubscribe(reader.public_id))

    assert site.ask("POST", path, b"x" * LARGEST_BODY).status == 200


def test_a_request_that_breaks_off_asks_for_nothing(site):
    reader = site.reader()
    path = site.path(site.links.unsubscribe(reader.public_id))
    with socket.create_connection(site.address, timeout=10) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: digests.example.org\r\nContent-Length: 26\r\n\r\nList".encode()
        )

    assert site.ask("GET", "/healthz").status == 200
    assert site.state(reader) is SubscriberState.CONFIRMED


# -- probes and a database that does not answer ----------------------------------------------------------------------


def test_the_probes_answer(site):
    assert (site.ask("GET", "/healthz").status, site.ask("GET", "/healthz").text) == (200, "ok")
    assert (site.ask("GET", "/readyz").status, site.ask("GET", "/readyz").text) == (200, "ready")


def test_a_held_database_is_a_calm_page_and_the_link_stays_good(impatient, tmp_path):
    reader = impatient.reader()
    path = impatient.path(impatient.links.unsubscribe(reader.public_id))
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = impatient.ask("POST", path)
        other.execute("ROLLBACK")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "30"
    assert "your link stays good" in answer.text
    assert impatient.state(reader) is SubscriberState.CONFIRMED
    assert impatient.ask("POST", path).status == 200


class Broken:
    """Records and pages that fail: `fault` is raised whatever is asked."""

    def __init__(self, fault):
        self._fault = fault

    def fail(self, *asked):  # noqa: ARG002 whatever is asked, it fails
        raise self._fault

    issue = by_public_id = unsubscribe = weekly = paused = healthy = fail


@pytest.fixture
def broken(site):
    """Give the site's twin over records that raise a fault."""

    def serving(fault):
        records = Broken(fault)
        rendering = Rendering(SiteFacts())
        pages = IssuePages(records, site.links, rendering)
        leaving = LeavingPages(
            readers=records,
            returns=records,
            links=site.links,
            farewells=site.house.farewells,
            clock=site.clock,
            rendering=rendering,
        )
        app = create_app(rendering=rendering, groups=[pages, leaving], healthy=records.healthy)
        return serve(app, "127.0.0.1", 0, threading.Event())

    return serving


def test_without_a_database_the_site_lives_but_is_not_ready(site, broken, ask):
    with broken(DatabaseUnavailable("the disk is full")) as address:
        assert ask(address, "GET", "/healthz").status == 200
        assert ask(address, "GET", "/readyz").status == 503
        page = ask(address, "GET", "/issues/any")
        assert (page.status, page.headers["retry-after"]) == (503, "30")
        assert "disk" not in page.text


def test_a_fault_of_ours_is_a_calm_page_and_no_token_reaches_the_log(site, broken, ask, caplog):
    caplog.set_level(logging.DEBUG)
    path = site.path(site.links.unsubscribe("a" * 16))
    with broken(RuntimeError("a slip")) as address:
        answer = ask(address, "POST", path)

    assert answer.status == 500
    assert "Something went wrong on our side" in answer.text
    assert answer.headers["content-security-policy"]
    assert "a slip" in caplog.text
    assert path.rpartition("/")[2] not in caplog.text


def test_no_token_reaches_the_log_of_a_working_site(site, caplog):
    caplog.set_level(logging.DEBUG)
    paths = pages_of(site)
    for path in paths:
        site.ask("GET", path)
        site.ask("POST", path)

    assert not [path for path in paths[1:4] if path.rpartition("/")[2] in caplog.text]


# -- letters in the browser ------------------------------------------------------------------------------------------


def test_a_letter_is_shown_without_its_readers_links_or_address(site):
    reader = site.reader()
    public_id = site.issue(reader)
    answer = site.ask("GET", f"/issues/{public_id}")

    assert answer.status == 200
    assert "We ask how far a tide can be pushed." in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script" not in answer.text
    assert reader.email not in answer.text
    for link in (site.links.unsubscribe(reader.public_id), site.links.preferences(reader.public_id)):
        assert link.rpartition("/")[2] not in answer.text
    assert "\0" not in answer.text


def test_a_letter_may_style_itself_and_nothing_more(site):
    headers = site.ask("GET", f"/issues/{site.issue(site.reader())}").headers

    assert headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'"
    )
    assert headers["x-robots-tag"] == "noindex"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_letter_has_one_address_and_is_sent_again_only_when_it_changed(site):
    public_id = site.issue(site.reader())
    first = site.ask("GET", f"/issues/{public_id}")
    again = site.ask("GET", f"/issues/{public_id}", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status, again.text) == (304, "")
    assert first.headers["link"] == f'<https://digests.example.org/issues/{public_id}>; rel="canonical"'


def test_a_personal_installation_shows_its_letters_too(personal):
    answer = personal.ask("GET", f"/issues/{personal.issue(personal.reader())}")

    assert answer.status == 200
    assert "link" not in answer.headers


@pytest.mark.parametrize("public_id", ["none", "%00", "a'--", "%ff", "a" * 5000, "..%2f..%2fetc"])
def test_a_letter_that_is_not_there_is_a_calm_page(site, public_id):
    assert site.ask("GET", f"/issues/{public_id}").status == 404


# -- the socket ------------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_said_in_one_sentence(site):
    host, port = site.address
    with pytest.raises(SettingsError, match=rf"\[web\] port {port} on {host} is in use"):
        serve(None, host, port, threading.Event()).__enter__()


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a" * 300, "x..y"])
def test_a_host_that_is_not_this_machine_is_said_in_one_sentence(host):
    with pytest.raises(SettingsError, match=r"\[web\] host"), serve(None, host, 0, threading.Event()):
        pass


def test_the_site_stops_within_seconds_though_clients_hold_on(broken):
    with broken(RuntimeError()) as address:
        idle = http.client.HTTPConnection(*address, timeout=10)
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        silent = socket.create_connection(address, timeout=10)
    with closing(idle), closing(silent), pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=1)
