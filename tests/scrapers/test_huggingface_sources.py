"""What each Hugging Face source asks for, goes on to ask, and makes of whatever comes."""

import html
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Blocked, LayoutChanged, PermanentCollectError, Throttled
from domain.papers import AbstractKind, FetchStatus, Identifiers, Listing, PageRequest
from scrapers.huggingface import DailySource, PeriodSource, SearchSource, TrendingSource
from scrapers.source import HasAlternatives, HasPaperPages, Page, Source, Visit

ASKED = date(2026, 3, 4)  # a Wednesday in the tenth week
VISIT = Visit(day=ASKED, newest=ASKED, since=ASKED)
PAGES = Path(__file__).parent / "pages" / "huggingface"
SITE = "https://huggingface.co"
HOUR = timedelta(hours=1)

DAILY = DailySource("daily", SITE, HOUR)
WEEK = PeriodSource("week", SITE, HOUR, "huggingface-week")
MONTH = PeriodSource("month", SITE, HOUR, "huggingface-month")
TRENDING = TrendingSource("trending", SITE, HOUR)
SEARCH = SearchSource("proteins", "https://mirror.example", "protein & moss", HOUR)
EVERY = (DAILY, WEEK, MONTH, TRENDING, SEARCH)
LISTED = (DAILY, WEEK, MONTH)


def recorded(name: str) -> str:
    file = name if "." in name else f"{name}.html"
    return (PAGES / file).read_text(encoding="utf-8")


def page(text: str, url: str = f"{SITE}/papers") -> Page:
    return Page(url, 200, {}, text.encode("utf-8", "surrogatepass"), datetime(2026, 3, 4, 9, tzinfo=UTC))


def item(identifier: str, listed: str | None = "2026-03-04", **paper: object) -> dict[str, Any]:
    told = {"id": identifier, "title": f"Paper {identifier}", "summary": "It says little."}
    return {"paper": {**told, "submittedOnDailyAt": f"{listed}T00:00:00.000Z" if listed else None, **paper}}


def html_of(props: object) -> str:
    return f'<main><div data-target="DailyPapers" data-props="{html.escape(json.dumps(props))}"></div></main>'


def the_request(source: Source) -> PageRequest:
    (request,) = source.requests(VISIT)
    return request


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (DAILY, f"{SITE}/papers/date/2026-03-04"),
        (WEEK, f"{SITE}/papers/week/2026-W10"),
        (MONTH, f"{SITE}/papers/month/2026-03"),
        (TRENDING, f"{SITE}/papers/trending"),
        (SEARCH, "https://mirror.example/papers?q=protein+%26+moss"),
    ],
)
def test_each_source_asks_for_one_page_at_the_pace_of_anonymous_visitors(source: Source, address: str) -> None:
    request = the_request(source)
    assert (request.url, request.pace, request.is_page) == (address, 3.0, True)


@pytest.mark.parametrize(
    ("day", "week"),
    [(date(2027, 1, 1), "2026-W53"), (date(2024, 12, 30), "2025-W01"), (date(2026, 3, 8), "2026-W10")],
)
def test_a_week_is_that_of_iso_8601(day: date, week: str) -> None:
    (request,) = WEEK.requests(Visit(day=day, newest=day, since=day))
    assert request.url.endswith(f"/papers/week/{week}")


def test_a_site_on_this_machine_need_not_be_spared() -> None:
    source = DailySource("daily", "http://127.0.0.1:8000", HOUR)
    assert the_request(source).pace == 0.0
    assert [way.pace for way in source.alternatives(VISIT, LayoutChanged("gone"))] == [0.0]


def test_readers_understand_what_the_sources_are_called() -> None:
    assert [source.label for source in EVERY] == [
        "Hugging Face Daily Papers",
        "Hugging Face papers of the week",
        "Hugging Face papers of the month",
        "Hugging Face trending papers",
        "Hugging Face search: protein & moss",
    ]


def test_only_the_daily_source_can_be_asked_by_day() -> None:
    assert [source.calendar.is_dated for source in EVERY] == [True, False, False, False, False]
    assert [source.kind.removeprefix("huggingface-") for source in EVERY] == [
        "daily",
        "week",
        "month",
        "trending",
        "search",
    ]


@pytest.mark.parametrize("source", EVERY)
def test_every_source_names_the_page_of_a_paper(source: HasPaperPages) -> None:
    assert isinstance(source, HasPaperPages)
    request = source.paper_request(Identifiers(arxiv="2603.02001"))
    assert request is not None
    assert request.url.endswith("/papers/2603.02001")
    assert request.pace == 3.0
    for unknown in (Identifiers(), Identifiers(arxiv="astro-ph/0601001"), Identifiers(doi="10.1101/2024.01.01.1")):
        assert source.paper_request(unknown) is None


