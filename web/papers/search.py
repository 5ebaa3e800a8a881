"""The search page: what was typed → a search → papers as letters show them, and what would narrow it.

    address → too many from one network? → its turn (costly.py) → form (asking.py) → query (topics/query.py)
            → a page of papers → why each was found → facets → the page

Whatever cannot be read is answered on the same page, with the form as it was, one sentence and where there is one a
link to what was meant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from digests.readable import clean
from digests.wording import counted, cut, short_date
from domain.clock import Clock
from domain.errors import QueryError, UsageError
from domain.papers import Paper
from domain.topics import Query
from storage.facets import FacetCounts
from storage.filters import Filters
from storage.search import Found, Search, order_of
from topics.explain import Explainer
from topics.hints import hints
from topics.query import parse
from web.addresses import search_path
from web.costly import Lanes
from web.limits import Limiter
from web.lookback import fault
from web.papers.asking import ORDERS, PAGE, PAGES, Asked, Form, asked_of, form_of
from web.papers.showing import Shown, shown, why_found
from web.rendering import Rendering
from web.words import too_many_searches

_MOST = 20_000  # papers that facets are counted of
_NEAR = 2  # pages named on either side of the one shown
_LONGEST_LABEL = 60
_TEMPLATE = "archive/search.html"


@dataclass(frozen=True, slots=True)
class Step:
    """A link that narrows the search, or widens it again."""

    label: str
    path: str
    papers: int = 0


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page that can be turned to; without a number a gap between two."""

    number: int
    path: str


