"""Before the pages: what is the same for everyone is made once, packed once, and given from memory while it is fresh.

    a GET → on the shelf and fresh? → given, or 304
          → being made right now? → waited for
          → made → `public`, 200, no cookie? → packed, kept, given, or 304
                 → anything else → passed on as it is

`Cache-Control: public, max-age=N` is how a page says that it depends on nothing but its address: then path and query
are the whole key; of the query, what the page reads (reading.py). A query of more than 2 KB is asked for anew, and so
is what a password opens. Where nothing is to be kept (`shelf` is None) the pages are still packed.

One person's pages are neither kept nor packed: the size of a packed page tells of a secret on it to whoever can put
words of their own beside it (BREACH).

A packed body has the tag of the plain one made weak: it is the same page in other bytes (RFC 9110 section 8.8.3.3).
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.headers import Raw
from web.negotiation import is_known, is_text, packed, takes_gzip, weak
from web.reading import Reading
from web.shelf import Answer, Shelf

LONGEST_QUERY = 2_048  # octets
_AGE = re.compile(r"max-age=([0-9]{1,9})")
_READ = frozenset({b"accept-encoding", b"if-none-match"})
_BY_PASSWORD = ("/operations", "/metrics")
_OF_ONE_BODY = frozenset({b"content-length", b"content-type"})  # not in a 304


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a request decides how it is answered."""

    key: bytes | None  #: None: neither kept nor given from memory
    is_head: bool
    gzip: bool
    known: str  #: If-None-Match