# -- the other way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (DAILY, f"{SITE}/api/daily_papers?date=2026-03-04&limit=100"),
        (WEEK, f"{SITE}/api/daily_papers?week=2026-W10&limit=100"),
        (MONTH, f"{SITE}/api/daily_papers?month=2026-03&limit=100"),
        (SEARCH, "https://mirror.example/api/papers/search?q=protein+%26+moss&limit=120"),
    ],
)
def test_a_page_that_changed_its_layout_is_asked_of_the_api(source: HasAlternatives, address: str) -> None:
    assert isinstance(source, HasAlternatives)
    (request,) = source.alternatives(VISIT, LayoutChanged("the page is cut"))
    assert request == PageRequest(address, accept="application/json", pace=1.0, is_page=False)


@pytest.mark.parametrize("source", [DAILY, WEEK, MONTH, SEARCH])
def test_nothing_else_is_asked_of_the_api(source: HasAlternatives) -> None:
    fine = Listing(source="x", day=ASKED, papers=(), status=FetchStatus.OK_EMPTY)
    for seen in (fine, Blocked("bot check"), Throttled("wait"), PermanentCollectError("404")):
        assert not list(source.alternatives(VISIT, seen))
    assert not isinstance(TRENDING, HasAlternatives), "the API has no such list"


@pytest.mark.parametrize("source", LISTED)
def test_the_api_is_asked_on_until_an_answer_is_empty(source: DailySource | PeriodSource) -> None:
    request: PageRequest | None = next(iter(source.alternatives(VISIT, LayoutChanged("gone"))))
    assert request is not None
    first = request.url
    asked = []
    for answer in (recorded("answer_day.json"), json.dumps([item("2603.00001")]), "[]"):
        assert request is not None
        asked.append(request.url)
        listing = source.parse(page(answer, request.url), VISIT)
        request = listing.next
    assert asked == [first, f"{first}&p=1", f"{first}&p=2"]
    assert (request, listing.status) == (None, FetchStatus.OK_EMPTY)
    assert (listing.day, listing.note) == (ASKED, "")


def test_an_api_without_end_is_left_after_ten_answers_and_that_is_told() -> None:
    answer = json.dumps([item("2603.00001")])
    request: PageRequest | None = next(iter(DAILY.alternatives(VISIT, LayoutChanged("gone"))))
    asked = []
    while request is not None:
        asked.append(request)
        listing = DAILY.parse(page(answer, request.url), VISIT)
        request = listing.next
    assert len(asked) == len(set(asked)) == 10
    assert all(not request.is_page and request.accept == "application/json" for request in asked)
    assert (listing.status, len(listing.papers)) == (FetchStatus.PARTIAL, 1)
    assert listing.note == "the API has more than 10 answers, and the rest was not asked for"


def test_the_answer_to_a_search_is_whole_and_of_the_day_of_the_visit() -> None:
    (request,) = SEARCH.alternatives(VISIT, LayoutChanged("gone"))
    listing = SEARCH.parse(page(recorded("answer_search.json"), request.url), VISIT)
    assert (listing.status, listing.day, listing.next, listing.declared) == (FetchStatus.OK, ASKED, None, 2)
    assert [paper.day for paper in listing.papers] == [None, None]


def test_a_day_read_from_the_api_reads_like_its_page() -> None:
    items = [item("2603.00001", upvotes=3, ai_summary="Short."), item("2603.00002")]
    from_page = DAILY.parse(page(html_of({"dailyPapers": items, "dateString": "2026-03-04"})), VISIT)
    (request,) = DAILY.alternatives(VISIT, LayoutChanged("gone"))
    from_api = DAILY.parse(page(json.dumps(items), request.url), VISIT)
    assert from_api.papers == from_page.papers
    assert (from_api.status, from_api.note, from_api.day) == (FetchStatus.OK, "", ASKED)


# -- a week, a month, what is trending ---------------------------------------------------------------------------------


def test_the_papers_of_a_week_keep_the_days_on_which_they_were_listed() -> None:
    listing = WEEK.parse(page(recorded("week")), VISIT)
    assert (listing.source, listing.day, listing.status, listing.note) == ("week", ASKED, FetchStatus.OK, "")
    assert listing.declared == 3
    assert [(paper.ids.arxiv, paper.day) for paper in listing.papers] == [
        ("2603.02001", date(2026, 3, 2)),
        ("2603.02002", date(2026, 3, 3)),
        ("2603.02003", date(2026, 3, 4)),
    ]


