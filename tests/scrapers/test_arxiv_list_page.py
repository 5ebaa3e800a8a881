"""arXiv's list and catch-up pages: what is read, what is refused, which page is next."""

import re
import time
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Blocked, LayoutChanged, Throttled
from domain.papers import AbstractKind, Announcement, FetchStatus, Identifiers, Listing
from scrapers.arxiv import ANNOUNCED
from scrapers.arxiv_list_page import looks_like_list, read_list

WEDNESDAY = date(2026, 8, 12)
PAGES = Path(__file__).parent / "pages" / "arxiv" / "list"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "arxiv" / "list"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")
NEW, CROSS, REPLACE, REPLACE_CROSS = Announcement


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text()


def read(text: str, *, url: str = "", category: str = "", **given_values: Any) -> Listing:
    values = {"source": "arxiv", "day": WEDNESDAY, "visited": WEDNESDAY, "announce": ANNOUNCED, **given_values}
    return read_list(text, url=url, category=category, **values)


def entry(number: int, title: str = "An Invented Title", identifier: str = "", links: int = 4) -> str:
    identifier = identifier or f"2608.{number:05}"
    authors = ", ".join(f'<a href="/search?query={n}" rel="nofollow">Ada B. Example</a>' for n in range(links))
    return f"""<dt><a name='item{number}'>[{number}]</a>
      <a href ="/abs/{identifier}" title="Abstract" id="{identifier}">arXiv:{identifier}</a>
      [<a href="/pdf/{identifier}">pdf</a>, <a href="/html/{identifier}v1">html</a>, <a href="/format/x">other</a>]</dt>
    <dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span> {title} </div>
      <div class='list-authors'>{authors}</div>
      <div class='list-subjects'><span class='descriptor'>Subjects:</span>
        <span class="primary-subject">Artificial Intelligence (cs.AI)</span>; Optics (physics.optics)</div>
      <p class='mathjax'>{"An abstract of some length, about nothing in particular. " * 20}</p></div></dd>"""


def listed(*entries: str, showing: str = "", total: int | None = None, shown: int = 2000) -> str:
    count = f"<div class='paging'>Total of {total} entries</div>" if total is not None else ""
    most = f"<div class='morefewer'>Showing up to {shown} entries per page:</div>" if total is not None else ""
    heading = f"<h3>New submissions ({showing})</h3>" if showing else ""
    return f"<html><body><div id='dlpage'>{count}{most}<dl id='articles'>{heading}{''.join(entries)}</dl></div></html>"


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_page_of_new_papers_tells_its_day_its_sections_and_its_counts() -> None:
    listing = read(recorded("new"), day=date(2026, 8, 11), category="cs.CL")
    assert (listing.day, listing.status, listing.note) == (WEDNESDAY, FetchStatus.OK, "")
    assert (listing.declared, len(listing.papers), listing.rejected, listing.next) == (6, 6, 0, None)
    assert [paper.announcement for paper in listing.papers] == [NEW, NEW, CROSS, REPLACE, REPLACE_CROSS, REPLACE]
    assert [paper.only_if_known for paper in listing.papers] == [False, False, False, True, True, True]
    assert [paper.rank for paper in listing.papers] == [1, 2, 3, 4, 5, 6]
    assert [paper.version for paper in listing.papers] == [1, None, 1, 3, 2, None]
    assert {paper.day for paper in listing.papers} == {None}


def test_a_paper_is_read_with_all_that_its_entry_says() -> None:
    paper = read(recorded("new")).papers[0]
    assert paper.ids == Identifiers(arxiv="2608.10001")  # and not the id that its abstract names
    assert paper.title == r"On the Patience of Lighthouse Keepers: A $\lambda$-Calculus of Waiting"
    assert (paper.authors, paper.author_count) == (("Ada Example", "Bo J. Sample", "Zoë Müller-Probe"), 3)
    assert paper.categories == ("cs.CL", "cs.LG")
    assert (
        paper.abstract
        == "We study lamps that wait, as in arXiv:2401.99999, and find that <think> tags say little about 5 < 7."
    )
    assert paper.abstract_kind is AbstractKind.AUTHORS
    assert paper.comment == "12 pages, 3 figures. Code: https://code.example/keepers"
    assert (paper.url, paper.pdf_url) == ("https://arxiv.org/abs/2608.10001", "https://arxiv.org/pdf/2608.10001")
    assert read(recorded("new")).papers[3].journal == "J. Imag. Res. 7 (2026) 1-9"


