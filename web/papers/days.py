"""The archive to be leafed through: listing days, what stood on each, and what was best in each week.

A listing day is a date in its source's own zone. Of a day without papers only that is said which the archive knows:
which source was asked for it, and what it answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digests.readable import clean
from digests.views import title
from digests.wording import MONTHS, authors, counted, cut, full_date, subject_date, weekday_date
from domain.clock import Clock
from domain.papers import FetchStatus, Paper
from storage.archive import Archive
from storage.days import ListingDays, Stood
from storage.filters import Filters
from storage.paging import Order
from storage.search import Search
from web.addresses import DAYS, day_path, month_path, paper_path, search_path, week_name, week_path
from web.papers.calendar import day_of, month_of, months, week_of
from web.papers.showing import shown
from web.papers.telling import label
from web.rendering import Rendering
from web.words import Notice

_DAYS = 60  # listing days on the first page
_LOOKED_AT = timedelta(days=90)  # within so many days
_LISTED = 100  # papers of one source on one day's page
_BEST = 25  # papers of a week
_KEPT = {"Cache-Control": "public, max-age=3600"}

NO_DAY = Notice(
    "There is no such day here",
    (
        "Days are at /days/2026-11-20, weeks at /weeks/2026-W47, months at /days?month=2026-11.",
        "“Days” above shows which there are.",
    ),
)
_UNREAD = {
    FetchStatus.LAYOUT_CHANGED: "could not be read: its layout changed",
    FetchStatus.BLOCKED: "could not be read: the site turned us away",
    FetchStatus.THROTTLED: "could not be read: the site asked us to slow down",
    FetchStatus.PARTIAL: "was read in part",
    FetchStatus.STALE: "was asked and still showed another day",
    FetchStatus.FAILED: "could not be read: no usable answer",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One listing day in a list of days."""

    label: str
    path: str
    papers: int
    sources: str  #: "arXiv cs.LG 31 · Hugging Face 12"


@dataclass(frozen=True, slots=True)
class Turn:
    """A link to other days."""

    label: str
    path: str  #: "" for where one is


@dataclass(frozen=True, slots=True)
class Row:
    """One paper on a source's list of a day."""

    rank: int
    title: str
    path: str
    authors: str
    votes: str


@dataclass(frozen=True, slots=True)
class List:
    """What a source listed on a day."""

    source: str
    papers: int
    rows: tuple[Row, ...]
    rest: str  #: where all of them are, if they are more


