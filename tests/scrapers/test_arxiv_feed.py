"""arXiv's feeds: what is read of them, when they are stale, and where their source asks instead."""

import json
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, PermanentCollectError, Throttled, Unreachable
from domain.papers import Announcement, FetchStatus, Identifiers, ListedPaper, Listing
from scrapers.arxiv import ANNOUNCED
from scrapers.arxiv_feed import FeedSource, repeats
from scrapers.arxiv_feed_page import looks_like_arxiv_feed, read_feed
from scrapers.source import HasAlternatives, HasPaperPages, Page, ServesBatches, Source, Visit

WEDNESDAY = date(2026, 3, 4)
PAGES = Path(__file__).parent / "pages" / "arxiv" / "rss"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "arxiv"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

SOURCE = FeedSource("arxiv-cl", "https://rss.arxiv.org", ("cs.CL", "cs.LG"), timedelta(hours=2))
NEWEST = Visit(WEDNESDAY, WEDNESDAY, WEDNESDAY)
EARLIER = Visit(date(2026, 3, 2), WEDNESDAY, WEDNESDAY)


def recorded(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def read(text: str, day: date = WEDNESDAY, announce: frozenset[Announcement] = ANNOUNCED) -> Listing:
    return read_feed(text, source="arxiv-cl", day=day, visited=day, announce=announce)


def page(text: str | bytes, status: int = 200, url: str = "https://rss.arxiv.org/rss/cs.CL") -> Page:
    body = text.encode() if isinstance(text, str) else text
    return Page(url, status, {"content-type": "application/rss+xml"}, body, datetime(2026, 3, 4, 9, tzinfo=UTC))


def item(identifier: str = "2603.00101", title: str = "A Title", extra: str = "") -> str:
    return (
        f"<item><title>{title}</title><link>https://arxiv.org/abs/{identifier}</link>"
        f'<guid isPermaLink="false">oai:arXiv.org:{identifier}v1</guid>{extra}</item>'
    )


def feed(*items: str, day: str = "Wed, 04 Mar 2026 00:00:00 -0500", title: str = "cs.CL updates on arXiv.org") -> str:
    return (
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">'
        f"<channel><title>{title}</title><pubDate>{day}</pubDate>{''.join(items)}</channel></rss>"
    )


def listing_of(*ids: str, kind: Announcement = Announcement.NEW, day: date = WEDNESDAY) -> Listing:
    papers = tuple(
        ListedPaper(title="T", rank=rank, ids=Identifiers(arxiv=each), announcement=kind)
        for rank, each in enumerate(ids, start=1)
    )
    return Listing(source="arxiv-cl", day=day, papers=papers, status=FetchStatus.OK)


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_weekday_feed_is_read_whole() -> None:
    listing = read(recorded("weekday.xml"))
    assert (listing.status, listing.day, listing.note, listing.rejected) == (FetchStatus.OK, WEDNESDAY, "", 0)
    assert [paper.rank for paper in listing.papers] == [1, 2, 3, 4, 5]
    assert [paper.announcement for paper in listing.papers] == [
        Announcement.CROSS,
        Announcement.NEW,
        Announcement.NEW,
        Announcement.REPLACE,
        Announcement.REPLACE_CROSS,
    ]
    assert [paper.only_if_known for paper in listing.papers] == [False, False, False, True, True]
    tides, quiet, gulls, sails, piers = listing.papers
    assert tides.title == "Tides in Shallow Graphs"
    assert tides.abstract == r"We follow tides & eddies through graphs of depth $\le 3$."
    assert tides.authors == ("Ada Moss", "Lev Holm Jr.", "The Lantern Collaboration")
    assert (quiet.abstract, quiet.version) == ("Gradients that are small are often ignored. We listen.", 1)
    assert quiet.categories == ("cs.CL", "cs.LG")  # and not the ACM's I.2.7
    assert (gulls.authors, gulls.author_count) == (("Xenia Team", "Otto Berg", "Ida Lind"), 3)
    assert gulls.url == "https://arxiv.org/abs/2603.01103"  # the feed's own host is wrong
    assert (sails.version, sails.ids) == (3, Identifiers(arxiv="2511.00042", doi="10.5555/sails.2026.17"))
    assert sails.journal == "Journal of Sails 12 (2026), pp. 1-9"
    assert (piers.withdrawn, piers.pdf_url, piers.ids.doi) == (True, "", None)  # arXiv's own DOI is no other id


def test_an_atom_feed_says_the_same_in_its_own_words() -> None:
    listing = read(recorded("weekday.atom.xml"))
    assert (listing.status, listing.day) == (FetchStatus.OK, WEDNESDAY)
    quiet, knots = listing.papers
    rss = read(recorded("weekday.xml")).papers[1]
    assert replace(quiet, rank=2) == rss
    assert knots.ids == Identifiers(arxiv="math/0309136", doi="10.5555/ropes.3")
    assert (knots.version, knots.announcement, knots.only_if_known) == (2, Announcement.REPLACE_CROSS, True)
    assert (knots.authors, knots.journal) == (("Tove Reep", "Sten Tau"), "Rope Letters 3 (2004)")


def test_what_is_news_is_chosen() -> None:
    listing = read(recorded("weekday.xml"), announce=frozenset({Announcement.NEW, Announcement.REPLACE}))
    assert [paper.only_if_known for paper in listing.papers] == [True, False, False, False, True]


def test_a_paper_without_a_kind_is_news() -> None:
    (paper,) = read(feed(item())).papers
    assert (paper.announcement, paper.only_if_known) == (None, False)


def test_a_change_of_the_abstract_alone_is_a_replacement() -> None:
    (paper,) = read(feed(item(extra="<arxiv:announce_type>absonly</arxiv:announce_type>"))).papers
    assert paper.announcement is Announcement.REPLACE


def test_the_kind_is_found_in_the_description_too() -> None:
    said = "<description>arXiv:2603.00101v2 Announce Type: replace \nAbstract: Short.</description>"
    (paper,) = read(feed(item(extra=said))).papers
    assert (paper.announcement, paper.abstract) == (Announcement.REPLACE, "Short.")


def test_the_help_desk_is_no_author() -> None:
    (paper,) = read(feed(item(extra="<author>rss-help@arxiv.org</author>"))).papers
    assert paper.authors == ()


def test_the_id_comes_from_the_link_where_there_is_no_guid() -> None:
    (paper,) = read(feed("<item><title>A</title><link>http://wrong.example/papers/2603.00101v3</link></item>")).papers
    assert (paper.ids.arxiv, paper.version, paper.url) == ("2603.00101", 3, "https://arxiv.org/abs/2603.00101")


def test_a_paper_twice_is_listed_once_and_as_news() -> None:
    kinds = [f"<arxiv:announce_type>{kind}</arxiv:announce_type>" for kind in ("replace", "new", "cross")]
    listing = read(feed(item("2603.00100"), *(item(extra=kind) for kind in kinds)))
    assert [(paper.rank, paper.announcement) for paper in listing.papers] == [(1, None), (2, Announcement.NEW)]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("Wed, 04 Mar 2026 00:00:00 -0500", WEDNESDAY),
        ("Wed, 04 Mar 2026 04:59:00 +0000", date(2026, 3, 3)),  # it is still Tuesday in New York
        ("Wed, 04 Mar 2037 00:00:00 -0500", date(2026, 3, 3)),  # not believed
        ("yesterday", date(2026, 3, 3)),
        ("0001-01-01T00:00:00Z", date(2026, 3, 3)),  # before any day in New York
        ("", date(2026, 3, 3)),
    ],
)
def test_the_day_is_the_feeds_own_in_new_york(said: str, day: date) -> None:
    text = feed(item(), day=said)
    listing = read_feed(text, source="s", day=date(2026, 3, 3), visited=WEDNESDAY, announce=ANNOUNCED)
    assert listing.day == day