def test_a_withdrawal_is_told_from_a_paper_about_withdrawals() -> None:
    papers = read(recorded("new")).papers
    assert [paper.withdrawn for paper in papers] == [False] * 5 + [True]
    assert papers[5].ids.arxiv == "math/0309136"
    assert papers[5].pdf_url == ""
    assert "withdrawn" in papers[1].abstract


@pytest.mark.parametrize(
    "comment",
    [
        "Withdrawn",
        "This submission was withdrawn: see 2601.00001",
        "withdrawn by arXiv admins",
        "The paper has been withdrawn.",
    ],
)
def test_comments_tell_a_withdrawal_in_several_words(comment: str) -> None:
    text = recorded("new").replace("v3: typos", comment)
    assert read(text).papers[3].withdrawn


def test_what_is_announced_by_setting_is_news_and_the_rest_is_only_for_known_papers() -> None:
    everything = read(recorded("new"), announce=frozenset(Announcement))
    assert not any(paper.only_if_known for paper in everything.papers)
    only_new = read(recorded("new"), announce=frozenset({NEW}))
    assert [paper.only_if_known for paper in only_new.papers] == [False, False, True, True, True, True]
    assert only_new.status is FetchStatus.OK


@pytest.mark.parametrize(
    ("category", "told"),
    [
        ("stat.ML", REPLACE),
        ("stat", REPLACE),
        ("cs.CL", REPLACE_CROSS),
        ("cs", REPLACE_CROSS),
        ("", REPLACE),
        ("grp_x", REPLACE),
    ],
)
def test_a_replacement_is_a_cross_listing_where_its_home_is_another(category: str, told: Announcement) -> None:
    assert read(recorded("new"), category=category).papers[4].announcement is told


@pytest.mark.parametrize(("primary", "asked"), [("eess.SY", "cs.SY"), ("eess.SY", "cs"), ("math-ph", "math.MP")])
def test_a_category_of_two_names_is_at_home_under_both(primary: str, asked: str) -> None:
    text = recorded("new").replace("(stat.ML)", f"({primary})")
    assert read(text, category=asked).papers[4].announcement is REPLACE


def test_a_mark_of_the_entry_tells_where_no_heading_does() -> None:
    text = re.sub(r"<h3>.*</h3>", "", recorded("new"))
    listing = read(text, category="cs.CL")
    assert [paper.announcement for paper in listing.papers] == [NEW, NEW, CROSS, REPLACE, REPLACE_CROSS, REPLACE]
    assert (listing.day, listing.declared, listing.status) == (WEDNESDAY, 6, FetchStatus.OK)  # by "Total of 6 entries"


def test_a_lost_head_costs_the_day_but_not_the_papers() -> None:
    text = recorded("new").replace("<h3>Showing new listings for Wednesday, 12 August 2026</h3>", "")
    listing = read(text, day=date(2026, 8, 11))
    assert (listing.day, listing.status, len(listing.papers)) == (date(2026, 8, 11), FetchStatus.OK, 6)


def test_the_day_may_stand_in_the_headings_of_the_sections() -> None:
    text = recorded("new").replace("<h3>Showing new listings for Wednesday, 12 August 2026</h3>", "")
    text = text.replace("New submissions (showing", "New submissions for Tuesday, 11 August 2026 (showing")
    assert read(text).day == date(2026, 8, 11)


@pytest.mark.parametrize("day", ["Wednesday, 12 August 2062", "Friday, 31 February 2026", "Monday, 1 January 1900"])
def test_a_day_that_cannot_be_is_not_believed(day: str) -> None:
    assert read(recorded("new").replace("Wednesday, 12 August 2026", day)).day == WEDNESDAY


