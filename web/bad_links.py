"""What a link gets that is not good: cut, altered, made for something else, or too old."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.links import BadLink
from web.rendering import Rendering
from web.words import EXPIRED, NO_LINK


class BadLinks:
    """Answers every page that could not read its token."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:  # noqa: ARG002 as every group: this one has no address
        """Answer for an application."""
        app.add_exception_handler(BadLink, self._answer)

    async def _answer(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 Starlette's signature
        if isinstance(error, BadLink) and error.expired:
            return self._rendering.notice(EXPIRED, 410)
        return self._rendering.notice(NO_LINK, 404)