def test_an_empty_saturday_is_well() -> None:
    listing = read(recorded("saturday.xml"), date(2026, 3, 7))
    assert (listing.status, listing.papers, listing.day) == (FetchStatus.OK_EMPTY, (), date(2026, 3, 7))


def test_an_empty_feed_of_somebody_else_is_not() -> None:
    with pytest.raises(LayoutChanged, match="nothing in it says"):
        read(feed(title="Our harbour's news"))


def test_an_error_feed_repeats_arxivs_reason() -> None:
    with pytest.raises(PermanentCollectError, match="arXiv refuses the feed: Bad subject class 'QQ'") as caught:
        SOURCE.parse(page(recorded("error.xml"), status=400), NEWEST)
    assert not isinstance(caught.value, LayoutChanged)


def test_a_feed_that_is_full_may_be_cut_where_its_new_papers_stand() -> None:
    listing = read(feed(*(item(f"2603.{number:05d}") for number in range(1, 2_001))))
    assert (listing.status, len(listing.papers)) == (FetchStatus.PARTIAL, 2_000)
    assert "may lack new papers" in listing.note


def test_one_entry_without_an_id_or_title_is_left_out_and_told() -> None:
    listing = read(feed(item(), item("2603.00102", title=" ")))
    assert (listing.status, listing.rejected, len(listing.papers)) == (FetchStatus.PARTIAL, 1, 1)
    assert listing.note == "1 of 2 entries had no arXiv id or no title and were left out"


