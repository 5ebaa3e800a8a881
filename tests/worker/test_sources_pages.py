"""Every kind of source over a real socket: its pages, whole and damaged, with their counts and statuses."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.clock import FixedClock
from domain.papers import FetchStatus
from scrapers.registry import KINDS

OWN = Path(__file__).resolve().parents[1] / "scrapers" / "pages"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

OK, EMPTY, PARTIAL = FetchStatus.OK, FetchStatus.OK_EMPTY, FetchStatus.PARTIAL
THROTTLED, BLOCKED, CHANGED, FAILED = (
    FetchStatus.THROTTLED,
    FetchStatus.BLOCKED,
    FetchStatus.LAYOUT_CHANGED,
    FetchStatus.FAILED,
)


@dataclass(frozen=True)
class Case:
    """One page at one address, and what is to come of it."""

    kind: str
    path: str  #: the address on the site
    file: str  #: below the folder of pages
    day: date  #: the listing day that is asked for
    status: FetchStatus
    listed: int = 0
    declared: int | None = None  #: None where that is not looked at
    said: str = ""  #: part of the report's error
    choices: dict[str, Any] = field(default_factory=dict)
    http: int = 200
    instead: tuple[bytes, bytes] = (b"\0", b"")  #: what is put in place of what
    more: dict[str, str] = field(default_factory=dict)  #: path → file of other pages

    @property
    def id(self) -> str:
        return f"{self.kind}-{Path(self.file).stem}"


def hf_daily(file: str, day: date, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    return Case("huggingface-daily", f"/papers/date/{day}", file, day, status, listed, **more)


def hf_search(file: str, day: date, query: str, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    path = f"/papers?q={query.replace(' ', '+')}"
    return Case("huggingface-search", path, file, day, status, listed, choices={"query": query}, **more)


def listing(file: str, category: str, day: date, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    which = "recent" if file.endswith("recent.html") else "new"
    choices = {"categories": [category], "list": which}
    return Case("arxiv-listing", f"/list/{category}/{which}", file, day, status, listed, choices=choices, **more)


def feed(file: str, category: str, day: date, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    choices = {"categories": [category]}
    return Case("arxiv-feed", f"/rss/{category}", file, day, status, listed, choices=choices, **more)


def api(file: str, query: str, day: date, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    choices = {"query": query, "categories": list(more.pop("within", ()))}
    return Case("arxiv-api", "/api/query?", file, day, status, listed, choices=choices, **more)


def rxiv(server: str, file: str, day: date, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    return Case(server, f"/details/{server}/{day}/{day}/0/json", file, day, status, listed, **more)


def anyone(file: str, status: FetchStatus, listed: int = 0, **more: Any) -> Case:
    return Case("feed", "/feed", file, date(2026, 3, 5), status, listed, **more)


MARCH, AUGUST = date(2026, 3, 4), date(2026, 8, 12)
DETAILS = "/details/biorxiv/2026-03-03/2026-03-03"
TOTAL = (b"totalResults>5<", b"totalResults>2<")  # so that nothing follows
OWN_CASES = [
    hf_daily("huggingface/daily.html", MARCH, OK, 2, declared=2),
    hf_daily("huggingface/daily_empty.html", MARCH, EMPTY, declared=0),
    hf_daily("huggingface/daily_without_data.html", MARCH, PARTIAL, 2, said="own data is missing"),
    hf_daily("huggingface/daily_cut.html", MARCH, CHANGED, said="cut inside its own data"),
    hf_daily("huggingface/bot_check.html", MARCH, BLOCKED),
    Case("huggingface-week", "/papers/week/2026-W10", "huggingface/week.html", MARCH, OK, 3, declared=3),
    Case("huggingface-month", "/papers/month/2026-03", "huggingface/week.html", MARCH, CHANGED, said="asked for"),
    Case("huggingface-trending", "/papers/trending", "huggingface/trending.html", MARCH, OK, 2, declared=2),
    hf_search("huggingface/search.html", MARCH, "tides", OK, 1, declared=1),
    hf_search("huggingface/search_mojibake.html", MARCH, "tides", OK, 1, declared=1),
    listing("arxiv/list/new.html", "cs.CL", AUGUST, OK, 6, declared=6),
    listing("arxiv/list/new_empty.html", "cs.CL", AUGUST, EMPTY, declared=0),
    listing("arxiv/list/recent.html", "cs.CL", AUGUST, OK, 3, declared=3),
    listing("arxiv/list/bot_check.html", "cs.CL", AUGUST, BLOCKED),
    feed("arxiv/rss/weekday.xml", "cs.CL", MARCH, OK, 5),
    feed("arxiv/rss/weekday.atom.xml", "cs.CL", MARCH, OK, 2),
    feed("arxiv/rss/saturday.xml", "cs.CL", date(2026, 3, 7), EMPTY),
    feed("arxiv/rss/error.xml", "cs.QQ", MARCH, FAILED, said="Bad subject class 'QQ'", http=400),
    api("arxiv/api/slice.xml", "quiet gradients", MARCH, OK, 2, declared=2, within=("cs.CL",), instead=TOTAL),
    api("arxiv/api/none.xml", "zyzzyva", MARCH, EMPTY, declared=0),
    api("arxiv/api/error.xml", "quiet gradients", MARCH, FAILED, said="arXiv refuses the query", http=400),
    api("arxiv/api/rate_exceeded.txt", "quiet gradients", MARCH, THROTTLED, http=429),
    api("arxiv/api/rewritten.xml", "quiet gradients", MARCH, PARTIAL, said="and answered"),
    rxiv(
        "biorxiv",
        "biorxiv/day.json",
        date(2026, 3, 3),
        OK,
        5,
        declared=4,
        more={f"{DETAILS}/4/json": "biorxiv/rest.json"},
    ),
    rxiv("biorxiv", "biorxiv/empty.json", MARCH, EMPTY, declared=0),
    rxiv("medrxiv", "biorxiv/empty.json", MARCH, EMPTY, declared=0),
    anyone("feeds/journal.rss.xml", OK, 3),
    anyone("feeds/journal.rdf.xml", OK, 2),
    anyone("feeds/notes.atom.xml", OK, 2),
    anyone("feeds/feed.json", PARTIAL, 2, said="1 of 3 entries had no title"),
    anyone("feeds/pubmed.rss.xml", OK, 2),
    anyone("feeds/blog.rss.xml", OK, 3),
    anyone("feeds/empty.rss.xml", EMPTY),
    anyone("feeds/page.html", CHANGED),
]
SEPTEMBER = date(2025, 9, 16)
SAMPLE_CASES = [
    hf_daily("huggingface/daily_2023-06-13.html", date(2023, 6, 13), OK, 10, declared=10),
    hf_daily("huggingface/daily_2025-09-16.html", SEPTEMBER, OK, 20, declared=20),
    hf_daily("huggingface/daily_2025-09-17.html", date(2025, 9, 17), OK, 21, declared=21),
    hf_daily("huggingface/daily_2025-09-18.html", date(2025, 9, 18), OK, 19, declared=19),
    hf_daily("huggingface/drift_old_gradient_class_2025-09-16.html", SEPTEMBER, OK, 20, declared=20),
    hf_daily("huggingface/drift_no_hydrater_2025-09-16.html", SEPTEMBER, PARTIAL, 20, said="own data is missing"),
    hf_daily("huggingface/drift_truncated_mid_json_2025-09-16.html", SEPTEMBER, CHANGED),
    hf_daily("huggingface/drift_empty_day.html", SEPTEMBER, EMPTY, declared=0),
    hf_daily("huggingface/drift_partial_one_paper.html", SEPTEMBER, OK, 1, declared=1),
    Case(
        "huggingface-trending", "/papers/trending", "huggingface/trending.html", date(2026, 10, 8), OK, 50, declared=50
    ),
    hf_search(
        "huggingface/search_protein_language_model.html", SEPTEMBER, "protein language model", OK, 24, declared=24
    ),
    hf_search("huggingface/drift_mojibake_cp874_search_protein.html", SEPTEMBER, "protein", OK, 24, declared=24),
    listing("arxiv/list/polaris_arxiv_listing_sample.html", "cs.AI", AUGUST, OK, 6, declared=6),
    listing("arxiv/list/rendered_db__list__cs__new.html", "cs", date(2011, 2, 3), OK, 2, declared=2),
    listing("arxiv/list/rendered_db__list__math__new.html", "math", date(2011, 2, 3), OK, 6, declared=6),
    listing("arxiv/list/rendered_db__list__math__recent.html", "math", date(2011, 2, 3), OK, 5, declared=5),
    listing(
        "arxiv/list/rendered_fs__list__astro-ph.HE__new.html", "astro-ph.HE", date(2023, 3, 3), OK, 27, declared=27
    ),
    listing("arxiv/list/rendered_fs__list__math.AG__new.html", "math.AG", date(2023, 6, 9), OK, 2, declared=2),
    *(
        feed(f"arxiv/rss/serialized_rss_cs.CL_2025-05-{day}.xml", "cs.CL", date(2025, 5, day), OK, count)
        for day, count in ((12, 38), (13, 85), (14, 82), (15, 31), (16, 61))
    ),
    feed("arxiv/rss/serialized_atom_cs.CL_2025-05-12.xml", "cs.CL", date(2025, 5, 12), OK, 38),
    feed("arxiv/rss/zotero_arxiv_daily_atom_cs.AI_2025-08-20.xml", "cs.AI", date(2025, 8, 20), OK, 7),
    feed("arxiv/rss/serialized_rss_cs.CL_2025-05-17_weekend_empty.xml", "cs.CL", date(2025, 5, 17), EMPTY),
    feed("arxiv/rss/serialized_rss_error_cs.ZZ.xml", "cs.ZZ", MARCH, FAILED, said="Bad subject class 'ZZ'", http=400),
    api("arxiv/api/kdense_arxiv_feed.xml", "tides", date(2026, 7, 28), PARTIAL, 1, said="and answered"),
    api("arxiv/api/kdense_arxiv_empty.xml", "tides", date(2026, 7, 28), PARTIAL, said="and answered"),
    api("arxiv/api/kdense_arxiv_error.xml", "tides", date(2026, 7, 28), FAILED, said="start must be an integer"),
    api("arxiv/api/kdense_arxiv_rate_limited.txt", "tides", date(2026, 7, 28), THROTTLED, http=429),
    api("arxiv/api/kdense_arxiv_rate_limited.txt", "reefs", date(2026, 7, 28), THROTTLED, http=200),
    api("arxiv/api/kdense_arxiv_rewritten_query.xml", "tides", date(2026, 7, 28), PARTIAL, said="and answered"),
    rxiv("biorxiv", "biorxiv/paper-to-post_biorxiv_response.json", MARCH, OK, 2),
    rxiv("biorxiv", "biorxiv/paperclaw_biorxiv.json", MARCH, OK, 2),
]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 19, 9, tzinfo=UTC))


@pytest.fixture
def collected(house_of, loopback, clock):
    """Collect the one page of a case; return the house and the report."""

    def go(case: Case, folder: Path):
        clock.set(datetime(case.day.year, case.day.month, case.day.day, 18, tzinfo=UTC))
        url = f"{loopback.url}/feed" if case.kind == "feed" else loopback.url
        house = house_of({"name": "s", "kind": case.kind, "url": url, **case.choices})
        (source,) = house.sources
        for path, file in {case.path: case.file, **case.more}.items():
            body = (folder / file).read_bytes().replace(*case.instead)
            loopback.put(asked_of(source, case) if path == "/api/query?" else path, body, case.http)
        (report,) = house.collector.collect(days=[case.day])
        return house, report

    return go


def asked_of(source, case: Case) -> str:
    from scrapers.source import Visit

    (request,) = source.requests(Visit(case.day, case.day, case.day))
    return "/" + request.url.split("/", 3)[3]


def check(case: Case, house, report) -> None:
    assert (report.status, report.listed) == (case.status, case.listed), report.error
    assert case.said in report.error
    first = next(iter(house.fetches.kept("s")), None)
    if case.declared is not None:
        assert first is not None
        assert (first.fetched.status, first.fetched.declared) == (case.status, case.declared)
    papers = list(house.archive.every())
    assert len(papers) == report.new <= case.listed
    assert all(paper.title and paper.key for paper in papers)
    if not case.status.is_good and case.status is not PARTIAL:
        assert papers == []
        assert report.error


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: case.id)
def test_our_own_pages_are_collected(case, collected):
    check(case, *collected(case, OWN))


@needs_samples
@pytest.mark.parametrize("case", SAMPLE_CASES, ids=lambda case: case.id)
def test_the_samples_are_collected_with_the_counts_that_they_declare(case, collected):
    check(case, *collected(case, SAMPLES))


def test_there_is_a_page_of_ours_for_every_kind():
    assert {case.kind for case in OWN_CASES} == set(KINDS)


def test_a_month_is_collected(house_of, loopback, markup, clock):
    page = markup.huggingface("2611.00001", "2611.00002", dateString="2026-11", periodType="month")
    loopback.put("/papers/month/2026-11", page)
    (report,) = house_of({"name": "m", "kind": "huggingface-month", "url": loopback.url}).collector.collect()
    assert (report.status, report.listed, report.new) == (OK, 2, 2)


@needs_samples
def test_names_in_a_sample_with_mojibake_are_repaired_on_their_way_to_the_archive(collected, house_of):
    cases = [case for case in SAMPLE_CASES if case.kind == "huggingface-search"]
    found = []
    for case in cases:
        house, _ = collected(case, SAMPLES)
        found.append({paper.key: (paper.title, paper.authors, paper.abstract) for paper in house.archive.every()})
        for paper in house.archive.every():
            assert not re.search("[\u0e00-\u0e7f]", f"{paper.title}{paper.authors}{paper.abstract}")
    assert found[0] == found[1]
