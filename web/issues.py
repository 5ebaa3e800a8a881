"""A letter in the browser: the frozen page without anything that is one reader's own.

The address is random and needs no token; whoever was given it may read. The page stays out of search engines. What was
frozen is shown as it is, byte for byte; a letter that was sent as plain text alone is shown as such, on a page of ours.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from fastapi import FastAPI
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from digests.links import Links
from digests.mail.joining import part
from digests.readable import clean
from digests.wording import web_address
from domain.errors import UnknownError
from storage.issues import Issues
from storage.outbox import Outbox
from web.rendering import Rendering
from web.words import NO_ISSUE

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)\]])")
_LINK = Markup('<a href="{}" rel="noreferrer">{}</a>')

#: Letters carry their styles in place, because mailboxes drop others; they load nothing and have no forms.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is shown of a letter, without what is its reader's own."""

    subject: str
    html: str  #: the whole page; "" of a letter that was sent as plain text alone
    text: str


class Pages(Protocol):
    """Where the pages of issues come from."""

    def issue(self, public_id: str) -> Letter | None:
        """Return the letter of an issue; None if there is no such issue. May raise StorageError."""
        ...


class FrozenPages:
    """The pages of the letters that storage keeps."""

    def __init__(self, issues: Issues, outbox: Outbox) -> None:
        self._issues = issues
        self._outbox = outbox

    def issue(self, public_id: str) -> Letter | None:
        """Return both parts of an issue's letter, without the pieces that carry a reader's own links."""
        try:
            letter = self._outbox.letter(self._issues.delivery_of(public_id))
        except UnknownError:
            return None
        html, text = (part(letter.fragments, kind, personal=False, slots=letter.slots) for kind in ("html", "text"))
        return Letter(subject=letter.subject, html=html, text=text) if html or text else None


class IssuePages:
    """Serves the pages of issues; `links` names their one address where there is a site."""

    def __init__(self, pages: Pages, links: Links | None, rendering: Rendering) -> None:
        self._pages = pages
        self._links = links
        self._rendering = rendering

    def mount(self, app: FastAPI, prefix: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{prefix}/issues/{{public_id}}", self.show, methods=["GET", "HEAD"])

    def show(self, public_id: str, request: Request) -> Response:
        """Show one letter."""
        letter = self._pages.issue(public_id) if _ID.fullmatch(public_id) else None
        if letter is None:
            return self._rendering.notice(NO_ISSUE, 404)
        headers = {"Cache-Control": "no-cache"}
        if self._links is not None:
            headers["Link"] = f'<{self._links.issue(public_id)}>; rel="canonical"'
        if not letter.html:
            shown = {"subject": clean(letter.subject), "words": _linked(letter.text)}
            path = f"/issues/{public_id}"
            return self._rendering.public(request, "issue.html", path, indexed=False, headers=headers, **shown)
        headers["Content-Security-Policy"] = _POLICY
        html = "text/html; charset=utf-8"
        return self._rendering.fixed(request, letter.html, html, indexed=False, headers=headers)


def _linked(text: str) -> Markup:
    """Return a letter's text, its addresses as links."""
    pieces = _ADDRESS.split(text)
    return Markup().join(_LINK.format(each, each) if web_address(each) else each for each in pieces)
