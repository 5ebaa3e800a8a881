"""The one socket: manners, limits, and every failure in our own words."""

import ast
import gzip
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scrapers
from domain.errors import (
    Blocked,
    CollectError,
    NotThere,
    PermanentCollectError,
    RefusedAnswer,
    SettingsError,
    Throttled,
    Unreachable,
)
from domain.papers import PageRequest, Validators
from scrapers.answers import retry_after
from scrapers.body import read_body
from scrapers.fetch import SIZE_CAP, Fetcher, _next_hop, translated
from scrapers.pace import MemoryLedger, Pace
from scrapers.source import Page, validators_of
from scrapers.watch import FOREIGN

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
Get = Callable[..., Page]


def asking(url: str) -> PageRequest:
    return PageRequest(url, pace=0.0, is_page=False)


def fetcher(slept: list[float], **options: Any) -> Fetcher:
    pace = Pace(ledger=MemoryLedger(), clock=lambda: NOW.timestamp() + sum(slept), sleep=slept.append)
    given = {"contact": "ops@example.org", "version": "0.1.0", "sleep": slept.append, "now": lambda: NOW} | options
    return Fetcher(pace=pace, **given)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def get(slept: list[float]) -> Iterator[Get]:
    with fetcher(slept) as made:
        yield lambda url, validators=None: made.get(asking(url), validators)


def redirect(location: str, status: int = 302) -> Callable[[BaseHTTPRequestHandler], None]:
    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return route


def test_a_page_comes_with_its_address_headers_bytes_and_instant(site: Any, get: Get) -> None:
    site.answer("/papers", "é".encode(), Content_Type="text/html; charset=utf-8", ETag='"1"')
    page = get(f"{site.url}/papers")
    assert (page.url, page.status, page.body, page.fetched_at) == (f"{site.url}/papers", 200, "é".encode(), NOW)
    assert (page.headers["etag"], page.text()) == ('"1"', "é")


def test_the_request_says_who_asks_and_nothing_about_whom(site: Any, get: Get) -> None:
    site.answer("/papers", Set_Cookie="visitor=7")
    get(f"{site.url}/papers")
    get(f"{site.url}/papers")
    _, headers = site.asked[1]
    assert headers["user-agent"] == "paperround/0.1.0 (+mailto:ops@example.org)"
    assert "text/html" in headers["accept"]
    assert not {"cookie", "referer", "authorization"} & headers.keys()


@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("", "paperround/0.1.0"),
        ("https://lab.example/bot", "paperround/0.1.0 (+https://lab.example/bot)"),
        ("mailto:ops@example.org", "paperround/0.1.0 (+mailto:ops@example.org)"),
        ("MailTo:ops@example.org", "paperround/0.1.0 (+mailto:ops@example.org)"),
    ],
)
def test_the_contact_may_be_missing_or_a_web_address(site: Any, slept: list[float], contact: str, agent: str) -> None:
    site.answer("/")
    with fetcher(slept, contact=contact) as made:
        made.get(asking(f"{site.url}/"))
    assert site.asked[0][1]["user-agent"] == agent


@pytest.mark.parametrize(
    "contact", ["a b@c", "x\r\nBcc: y@z", "ops", "mailto:", "(a)@b", "https://a b", "é@example.org"]
)
def test_a_contact_that_cannot_stand_in_a_header_is_refused(slept: list[float], contact: str) -> None:
    with pytest.raises(SettingsError, match=r"collect\.contact"):
        fetcher(slept, contact=contact)


@pytest.mark.parametrize("proxy", ["ftp://x", "nonsense", "http://", "socks5://127.0.0.1:1", "http://[", "http://a:b"])
def test_a_proxy_that_is_no_address_is_refused(slept: list[float], proxy: str) -> None:
    with pytest.raises(SettingsError, match=r"collect\.proxy"):
        fetcher(slept, proxy=proxy)


def test_a_proxy_is_asked_for_pages_of_other_hosts(site: Any, slept: list[float]) -> None:
    site.answer("http://papers.invalid/papers", b"through")
    with fetcher(slept, proxy=site.url) as made:
        assert made.get(asking("http://papers.invalid/papers")).body == b"through"


