"""Pages as answers: the templates of this folder, escaped, with nothing left undefined."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from web.words import Notice

_NO_INDEX = {"X-Robots-Tag": "noindex"}


class Rendering:
    """Renders the pages of one site; `prefix` is the path it lives under, "" or such as "/papers"."""

    def __init__(self, prefix: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["prefix"] = prefix

    def front(self) -> Response:
        """Return the first page, the one that search engines may keep."""
        return self._answer("front.html", {}, {}, 200)

    def page(self, template: str, **values: object) -> Response:
        """Return a page made from a template."""
        return self._answer(template, values, _NO_INDEX, 200)

    def notice(self, notice: Notice, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a short page; `headers` go with it."""
        return self._answer("notice.html", {"notice": notice}, {**_NO_INDEX, **(headers or {})}, status)

    def style(self) -> Response:
        """Return the style sheet of all pages."""
        text = self._templates.get_template("style.css").render()
        return Response(text, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    def _answer(
        self, template: str, values: Mapping[str, object], headers: Mapping[str, str], status: int
    ) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(values), status, headers=headers)
