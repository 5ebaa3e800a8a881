"""What every answer carries and no request may exceed, around the whole site.

    request → its body, read to the end and at most 64 KiB of it → the site → the answer, with the headers below

A path may be allowed more, which is said where it is mounted.

The headers are only added where a page did not set its own: an issue brings its own Content-Security-Policy.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.policy import POLICY

LARGEST_BODY = 65_536  # octets; our largest form has a few hundred

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",  # an address may hold a token
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """An ASGI application around another; `too_large` answers what is over the limit.

    `larger` names the beginnings of paths whose bodies may be larger, and how large, in octets.
    """

    def __init__(self, app: ASGIApp, too_large: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._too_large = too_large
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        most = max(
            (size for path, size in self._larger.items() if scope["path"].startswith(path)), default=LARGEST_BODY
        )
        if _declared(scope) > most:
            await self._too_large(scope, receive, guarded)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # gone before the request was whole: nothing was asked
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                await self._too_large(scope, receive, guarded)
                return
        await self._app(scope, _replay(bytes(body), receive), guarded)


def _declared(scope: Scope) -> int:
    """Return the length that the request claims for its body; 0 where it claims none."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length[:20]) if length.isascii() and length.isdigit() else 0  # no machine has a body of 21 digits


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read already, then whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