@pytest.mark.parametrize("count", [1, 3])
def test_many_entries_without_an_id_are_another_layout(count: int) -> None:
    good = [item()] if count > 1 else []
    with pytest.raises(LayoutChanged, match="have no arXiv id or no title"):
        read(feed(*good, *("<item><title>A</title></item>" for _ in range(count))))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Rate exceeded.", Throttled),
        ("<html><body>Rate exceeded.</body></html>", Throttled),
        ("<!DOCTYPE html><html><body>Are you a robot?</body></html>", Blocked),
        ("<opml/>", LayoutChanged),
        ("<rss/>", LayoutChanged),
        ("", LayoutChanged),
        (recorded("weekday.xml")[:3_000], LayoutChanged),
        ('<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><title>&a;</title></channel></rss>', LayoutChanged),
    ],
)
def test_what_is_no_feed_is_called_what_it_is(text: str, error: type[CollectError]) -> None:
    with pytest.raises(error):
        read(text)


def test_only_arxivs_own_feeds_look_like_them() -> None:
    assert all(looks_like_arxiv_feed(file.read_text(encoding="utf-8")) for file in PAGES.iterdir())
    assert not looks_like_arxiv_feed(feed(title="Our harbour's news"))
    assert not looks_like_arxiv_feed("<html>cs.CL updates on arXiv.org</html>")


def test_every_recorded_feed_is_used() -> None:
    used = set(re.findall(r"recorded\(\"([^\"]+)\"\)", Path(__file__).read_text(encoding="utf-8")))
    assert used == {file.name for file in PAGES.iterdir()}


# -- the source --------------------------------------------------------------------------------------------------------


def urls(source: FeedSource, visit: Visit, seen: Listing | CollectError) -> list[str]:
    return [request.url for request in source.alternatives(visit, seen)]


CATCHUPS = [f"https://arxiv.org/catchup/{category}/2026-03-02?abs=True" for category in SOURCE.categories]
CATCHUPS_TODAY = [url.replace("03-02", "03-04") for url in CATCHUPS]
LISTS = [f"https://arxiv.org/list/{category}/new" for category in SOURCE.categories]
FEED = ["https://rss.arxiv.org/rss/cs.CL+cs.LG"]


