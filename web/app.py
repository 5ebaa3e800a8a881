"""The site, whole: its few pages, its probes, and a calm answer to everything else.

    guard (limits, headers) → FastAPI (which page?) → a page, or an error of ours → a page that says what to do next

There are no pages about the site's own interface, and nobody is shown a validation report in JSON.
"""

from collections.abc import Callable
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from digests.links import Links
from digests.mail.farewell import Farewells
from domain.clock import Clock
from domain.errors import StorageError
from web.guard import Guard
from web.issues import IssuePages, Pages
from web.readers import ReaderPages, Readers
from web.rendering import Rendering
from web.webhooks import LARGEST_WEBHOOK, WebhookPages, Webhooks
from web.words import FAULT, LATER, NO_PAGE, NOT_SO, TOO_LARGE, UNREADABLE

_SAFE = ["GET", "HEAD"]
_RETRY = {"Retry-After": "30"}  # seconds: as long as a statement waits for the database
_NOTICES = {404: NO_PAGE, 405: NOT_SO, 413: TOO_LARGE, 503: LATER}


def create_app(
    *,
    readers: Readers,
    pages: Pages,
    links: Links | None,
    clock: Clock,
    healthy: Callable[[], bool],
    farewells: Farewells | None = None,
    prefix: str = "",
    webhooks: Webhooks | None = None,
) -> ASGIApp:
    """Return the site.

    `links` is None for a personal installation: there are no tokens then, and their routes answer 404. `healthy` says
    whether the database answers. `farewells` composes the letter to one who left by a page; without, nothing is said.
    `prefix` is the path of the site's root, "" or such as "/papers", without a slash at its end; a proxy in front
    passes paths on whole. The probes also answer without it. `webhooks` is None where no mail provider is set up.
    """
    rendering = Rendering(prefix)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    root = unquote(prefix)
    _mount_probes(app, healthy, sorted({"", root}))
    for path in {f"{root}/", root} - {""}:
        app.add_api_route(path, rendering.front, methods=_SAFE)
    app.add_api_route(f"{root}/style.css", rendering.style, methods=_SAFE)
    IssuePages(pages, links, rendering).mount(app, root)
    if links is not None:
        ReaderPages(readers, links, farewells, clock, rendering).mount(app, root)
    larger = {}
    if webhooks is not None:
        WebhookPages(webhooks, clock, rendering).mount(app, root)
        larger = {f"{root}/webhooks/": LARGEST_WEBHOOK}
    _mount_errors(app, rendering)
    return Guard(app, rendering.notice(TOO_LARGE, 413, {"Connection": "close"}), larger)


def _mount_probes(app: FastAPI, healthy: Callable[[], bool], roots: list[str]) -> None:
    async def healthz() -> Response:
        """Answer that the process lives; asks nobody, and waits for no thread."""
        return PlainTextResponse("ok")

    def readyz() -> Response:
        """Answer whether the database does."""
        try:
            ready = healthy()
        except StorageError:
            ready = False
        return PlainTextResponse("ready" if ready else "the database does not answer", 200 if ready else 503)

    for root in roots:
        app.add_api_route(f"{root}/healthz", healthz, methods=_SAFE)
        app.add_api_route(f"{root}/readyz", readyz, methods=_SAFE)


def _mount_errors(app: FastAPI, rendering: Rendering) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        if status != 405:
            return rendering.notice(_NOTICES.get(status, UNREADABLE), status)
        headers = {"Allow": _allowed(app, request.scope["path"])}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        return rendering.notice(NOT_SO, 405, headers)

    async def unreachable(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
        return rendering.notice(LATER, 503, _RETRY)

    async def broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
        return rendering.notice(FAULT, 500)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, refused)
    app.add_exception_handler(StorageError, unreachable)
    app.add_exception_handler(Exception, broken)


def _allowed(app: FastAPI, path: str) -> str:
    """Return every method that a path takes: Starlette names those of the first route that has the path."""
    found = {
        method
        for route in app.routes
        if isinstance(route, Route) and route.path_regex.match(path)
        for method in route.methods or ()
    }
    return ", ".join(sorted(found | {"OPTIONS"}))
