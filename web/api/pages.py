"""The API, mounted: an application within the site, for it answers mistakes with JSON and describes itself.

request → checked against the description (parameters.py) → an answer (papers.py, looking.py) → text with an ETag
        → or a problem (problems.py)
"""

import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp

from domain.errors import QueryError, StorageError, UnknownError, UsageError
from storage.filters import Filters
from web.api import looking, papers
from web.api.answers import Answer, PaperPage, PreviewAnswer, TopicAnswer, TopicList, WholePaper
from web.api.crossing import ASKED_BEFORE, CROSSING
from web.api.papers import Finding, Keeping
from web.api.parameters import (
    After,
    CategoryName,
    Days,
    Key,
    Limit,
    Since,
    Sort,
    SourceName,
    TopicId,
    TopicWords,
    Until,
    Words,
)
from web.api.problems import RETRY_SECONDS, Problem, described, problem
from web.costly import BUSY_SECONDS, Crowded, Lanes
from web.looked_back import LookBack
from web.rendering import Rendering
from web.shared.pages import DAYS, Shared

_ALLOW = {"Allow": "GET, HEAD, OPTIONS"}
_TAGGED = {
    "headers": {
        "ETag": {"schema": {"type": "string"}, "description": "Send it as If-None-Match: 304 says nothing changed."},
        "Cache-Control": {"schema": {"type": "string"}},
    }
}
_ABOUT = (
    "Papers, shared topics and previews of one Paperround archive; read-only, without a key. "
    "The topic language is that of the site."
)


class Limiter(Protocol):
    """Who may ask how often."""

    def wait(self, request: Request) -> int:
        """Count a request; return 0, or where it is one too many, for how many seconds to wait."""
        ...


class _Mounted(Mount):
    """A mount that takes every path below it; Starlette's own leaves out those with a line end."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


class ApiPages:
    """Serves the API; `previews` counts who looks back over the archive, `searches` who searches it; None: nobody."""

    def __init__(
        self,
        *,
        finding: Finding,
        keeping: Keeping,
        shared: Shared,
        look_back: LookBack,
        lanes: Lanes,
        rendering: Rendering,
        previews: Limiter | None = None,
        searches: Limiter | None = None,
    ) -> None:
        self._finding = finding
        self._keeping = keeping
        self._shared = shared
        self._look_back = look_back
        self._rendering = rendering
        self._lanes = lanes
        self._previews = previews
        self._searches = searches

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the API and its description to an application."""
        api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
        for path, endpoint, answer, statuses in (
            ("/papers", self.search, PaperPage, (400, 422, 429, 503)),
            ("/papers/{key:path}", self.paper, WholePaper, (404, 422, 503)),
            ("/topics", self.topics, TopicList, (503,)),
            ("/topics/{public_id}", self.topic, TopicAnswer, (404, 422, 429, 503)),
            ("/preview", self.preview, PreviewAnswer, (400, 422, 429, 503)),
        ):
            _add(api, path, endpoint, answer, statuses)
        _mount_errors(api)
        description = json.dumps(_description(api, f"{self._rendering.prefix}/api/v1"))
        app.add_api_route(f"{root}/openapi.json", partial(self.describe, description), methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/api/v1", self.entrance, methods=["GET", "HEAD"])
        app.router.routes.append(_Mounted(f"{root}/api/v1", api))

    def entrance(self) -> Response:
        """Lead whoever left the slash out to what the API says of itself."""
        return RedirectResponse(f"{self._rendering.prefix}/api/v1/", 308, CROSSING)

    def describe(self, description: str) -> Response:
        """Give the API's description, for programs that read it."""
        return self._given(description)

    async def search(
        self,
        request: Request,
        *,
        q: Words = None,
        source: SourceName = None,
        category: CategoryName = None,
        since: Since = None,
        until: Until = None,
        sort: Sort = None,
        limit: Limit = 20,
        after: After = None,
    ) -> Response:
        """Find papers by words, filters or both, a page at a time."""
        filters = Filters(source=source, since=since, until=until, category=category)
        work = partial(papers.page_of, self._finding, q, filters=filters, sort=sort, limit=limit, after=after)
        return await self._costly(request, self._searches, work)

    def paper(self, key: Key) -> Response:
        """Give one paper whole: where it was listed, who says it otherwise, what happened to it."""
        return self._answered(papers.whole(self._keeping, key))

    def topics(self) -> Response:
        """List the topics that whoever runs the site shares."""
        return self._answered(looking.listed(self._shared))

    async def topic(self, request: Request, public_id: TopicId, days: Days = DAYS, limit: Limit = 25) -> Response:
        """Give a shared topic: papers a day, and the newest that answer it."""
        work = partial(looking.topic, self._shared, self._look_back, public_id, days, limit)
        return await self._costly(request, self._previews, work)

    async def preview(self, request: Request, q: TopicWords, days: Days = DAYS, limit: Limit = 20) -> Response:
        """Tell what a query would have brought in the last days."""
        return await self._costly(request, self._previews, partial(looking.preview, self._look_back, q, days, limit))

    async def _costly(self, request: Request, limiter: Limiter | None, work: Callable[[], Answer]) -> Response:
        """Answer what keeps a core busy: counted by network, and in its turn."""
        if limiter is not None and (seconds := limiter.wait(request)):
            return _slower(seconds)
        return await self._lanes.run(lambda: self._answered(work()))

    def _answered(self, answer: Answer) -> Response:
        return self._given(answer.json_text())

    def _given(self, text: str) -> Response:
        return self._rendering.fixed(text, "application/json", indexed=False, headers=CROSSING)


def _add(
    api: FastAPI,
    path: str,
    endpoint: Callable[..., Response | Awaitable[Response]],
    answer: type[Answer],
    statuses: tuple[int, ...],
) -> None:
    """Add a route; HEAD is one of its own, so that the description names each once."""
    api.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        operation_id=endpoint.__name__,
        response_model=answer,
        responses={
            200: _TAGGED,
            304: {"description": "Nothing changed since the ETag that was sent"},
            **described(statuses),
        },
    )
    api.add_api_route(path, endpoint, methods=["HEAD"], response_model=None, include_in_schema=False)