def test_a_day_of_a_week_that_cannot_be_is_not_believed() -> None:
    items = [item("2603.00001", "2031-01-01"), item("2603.00002", "1066-10-14"), item("2603.00003", None)]
    listing = WEEK.parse(page(html_of({"dailyPapers": items, "periodType": "week"})), VISIT)
    assert [paper.day for paper in listing.papers] == [None, None, None]


@pytest.mark.parametrize(
    ("source", "says", "note"),
    [
        (WEEK, {"dateString": "2026-W09"}, "the page is of 2026-W09: nothing is listed for 2026-W10 yet"),
        (WEEK, {"dateString": "2026-W11"}, "the page is of 2026-W11, though 2026-W10 was asked for"),
        (WEEK, {"dateString": "2026-02-27"}, "the page is of 2026-W09: nothing is listed for 2026-W10 yet"),
        (WEEK, {}, "the page is of 2026-W09: nothing is listed for 2026-W10 yet"),
        (WEEK, {"dateString": "2026-W10"}, ""),
        (MONTH, {"dateString": "2026-02"}, "the page is of 2026-02: nothing is listed for 2026-03 yet"),
        (MONTH, {}, "the page is of 2026-02: nothing is listed for 2026-03 yet"),
        (MONTH, {"dateString": "2026-03"}, ""),
    ],
)
def test_a_page_of_another_period_is_noticed_and_no_failure(
    source: PeriodSource, says: dict[str, object], note: str
) -> None:
    props = {"dailyPapers": [item("2602.00001", "2026-02-26")], "periodType": source.name, **says}
    listing = source.parse(page(html_of(props)), VISIT)
    assert (listing.status, listing.note, listing.day) == (FetchStatus.OK, note, ASKED)
    assert listing.papers[0].day == date(2026, 2, 26)


def test_a_daily_page_of_an_earlier_day_is_noticed_and_no_failure() -> None:
    props = {"dailyPapers": [item("2603.00001", "2026-02-27")], "dateString": "2026-02-27"}
    listing = DAILY.parse(page(html_of(props)), VISIT)
    assert (listing.status, listing.day) == (FetchStatus.OK, date(2026, 2, 27))
    assert listing.note == "the page is of 2026-02-27: nothing is listed for 2026-03-04 yet"
    empty = DAILY.parse(page(html_of(props | {"dailyPapers": []})), VISIT)
    assert (empty.status, empty.note) == (FetchStatus.OK_EMPTY, listing.note)


def test_a_daily_page_of_a_later_day_is_noticed_too() -> None:
    long_ago = Visit(day=date(2025, 1, 1), newest=ASKED, since=ASKED)
    listing = DAILY.parse(page(html_of({"dailyPapers": [], "dateString": "2026-03-04"})), long_ago)
    assert (listing.day, listing.note) == (ASKED, "the page is of 2026-03-04, though 2025-01-01 was asked for")


def test_a_rejected_record_and_a_clamped_page_are_both_told() -> None:
    props = {"dailyPapers": [item("2603.00001"), item("no id")], "dateString": "2026-03-03"}
    listing = DAILY.parse(page(html_of(props)), VISIT)
    assert (listing.status, listing.rejected, listing.declared) == (FetchStatus.PARTIAL, 1, 2)
    assert "; the page is of 2026-03-03" in listing.note


def test_a_trending_page_lists_each_paper_once() -> None:
    listing = TRENDING.parse(page(recorded("trending")), VISIT)
    assert (listing.source, listing.day, listing.status, listing.declared) == ("trending", ASKED, FetchStatus.OK, 2)
    almanac, kiln = listing.papers
    assert (almanac.ids.arxiv, almanac.rank, almanac.day, almanac.stars) == ("2406.07007", 1, None, 4_100)
    assert (almanac.abstract, almanac.abstract_kind) == (
        "Old tables still forecast well. Almanac shows when to trust them.",
        AbstractKind.AUTHORS,
    )
    assert almanac.summary == "Almanac tells when old tables forecast well."
    assert kiln.organization == "Ember Works"
    doubled = {"dailyPapers": [item("2603.00001")] * 2, "isTrending": True}
    assert TRENDING.parse(page(html_of(doubled)), VISIT).declared == 1


def test_without_its_data_a_trending_page_gives_summaries_and_dates_and_no_abstracts() -> None:
    listing = TRENDING.parse(page(recorded("trending_without_data")), VISIT)
    assert (listing.status, listing.day) == (FetchStatus.PARTIAL, ASKED)
    assert [(paper.ids.arxiv, paper.rank, paper.published, paper.upvotes) for paper in listing.papers] == [
        ("2406.07007", 1, date(2024, 6, 11), 230),
        ("2603.02001", 2, date(2026, 2, 27), 52),
    ]
    assert [paper.summary for paper in listing.papers] == [
        "Almanac tells when old tables forecast well.",
        "Kiln trains small models at half the learning rate.",
    ]
    assert all(paper.abstract == paper.summary for paper in listing.papers)
    assert {paper.abstract_kind for paper in listing.papers} == {AbstractKind.SUMMARY}