def test_recent_pages_give_each_paper_its_own_day() -> None:
    listing = read(recorded("recent"))
    assert (listing.day, listing.status, listing.declared) == (WEDNESDAY, FetchStatus.OK, 3)
    assert [paper.day for paper in listing.papers] == [date(2026, 8, 11), date(2026, 8, 11), date(2026, 8, 10)]
    assert [paper.announcement for paper in listing.papers] == [NEW, CROSS, NEW]
    assert {(paper.abstract, paper.abstract_kind) for paper in listing.papers} == {("", AbstractKind.NONE)}


def test_a_catch_up_page_is_of_the_day_in_its_heading() -> None:
    listing = read(recorded("catchup"), url="https://arxiv.org/catchup/cs.CL/2026-08-05?abs=True")
    assert (listing.day, listing.status, listing.declared) == (date(2026, 8, 5), FetchStatus.OK, 3)
    assert [paper.announcement for paper in listing.papers] == [NEW, NEW, CROSS]
    assert all(paper.abstract for paper in listing.papers)
    assert listing.next is None


@pytest.mark.parametrize(
    ("name", "day"),
    [("new_empty", WEDNESDAY), ("catchup_empty", date(2026, 8, 5)), ("catchup_beyond", date(2026, 8, 5))],
)
def test_a_page_that_says_that_there_is_nothing_is_empty(name: str, day: date) -> None:
    listing = read(recorded(name), url="https://arxiv.org/catchup/cs.CL/2026-08-05?abs=True&page=2")
    assert (listing.papers, listing.status, listing.declared) == ((), FetchStatus.OK_EMPTY, 0)
    assert (listing.day, listing.next) == (day, None)


def test_a_recent_page_without_any_paper_is_empty() -> None:
    empty = "<dl id='articles'><h3>Tue, 11 Aug 2026</h3><p>No updates for this time period.</p></dl>"
    listing = read(f"<html><body>{empty}</body></html>")
    assert (listing.day, listing.status, listing.declared) == (date(2026, 8, 11), FetchStatus.OK_EMPTY, 0)


def test_authors_may_be_unavailable_unlinked_or_cut_at_a_hundred() -> None:
    linked = re.compile(r"<div class='list-authors'>.*</div>")
    for shown, authors in (
        ("(author list is unavailable)", ()),
        ("Ada Example, Bo Sample", ("Ada Example", "Bo Sample")),
    ):
        text = linked.sub(f"<div class='list-authors'>{shown}</div>", recorded("new"), count=1)
        assert read(text).papers[0].authors == authors
    paper = read(listed(entry(1, links=100), showing="showing 1 of 1 entries")).papers[0]
    assert (len(paper.authors), paper.author_count) == (100, 0)


def test_an_and_that_was_linked_with_the_last_name_is_no_part_of_it() -> None:
    text = listed(entry(1, links=2), showing="showing 1 of 1 entries")
    text = text.replace(">Ada B. Example</a></div>", ">and Lev Holm</a>, <a>Ph.D.</a></div>")
    assert read(text).papers[0].authors == ("Ada B. Example", "Lev Holm")


def test_a_paper_that_stands_twice_is_kept_once_and_counted_twice() -> None:
    listing = read(listed(entry(1), entry(2, identifier="2608.00001"), showing="showing 2 of 2 entries"))
    assert ([paper.rank for paper in listing.papers], listing.status) == ([1], FetchStatus.OK)


def test_text_that_was_read_as_thai_is_restored() -> None:
    thai = recorded("new").encode().decode("cp874", errors="replace")
    assert read(thai).papers[0].authors[2] == "Zoë Müller-Probe"


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [recorded("bot_check"), "", " ", "<!-- -->", "x", "\0", "<html></html>"])
def test_a_page_without_entries_and_without_a_notice_is_blocked(text: str) -> None:
    with pytest.raises(Blocked):
        read(text)


@pytest.mark.parametrize("text", ["Rate exceeded.", "<html><body><p>Rate exceeded.</p></body></html>"])
def test_an_answer_that_asks_for_patience_is_throttled(text: str) -> None:
    with pytest.raises(Throttled):
        read(text)