@pytest.mark.parametrize("path", ["/papers", "/moved"])
def test_what_has_not_changed_is_not_sent_again(site: Any, get: Get, path: str) -> None:
    def route(handler: BaseHTTPRequestHandler) -> None:
        fresh = handler.headers.get("If-None-Match") == '"v1"'
        handler.send_response(304 if fresh else 200)
        handler.send_header("ETag", '"v1"')
        handler.send_header("Last-Modified", "Tue, 03 Mar 2026 00:00:00 GMT")
        handler.send_header("Content-Length", "0" if fresh else "4")
        handler.end_headers()
        handler.wfile.write(b"" if fresh else b"page")

    site.routes["/papers"] = route
    site.answer("/moved", status=301, Location="/papers")
    first = get(f"{site.url}{path}")
    second = get(f"{site.url}{path}", validators_of(first, f"{site.url}{path}"))
    assert (first.status, first.body, second.status, second.body) == (200, b"page", 304, b"")
    assert site.asked[-1][1]["if-modified-since"] == "Tue, 03 Mar 2026 00:00:00 GMT"


def test_validators_go_only_to_the_address_that_gave_them(site: Any, get: Get) -> None:
    site.answer("/b")
    get(f"{site.url}/b", Validators(f"{site.url}/a", etag='"v1"'))
    assert "if-none-match" not in site.asked[0][1]


def test_validators_that_could_not_be_sent_are_not_kept() -> None:
    page = Page("u", 200, {"etag": '"é"', "last-modified": "x\r\ny"}, b"", NOW)
    assert validators_of(page, "u") == Validators("u")


def test_a_304_that_nobody_asked_for_is_an_error(site: Any, get: Get) -> None:
    site.answer("/", status=304)
    with pytest.raises(PermanentCollectError, match="304"):
        get(f"{site.url}/")


def test_redirects_are_followed_within_the_host(site: Any, get: Get) -> None:
    site.routes["/papers"] = redirect("/papers/date/2026-03-03")
    site.answer("/papers/date/2026-03-03", b"clamped")
    page = get(f"{site.url}/papers")
    assert (page.url, page.body) == (f"{site.url}/papers/date/2026-03-03", b"clamped")


def test_redirects_are_followed_to_other_hosts_too(site: Any, other_site: Any, get: Get) -> None:
    site.routes["/feed"] = redirect(f"{other_site.url}/moved#top")
    other_site.answer("/moved", b"here")
    page = get(f"{site.url}/feed")
    assert (page.url, page.body) == (f"{other_site.url}/moved", b"here")


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/", "http://[::1", "javascript:0"],
)
def test_redirects_to_where_we_do_not_go_are_refused(site: Any, get: Get, slept: list[float], location: str) -> None:
    site.routes["/"] = redirect(location)
    with pytest.raises(RefusedAnswer):
        get(f"{site.url}/")
    assert (len(site.asked), slept) == (1, []), "asking again would not help"


def test_https_never_leads_back_to_http() -> None:
    assert _next_hop(httpx.URL("http://papers.example/a"), "https://x.example/b") == "https://x.example/b"
    assert _next_hop(httpx.URL("https://papers.example/a"), "//x.example/b#c") == "https://x.example/b"
    with pytest.raises(RefusedAnswer):
        _next_hop(httpx.URL("https://papers.example/a"), "http://papers.example/a")


@given(st.text(max_size=60) | st.from_regex(r"(?:https?:)?//?[^/]{0,12}[/:@][\s\S]{0,20}", fullmatch=True))
def test_any_location_is_an_https_address_or_our_own_error(location: str) -> None:
    try:
        target = httpx.URL(_next_hop(httpx.URL("https://papers.example/a"), location))
    except CollectError:
        return
    assert (target.scheme, target.userinfo, target.fragment) == ("https", b"", "")
    assert target.host


@pytest.mark.parametrize("path", ["/login?next=%2Fpapers", "/a/Log-in", "/users/sign_in", "/sso/x", "/login.php?a=b"])
def test_a_redirect_to_a_login_is_a_refusal(site: Any, get: Get, path: str) -> None:
    site.routes["/papers"] = redirect(path, 303)
    with pytest.raises(Blocked, match="login"):
        get(f"{site.url}/papers")


@pytest.mark.parametrize("path", ["/feed.xml?next=/login", "/auth.xml", "/authors/", "/x/login-story", "/a?/sso/"])
def test_an_address_that_only_speaks_of_logins_is_followed(site: Any, get: Get, path: str) -> None:
    site.routes["/papers"] = redirect(path, 303)
    site.answer(path, b"here")
    assert get(f"{site.url}/papers").body == b"here"


def test_a_circle_of_redirects_ends(site: Any, get: Get) -> None:
    site.routes["/"] = redirect("/")
    with pytest.raises(RefusedAnswer, match="more than 5"):
        get(f"{site.url}/")
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "papers", "http://", "http://a..b/", "http://\x00/", "http://[::1/"],
)
def test_an_address_that_is_not_http_is_refused(get: Get, url: str) -> None:
    with pytest.raises(RefusedAnswer):
        get(url)