def test_the_newest_day_is_one_request_to_the_feed() -> None:
    source: Source = SOURCE
    assert isinstance(source, HasAlternatives)
    assert isinstance(source, HasPaperPages)
    assert isinstance(source, ServesBatches)
    (request,) = source.requests(NEWEST)
    assert (request.url, request.pace, request.is_page, request.reads) == (FEED[0], 3.0, False, {400})
    assert "application/atom+xml" in request.accept
    assert source.label == "arXiv cs.CL, cs.LG"


def test_an_earlier_day_is_asked_of_the_catch_up_pages() -> None:
    assert [request.url for request in SOURCE.requests(EARLIER)] == CATCHUPS


def test_a_mirror_is_asked_for_everything() -> None:
    mirror = replace(SOURCE, url="http://127.0.0.1:8080", categories=("cs.CL",))
    assert [request.url for request in mirror.requests(NEWEST)] == ["http://127.0.0.1:8080/rss/cs.CL"]
    request = mirror.paper_request(Identifiers(arxiv="math/0309136"))
    assert request
    assert request.url == "http://127.0.0.1:8080/abs/math/0309136"
    assert mirror.paper_request(Identifiers(doi="10.5555/1")) is None


GOOD = listing_of("2603.00001")


@pytest.mark.parametrize(
    ("visit", "seen", "asked"),
    [
        (NEWEST, GOOD, []),
        (NEWEST, replace(GOOD, status=FetchStatus.STALE), LISTS),
        (NEWEST, replace(GOOD, status=FetchStatus.PARTIAL), LISTS),
        (NEWEST, replace(GOOD, day=date(2026, 3, 3)), LISTS),
        (NEWEST, replace(GOOD, day=date(2026, 3, 5), papers=(), status=FetchStatus.OK_EMPTY), CATCHUPS_TODAY),
        (NEWEST, LayoutChanged("cut"), LISTS),
        (NEWEST, PermanentCollectError("no such category"), []),
        (NEWEST, Blocked("no"), []),
        (NEWEST, Throttled("wait"), []),
        (EARLIER, replace(GOOD, day=EARLIER.day), []),
        (EARLIER, replace(GOOD, day=EARLIER.day, status=FetchStatus.PARTIAL), []),
        (EARLIER, PermanentCollectError("404"), FEED),
        (EARLIER, LayoutChanged("cut"), FEED),
        (EARLIER, Blocked("no"), []),
        (EARLIER, Unreachable("down"), []),
    ],
)
def test_another_way_is_asked_where_it_can_help(visit: Visit, seen: Listing | CollectError, asked: list[str]) -> None:
    assert urls(SOURCE, visit, seen) == asked


def test_a_page_is_read_as_what_it_is() -> None:
    assert len(SOURCE.parse(page(recorded("weekday.xml")), NEWEST).papers) == 5
    list_page = (
        "<html><body><h3>Showing new listings for Wednesday, 4 March 2026</h3>"
        "<div class='paging'>Total of 1 entries</div><dl id='articles'>"
        "<h3>New submissions (showing 1 of 1 entries)</h3><dt><a name='item1'>[1]</a>"
        '<a href ="/abs/2603.01102" title="Abstract" id="2603.01102"> arXiv:2603.01102 </a></dt>'
        "<dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span> Quiet</div>"
        "</div></dd></dl></body></html>"
    )
    listing = SOURCE.parse(page(list_page, url=LISTS[0]), NEWEST)
    assert (listing.source, listing.day, [paper.title for paper in listing.papers]) == (
        "arxiv-cl",
        WEDNESDAY,
        ["Quiet"],
    )
    with pytest.raises(Blocked):
        SOURCE.parse(page("<html><body>Are you a robot?</body></html>"), NEWEST)
    with pytest.raises(PermanentCollectError, match="gives no reason"):
        SOURCE.parse(page("<html><title>400 Bad Request</title></html>", status=400), NEWEST)