class Caching:
    """An ASGI application around another, for one event loop; `root` is the path that the site is under."""

    def __init__(self, app: ASGIApp, shelf: Shelf | None, root: str = "") -> None:
        self._app = app
        self._shelf = shelf
        self._reading = Reading(root)
        self._apart = tuple(f"{each}{path}" for each in {"", root} for path in _BY_PASSWORD)
        self._making: dict[bytes, asyncio.Future[Answer | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        scope = {**scope, "query_string": self._reading.of(scope["path"], scope["query_string"])}
        asked = _asked(scope, keeping=self._shelf is not None and not scope["path"].startswith(self._apart))
        if asked.key is None or self._shelf is None:
            await self._make(scope, receive, send, asked, lambda _: None)
            return
        answer = self._shelf.take(asked.key) or await self._of_another(asked.key)
        if answer is not None:
            await _give(answer, asked, send, age=self._shelf.clock() - answer.made)
        else:
            await self._first(asked.key, scope, receive, send, asked)

    async def _of_another(self, key: bytes) -> Answer | None:
        """Return what another request is making; None where none is, or where it is not for everyone."""
        making = self._making.get(key)
        return None if making is None else await asyncio.shield(making)

    async def _first(self, key: bytes, scope: Scope, receive: Receive, send: Send, asked: _Asked) -> None:
        """Make an answer that others may wait for; they are told as soon as it is known whether it is for them."""
        making: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._making[key] = making

        def made(answer: Answer | None) -> None:
            if not making.done():
                making.set_result(answer)
            if self._making.get(key) is making:
                del self._making[key]
            if answer is not None and self._shelf is not None:
                self._shelf.put(key, answer)

        try:
            await self._make(scope, receive, send, asked, made)
        finally:
            if not making.done():
                made(None)

    async def _make(
        self, scope: Scope, receive: Receive, send: Send, asked: _Asked, made: Callable[[Answer | None], None]
    ) -> None:
        """Ask the pages, always for the whole: who has it already is found out here."""
        headers = [each for each in scope["headers"] if each[0] != b"if-none-match"]
        passing = _Passing(send, asked, made, self._shelf.clock if self._shelf else lambda: 0.0)
        await self._app({**scope, "method": "GET", "headers": headers}, receive, passing.take)


class _Passing:
    """One answer on its way from a page: gathered where it is for everyone, passed on where it is not."""

    def __init__(
        self, send: Send, asked: _Asked, made: Callable[[Answer | None], None], clock: Callable[[], float]
    ) -> None:
        self._send = send
        self._asked = asked
        self._made = made
        self._clock = clock
        self._begun: Message | None = None
        self._body = bytearray()
        self._is_over = False

    async def take(self, message: Message) -> None:
        """Take one message of a page."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._begun is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._end(self._begun)
        elif not self._is_over:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        if _fresh_seconds(message) is not None:
            self._begun = message
            return
        self._made(None)
        tag = _value(message["headers"], b"etag")
        if message["status"] == 200 and tag and self._asked.known and is_known(self._asked.known, tag):
            self._is_over = True
            left = [each for each in message["headers"] if each[0] not in _OF_ONE_BODY]
            await self._send({**message, "status": 304, "headers": left})
            await self._send({"type": "http.response.body", "body": b""})
            return
        await self._send(message)

    async def _end(self, begun: Message) -> None:
        self._begun, self._is_over = None, True
        body = bytes(self._body)
        packs = is_text(_value(begun["headers"], b"content-type")) and not _value(begun["headers"], b"content-encoding")
        answer = Answer(
            headers=tuple(_plain(begun["headers"], varies=packs)),
            body=body,
            packed=await asyncio.to_thread(packed, body) if packs else None,
            made=self._clock(),
            seconds=_fresh_seconds(begun) or 0,
        )
        self._made(answer if answer.seconds and self._asked.key is not None else None)
        await _give(answer, self._asked, self._send, age=None)


def _asked(scope: Scope, *, keeping: bool) -> _Asked:
    named: dict[bytes, list[str]] = {name: [] for name in _READ}
    for name, value in scope["headers"]:
        if name in _READ:
            named[name].append(value.decode("latin-1"))
    query = scope["query_string"]
    path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    is_shared = keeping and len(query) <= LONGEST_QUERY
    return _Asked(
        key=path + b"?" + query if is_shared else None,
        is_head=scope["method"] == "HEAD",
        gzip=takes_gzip(",".join(named[b"accept-encoding"])),
        known=",".join(named[b"if-none-match"]),
    )


async def _give(answer: Answer, asked: _Asked, send: Send, *, age: float | None) -> None:
    """Send an answer; `age` in seconds is None for one that was made just now."""
    as_gzip = asked.gzip and answer.packed is not None
    body = answer.packed if as_gzip and answer.packed is not None else answer.body
    headers = list(answer.headers)
    tag = _value(headers, b"etag")
    if as_gzip and tag:
        headers = [each for each in headers if each[0] != b"etag"] + [(b"etag", weak(tag).encode("latin-1"))]
    if age is not None:
        headers.append((b"age", b"%d" % age))
    if tag and asked.known and is_known(asked.known, tag):
        left = [each for each in headers if each[0] not in _OF_ONE_BODY]
        await send({"type": "http.response.start", "status": 304, "headers": left})
        await send({"type": "http.response.body", "body": b""})
        return
    if as_gzip:
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if asked.is_head else body})


def _plain(headers: Iterable[Raw], *, varies: bool) -> Iterable[Raw]:
    """Yield the headers that all forms of an answer have."""
    for name, value in headers:
        if name not in {b"content-length", b"vary"}:
            yield name, value
    others = [each for each in _value(headers, b"vary").split(",") if each.strip()]
    if varies and "accept-encoding" not in {each.strip().lower() for each in others}:
        others.append("Accept-Encoding")
    if others:
        yield b"vary", ", ".join(each.strip() for each in others).encode("latin-1")


def _fresh_seconds(message: Message) -> int | None:
    """Return how long an answer may be kept for everyone; None where it may not."""
    headers = message["headers"]
    control = _value(headers, b"cache-control").lower()
    told = {each.strip() for each in control.split(",")}
    age = next((found for each in told if (found := _AGE.fullmatch(each))), None)
    if message["status"] != 200 or "public" not in told or age is None or {"no-store", "private"} & told:
        return None
    return None if any(name == b"set-cookie" for name, _ in headers) else int(age[1])


def _value(headers: Iterable[Raw], name: bytes) -> str:
    """Return a header; "" where there is none. One that comes twice is joined."""
    return ",".join(value.decode("latin-1") for each, value in headers if each == name)