@pytest.mark.parametrize(
    ("status", "headers", "error", "tries"),
    [
        (429, {}, Throttled, 1),
        (429, {"Retry_After": "3"}, Throttled, 3),
        (429, {"Retry_After": "600"}, Throttled, 1),
        (406, {}, Throttled, 1),
        (406, {"Retry_After": "600"}, Throttled, 1),
        (503, {"Retry_After": "600"}, Throttled, 1),
        (503, {}, Unreachable, 3),
        (500, {}, Unreachable, 3),
        (408, {}, Unreachable, 3),
        (401, {}, Blocked, 1),
        (403, {}, Blocked, 1),
        (404, {}, NotThere, 1),
        (410, {}, NotThere, 1),
        (418, {}, PermanentCollectError, 1),
        (301, {}, PermanentCollectError, 1),
    ],
)
def test_a_status_means_an_error_of_ours(
    site: Any, get: Get, status: int, headers: dict[str, str], error: type[CollectError], tries: int
) -> None:
    site.answer("/", b"no", status=status, **headers)
    with pytest.raises(error, match=str(status)) as raised:
        get(f"{site.url}/")
    assert type(raised.value) is error
    assert len(site.asked) == tries


def test_a_challenge_with_202_is_left_to_the_parser(site: Any, get: Get) -> None:
    site.answer("/", b"<script>", status=202)
    assert get(f"{site.url}/").status == 202


def test_the_host_says_how_long_to_wait_and_is_obeyed(site: Any, get: Get, slept: list[float]) -> None:
    def once(handler: BaseHTTPRequestHandler) -> None:
        site.answer("/", b"at last")
        handler.send_response(429)
        handler.send_header("Retry-After", "17")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.routes["/"] = once
    assert get(f"{site.url}/").body == b"at last"
    assert sum(slept) == 17.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": format_datetime(NOW + timedelta(minutes=5), usegmt=True)}, 300),
        ({"retry-after": format_datetime(NOW - timedelta(minutes=5))}, 0),
        ({"ratelimit": '"pages";r=0;t=44'}, 44),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 400}, None),
        ({}, None),
    ],
)
def test_waiting_times_are_read_from_seconds_dates_and_rate_limits(
    headers: dict[str, str], seconds: int | None
) -> None:
    found = retry_after(httpx.Headers(headers), NOW)
    assert found == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_waiting_time_is_read_or_is_none(value: str) -> None:
    raw = value.encode("latin-1")
    retry_after(httpx.Headers([(b"retry-after", raw), (b"ratelimit", raw)]), NOW)


def test_a_dropped_connection_is_tried_again_with_growing_pauses(site: Any, get: Get, slept: list[float]) -> None:
    site.routes["/"] = lambda handler: handler.connection.close()
    with pytest.raises(Unreachable):
        get(f"{site.url}/")
    assert (len(site.asked), slept) == (3, [1.0, 4.0])


def test_an_answer_cut_short_is_no_page(site: Any, get: Get) -> None:
    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")

    site.routes["/"] = route
    with pytest.raises(Unreachable):
        get(f"{site.url}/")


def test_a_closed_port_is_unreachable(get: Get) -> None:
    with socket.socket() as held:  # bound, never listening
        held.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            get(f"http://127.0.0.1:{held.getsockname()[1]}/")


def test_what_is_not_http_is_unreachable(site: Any, get: Get) -> None:
    site.routes["/"] = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
    with pytest.raises(Unreachable):
        get(f"{site.url}/")


def test_a_page_of_20_mib_is_refused_by_its_length_and_by_its_bytes(site: Any, get: Get, slept: list[float]) -> None:
    site.answer("/told", bytes(20 * 2**20))

    def untold(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(20):
            handler.wfile.write(bytes(2**20))

    site.routes["/untold"] = untold
    for path in ("/told", "/untold"):
        with pytest.raises(RefusedAnswer, match="larger"):
            get(f"{site.url}{path}")
    assert slept == []


def test_a_page_of_15_mib_is_taken(site: Any, get: Get) -> None:
    site.answer("/", gzip.compress(bytes(15 * 2**20), 1), Content_Encoding="gzip")
    assert len(get(f"{site.url}/").body) == 15 * 2**20


def test_a_bomb_is_refused_before_it_unpacks(site: Any, get: Get) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()
    site.answer("/", bomb, Content_Encoding="gzip")
    with pytest.raises(RefusedAnswer, match="larger"):
        get(f"{site.url}/")


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "x" * 300])
def test_a_coding_that_was_not_asked_for_is_refused(site: Any, get: Get, coding: str) -> None:
    site.answer("/", b"x", Content_Encoding=coding)
    with pytest.raises(RefusedAnswer, match="coding"):
        get(f"{site.url}/")


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: b"no" + packed])
def test_a_damaged_packed_page_is_no_page(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Unreachable):
        read_body([damage(gzip.compress(b"page" * 99))], coding="gzip", cap=SIZE_CAP, url="u")


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4), twice=st.booleans())
def test_a_packed_page_comes_out_whole_however_it_is_cut(body: bytes, cuts: list[int], twice: bool) -> None:
    packed = gzip.compress(body) + (gzip.compress(body) if twice else b"")
    edges = [0, *sorted(cuts), len(packed)]
    pieces = [packed[start:end] for start, end in pairwise(edges)]
    assert read_body(pieces, coding="gzip", cap=1_000, url="u") == body * (1 + twice)