def test_a_wrong_charset_loses_no_letter() -> None:
    text = recorded("weekday.xml").replace("UTF-8", "iso-8859-1").replace("Mira Example", "Mira Bücher")
    assert SOURCE.parse(page(text.encode("iso-8859-1")), NEWEST).papers[1].authors == ("Mira Bücher",)
    assert SOURCE.parse(page(text.encode()), NEWEST).papers[1].authors == ("Mira Bücher",)


# -- staleness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "before", "old"),
    [
        ((), (), False),
        (("2603.00001",), (), False),
        (("2603.00001",), ("2603.00001",), True),
        (("2603.00001", "2603.00002"), ("2603.00001",), False),
        (("2603.00001", "2603.00002"), ("2603.00001", "2603.00002"), True),
        (tuple(f"2603.{n:05d}" for n in range(10)), tuple(f"2603.{n:05d}" for n in range(8)), True),
        (tuple(f"2603.{n:05d}" for n in range(10)), tuple(f"2603.{n:05d}" for n in range(7)), False),
    ],
)
def test_a_batch_is_old_where_nearly_all_its_new_papers_were_new_before(
    ids: tuple[str, ...], before: tuple[str, ...], *, old: bool
) -> None:
    assert repeats(listing_of(*ids), frozenset(before)) is old
    assert SOURCE.repeats(listing_of(*ids), frozenset(before)) is old


def test_crosses_and_replacements_may_come_again() -> None:
    assert not repeats(listing_of("2603.00001", kind=Announcement.CROSS), frozenset({"2603.00001"}))


@pytest.mark.parametrize(
    ("old_ai", "old_lg", "old"),
    [(0, 0, False), (21, 0, True), (20, 0, True), (16, 0, False), (0, 79, True), (21, 79, True), (16, 60, False)],
)
def test_one_category_of_a_combined_feed_may_be_old_by_itself(old_ai: int, old_lg: int, *, old: bool) -> None:
    papers = {
        category: listing_of(*(f"2603.{first + n:05d}" for n in range(count))).papers
        for category, first, count in (("cs.AI", 0, 21), ("cs.LG", 1_000, 79))
    }
    # A paper counts as of the first of its categories that the source asks for.
    told = [
        replace(paper, categories=("cs.CV", category, "cs.AI")) for category, held in papers.items() for paper in held
    ]
    listing = replace(listing_of(), papers=tuple(told))
    seen = [*papers["cs.AI"][:old_ai], *papers["cs.LG"][:old_lg]]
    before = frozenset(paper.ids.arxiv or "" for paper in seen)
    assert replace(SOURCE, categories=("cs.AI", "cs.LG")).repeats(listing, before) is old
    assert replace(SOURCE, categories=("cs",)).repeats(listing, before) is (len(before) >= 80)


def test_a_category_of_two_new_papers_says_nothing_by_itself() -> None:
    few, many = listing_of("2603.00001", "2603.00002"), listing_of(*(f"2603.{n:05d}" for n in range(100, 120)))
    told = [
        replace(paper, categories=(category,))
        for category, one in (("cs.CL", few), ("cs.LG", many))
        for paper in one.papers
    ]
    assert not SOURCE.repeats(replace(few, papers=tuple(told)), frozenset({"2603.00001", "2603.00002"}))


# -- the samples -------------------------------------------------------------------------------------------------------

WEEK = {12: (26, 12), 13: (64, 21), 14: (66, 16), 15: (16, 15), 16: (43, 18)}


def sample(form: str, day: int) -> Listing:
    text = (SAMPLES / "rss" / f"serialized_{form}_cs.CL_2025-05-{day}.xml").read_text(encoding="utf-8")
    assert looks_like_arxiv_feed(text)
    return read(text, date(2025, 5, day))