def test_entries_without_ids_are_a_change_of_layout() -> None:
    text = re.sub(r"arXiv:[a-z0-9./]+", "", recorded("new").replace('href ="/abs/', 'data-paper="'))
    with pytest.raises(LayoutChanged, match="6 of 6 entries"):
        read(text)


def test_ids_are_found_in_the_text_of_the_link_when_its_address_changes() -> None:
    assert len(read(recorded("new").replace("/abs/", "/a/")).papers) == 6


@pytest.mark.parametrize("lost", ["</div>", "</dd>", "</dt>", "</dl>", "</p>", "</span>"])
def test_lost_ends_of_elements_cost_no_paper_and_mix_no_fields(lost: str) -> None:
    whole, damaged = read(recorded("new")), read(recorded("new").replace(lost, ""))
    assert [paper.ids for paper in damaged.papers] == [paper.ids for paper in whole.papers]
    assert [paper.title for paper in damaged.papers] == [paper.title for paper in whole.papers]
    assert [paper.authors for paper in damaged.papers] == [paper.authors for paper in whole.papers]


def test_one_entry_without_title_is_left_out_and_reported() -> None:
    listing = read(recorded("new").replace("Seven Ways to Fold a Corpus", ""))
    assert (listing.status, len(listing.papers), listing.rejected) == (FetchStatus.PARTIAL, 5, 1)
    assert listing.note == "1 of 6 entries had no arXiv id or no title and were left out"


def test_two_of_six_entries_without_title_are_a_change_of_layout() -> None:
    text = recorded("new").replace("Seven Ways to Fold a Corpus", "").replace("Weather as a Second Language", " ")
    with pytest.raises(LayoutChanged, match="2 of 6"):
        read(text)


def test_a_shortfall_is_partial_and_a_gross_one_a_change_of_layout() -> None:
    listing = read(listed(entry(1), entry(2), showing="showing 3 of 3 entries"))
    assert (listing.status, listing.declared, len(listing.papers)) == (FetchStatus.PARTIAL, 3, 2)
    assert listing.note == "the page declares 3 entries, but holds 2"
    for showing in ("showing 5 of 5 entries", "showing 0 of 0 entries"):
        with pytest.raises(LayoutChanged):
            read(listed(entry(1), entry(2), showing=showing))
    with pytest.raises(LayoutChanged, match="holds none"):
        read(listed(showing="showing 5 of 5 entries"))


def test_a_section_that_is_missing_is_found_by_the_total() -> None:
    listing = read(listed(entry(1), entry(2), showing="showing 2 of 2 entries", total=4))
    assert (listing.status, listing.declared) == (FetchStatus.PARTIAL, 4)


def test_a_notice_of_nothing_beside_a_total_is_a_contradiction() -> None:
    with pytest.raises(LayoutChanged):
        read(listed("<p>No updates today.</p>", total=7))


def test_a_page_without_any_count_is_read_but_not_trusted_to_be_whole() -> None:
    listing = read(listed(entry(1)))
    assert (listing.status, listing.declared, len(listing.papers)) == (FetchStatus.PARTIAL, None, 1)


def test_a_page_that_is_cut_in_its_last_entry_is_not_whole() -> None:
    text = recorded("new")
    listing = read(text[: text.index("This paper has been withdrawn.")])
    assert (listing.status, len(listing.papers)) == (FetchStatus.PARTIAL, 6)
    assert listing.note == "the page is cut before its end"


