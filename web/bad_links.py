"""What a link gets that is not good: cut, altered, made for something else, or too old.

A link to confirm that is too old has a page of its own, which confirming.py shows.
"""

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.links import BadLink, Purpose
from web.rendering import Rendering
from web.words import ADDRESS_NOT_OPEN, FRESH_EXPIRED, NO_LINK, Notice

#: What one hears whose link was ours and is too old.
_TOO_OLD: Mapping[Purpose, Notice] = {Purpose.FRESH: FRESH_EXPIRED, Purpose.ADDRESS: ADDRESS_NOT_OPEN}


class BadLinks:
    """Answers every page that could not read its token."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:  # noqa: ARG002 as every group: this one has no address
        """Answer for an application."""
        app.add_exception_handler(BadLink, self._answer)

    async def _answer(self, request: Request, error: Exception) -> Response:  # noqa: ARG002 Starlette's signature
        old = _TOO_OLD.get(error.expired) if isinstance(error, BadLink) and error.expired else None
        return self._rendering.notice(NO_LINK, 404) if old is None else self._rendering.notice(old, 410)
