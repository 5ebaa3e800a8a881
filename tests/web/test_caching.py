"""What is the same for everyone is made once while it is fresh; what is one person's own never is kept or packed."""

import asyncio
import gzip
import http.client
import re
import threading
from contextlib import closing
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, Response

from web.caching import LONGEST_QUERY, Caching
from web.reading import READ
from web.server import serve
from web.shelf import LARGEST_ANSWER, Answer, Shelf

ROOM = Path(__file__).resolve().parents[2] / "web"
WORDS = b"how far a tide can be pushed " * 100
PUBLIC = {"Cache-Control": "public, max-age=60", "ETag": '"tide"', "Content-Type": "text/html; charset=utf-8"}
PRIVATE = {"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8"}


class Time:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Pages:
    """An application that counts how often it is asked; `answer` is a function of the scope."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope)
        await asyncio.sleep(0)
        answer = self.answer(scope)
        await answer(scope, receive, send)


def public(scope):
    return Response(WORDS, headers=PUBLIC)


async def _get(app, path="/", query="", method="GET", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": raw,
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert len(names) == len(sent[0]["headers"]), "a header comes twice"
    return sent[0]["status"], names, b"".join(each.get("body", b"") for each in sent[1:])


def get(app, *asked, **headers):
    return asyncio.run(_get(app, *asked, **headers))


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def shelf(time):
    return Shelf(time)


@pytest.fixture
def cached(shelf):
    def make(answer=public):
        pages = Pages(answer)
        return Caching(pages, shelf), pages

    return make


# -- fresh or not ------------------------------------------------------------------------------------------------------


def test_a_public_page_is_made_once_while_it_is_fresh(cached, time):
    app, pages = cached()
    first, again = get(app), get(app)
    assert first[0] == again[0] == 200
    assert first[2] == again[2] == WORDS
    assert len(pages.asked) == 1

    time.now += 59.9
    assert get(app)[1]["age"] == "59"
    assert len(pages.asked) == 1
    time.now += 0.1
    assert "age" not in get(app)[1]
    assert len(pages.asked) == 2


def test_a_clock_that_goes_back_makes_nothing_fresh_for_longer(cached, time):
    app, pages = cached()
    get(app)
    time.now -= 1
    get(app)
    assert len(pages.asked) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cache-Control": "no-store"},
        {"Cache-Control": "no-cache", "ETag": '"a"'},
        {"Cache-Control": "private, max-age=60"},
        {"Cache-Control": "max-age=60"},
        {"Cache-Control": "public"},
        {"Cache-Control": "public, max-age=0"},
        {"Cache-Control": "public, max-age=60, no-store"},
        {"Cache-Control": "public, s-maxage=60"},
        {"Cache-Control": "public, max-age=60", "Set-Cookie": "a=b"},
    ],
    ids=str,
)
def test_a_page_that_does_not_say_that_it_is_for_everyone_is_made_each_time(cached, shelf, headers):
    app, pages = cached(lambda _: PlainTextResponse("mine" * 500, headers=headers))
    for _ in range(2):
        assert get(app)[2] == b"mine" * 500
    assert (len(pages.asked), shelf.octets) == (2, 0)


@pytest.mark.parametrize("status", [204, 206, 301, 304, 404, 410, 500, 503])
def test_only_what_was_found_is_kept(cached, status):
    app, pages = cached(lambda _: Response(status_code=status, headers={"Cache-Control": "public, max-age=60"}))
    assert get(app)[0] == get(app)[0] == status
    assert len(pages.asked) == 2


def test_path_and_query_are_the_whole_key(cached):
    app, pages = cached(lambda scope: PlainTextResponse(scope["query_string"], headers={**PUBLIC, "ETag": '"a"'}))
    assert [get(app, "/a", each)[2] for each in ("q=1", "q=2", "q=1", "")] == [b"q=1", b"q=2", b"q=1", b""]
    get(app, "/a%2Fb", "")
    get(app, "/a/b", "")
    assert len(pages.asked) == 5


@pytest.mark.parametrize("path", ["/operations", "/metrics"])
def test_what_a_password_opens_is_neither_given_nor_kept(cached, shelf, path):
    app, pages = cached()
    for headers in ({"authorization": "Basic b3A6"}, {}, {"authorization": "Basic b3A6"}):
        get(app, path, **headers)
    assert shelf.octets == 0
    assert len(pages.asked) == 3


def test_a_password_that_no_page_asks_for_makes_no_page_anew(cached):
    app, pages = cached()
    get(app)
    get(app, authorization="Basic b3A6")
    assert len(pages.asked) == 1


@pytest.mark.parametrize(
    ("path", "queries", "seen"),
    [
        ("/", ["", "x=1", "q=2", "%71=%ff&;", "&&="], b""),
        ("/papers", ["q=a&page=2", "page=2&q=a", "x=1&page=9&q=a&page=2&y", "q=b&q=a&page=2"], b"page=2&q=a"),
        ("/papers/arxiv:2611.00001", ["", "q=1", "utm_source=x"], b""),
        ("/topics/Eels-1", ["days=90", "days=90&x=1"], b"days=90"),
        ("/style.css", ["v=1", "v=1&x"], b"v=1"),
        ("/api/v1/preview", ["q=a&limit=3", "limit=3&fragment=1&q=a"], b"limit=3&q=a"),
    ],
)
def test_what_no_page_reads_makes_no_page_anew_and_is_not_shown_to_it(cached, path, queries, seen):
    app, pages = cached()
    for query in queries:
        get(app, path, query)
    assert [each["query_string"] for each in pages.asked] == [seen]


def test_every_parameter_that_a_public_page_reads_is_let_through():
    """Those of one person's pages, the sign-up and the operator's are not in the table, and come through whole."""
    apart = {"signup.py", "preferences", "operations"}
    read = {
        name
        for file in sorted(ROOM.rglob("*.py"))
        if not apart & set(file.relative_to(ROOM).parts)
        for name in re.findall(r'query_params(?:\.get(?:list)?\(|\[)"(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert read <= {name for _, names in READ for name in names}
    assert {"q", "page", "days", "month", "fragment", "v"} <= read


def test_a_long_query_is_not_kept(cached, shelf):
    app, _ = cached()
    get(app, "/a", "q=" + "a" * (LONGEST_QUERY - 1))
    assert shelf.octets == 0
    get(app, "/a", "q=" + "a" * (LONGEST_QUERY - 2))
    assert shelf.octets > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_what_may_change_something_reaches_the_pages_each_time(cached, shelf, method):
    app, pages = cached()
    get(app, method=method)
    get(app, method=method)
    assert [each["method"] for each in pages.asked] == [method] * 2
    assert shelf.octets == 0


# -- packed ------------------------------------------------------------------------------------------------------------


def test_a_public_page_is_packed_for_who_takes_it_and_plain_for_others(cached):
    app, _ = cached()
    for _ in range(2):
        _, headers, body = get(app, accept_encoding="gzip, br")
        assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
        assert gzip.decompress(body) == WORDS
        assert int(headers["content-length"]) == len(body) < len(WORDS) // 5

        _, headers, body = get(app)
        assert "content-encoding" not in headers
        assert headers["vary"] == "Accept-Encoding"
        assert (body, int(headers["content-length"])) == (WORDS, len(WORDS))


def test_one_persons_page_is_never_packed(cached):
    app, _ = cached(lambda _: Response(WORDS, headers=PRIVATE))
    _, headers, body = get(app, accept_encoding="gzip")
    assert "content-encoding" not in headers
    assert "vary" not in headers
    assert body == WORDS


@pytest.mark.parametrize(
    ("body", "kind"), [(WORDS[:599], "text/html"), (WORDS, "image/png"), (WORDS, "application/gzip")]
)
def test_what_gains_nothing_is_not_packed(cached, body, kind):
    app, _ = cached(lambda _: Response(body, headers={**PUBLIC, "Content-Type": kind}))
    _, headers, got = get(app, accept_encoding="gzip")
    assert "content-encoding" not in headers
    assert got == body


def test_public_pages_are_packed_though_nothing_is_kept():
    pages = Pages(public)
    app = Caching(pages, None)
    for _ in range(2):
        assert gzip.decompress(get(app, accept_encoding="gzip")[2]) == WORDS
    assert len(pages.asked) == 2


# -- known already -----------------------------------------------------------------------------------------------------


def test_who_has_the_page_is_told_so_without_asking_the_pages(cached):
    app, pages = cached()
    for accept in ("gzip", "identity"):
        tag = get(app, accept_encoding=accept)[1]["etag"]
        status, headers, body = get(app, accept_encoding=accept, if_none_match=tag)
        assert (status, body, headers["etag"], headers["vary"]) == (304, b"", tag, "Accept-Encoding")
        assert not {"content-length", "content-encoding", "content-type"} & set(headers)
    assert len(pages.asked) == 1
    assert get(app, if_none_match='"yesterday"')[0] == 200


def test_a_packed_page_has_a_tag_of_its_own(cached):
    app, _ = cached()
    assert get(app)[1]["etag"] == '"tide"'
    assert get(app, accept_encoding="gzip")[1]["etag"] == 'W/"tide"'


def test_the_first_to_ask_may_have_the_page_and_the_next_still_gets_it_whole(cached):
    app, pages = cached()
    assert get(app, if_none_match='W/"tide"')[0] == 304
    assert get(app)[2] == WORDS
    assert len(pages.asked) == 1
    assert b"if-none-match" not in {name for name, _ in pages.asked[0]["headers"]}


def test_a_page_that_is_not_kept_is_told_as_known_too(cached):
    app, _ = cached(lambda _: Response(WORDS, headers={"Cache-Control": "no-cache", "ETag": '"mine"'}))
    status, headers, body = get(app, if_none_match='"mine"')
    assert (status, body, headers["etag"], headers["cache-control"]) == (304, b"", '"mine"', "no-cache")
    assert get(app, if_none_match='"yours"')[2] == WORDS


def test_head_is_answered_as_get_without_the_page(cached):
    app, pages = cached()
    for _ in range(2):
        got, asked = get(app, accept_encoding="gzip"), get(app, method="HEAD", accept_encoding="gzip")
        assert (asked[0], asked[2]) == (200, b"")
        assert {**asked[1], "age": ""} == {**got[1], "age": ""}
    assert len(pages.asked) == 1


# -- many at once ------------------------------------------------------------------------------------------------------


def test_a_hundred_who_ask_at_once_have_the_page_made_once(cached):
    app, pages = cached()

    async def many():
        return await asyncio.gather(*(_get(app) for _ in range(100)))

    assert {each[2] for each in asyncio.run(many())} == {WORDS}
    assert len(pages.asked) == 1


def test_who_waited_for_a_page_that_is_not_for_everyone_gets_their_own(cached):
    numbers = iter(range(1000))
    app, pages = cached(lambda _: PlainTextResponse(str(next(numbers)), headers={"Cache-Control": "no-store"}))

    async def many():
        return await asyncio.gather(*(_get(app) for _ in range(50)))

    assert len({each[2] for each in asyncio.run(many())}) == 50
    assert len(pages.asked) == 50


def test_a_fault_of_the_first_is_not_that_of_the_others(cached):
    faults = iter([RuntimeError("a slip")])

    def answer(scope):
        for fault in faults:
            raise fault
        return public(scope)

    app, _ = cached(answer)

    async def many():
        return await asyncio.gather(*(_get(app) for _ in range(5)), return_exceptions=True)

    first, *others = asyncio.run(many())
    assert isinstance(first, RuntimeError)
    assert {each[2] for each in others} == {WORDS}
    assert not app._making


def test_who_goes_away_while_a_page_is_made_takes_it_from_nobody(cached):
    begun = asyncio.Event()

    class Slow(Pages):
        async def __call__(self, scope, receive, send):
            begun.set()
            await asyncio.sleep(0.01)
            await super().__call__(scope, receive, send)

    app = Caching(Slow(public), Shelf(Time()))

    async def story():
        first = asyncio.create_task(_get(app))
        await begun.wait()
        second, third = asyncio.create_task(_get(app)), asyncio.create_task(_get(app))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        return await third

    assert asyncio.run(story())[2] == WORDS
    assert not app._making


# -- the shelf ---------------------------------------------------------------------------------------------------------


def answer_of(size, made=1000.0):
    return Answer(headers=(), body=b"a" * size, packed=None, made=made, seconds=60)


def test_the_least_lately_asked_goes_first(time):
    shelf = Shelf(time, most=10_000)
    for key in (b"a", b"b", b"c"):
        shelf.put(key, answer_of(1000))
    assert shelf.take(b"a")
    shelf.put(b"d", answer_of(1000))

    assert [bool(shelf.take(key)) for key in (b"a", b"b", b"c", b"d")] == [True, False, True, True]


def test_the_shelf_never_holds_more_than_it_may(time):
    shelf = Shelf(time, most=100_000)
    for number in range(500):
        shelf.put(b"%d" % (number % 70), answer_of(number * 37 % 5000))
        assert 0 < shelf.octets <= 100_000


def test_what_was_let_go_is_counted_no_more(time):
    shelf = Shelf(time)
    shelf.put(b"a", answer_of(1000))
    shelf.put(b"a", answer_of(10))
    held = shelf.octets
    time.now += 61
    assert shelf.take(b"a") is None
    assert (held < 3000, shelf.octets) == (True, 0)


def test_what_is_too_large_is_given_and_not_kept(cached, shelf):
    app, _ = cached(lambda _: Response(b"a" * (LARGEST_ANSWER + 1), headers=PUBLIC))
    assert len(get(app)[2]) == LARGEST_ANSWER + 1
    assert shelf.octets == 0


# -- over a socket -----------------------------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_a_real_site_gives_its_style_sheet_and_first_page_packed(site):
    sheet = re.search(r'href="(/style\.css\?v=[0-9a-f]+)"', site.ask("GET", "/").text)[1]
    for path in (sheet, "/"):
        with closing(http.client.HTTPConnection(*site.address, timeout=10)) as connection:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            assert answer.getheader("content-encoding") == "gzip"
            assert gzip.decompress(answer.read())


def test_over_a_socket_it_is_made_once_too(ask, shelf):
    pages = Pages(public)
    with serve(Caching(pages, shelf), "127.0.0.1", 0, threading.Event()) as address:
        for method in ("GET", "HEAD", "GET"):
            answer = ask(address, method, "/")
            assert (answer.status, answer.headers["content-length"]) == (200, str(len(WORDS)))
            assert answer.text == ("" if method == "HEAD" else WORDS.decode())
    assert len(pages.asked) == 1