@needs_samples
def test_a_week_of_feeds_gives_its_days_without_repeats_or_false_alarm() -> None:
    before: frozenset[str] = frozenset()
    for day, (new, cross) in WEEK.items():
        listing = sample("rss", day)
        kinds = Counter(paper.announcement for paper in listing.papers)
        assert (listing.day, listing.status) == (date(2025, 5, day), FetchStatus.OK)
        assert kinds == {Announcement.NEW: new, Announcement.CROSS: cross}
        assert all(paper.abstract and paper.authors and paper.version == 1 for paper in listing.papers)
        assert not any("Announce Type" in paper.abstract for paper in listing.papers)
        ids = frozenset(paper.ids.arxiv or "" for paper in listing.papers)
        assert len(ids) == new + cross
        assert not ids & before
        assert not repeats(listing, before & ids)
        assert repeats(listing, ids)
        before |= ids
    saturday = read(
        (SAMPLES / "rss" / "serialized_rss_cs.CL_2025-05-17_weekend_empty.xml").read_text(), date(2025, 5, 17)
    )
    assert (saturday.day, saturday.status, saturday.papers) == (date(2025, 5, 17), FetchStatus.OK_EMPTY, ())


@needs_samples
@pytest.mark.parametrize("day", [12, 13])
def test_the_atom_feed_of_a_day_is_its_rss_feed(day: int) -> None:
    assert sample("atom", day) == sample("rss", day)


@needs_samples
def test_a_feed_of_another_project_and_an_error_feed() -> None:
    text = (SAMPLES / "rss" / "zotero_arxiv_daily_atom_cs.AI_2025-08-20.xml").read_text(encoding="utf-8")
    listing = read(text, date(2025, 8, 20))
    kinds = Counter(paper.announcement for paper in listing.papers)
    assert (listing.day, kinds) == (date(2025, 8, 20), {Announcement.NEW: 2, Announcement.CROSS: 5})
    with pytest.raises(PermanentCollectError, match="Bad subject class 'ZZ'"):
        read((SAMPLES / "rss" / "serialized_rss_error_cs.ZZ.xml").read_text(), date(2025, 5, 17))


@needs_samples
def test_answers_of_the_api_are_no_feeds() -> None:
    for file in (SAMPLES / "api").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not looks_like_arxiv_feed(json.loads(text)["body"] if file.suffix == ".json" else text)


# -- size and damage ---------------------------------------------------------------------------------------------------


def timed(count: int) -> float:
    text = feed(*(item(f"{2001 + number // 99_999:04d}.{number % 99_999 + 1:05d}") for number in range(count)))
    start = time.perf_counter()
    assert len(read(text).papers) == count
    return time.perf_counter() - start


def test_a_hundred_thousand_items_cost_what_their_number_says() -> None:
    small, large = timed(10_000), timed(100_000)
    assert large < 30 * max(small, 0.2)  # ten times the items


def survives(text: str) -> None:
    with suppress(CollectError):
        listing = SOURCE.parse(page(text.encode("utf-8", errors="surrogatepass")), NEWEST)
        assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
        assert listing.day <= date(2026, 3, 5)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PAGES.iterdir())), st.integers(0, 4_000), st.integers(0, 40), st.text(max_size=5))
def test_a_damaged_feed_gives_papers_or_a_collect_error(file: Path, start: int, length: int, put: str) -> None:
    text = file.read_text(encoding="utf-8")
    survives(text[:start] + put + text[start + length :])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PAGES.iterdir())), st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255))))
def test_flipped_bytes_give_papers_or_a_collect_error(file: Path, flips: list[tuple[int, int]]) -> None:
    body = bytearray(file.read_bytes())
    for at, value in flips:
        body[at % len(body)] = value
    with suppress(CollectError):
        assert all(paper.title and paper.ids.arxiv for paper in SOURCE.parse(page(bytes(body)), NEWEST).papers)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_words_in_the_fields_give_papers_or_a_collect_error(title: str, said: str, day: str) -> None:
    put = "".join(
        f"<{tag}><![CDATA[{said}]]></{tag}>" for tag in ("description", "dc:creator", "arxiv:DOI", "category")
    )
    survives(feed(item(title=f"<![CDATA[{title}]]>", extra=put), day=f"<![CDATA[{day}]]>"))