class SearchPages:
    """Serves the search; `labels` is configured source name → what readers call it."""

    def __init__(
        self,
        *,
        search: Search,
        labels: Mapping[str, str],
        clock: Clock,
        lanes: Lanes,
        limiter: Limiter,
        rendering: Rendering,
    ) -> None:
        self._search = search
        self._labels = labels
        self._clock = clock
        self._lanes = lanes
        self._limiter = limiter
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the route to an application."""
        app.add_api_route(f"{root}/papers", self.search, methods=["GET", "HEAD"])

    async def search(self, request: Request) -> Response:
        """Find papers, or show the newest; who asks for nothing is not counted."""
        if request.url.query and (seconds := self._limiter.wait(request)):
            return self._rendering.notice(too_many_searches(seconds), 429, {"Retry-After": str(seconds)})
        return await self._lanes.run(partial(self._searched, request))

    def _searched(self, request: Request) -> Response:
        form = form_of(request.query_params)
        try:
            query = parse(form.q) if form.q else None
            asked = asked_of(form, request.query_params.get("page", "").strip())
        except QueryError as error:
            meant = search_path(form.values(q=error.suggestion)) if error.suggestion else ""
            wrong = fault(form.q, error)
            return self._refused(form, wrong.sentence, pointed=wrong, suggestion=error.suggestion, meant=meant)
        except UsageError as error:
            return self._refused(form, str(error))
        skipped = (min(asked.page, PAGES + 1) - 1) * PAGE  # no further: what comes after is not shown, only counted
        found = self._search.search(query, PAGE, filters=asked.filters, order=asked.order, skip=skipped)
        if asked.page > PAGES or (asked.page > 1 and not found.papers):
            return self._refused(form, _there_are(found), status=404, meant=search_path(form.values()))
        return self._found(form, asked, query, found)

    def _found(self, form: Form, asked: Asked, query: Query | None, found: Found) -> Response:
        values = form.values()
        counts = self._counts(query, asked.filters, found)
        path = search_path({**values, "page": str(asked.page) if asked.page > 1 else ""})
        return self._rendering.public(
            _TEMPLATE,
            path,
            indexed=form.is_empty and asked.page == 1,
            **self._form(form),
            found=_said(query, asked, found),
            papers=self._shown(query, found.papers),
            notes=[] if query is None else [f"{note}." for note in hints(form.q)],
            nothing=[] if found.total else list(self._nothing(form, asked.filters)),
            facets=[] if counts is None else list(self._steps(form, asked.filters, counts)),
            is_large=counts is None and found.total > _MOST,
            chosen=list(self._chosen(form)),
            page=asked.page,
            pages=_leaves(form, asked.page, _pages(found)),
            is_cut=asked.page == PAGES and found.next is not None,
        )

    def _refused(self, form: Form, sentence: str, *, status: int = 400, **values: Any) -> Response:
        """Return the page with the form as it was, and what is wrong with it."""
        given: dict[str, Any] = {"pointed": None, "suggestion": "", "meant": "", **values}
        return self._rendering.page(_TEMPLATE, status, **self._form(form, sentence), found="", **given)

    def _form(self, form: Form, wrong: str = "") -> dict[str, Any]:
        names = dict.fromkeys([*self._search.sources(), *([form.source] if form.source else [])])
        return {
            "form": form,
            "sources": sorted(((name, self._label(name)) for name in names), key=lambda each: each[1].lower()),
            "orders": [(name, said) for name, (_, said) in ORDERS.items()],
            "wrong": wrong,
        }

    def _label(self, source: str) -> str:
        return cut(clean(self._labels.get(source, source)), _LONGEST_LABEL)

    def _shown(self, query: Query | None, papers: Sequence[Paper]) -> list[Shown]:
        year = self._clock.now().year
        if query is None:
            return [shown(paper, "", year=year, labels=self._labels) for paper in papers]
        with Explainer(self._labels) as explainer:
            return [
                shown(paper, why_found(explainer, query, paper), year=year, labels=self._labels) for paper in papers
            ]

    def _counts(self, query: Query | None, filters: Filters, found: Found) -> FacetCounts | None:
        """Return what would narrow the search; None where there is too much to count, or nothing to choose."""
        if not 1 < found.total <= _MOST:
            return None
        return self._search.facets(query, filters)

    def _steps(self, form: Form, filters: Filters, counts: FacetCounts) -> Iterator[tuple[str, list[Step]]]:
        """Yield the facets that are not chosen yet, each with its links."""
        if filters.source is None:
            yield (
                "Source",
                [Step(self._label(n), search_path(form.values(source=n)), each) for n, each in counts.sources.items()],
            )
        if filters.category is None and counts.categories:
            yield (
                "Category",
                [Step(_category(n), search_path(form.values(category=_category(n))), each)
                 for n, each in counts.categories.items()],
            )  # fmt: skip
        if not (filters.since and filters.since == filters.until) and counts.days:
            yield "Day", [self._day(form, day, each) for day, each in counts.days.items()]
        if not filters.code and counts.code:
            yield "Code", [Step("has code", search_path(form.values(code="1")), counts.code)]

    def _day(self, form: Form, day: date, papers: int) -> Step:
        said = day.isoformat()
        label = short_date(day, year=self._clock.now().year)
        return Step(label, search_path(form.values(since=said, until=said)), papers)

    def _chosen(self, form: Form) -> Iterator[Step]:
        """Yield what is chosen, each with the search without it."""
        if form.source:
            yield Step(self._label(form.source), search_path(form.values(source="")))
        if form.category:
            yield Step(cut(clean(form.category), _LONGEST_LABEL), search_path(form.values(category="")))
        if form.since or form.until:
            days = " to ".join(dict.fromkeys(filter(None, (form.since or "the first day", form.until or "today"))))
            yield Step(days, search_path(form.values(since="", until="")))
        if form.code:
            yield Step("has code", search_path(form.values(code="")))

    def _nothing(self, form: Form, filters: Filters) -> Iterator[str]:
        """Yield what can be said where nothing was found."""
        for name in self._search.unknown(filters):
            said = clean(str(getattr(filters, name)))
            yield f"No paper in the archive is of the {name} “{cut(said, _LONGEST_LABEL)}”."
        if form.is_narrowed and form.q:
            yield "Fewer filters find more."
        if " " in form.q:
            yield "Fewer words find more; OR between two words takes either."


def _said(query: Query | None, asked: Asked, found: Found) -> str:
    """Return "1,204 papers, best match first"."""
    if not found.total:
        return "No paper was found"
    order = next(said for each, said in ORDERS.values() if each is order_of(query, asked.order))
    return f"{counted(found.total, 'paper')}, {order} first"


def _pages(found: Found) -> int:
    return min(PAGES, max(1, -(-found.total // PAGE)))


def _leaves(form: Form, page: int, pages: int) -> list[Leaf]:
    """Return the pages to turn to: the first, the last, those near, and gaps."""
    if pages == 1:
        return []
    near = sorted({1, pages, *range(max(1, page - _NEAR), min(pages, page + _NEAR) + 1)})
    leaves: list[Leaf] = []
    for number in near:
        if leaves and number > leaves[-1].number + 1:
            leaves.append(Leaf(0, ""))
        leaves.append(Leaf(number, page_path(form, number)))
    return leaves


def page_path(form: Form, number: int) -> str:
    """Return the address of one page of a search."""
    return search_path({**form.values(), "page": str(number) if number > 1 else ""})


def _category(name: str) -> str:
    """Return a category as it is written: cs.LG, astro-ph.CO, and stat for all of it."""
    before, dot, after = name.rpartition(".")
    return f"{before}.{after.upper()}" if dot and len(after) == 2 else name


def _there_are(found: Found) -> str:
    """Say how far one can leaf, to whoever asked for a page beyond it."""
    if found.total > PAGES * PAGE:
        return (
            f"Only the first {PAGES * PAGE:,} papers can be leafed through. A narrower search brings the others nearer."
        )
    return f"There are {_pages(found)} pages of this." if _pages(found) > 1 else "There is one page of this."
