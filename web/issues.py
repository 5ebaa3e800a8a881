"""A letter in the browser: the frozen page without anything that is one reader's own.

The address is random and needs no token; whoever was given it may read. The page stays out of search engines. What was
frozen is shown as it is, byte for byte; of a letter that was sent as plain text alone that is its text.
"""

import re
from typing import Protocol

from fastapi import FastAPI
from starlette.responses import Response

from digests.links import Links
from digests.plain_page import page_of
from domain.errors import UnknownError
from storage.issues import Issues
from storage.outbox import Outbox
from web.rendering import Rendering
from web.words import NO_ISSUE

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: Letters carry their styles in place, because mailboxes drop others; they load nothing and have no forms, and their
#: links are as they were frozen: hence no-referrer.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"


class Pages(Protocol):
    """Where the pages of issues come from."""

    def issue(self, public_id: str) -> str | None:
        """Return the HTML page of an issue; None if there is no such issue. May raise StorageError."""
        ...


class FrozenPages:
    """The pages of the letters that storage keeps."""

    def __init__(self, issues: Issues, outbox: Outbox) -> None:
        self._issues = issues
        self._outbox = outbox

    def issue(self, public_id: str) -> str | None:
        """Return the page of an issue's letter, without the pieces that carry a reader's own links."""
        try:
            letter = self._outbox.letter(self._issues.delivery_of(public_id))
        except UnknownError:
            return None
        return page_of(letter.fragments, letter.subject, personal=False, slots=letter.slots)


class IssuePages:
    """Serves the pages of issues; `links` names their one address where there is a site."""

    def __init__(self, pages: Pages, links: Links | None, rendering: Rendering) -> None:
        self._pages = pages
        self._links = links
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/issues/{{public_id}}", self.show, methods=["GET", "HEAD"])

    def show(self, public_id: str) -> Response:
        """Show one letter."""
        page = self._pages.issue(public_id) if _ID.fullmatch(public_id) else None
        if page is None:
            return self._rendering.notice(NO_ISSUE, 404)
        headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
        if self._links is not None:
            headers["Link"] = f'<{self._links.issue(public_id)}>; rel="canonical"'
        html = "text/html; charset=utf-8"
        return self._rendering.fixed(page, html, indexed=False, headers=headers)