def test_without_its_data_a_week_is_of_the_visit_and_still_no_daily_page() -> None:
    text = recorded("week_without_data")
    listing = WEEK.parse(page(text), VISIT)
    assert (listing.status, listing.day, len(listing.papers)) == (FetchStatus.PARTIAL, ASKED, 3)
    assert [paper.upvotes for paper in listing.papers] == [52, 18, 0]
    later = Visit(day=date(2026, 3, 9), newest=date(2026, 3, 9), since=date(2026, 3, 9))
    assert "the page is of 2026-W10: nothing is listed for 2026-W11 yet" in WEEK.parse(page(text), later).note
    for source in (DAILY, MONTH, TRENDING, SEARCH):
        with pytest.raises(LayoutChanged, match="one of huggingface-week"):
            source.parse(page(text), VISIT)


def test_cards_of_one_kind_are_not_read_as_those_of_another() -> None:
    with pytest.raises(LayoutChanged, match="one of huggingface-trending"):
        DAILY.parse(page(recorded("trending_without_data")), VISIT)
    with pytest.raises(LayoutChanged, match="one of huggingface-daily"):
        TRENDING.parse(page(recorded("daily_without_data")), VISIT)
    without_address = recorded("trending_without_data").replace("/papers/trending", "/papers")
    with pytest.raises(LayoutChanged, match="one of huggingface-trending"):
        DAILY.parse(page(without_address), VISIT)


def test_cards_of_a_page_that_does_not_say_what_it_is_are_what_was_asked_for() -> None:
    text = recorded("trending_without_data").replace("Trending Papers - Hugging Face", "Papers")
    text = text.replace("/papers/trending", "/papers")
    assert TRENDING.parse(page(text), VISIT).papers[0].summary
    assert not WEEK.parse(page(text), VISIT).papers[0].summary


@pytest.mark.parametrize("source", EVERY)
@pytest.mark.parametrize("name", ["daily", "week", "trending", "search", "paper"])
def test_only_the_page_that_was_asked_for_is_read(source: Source, name: str) -> None:
    # A search page also carries the list beside which it stands, so it takes more than a list to be one.
    if source.kind == f"huggingface-{name}":
        assert source.parse(page(recorded(name)), VISIT).papers
    else:
        with pytest.raises(LayoutChanged):
            source.parse(page(recorded(name)), VISIT)


@pytest.mark.parametrize("source", EVERY)
def test_an_address_of_a_list_that_answers_with_one_paper_is_a_changed_layout(source: Source) -> None:
    for text in (recorded("answer_paper.json"), recorded("paper_without_data")):
        with pytest.raises(LayoutChanged, match=r"one paper|not a list"):
            source.parse(page(text), VISIT)


@pytest.mark.parametrize("source", EVERY)
@pytest.mark.parametrize("address", ["/papers/2603.02001", "/api/papers/2603.02001", "/papers/2603.02001?x=1"])
def test_every_source_reads_the_page_of_a_paper(source: Source, address: str) -> None:
    text = recorded("answer_paper.json") if "api" in address else recorded("paper")
    listing = source.parse(page(text, SITE + address), VISIT)
    assert (listing.source, listing.status, listing.next) == (source.name, FetchStatus.OK, None)
    assert [paper.ids.arxiv for paper in listing.papers] == ["2603.02001"]
    assert listing.papers[0].abstract_kind is AbstractKind.AUTHORS
    assert listing.day == date(2026, 3, 2), "the day on which the paper was listed"


@pytest.mark.parametrize("source", EVERY)
@pytest.mark.parametrize(
    "text",
    [
        "Rate exceeded.",
        "<html><body><h1>429</h1>Too Many Requests</body></html>",
        "We had to rate limit your IP. To continue using our service, log in.",
    ],
)
def test_an_answer_that_asks_for_patience_is_throttled(source: Source, text: str) -> None:
    for url in (f"{SITE}/papers", f"{SITE}/papers/2603.02001", f"{SITE}/api/daily_papers?date=2026-03-04"):
        with pytest.raises(Throttled, match="patience"):
            source.parse(page(text, url), VISIT)


def test_a_paper_about_rate_limits_is_no_throttling() -> None:
    told = [item("2603.00001", title="Rate exceeded: on too many requests", summary="")]
    assert DAILY.parse(page(json.dumps(told), f"{SITE}/api/daily_papers?date=2026-03-04"), VISIT).papers
    assert DAILY.parse(page(html_of({"dailyPapers": told, "dateString": "2026-03-04"})), VISIT).papers