# -- what is asked next ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "first", "following"),
    [
        ("https://arxiv.org/list/cs/recent", 1, "https://arxiv.org/list/cs/recent?skip=2&show=2000"),
        ("https://arxiv.org/list/cs/recent?skip=2&show=2", 3, "https://arxiv.org/list/cs/recent?skip=4&show=2000"),
        ("https://arxiv.org/list/cs/recent?skip=4", 5, None),
        ("http://mirror.example:8080/list/cs/recent", 1, "http://mirror.example:8080/list/cs/recent?skip=2&show=2000"),
        ("https://arxiv.org/elsewhere", 1, None),
        ("file", 1, None),
        ("", 1, None),
    ],
)
def test_a_page_that_is_not_the_last_names_the_next_on_its_own_path(
    url: str, first: int, following: str | None
) -> None:
    held = [entry(first), entry(first + 1)][: 6 - first]
    listing = read(listed(*held, showing=f"showing {len(held)} of 5 entries", total=5, shown=2), url=url)
    assert (listing.next.url if listing.next else None) == following
    assert listing.papers[0].rank == first
    lost = url in {"https://arxiv.org/elsewhere", "file"}  # more is there, and these addresses do not lead to it
    assert listing.status is (FetchStatus.PARTIAL if lost else FetchStatus.OK)


LIST = "https://arxiv.org/list/cs/new"
FIFTY = [entry(number) for number in range(1, 51)]


@pytest.mark.parametrize(
    "head",
    [
        "",
        "<div>Total of 950 entries</div>",
        "<div>Showing up to <b>50</b> entries</div>",
        "<div>Total of <b>950</b> entries</div><div>Showing up to <b>50</b> entries per page</div>",
    ],
)
def test_a_page_goes_on_where_its_heading_or_its_total_says_so(head: str) -> None:
    text = listed(*FIFTY, showing="showing first 50 of 900 entries").replace("<dl", f"{head}<dl", 1)
    listing = read(text, url=LIST)
    assert (listing.status, listing.declared, len(listing.papers)) == (FetchStatus.OK, 50, 50)
    assert listing.next is not None
    assert listing.next.url == f"{LIST}?skip=50&show=2000"
    lost = read(text, url="https://mirror.example/elsewhere")
    assert (lost.status, lost.next, len(lost.papers)) == (FetchStatus.PARTIAL, None, 50)


def test_a_catch_up_page_whose_next_page_cannot_be_named_is_partial() -> None:
    text = listed(*FIFTY, showing="showing first 50 of 900 entries")
    listing = read(text, url="https://arxiv.org/catchup/cs/2026-08-05?abs=True")
    assert (listing.status, listing.next, len(listing.papers)) == (FetchStatus.PARTIAL, None, 50)
    assert "more entries follow than the 50 on the page" in listing.note


@pytest.mark.parametrize(
    ("showing", "follows"),
    [
        ("continued, showing 50 of 900 entries", True),
        ("continued, showing last 50 of 900 entries", False),
        ("showing 50 of 50 entries", False),
        ("showing first 50 of 50 entries", False),
    ],
)
def test_a_part_of_a_section_that_is_not_the_last_goes_on(showing: str, *, follows: bool) -> None:
    listing = read(listed(*FIFTY, showing=showing), url=LIST)
    assert (listing.status, listing.next is not None) == (FetchStatus.OK, follows)


def test_a_saved_page_that_names_no_step_and_goes_on_is_partial() -> None:
    listing = read(listed(*FIFTY, showing="showing first 50 of 900 entries"))
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)
    assert listing.note == "more entries follow than the 50 on the page, and nothing says where"


def test_a_catch_up_of_more_than_two_thousand_goes_on_by_page() -> None:
    entries = "".join(entry(number, links=8) for number in range(1, 2001))  # more links than Beautiful Soup is given
    text = recorded("catchup").replace("Total of 3 entries", "Total of 2,001 entries")
    text = re.sub(
        r"(?s)<dl.*</dl>",
        f"<dl id='articles'><h3>New submissions (showing first 2000 of 2001 entries)</h3>{entries}</dl>",
        text,
    )
    asked = "https://arxiv.org/catchup/cs/2026-08-05?abs=True"
    listing = read(text, url=asked)
    assert (listing.status, listing.declared, len(listing.papers)) == (FetchStatus.OK, 2000, 2000)
    assert listing.next is not None
    assert listing.next.url == f"{asked}&page=2"
    last = re.sub(r"(?s)<dl.*</dl>", listed(entry(2001), showing="continued, showing last 1 of 2001 entries"), text)
    listing = read(last, url=listing.next.url)
    assert (listing.status, listing.declared, listing.next) == (FetchStatus.OK, 1, None)
    assert [paper.rank for paper in listing.papers] == [2001]


