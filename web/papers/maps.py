"""What crawlers are told: robots.txt, and a map of the papers and days where the site wants to be found.

    [web] indexing = "archive"   everything but what somebody asked or was sent; /sitemap.xml
                     "front"     the first page alone
                     "nothing"   nothing

A map has at most 10,000 addresses and is made when it is asked for; the map of maps names the others. Letters, shared
topics and whatever carries a token stand in none.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from xml.sax.saxutils import escape

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response

from storage.days import ListingDays
from storage.mapping import BLOCK, Mapped
from web.addresses import DAYS, SEARCH, TRENDING, day_path, paper_path, week_path
from web.rendering import FRESH_SECONDS, Rendering
from web.words import NO_PAGE

#: What crawlers would ask without end, or is nothing for them. What is only not to be found (shared topics, letters,
#: whatever carries a token) says so itself, by X-Robots-Tag, which nobody sees who may not fetch it.
_HIDDEN = ("/papers?", "/days?", "/topics/preview", "/operations", "/api/", "/metrics", "/webhooks/")
_XML = "application/xml; charset=utf-8"
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: Address and the day on which it last changed; None where it changes every day.
_Place = tuple[str, date | None]


class MapPages:
    """Serves robots.txt and the maps."""

    def __init__(self, *, mapped: Mapped, days: ListingDays, rendering: Rendering) -> None:
        self._mapped = mapped
        self._days = days
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes; crawlers look for robots.txt at the root of a host alone, whatever path the site is under."""
        app.add_api_route("/robots.txt", self.robots, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/sitemap.xml", self.index, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/sitemap-days.xml", self.days, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/sitemap-papers-{{number}}.xml", self.papers, methods=["GET", "HEAD"])

    def robots(self) -> Response:
        """Say what may be read by programs that obey."""
        headers = {"Cache-Control": f"public, max-age={FRESH_SECONDS}"}
        return PlainTextResponse("\n".join(["User-agent: *", *self._rules(), ""]), headers=headers)

    def _rules(self) -> Iterator[str]:
        root, site = self._rendering.prefix, self._rendering.site
        if site.indexing == "archive":
            yield from (f"Disallow: {root}{path}" for path in _HIDDEN)
            if site.base_url:
                yield f"Sitemap: {site.base_url}/sitemap.xml"
        elif site.indexing == "front":
            yield f"Allow: {root}/$"
            yield f"Allow: {root}/style.css"
            yield "Disallow: /"
        else:
            yield "Disallow: /"

    def index(self) -> Response:
        """Name the maps."""
        if not self._is_mapped:
            return self._rendering.notice(NO_PAGE, 404)
        ends = self._days.ends()
        pieces: list[_Place] = [("/sitemap-days.xml", ends[1] if ends else None)]
        pieces += [(f"/sitemap-papers-{number}.xml", newest) for number, newest in self._mapped.blocks()]
        return self._map("sitemapindex", "sitemap", pieces)

    def days(self) -> Response:
        """Map the first pages, the days and their weeks."""
        if not self._is_mapped:
            return self._rendering.notice(NO_PAGE, 404)
        listed = self._days.every(BLOCK * 4 // 5)
        weeks: dict[str, date] = {}
        for day in listed:
            weeks.setdefault(week_path(day), day)
        newest = listed[0] if listed else None
        first: list[_Place] = [(path, newest) for path in ("/", SEARCH, DAYS, TRENDING)]
        places = [*first, *((day_path(day), day) for day in listed), *weeks.items()]
        return self._map("urlset", "url", places[:BLOCK])

    def papers(self, number: str) -> Response:
        """Map one block of the papers."""
        is_number = number.isascii() and number.isdigit() and len(number) < 7
        found = self._mapped.block(int(number)) if self._is_mapped and is_number else []
        if not found:
            return self._rendering.notice(NO_PAGE, 404)
        return self._map("urlset", "url", ((paper_path(key), day) for key, day in found))

    @property
    def _is_mapped(self) -> bool:
        site = self._rendering.site
        return site.indexing == "archive" and bool(site.base_url)

    def _map(self, whole: str, part: str, places: Iterable[_Place]) -> Response:
        base = self._rendering.site.base_url
        lines = "".join(
            f"<{part}><loc>{escape(base + path)}</loc>"
            f"{f'<lastmod>{day.isoformat()}</lastmod>' if day else ''}</{part}>\n"
            for path, day in places
        )
        return self._rendering.fixed(f"{_HEAD}<{whole} {_NAMESPACE}>\n{lines}</{whole}>\n", _XML)