@pytest.mark.parametrize("junk", [b"\0", b"\0" * 512, b"junk", b"\x1f", b"\x1fjunk"])
def test_what_follows_the_last_member_is_left_out(junk: bytes) -> None:
    packed = gzip.compress(b"page") + gzip.compress(b"s") + junk
    for pieces in ([packed], [packed[n : n + 1] for n in range(len(packed))]):
        assert read_body(pieces, coding="gzip", cap=SIZE_CAP, url="u") == b"pages"


def test_empty_members_without_end_are_refused() -> None:
    empty = gzip.compress(b"", mtime=0)
    began = time.process_time()
    with pytest.raises(RefusedAnswer, match="members"):
        read_body((empty * 3_000 for _ in range(1_000)), coding="gzip", cap=SIZE_CAP, url="u")
    with pytest.raises(RefusedAnswer, match="packed answer of u is larger"):
        read_body((empty for _ in range(1_000)), coding="gzip", cap=1_000, url="u")
    assert time.process_time() - began < 3


def test_a_wait_can_be_abandoned(site: Any) -> None:
    class Stopped(Exception):
        pass

    def stop(_: float) -> None:
        raise Stopped

    site.answer("/", status=500)
    with fetcher([], sleep=stop) as made, pytest.raises(Stopped):
        made.get(asking(f"{site.url}/"))


def test_a_page_tells_how_long_its_answers_took(site: Any, slept: list[float]) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.05)
        redirect("/b")(handler)

    site.routes["/a"] = slowly
    site.answer("/b")
    with fetcher(slept) as made:
        page = made.get(PageRequest(f"{site.url}/a", pace=3.0, is_page=False))
    assert 0.05 <= page.seconds < 1.0
    assert slept == [3.0], "waiting is left out"


def every_httpx_error() -> list[Exception]:
    kinds = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    made: list[Exception] = []
    for kind in kinds:
        if issubclass(kind, httpx.HTTPStatusError):
            made.append(kind("x", request=httpx.Request("GET", "http://x"), response=httpx.Response(500)))
        elif issubclass(kind, httpx.StreamError) and kind is not httpx.StreamError:
            made.append(kind())
        else:
            made.append(kind("x"))
    return made


def test_every_error_of_the_http_client_is_one_of_ours() -> None:
    errors = every_httpx_error()
    assert len(errors) >= 25
    for error in errors:
        assert isinstance(error, FOREIGN), type(error)
        ours = translated(error, "http://x/")
        assert isinstance(ours, CollectError)
        assert "http://x/" in str(ours)


def test_sockets_are_opened_for_pages_and_for_errands_only_and_shut_in_a_third_module() -> None:
    doors = {
        "socket", "ssl", "httpx", "httpcore", "urllib3", "requests", "aiohttp", "urllib.request", "http.client",
        "asyncio", "ftplib", "smtplib", "imaplib", "poplib", "socketserver", "http.server", "xmlrpc", "selectors",
        "subprocess",
    }  # fmt: skip
    opened = set()
    for file in Path(scrapers.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            if any(f"{name}.".startswith(f"{door}.") for name in names for door in doors):
                opened.add(file.name)
    assert opened == {"fetch.py", "errands.py", "watch.py"}


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "text/html; charset=iso-8859-1", "é"),
        (b"\xef\xbb\xbfx", "", "x"),
        (b"\xe9", 'text/html; charset="ISO-8859-1"', "é"),
        (b'<meta charset="windows-1252">\x93', "", '<meta charset="windows-1252">“'),
        (b"\xa1\xe9", "text/html; charset=tis-620", "ก้"),
        (b"\xe9", "text/html; charset=unicode_escape", "\ufffd"),
        (b"\xe9", "text/html; charset=utf-99", "\ufffd"),
        (b"\xe9", "", "\ufffd"),
    ],
)
def test_text_is_utf8_first_and_then_what_the_page_says_it_is(body: bytes, content_type: str, text: str) -> None:
    assert Page("u", 200, {"content-type": content_type}, body, NOW).text() == text
