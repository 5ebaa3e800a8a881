"""The site, whole: groups of pages under one root, probes, and a calm answer to everything else.

    guard (limits, whose request, headers) → caching (made already?) → FastAPI (which page?) → a page, or an error of
    ours → a page that says what to do next

Each group of pages is a module with one class that adds its own routes; paperround/serving.py builds them and says
which there are. Nobody is shown a validation report in JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol
from urllib.parse import unquote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from domain.errors import StorageError
from web.caching import Caching
from web.clients import Clients
from web.costly import BUSY_SECONDS, Crowded
from web.guard import Guard
from web.origins import Origins
from web.refusals import Refusals
from web.rendering import Rendering
from web.shelf import Shelf
from web.words import FAULT, LATER, NO_PAGE, NOT_SO, SEARCHES_BUSY, TOO_LARGE, UNREADABLE

SAFE = ["GET", "HEAD"]
_RETRY = {"Retry-After": "30"}  # seconds: as long as a statement waits for the database
_NOTICES = {404: NO_PAGE, 405: NOT_SO, 413: TOO_LARGE, 503: LATER}


class PageGroup(Protocol):
    """Pages that belong together."""

    def mount(self, app: FastAPI, root: str) -> None:
        """Add their routes, each under `root`, "" or such as "/papers"."""
        ...


def create_app(
    *,
    rendering: Rendering,
    groups: Sequence[PageGroup],
    healthy: Callable[[], bool],
    larger: Mapping[str, int] | None = None,
    listens: str = "127.0.0.1",
    clients: Clients | None = None,
    shelf: Shelf | None = None,
) -> ASGIApp:
    """Return the site.

    `healthy` says whether the database answers; the probes also answer without the site's prefix. A proxy in front
    passes paths on whole. `larger` names paths below the root whose bodies may have more than 64 KiB, and how many.
    `listens` is the host it listens at, `clients` knows the proxies in front, `shelf` keeps what is the same for all.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    root = unquote(rendering.prefix)
    _mount_probes(app, healthy, sorted({"", root}))
    for name in rendering.assets:
        app.add_api_route(f"{root}/{name}", partial(rendering.asset, name), methods=SAFE)
    for group in groups:
        group.mount(app, root)
    _mount_errors(app, rendering)
    sizes = {f"{root}{path}": size for path, size in (larger or {}).items()}
    return Guard(
        Caching(app, shelf, root),
        Refusals.of(rendering),
        origins=Origins(rendering.site.base_url, listens),
        clients=clients or Clients(),
        root=root,
        larger=sizes,
    )


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
        app.add_api_route(f"{root}/healthz", healthz, methods=SAFE)
        app.add_api_route(f"{root}/readyz", readyz, methods=SAFE)


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

    async def crowded(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
        return rendering.notice(SEARCHES_BUSY, 503, {"Retry-After": str(BUSY_SECONDS)})

    async def broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
        return rendering.notice(FAULT, 500)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, refused)
    app.add_exception_handler(StorageError, unreachable)
    app.add_exception_handler(Crowded, crowded)
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