def test_a_host_that_always_sends_its_first_page_is_not_followed() -> None:
    text = listed(entry(1), entry(2), showing="showing first 2 of 9 entries", total=9, shown=2)
    listing = read(text, url="https://arxiv.org/list/cs/recent?skip=2&show=2000")
    assert (listing.status, listing.next) == (FetchStatus.PARTIAL, None)


def test_a_total_beyond_belief_leads_to_an_end() -> None:
    url, asked = "https://arxiv.org/list/cs/recent", 0
    while url:
        text = listed(entry(1 + asked * 2000), showing="showing 1 of 1 entries", total=9_999_999)
        with suppress(LayoutChanged):
            listing = read(text.replace("2000 entries per page", "1 entries per page"), url=url)
        url, asked = listing.next.url if listing.next and asked < 20 else "", asked + 1
    assert asked <= 20


def test_a_page_of_264_entries_takes_far_less_than_half_a_second() -> None:
    text = listed(*map(entry, range(1, 265)), showing="showing 264 of 264 entries")
    assert len(read(text).papers) == 264
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 0.25


# -- the samples -------------------------------------------------------------------------------------------------------


@needs_samples
@pytest.mark.parametrize(
    ("name", "category", "day", "announced"),
    [
        ("polaris_arxiv_listing_sample", "cs.AI", date(2026, 8, 12), {NEW: 2, CROSS: 2, REPLACE: 2}),
        ("rendered_db__list__cs__new", "cs", date(2011, 2, 3), {NEW: 1, CROSS: 1}),
        ("rendered_db__list__math__new", "math", date(2011, 2, 3), {NEW: 1, CROSS: 1, REPLACE: 3, REPLACE_CROSS: 1}),
        ("rendered_db__list__math__recent", "math", date(2011, 2, 3), {NEW: 3, CROSS: 2}),
        (
            "rendered_fs__list__astro-ph.HE__new",
            "astro-ph.HE",
            date(2023, 3, 3),
            {NEW: 12, CROSS: 6, REPLACE: 4, REPLACE_CROSS: 5},
        ),
        ("rendered_fs__list__astro-ph__recent", "astro-ph", date(2023, 3, 3), {NEW: 50}),
        ("rendered_fs__list__math.AG__new", "math.AG", date(2023, 6, 9), {CROSS: 1, REPLACE_CROSS: 1}),
    ],
)
def test_the_samples_are_read_in_full(name: str, category: str, day: date, announced: dict[Announcement, int]) -> None:
    text = (SAMPLES / f"{name}.html").read_text()
    assert looks_like_list(text)
    listing = read(text, category=category, url=f"https://arxiv.org/list/{category}/recent")
    assert (listing.day, listing.status, listing.note) == (day, FetchStatus.OK, "")
    assert Counter(paper.announcement for paper in listing.papers) == announced
    assert listing.declared == len(listing.papers) == sum(announced.values())
    assert all(paper.title and paper.authors and paper.categories and paper.ids.arxiv for paper in listing.papers)
    assert (listing.next is not None) == (name == "rendered_fs__list__astro-ph__recent")


@needs_samples
def test_the_sample_of_recent_papers_has_the_days_of_its_headings() -> None:
    listing = read((SAMPLES / "rendered_db__list__math__recent.html").read_text())
    days = Counter(paper.day for paper in listing.papers)
    assert days == {date(2011, 2, 3): 2, date(2011, 2, 2): 1, date(2011, 2, 1): 1, date(2011, 1, 28): 1}
    assert "Linsheng Zhu" in {
        name
        for paper in read((SAMPLES / "rendered_db__list__math__new.html").read_text()).papers
        for name in paper.authors
    }
    first = read((SAMPLES / "polaris_arxiv_listing_sample.html").read_text()).papers[0]
    assert (first.ids.arxiv, first.version, first.authors) == ("2608.09949", 1, ("Serge Kernbach",))
