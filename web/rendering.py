"""Pages as answers: the templates of this folder, escaped, with nothing left undefined.

page     one person's own: never kept by anybody, never indexed
public   the same for everyone: an ETag, kept for a minute, indexed as the settings say, one canonical address;
         whoever has it already is told so by what stands in front (caching.py)
notice   a heading and a few sentences
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digests.links import FRESH_HOURS
from digests.marking import unstyled
from web.words import Notice

_NO_INDEX = {"X-Robots-Tag": "noindex"}
_FOR_EVER = "public, max-age=31536000, immutable"  # its address changes with its words
#: How long a public page may be shown without asking again, in seconds.
FRESH_SECONDS = 60
_ASSETS = {"style.css": "text/css", "site.js": "text/javascript", "favicon.svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What every page knows of its site."""

    prefix: str = ""  #: the path requests come in under, "" or such as "/papers"
    base_url: str = ""  #: where readers reach it, without a slash at its end; "" for a personal installation
    takes_signups: bool = False
    indexing: str = "archive"  #: "archive", "front" or "nothing"
    name: str = "Paperround"


class Rendering:
    """Renders the pages of one site."""

    def __init__(self, site: SiteFacts) -> None:
        self.site = site
        self._templates = Environment(
            loader=PackageLoader("web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["unstyled"] = unstyled
        self._assets = {name: files("web").joinpath("static", name).read_bytes() for name in _ASSETS}
        self._versions = versions = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._assets.items()}
        self._templates.globals.update(
            site=site,
            prefix=site.prefix,
            asset=lambda name: f"{site.prefix}/{name}?v={versions[name]}",
            fresh_hours=FRESH_HOURS,
        )

    @property
    def prefix(self) -> str:
        """The path that every address on a page begins with."""
        return self.site.prefix

    def page(
        self, template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **values: object
    ) -> Response:
        """Return a page that is one person's own."""
        return self._answer(template, {"canonical": "", **values}, {**_NO_INDEX, **(headers or {})}, status)

    def public(
        self,
        template: str,
        path: str,
        *,
        indexed: bool = True,
        is_front: bool = False,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """Return a page that is the same for everyone.

        `path` is its one address below the site's root, such as "/papers/arxiv:2611.00001", percent-encoded. The front
        page stays out of search engines only where everything does.
        """
        canonical = f"{self.site.base_url}{path}" if self.site.base_url else ""
        text = self._render(template, {"canonical": canonical, **values})
        html = "text/html; charset=utf-8"
        return self.fixed(text, html, indexed=indexed, is_front=is_front, headers=headers)

    def fixed(
        self,
        text: str,
        media_type: str,
        *,
        indexed: bool = True,
        is_front: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return any text that is the same for everyone (a feed, a citation, JSON)."""
        body = text.encode("utf-8")
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        kept = {
            "ETag": tag,
            "Cache-Control": f"public, max-age={FRESH_SECONDS}",
            **({} if indexed and self._is_found(is_front=is_front) else _NO_INDEX),
            **(headers or {}),
        }
        return Response(body, media_type=media_type, headers=kept)

    def notice(self, notice: Notice, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a short page; `headers` go with it."""
        return self.page("notice.html", status, headers=headers, notice=notice)

    def asset(self, name: str, request: Request) -> Response:
        """Return a file of the site: its style sheet, its script, its picture; for ever under its own version alone."""
        version = self._versions[name]
        kept = _FOR_EVER if request.query_params.get("v") == version else "no-cache"
        headers = {"Cache-Control": kept, "ETag": f'"{version}"'}
        return Response(self._assets[name], media_type=_ASSETS[name], headers=headers)

    @property
    def assets(self) -> tuple[str, ...]:
        """The names of these files."""
        return tuple(self._assets)

    def _is_found(self, *, is_front: bool) -> bool:
        """Return whether the settings let search engines keep a page that is the same for everyone."""
        return self.site.indexing == "archive" or (is_front and self.site.indexing == "front")

    def _answer(
        self, template: str, values: Mapping[str, object], headers: Mapping[str, str], status: int
    ) -> HTMLResponse:
        return HTMLResponse(self._render(template, values), status, headers=headers)

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        return self._templates.get_template(template).render(values)