def _description(api: FastAPI, server: str) -> dict[str, Any]:
    told = get_openapi(
        title="Paperround", version="1", description=_ABOUT, routes=api.routes, servers=[{"url": server}]
    )
    told["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    for path in told["paths"].values():
        for parameter in path["get"].get("parameters", ()):
            parameter["schema"] = _never_null(parameter["schema"])
    return told


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left out: no address can say null."""
    kinds = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    return {**schema, **kinds[0]} if kinds else schema


def _slower(seconds: int) -> Response:
    sentence = "That was very often from one place; please ask again in a minute"
    return problem(429, sentence, headers={"Retry-After": str(seconds)})


# -- mistakes ----------------------------------------------------------------------------------------------------------


def _mount_errors(api: FastAPI) -> None:
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(RequestValidationError, _unlike)
    api.add_exception_handler(UsageError, _unreadable)
    api.add_exception_handler(StorageError, _unreachable)
    api.add_exception_handler(Crowded, _crowded)
    api.add_exception_handler(Exception, _broken)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    if status != 405:
        return problem(status, "There is no such address in the API; /openapi.json tells what there is")
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={**_ALLOW, **CROSSING, **ASKED_BEFORE})
    return problem(405, "The API only reads: GET, HEAD and OPTIONS", headers=_ALLOW)


async def _unlike(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    name = str(first.get("loc", ("",))[-1])
    said = str(first.get("msg", "")).removeprefix("Value error, ")
    return problem(422, f"{name}: {said[:1].lower()}{said[1:]}")


async def _unreadable(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    if isinstance(error, QueryError):
        return problem(400, error.reason, column=error.column, suggestion=error.suggestion)
    return problem(404 if isinstance(error, UnknownError) else 400, str(error))


async def _unreachable(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    sentence = "The archive does not answer just now; please ask again in a minute"
    return problem(503, sentence, headers={"Retry-After": str(RETRY_SECONDS)})


async def _crowded(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    sentence = "Many are searching just now; please ask again in a few seconds"
    return problem(503, sentence, headers={"Retry-After": str(BUSY_SECONDS)})


async def _broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 Starlette's signature
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side; please ask again in a minute")
