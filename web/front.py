"""The first page: what this is, and how one becomes a reader."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from web.rendering import Rendering


class FrontPages:
    """Serves the site's root."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        for path in {f"{root}/", root} - {""}:
            app.add_api_route(path, self.front, methods=["GET", "HEAD"])

    def front(self, request: Request) -> Response:
        """Show the first page, the one that search engines may keep."""
        return self._rendering.public(request, "front.html", "/")
