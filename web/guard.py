"""What no request may exceed and every answer carries, around the whole site.

    request → its head (headers of a size? our Host? a form of ours?) → its body (in time, at most 64 KiB, a form)
            → who asks → the site, unless it is busy → the answer, with the headers of headers.py

Each question is answered where it is asked: Host and Origin in origins.py, who asks in clients.py, the body in
bodies.py. A path may be allowed a larger body, which is said where it is mounted: a form with a file in it.

Two kinds of POST come from programs, not from pages: one-click unsubscribe (RFC 8058), which must be obeyed whatever it
says of itself, and webhooks, which are signed. They may name any origin and any type. The probes may name any host: who
asks them knows a machine, not a site.
"""

from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.bodies import LARGEST_BODY, MOST_FIELDS, SLOWEST_BODY, Unread, declared, is_form, read, replay
from web.clients import Clients
from web.headers import Added
from web.origins import Naming, Origins
from web.refusals import Refusals

LONGEST_ADDRESS = 32_768  # octets of path and query
LARGEST_HEAD = 32_768  # octets of all headers
MOST_AT_ONCE = 200  # requests that the site works on; more would only wait for its 40 threads
PROBES = ("/healthz", "/readyz", "/metrics")
_PROGRAMS = ("/unsubscribe/", "/webhooks/")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NAMES = frozenset({b"host", b"origin", b"sec-fetch-site", b"x-forwarded-for", b"content-length", b"content-type"})


class Guard:
    """An ASGI application around another; `larger` says which paths' bodies may be larger, and how large, in octets."""

    def __init__(
        self,
        app: ASGIApp,
        refusals: Refusals,
        *,
        origins: Origins,
        clients: Clients,
        root: str = "",
        larger: Mapping[str, int] | None = None,
        body_seconds: float = SLOWEST_BODY,
        at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._origins = origins
        self._clients = clients
        self._headers = Added(secure=origins.is_secure, opens=origins.is_public, root=root)
        self._probes = frozenset({*PROBES, *(f"{root}{each}" for each in PROBES)})
        self._programs = tuple(f"{root}{each}" for each in _PROGRAMS)
        self._larger = larger or {}
        self._body_seconds = body_seconds
        self._at_once = at_once
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = _said(scope)
        naming = self._origins.naming(_texts(said[b"host"]))
        path = scope["path"]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                here = naming is not Naming.SITE
                message["headers"] = self._headers.to(message.get("headers", ()), path, here=here)
            await send(message)

        most = max((size for start, size in self._larger.items() if path.startswith(start)), default=LARGEST_BODY)
        refusal = self._of_head(scope, said, naming, most)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        body = await read(receive, most, self._body_seconds)
        if body is Unread.GONE:
            return
        if isinstance(body, Unread) or (most <= LARGEST_BODY and self._is_crowded(body, path)):
            slow = body is Unread.TOO_SLOW
            await (self._refusals.too_slow if slow else self._refusals.too_large)(scope, receive, guarded)
            return
        peer = scope.get("client")
        who = self._clients.of(peer[0] if peer else "", _texts(said[b"x-forwarded-for"]))
        scope.setdefault("state", {})["client"] = who
        await self._serve(scope, replay(body, receive), guarded)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the site answer; the probes always, for that it is busy is no reason to end it."""
        if self._working >= self._at_once and scope["path"] not in self._probes:
            await self._refusals.busy(scope, receive, send)
            return
        self._working += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._working -= 1

    def _of_head(self, scope: Scope, said: Mapping[bytes, list[bytes]], naming: Naming, most: int) -> ASGIApp | None:
        """Return why a request is refused by its head alone; None where it is not."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
            return self._refusals.too_long
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
            return self._refusals.too_many_headers
        if naming is Naming.NOTHING:
            return self._refusals.unreadable
        if naming is Naming.ANOTHER and scope["path"] not in self._probes:
            return self._refusals.elsewhere
        changes = scope["method"] not in _SAFE and not scope["path"].startswith(self._programs)
        refusal = self._of_form(scope["method"], said, with_file=most > LARGEST_BODY) if changes else None
        return refusal or (self._refusals.too_large if declared(said[b"content-length"]) > most else None)

    def _of_form(self, method: str, said: Mapping[bytes, list[bytes]], *, with_file: bool) -> ASGIApp | None:
        """Return why a form is refused: another site's page sent it, or it is none."""
        host = said[b"host"][0].decode("latin-1")
        if not self._origins.may_post(host, _texts(said[b"origin"]), _texts(said[b"sec-fetch-site"])):
            return self._refusals.another_site
        is_ours = is_form(said[b"content-type"], with_file=with_file)
        return self._refusals.no_form if method == "POST" and not is_ours else None

    def _is_crowded(self, body: bytes, path: str) -> bool:
        """Return whether a form has more fields than any of ours; what programs post is no form."""
        return body.count(b"&") >= MOST_FIELDS and not path.startswith(self._programs)


def _said(scope: Scope) -> Mapping[bytes, list[bytes]]:
    """Return the values of the headers that matter here, by name."""
    said: dict[bytes, list[bytes]] = {name: [] for name in _NAMES}
    for name, value in scope["headers"]:
        if name in _NAMES:
            said[name].append(value)
    return said


def _texts(values: Sequence[bytes]) -> list[str]:
    return [value.decode("latin-1") for value in values]