class DayPages:
    """Serves days and weeks; `labels` is source → what readers call it, `asked` names the sources that are read."""

    def __init__(
        self,
        *,
        days: ListingDays,
        archive: Archive,
        search: Search,
        labels: Mapping[str, str],
        asked: Sequence[str],
        clock: Clock,
        rendering: Rendering,
    ) -> None:
        self._days = days
        self._archive = archive
        self._search = search
        self._labels = labels
        self._asked = asked
        self._clock = clock
        self._rendering = rendering

    def mount(self, app: FastAPI, root: str) -> None:
        """Add the routes to an application."""
        app.add_api_route(f"{root}/days", self.days, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/days/{{said}}", self.day, methods=["GET", "HEAD"])
        app.add_api_route(f"{root}/weeks/{{said}}", self.week, methods=["GET", "HEAD"])

    def days(self, request: Request) -> Response:
        """Show the last listing days, or those of a month."""
        said = request.query_params.get("month", "").strip()
        ends = self._days.ends()
        month = month_of(said) if said else None
        if said and (month is None or ends is None or month[1] < ends[0] or month[0] > ends[1]):
            return self._rendering.notice(NO_DAY, 404)
        if ends is None:
            return self._rendering.public("archive/days.html", DAYS, when="", lines=[], months=[], years=[])
        oldest, newest = ends
        first, last = month or (newest - min(_LOOKED_AT, newest - date.min), newest)
        counts = self._days.counts(first, last)
        lines = [self._line(day, counts[day]) for day in list(counts)[: None if month else _DAYS]]
        year = (month[0] if month else newest).year
        return self._rendering.public(
            "archive/days.html",
            f"{DAYS}?month={said}" if said else DAYS,
            when=_month(month[0]) if month else "",
            lines=lines,
            months=[_turn(each, is_here=bool(month) and each == first) for each in months(oldest, newest, year)],
            years=[Turn(str(each), _year_path(each, newest)) for each in range(newest.year, oldest.year - 1, -1)
                   if each != year],
        )  # fmt: skip

    def day(self, said: str) -> Response:
        """Show what stood on the lists of a day."""
        if elsewhere := _in_days(said):
            return self._moved(elsewhere)
        day, ends = day_of(said), self._days.ends()
        if day is None or ends is None or not ends[0] <= day <= max(ends[1], self._clock.now().date()):
            return self._rendering.notice(NO_DAY, 404)
        counts = self._days.counts(day, day).get(day, {})
        lists = [self._list(day, source, counts[source]) for source in sorted(counts, key=self._order)]
        before, after = self._days.beside(day, day)
        return self._rendering.public(
            "archive/day.html",
            day_path(day),
            indexed=bool(lists),
            heading=weekday_date(day),
            week=Turn(week_name(day), week_path(day)),
            lists=lists,
            papers=counted(sum(counts.values()), "paper") if len(counts) == 1 else "",
            notes=list(self._notes(day, counts)),
            before=_to(before),
            after=_to(after),
        )

    def week(self, said: str) -> Response:
        """Show the papers of a week that have the most votes, and its days."""
        if elsewhere := _in_weeks(said):
            return self._moved(elsewhere)
        week, ends = week_of(said), self._days.ends()
        if week is None or ends is None or week[1] < ends[0] or week[0] > max(ends[1], self._clock.now().date()):
            return self._rendering.notice(NO_DAY, 404)
        first, last = week
        counts = self._days.counts(first, last)
        found = self._search.search(None, _BEST, filters=Filters(since=first, until=last, votes=1), order=Order.UPVOTES)
        before, after = self._days.beside(first, last)
        return self._rendering.public(
            "archive/week.html",
            week_path(first),
            indexed=bool(counts),
            heading=_span(first, last),
            name=week_name(first),
            lines=[self._line(day, counts[day]) for day in sorted(counts)],
            papers=[shown(each, "", year=first.year, labels=self._labels) for each in found.papers],
            voted=found.total,
            rest=search_path({"since": first.isoformat(), "until": last.isoformat(), "sort": "votes"}),
            before=Turn(week_name(before), week_path(before)) if before else None,
            after=Turn(week_name(after), week_path(after)) if after else None,
        )

    def _moved(self, path: str) -> Response:
        return RedirectResponse(f"{self._rendering.prefix}{path}", 301, _KEPT)

    def _order(self, source: str) -> tuple[str, str]:
        return label(source, self._labels).lower(), source

    def _line(self, day: date, counts: Mapping[str, int]) -> Line:
        said = (f"{label(each, self._labels)} {counts[each]:,}" for each in sorted(counts, key=self._order))
        return Line(weekday_date(day), day_path(day), sum(counts.values()), " · ".join(said))

    def _list(self, day: date, source: str, papers: int) -> List:
        stood = self._days.stood(day, source, _LISTED)
        known = {each.id: each for each in self._archive.papers(each.paper_id for each in stood)}
        said = day.isoformat()
        return List(
            source=label(source, self._labels),
            papers=papers,
            rows=tuple(_row(each, known[each.paper_id]) for each in stood if each.paper_id in known),
            rest=search_path({"source": source, "since": said, "until": said}) if papers > len(stood) else "",
        )

    def _notes(self, day: date, counts: Mapping[str, int]) -> Iterator[str]:
        """Yield what is known of the sources that have nothing on a day, or not all."""
        answers = self._days.answers(day, self._asked)
        for source in sorted(answers, key=self._order):
            status, name = answers[source], label(source, self._labels)
            if status in _UNREAD:
                yield f"{name} {_UNREAD[status]}."
            elif source not in counts:
                yield f"{name} was asked and listed nothing."
        silent = [source for source in sorted(self._asked, key=self._order) if source not in {*answers, *counts}]
        if silent and not counts:
            names = ", ".join(cut(clean(label(each, self._labels)), 60) for each in silent[:10])
            more = f" and {counted(len(silent) - 10, 'more source')}" if len(silent) > 10 else ""
            yield f"No answer is on record for this day of: {names}{more}."


def _row(stood: Stood, paper: Paper) -> Row:
    votes = f"▲\u00a0{stood.upvotes:,}" if (stood.upvotes or 0) > 0 else ""
    return Row(stood.rank, title(paper), paper_path(paper.key), authors(paper), votes)


def _in_days(said: str) -> str:
    """Return the address of a week or a month that was asked for as if it were a day; "" for all else."""
    week, month = week_of(said), month_of(said)
    return week_path(week[0]) if week else month_path(month[0]) if month else ""


def _in_weeks(said: str) -> str:
    """Return the address of a month, or of the week of a day, that was asked for as if it were a week; "" for else."""
    day, month = day_of(said), month_of(said)
    return week_path(day) if day else month_path(month[0]) if month else ""


def _to(day: date | None) -> Turn | None:
    return Turn(full_date(day), day_path(day)) if day else None


def _span(first: date, last: date) -> str:
    """Return "16 to 22 November 2026"."""
    if first.year != last.year:
        return f"{full_date(first)} to {full_date(last)}"
    return f"{first.day if first.month == last.month else subject_date(first)} to {full_date(last)}"


def _month(first: date) -> str:
    return f"{MONTHS[first.month - 1]} {first.year}"


def _turn(first: date, *, is_here: bool) -> Turn:
    return Turn(MONTHS[first.month - 1], "" if is_here else month_path(first))


def _year_path(year: int, newest: date) -> str:
    """Return the address of a year's last month that the archive has reached."""
    return f"{DAYS}?month={year:04}-{newest.month if year == newest.year else 12:02}"
