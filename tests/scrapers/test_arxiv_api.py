"""arXiv's query API: how a query is asked, what its answers hold, and each way in which it says no."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Blocked, CollectError, LayoutChanged, PermanentCollectError, Throttled
from domain.papers import FetchStatus, Identifiers, Listing, PageRequest
from scrapers.arxiv_api import ApiSource, looks_like_answer, query_error, read_answer
from scrapers.arxiv_query import is_same_query, search_query
from scrapers.source import HasPaperPages, Page, Source, Visit

TODAY = date(2026, 3, 4)
VISIT = Visit(TODAY, TODAY, date(2026, 2, 25))
PAGES = Path(__file__).parent / "pages" / "arxiv" / "api"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "arxiv"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

SOURCE = ApiSource("quiet", "https://export.arxiv.org", "quiet gradients", ("cs.CL",), timedelta(hours=12))
ASKED = "(all:quiet AND all:gradients) AND (cat:cs.CL)"


def recorded(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def page(text: str, request: PageRequest | None = None, status: int = 200) -> Page:
    url = request.url if request else next(iter(SOURCE.requests(VISIT))).url
    return Page(url, status, {}, text.encode("utf-8", errors="surrogatepass"), datetime(2026, 3, 4, 9, tzinfo=UTC))


def answer(count: int, *, total: int, start: int, per_page: int = 100, published: str = "2026-03-02T00:00:00Z") -> str:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/2603.{start + number + 1:05d}v1</id><title>T</title>"
        f"<published>{published}</published></entry>"
        for number in range(count)
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        f"<title>arXiv Query: search_query={ASKED}&amp;id_list=&amp;start={start}&amp;max_results={per_page}</title>"
        f"<o:totalResults>{total}</o:totalResults><o:startIndex>{start}</o:startIndex>"
        f"<o:itemsPerPage>{per_page}</o:itemsPerPage>{entries}</feed>"
    )


def at(start: int) -> PageRequest:
    (first,) = SOURCE.requests(VISIT)
    return replace(first, url=first.url.replace("start=0", f"start={start}"))


def start_of(request: PageRequest | None) -> int | None:
    return int(parse_qs(urlsplit(request.url).query)["start"][0]) if request else None


def test_the_first_slice_is_asked_for() -> None:
    source: Source = SOURCE
    assert isinstance(source, HasPaperPages)
    assert not source.calendar.is_dated
    (request,) = source.requests(VISIT)
    assert request.url.startswith("https://export.arxiv.org/api/query?")
    assert parse_qs(urlsplit(request.url).query) == {
        "search_query": [ASKED],
        "start": ["0"],
        "max_results": ["100"],
        "sortBy": ["submittedDate"],
        "sortOrder": ["descending"],
    }
    assert (request.pace, request.is_page) == (3.0, False)
    assert "application/atom+xml" in request.accept


def test_a_search_has_a_label() -> None:
    assert SOURCE.label == "arXiv search: quiet gradients in cs.CL"
    assert replace(SOURCE, categories=()).label == "arXiv search: quiet gradients"
    assert replace(SOURCE, query="").label == "arXiv search: cs.CL"


def test_a_slice_is_read_whole() -> None:
    listing = SOURCE.parse(page(recorded("slice.xml")), VISIT)
    assert (listing.status, listing.day, listing.declared, listing.note) == (FetchStatus.OK, TODAY, 2, "")
    quiet, piers = listing.papers
    assert (quiet.title, quiet.rank, quiet.version) == ("Quiet Gradients Say Little", 1, 2)
    assert quiet.ids == Identifiers(arxiv="2603.01102", doi="10.5555/quiet.1")
    assert quiet.abstract == "Gradients that are small are often ignored. We listen."
    assert quiet.authors == ("Mira Example", "Lev Holm")
    assert quiet.published == date(2026, 3, 2)
    assert quiet.categories == ("cs.CL", "cs.LG")  # the primary first
    assert (quiet.comment, quiet.journal) == ("12 pages, 3 figures", "Quiet Letters 1 (2026)")
    assert (quiet.url, quiet.pdf_url) == ("https://arxiv.org/abs/2603.01102", "https://arxiv.org/pdf/2603.01102")
    assert (piers.withdrawn, piers.pdf_url, piers.published) == (True, "", date(2026, 3, 1))
    assert start_of(listing.next) == 2


# -- slices ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "total", "start", "following"),
    [
        (100, 250, 0, 100),
        (100, 250, 100, 200),
        (50, 250, 200, None),
        (100, 100, 0, None),
        (87, 250, 0, 87),  # a short slice is gone on from where it ended
        (100, 40_000, 29_800, 29_900),
        (87, 40_000, 29_800, 29_887),
    ],
)
def test_the_next_slice_follows_by_the_counts(count: int, total: int, start: int, following: int | None) -> None:
    listing = SOURCE.parse(page(answer(count, total=total, start=start), at(start)), VISIT)
    assert (listing.status, start_of(listing.next)) == (FetchStatus.OK, following)
    assert listing.papers[0].rank == start + 1


def test_the_last_slice_that_arxiv_gives_is_not_the_last_there_is() -> None:
    listing = SOURCE.parse(page(answer(100, total=40_000, start=29_900), at(29_900)), VISIT)
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)
    assert listing.note == "arXiv counts 40,000 in all and gives 30,000 of a query, so a narrower one is needed"
    request = SOURCE.parse(page(answer(87, total=40_000, start=29_800), at(29_800)), VISIT).next
    assert request
    assert "start=29887&max_results=100" in request.url
    near = SOURCE.parse(page(answer(60, total=40_000, start=29_887), at(29_887)), VISIT).next
    assert near
    assert "start=29947&max_results=53" in near.url  # not a result beyond


def test_what_was_read_before_is_not_asked_for() -> None:
    old = answer(100, total=250, start=0, published="2026-02-24T23:59:59Z")
    assert SOURCE.parse(page(old), VISIT).next is None
    new = answer(100, total=250, start=0, published="2026-02-25T00:00:00Z")
    assert start_of(SOURCE.parse(page(new), VISIT).next) == 100


def test_an_answer_that_begins_elsewhere_is_not_followed() -> None:
    listing = SOURCE.parse(page(answer(100, total=250, start=0), at(100)), VISIT)
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)
    assert "begins at result 0, not at the 100" in listing.note


def test_no_start_is_asked_for_twice() -> None:
    request: PageRequest | None = at(0)
    seen: list[int | None] = []
    while request:
        seen.append(start_of(request))
        text = answer(7, total=10**8, start=start_of(request) or 0)
        request = SOURCE.parse(page(re.sub("<o:startIndex>.*?</o:startIndex>", "", text), request), VISIT).next
        if len(seen) > 5_000:
            break
    assert len(seen) == len(set(seen)) == 4_286  # 30,000 by sevens


TOTAL = re.compile("<o:totalResults>.*?</o:totalResults>")


@pytest.mark.parametrize("total", ["", "<o:totalResults>many</o:totalResults>"])
def test_without_a_total_slices_are_asked_for_until_one_is_empty(total: str) -> None:
    full = TOTAL.sub(total, answer(100, total=0, start=100))
    listing = SOURCE.parse(page(full, at(100)), VISIT)
    assert (listing.status, start_of(listing.next)) == (FetchStatus.OK, 200)
    end = SOURCE.parse(page(TOTAL.sub(total, answer(0, total=0, start=200)), at(200)), VISIT)
    assert (end.status, end.next) == (FetchStatus.OK_EMPTY, None)
    last = SOURCE.parse(page(TOTAL.sub(total, answer(100, total=0, start=29_900)), at(29_900)), VISIT)
    assert (last.status, last.next) == (FetchStatus.PARTIAL, None)
    assert "there may be more" in last.note
    saved = read_answer(full, day=TODAY)
    assert (saved.status, saved.next) == (FetchStatus.PARTIAL, None)
    assert read_answer(TOTAL.sub(total, answer(99, total=0, start=0)), day=TODAY).status is FetchStatus.OK


def test_a_total_may_be_written_with_commas() -> None:
    text = TOTAL.sub("<o:totalResults>1,900</o:totalResults>", answer(100, total=0, start=0))
    assert start_of(SOURCE.parse(page(text), VISIT).next) == 100
    text = TOTAL.sub("<o:totalResults>1,900</o:totalResults>", answer(100, total=0, start=1_800))
    assert SOURCE.parse(page(text, at(1_800)), VISIT).next is None


# -- no ----------------------------------------------------------------------------------------------------------------


def test_no_match_is_well() -> None:
    listing = replace(SOURCE, query="zyzzyva", categories=()).parse(page(recorded("none.xml")), VISIT)
    assert (listing.status, listing.papers, listing.declared) == (FetchStatus.OK_EMPTY, (), 0)


def test_an_empty_slice_where_papers_are_counted_is_partial() -> None:
    listing = replace(SOURCE, query="quiet", categories=()).parse(page(recorded("empty_slice.xml"), at(100)), VISIT)
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)
    assert listing.note == "arXiv counts 250 in all and gave none from number 101 on"


def test_an_error_repeats_arxivs_reason() -> None:
    with pytest.raises(PermanentCollectError, match="arXiv refuses the query: max_results must be non-negative"):
        SOURCE.parse(page(recorded("error.xml")), VISIT)


def test_a_paper_may_be_called_error() -> None:
    text = answer(1, total=1, start=0).replace("<title>T<", "<title>Error<")
    assert [paper.title for paper in SOURCE.parse(page(text), VISIT).papers] == ["Error"]


def test_a_rewritten_query_is_noticed_and_not_followed() -> None:
    asked = replace(SOURCE, query="badfield:quiet", categories=())
    listing = asked.parse(page(recorded("rewritten.xml")), VISIT)
    assert (listing.status, listing.note) == (
        FetchStatus.PARTIAL,
        "arXiv was asked for 'badfield:quiet' and answered 'all:badfield:quiet'",
    )
    text = answer(100, total=250, start=0).replace("all:quiet AND", "all:quiet OR")
    assert (SOURCE.parse(page(text), VISIT).status, SOURCE.parse(page(text), VISIT).next) == (FetchStatus.PARTIAL, None)


@pytest.mark.parametrize("status", [200, 400])
def test_a_plea_for_patience_is_throttling(status: int) -> None:
    with pytest.raises(Throttled):
        SOURCE.parse(page(recorded("rate_exceeded.txt"), status=status), VISIT)


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        ("<html><body>Are you a robot?</body></html>", 200, Blocked),
        ("<html><body>400 Bad Request</body></html>", 400, PermanentCollectError),
        ("", 200, LayoutChanged),
        ("<rss><channel><title>x</title></channel></rss>", 200, LayoutChanged),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>', 200, LayoutChanged),
        (recorded("slice.xml")[:2_000], 200, LayoutChanged),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title></entry></feed>', 200, LayoutChanged),
        ('<!DOCTYPE feed [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>', 200, LayoutChanged),
    ],
)
def test_what_is_no_answer_is_called_what_it_is(text: str, status: int, error: type[CollectError]) -> None:
    with pytest.raises(error):
        SOURCE.parse(page(text, status=status), VISIT)


def test_one_entry_without_title_is_left_out_and_told() -> None:
    text = recorded("slice.xml").replace("Gradients of Piers", "")
    listing = SOURCE.parse(page(text), VISIT)
    assert (listing.status, listing.rejected, start_of(listing.next)) == (FetchStatus.PARTIAL, 1, 2)


def test_answers_look_like_answers() -> None:
    assert all(looks_like_answer(file.read_text(encoding="utf-8")) for file in PAGES.iterdir())
    assert not looks_like_answer("<html>arXiv Query: </html>")
    assert not looks_like_answer('<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour news</title></feed>')


def test_a_saved_answer_is_read_without_its_question() -> None:
    listing = read_answer(recorded("slice.xml"), source="arxiv-api", day=TODAY)
    assert (listing.source, listing.status, len(listing.papers), listing.next) == ("arxiv-api", FetchStatus.OK, 2, None)


def test_one_paper_is_asked_for_by_its_id() -> None:
    request = SOURCE.paper_request(Identifiers(arxiv="math/0309136"))
    assert request
    assert parse_qs(urlsplit(request.url).query)["id_list"] == ["math/0309136"]
    text = answer(1, total=1, start=0).replace(ASKED, "")
    assert SOURCE.parse(page(text, request), VISIT).status is FetchStatus.OK
    assert SOURCE.paper_request(Identifiers(doi="10.5555/1")) is None


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "categories", "asked"),
    [
        ("tides", (), "all:tides"),
        ("tidal  disruption", (), "all:tidal AND all:disruption"),
        ('"tidal tail" OR tides', (), 'all:"tidal tail" OR all:tides'),
        ("(tides OR eddies) sea", (), "(all:tides OR all:eddies) AND all:sea"),
        ("tides ANDNOT (moon or sun)", (), "all:tides ANDNOT (all:moon AND all:sun)"),
        ("cats and dogs", (), "all:cats AND all:dogs"),
        ('ti:"tidal tail" sea', (), 'ti:"tidal tail" sea'),
        ("", ("cs.CL", "cs", "hep-th"), "cat:cs.CL OR cat:cs.* OR cat:hep-th"),
        ("ti:a OR ti:b", ("cs.CL", "cs.LG"), "(ti:a OR ti:b) AND (cat:cs.CL OR cat:cs.LG)"),
    ],
)
def test_a_query_is_completed_where_it_names_no_field(query: str, categories: tuple[str, ...], asked: str) -> None:
    assert search_query(query, categories) == asked


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("tides", ""),
        ('ti:"a: b" AND (au:moss OR abs:"x") ANDNOT cat:cs.CL', ""),
        ("submittedDate:[202601010000 TO 202602010000] AND all:x", ""),
        ("2:1 resonance", ""),
        ("", "no words"),
        ("and or", "no words"),
        (
            "badfield:xyz",
            "names the field badfield, which arXiv does not have; the fields are ti, au, abs, co, jr, cat",
        ),
        ("learning: a survey", "names the field learning"),
        ('"a', "double quote that is not closed"),
        ("(a", "parenthesis that is not closed"),
        ("a)", "parenthesis too many"),
        ("a) (b", "parenthesis too many"),
        ("()", "empty parentheses"),
        ("AND a", "nothing for AND to join"),
        ("a OR", "nothing for OR to join"),
        ("a AND OR b", "nothing for AND to join"),
        ("a (OR b)", "nothing for OR to join"),
        ("NOT a", "uses NOT"),
    ],
)
def test_a_wrong_query_is_named(query: str, wrong: str) -> None:
    found = query_error(query)
    assert wrong in found
    assert bool(found) is bool(wrong)


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("all:a AND (cat:cs.CL OR cat:cs.LG)", "all:a AND cat:cs.CL OR cat:cs.LG", True),
        ("submittedDate:[202601 TO 202602]", 'submittedDate:"202601 TO 202602"', True),
        ("au:del_maestro ANDNOT ti:x", 'au:"del maestro" AND NOT ti:x', True),
        ("badfield:xyz", "all:badfield:xyz", False),
        ("all:a AND all:b", "all:a OR all:b", False),
        ("all:a", "", False),
    ],
)
def test_typography_is_no_rewriting(asked: str, answered: str, *, same: bool) -> None:
    assert is_same_query(asked, answered) is same


@given(st.text(alphabet=st.sampled_from('ab ()":ANDORT'), max_size=40))
def test_any_query_is_judged_and_a_good_one_asked_as_a_good_one(query: str) -> None:
    if not query_error(query):
        assert not query_error(search_query(query, ("cs.CL",)))


# -- samples and damage ------------------------------------------------------------------------------------------------


def sample(name: str, asked: str = "") -> Listing:
    text = (SAMPLES / "api" / name).read_text(encoding="utf-8")
    text = json.loads(text)["body"] if name.endswith(".json") else text
    assert looks_like_answer(text)
    return read_answer(text, source="s", day=date(2026, 7, 28), asked=asked)


@needs_samples
@pytest.mark.parametrize(
    ("name", "count", "declared", "status"),
    [
        ("arxivpy_id_astro-ph_0601001_s0_m100_3150dca9dc76.json", 1, 1, FetchStatus.OK),
        ("arxivpy_q_testing_s0_m10_bc5a6c384fe9.json", 10, 10, FetchStatus.OK),
        ("kdense_arxiv_empty.xml", 0, 0, FetchStatus.OK_EMPTY),
        ("kdense_arxiv_feed.xml", 1, 1, FetchStatus.OK),
        ("unikeen_arxiv_atom.xml", 2, None, FetchStatus.OK),
    ],
)
def test_the_recordings_hold_what_they_declare(
    name: str, count: int, declared: int | None, status: FetchStatus
) -> None:
    listing = sample(name)
    assert (len(listing.papers), listing.declared, listing.status) == (count, declared, status)
    assert all(paper.abstract and paper.authors and paper.published and paper.version for paper in listing.papers)


@needs_samples
def test_the_recordings_that_say_no() -> None:
    with pytest.raises(PermanentCollectError, match="arXiv refuses the query: start must be an integer"):
        sample("kdense_arxiv_error.xml")
    with pytest.raises(Throttled):
        sample("kdense_arxiv_rate_limited.txt")
    rewritten = sample("kdense_arxiv_rewritten_query.xml", asked="badfield:xyz")
    assert rewritten.status is FetchStatus.PARTIAL
    assert "'badfield:xyz' and answered 'all:badfield:xyz'" in rewritten.note
    assert sample("arxivpy_q_testing_s0_m10_bc5a6c384fe9.json", asked=search_query("testing")).status is FetchStatus.OK
    first = sample("arxivpy_q_testing_s0_m10_bc5a6c384fe9.json").papers[0]
    assert (first.ids.doi, first.published) == ("10.1109/icstw55395.2022.00035", date(2022, 2, 24))


def test_every_recorded_answer_is_used() -> None:
    used = set(re.findall(r"recorded\(\"([^\"]+)\"\)", Path(__file__).read_text(encoding="utf-8")))
    assert used == {file.name for file in PAGES.iterdir()}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PAGES.iterdir())), st.integers(0, 4_000), st.integers(0, 40), st.text(max_size=5))
def test_a_damaged_answer_gives_papers_or_a_collect_error(file: Path, start: int, length: int, put: str) -> None:
    text = file.read_text(encoding="utf-8")
    with suppress(CollectError):
        listing = SOURCE.parse(page(text[:start] + put + text[start + length :]), VISIT)
        assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
        assert all(paper.published is None or paper.published <= date(2026, 3, 5) for paper in listing.papers)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text(max_size=12))
def test_any_words_in_the_fields_give_papers_or_a_collect_error(title: str, said: str, count: str) -> None:
    text = answer(1, total=1, start=0, published=f"<![CDATA[{said}]]>").replace(">T<", f"><![CDATA[{title}]]><")
    with suppress(CollectError):
        listing = SOURCE.parse(page(text.replace(">1</o:total", f"><![CDATA[{count}]]></o:total")), VISIT)
        assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
