"""Feeds of anyone: what is read of each kind, what a hostile or damaged one comes to, and how long it takes."""

import csv
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CollectError, LayoutChanged, Throttled
from domain.papers import AbstractKind, Announcement, FetchStatus, Listing
from scrapers.feed_page import looks_like_feed, read_feed
from scrapers.feed_text import plain_text, without_figures
from scrapers.feeds import FeedSource
from scrapers.source import Page, Visit

DAY = date(2026, 3, 5)
PAGES = Path(__file__).parent / "pages" / "feeds"
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SAMPLES = SHARED / "samples" / "arxiv" / "rss"
needs_samples = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")

RSS = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>x</title>'
END = "</channel></rss>"
WORDS = "word " * 40
ATTRIBUTES = " ".join(f'a{number}="1"' for number in range(60_000))


def read(body: str | bytes, content_type: str = "", address: str = "https://site.example/a/feed") -> Listing:
    body = body.encode() if isinstance(body, str) else body
    return read_feed(body, content_type, source="x", day=DAY, visited=DAY, address=address)


def recorded(name: str) -> Listing:
    return read((PAGES / name).read_bytes())


def item(number: int, inside: str = "") -> str:
    return f"<item><title>Paper {number}</title><link>https://site.example/{number}</link>{inside}</item>"


def feed(*items: str) -> str:
    return RSS + "".join(items) + END


def test_a_blog_is_read_with_its_content_where_the_summary_is_cut() -> None:
    listing = recorded("blog.rss.xml")
    assert (listing.status, listing.day, listing.source, len(listing.papers)) == (FetchStatus.OK, DAY, "x", 3)
    first, liked, bare = listing.papers
    assert first.title == "AT&T, E. coli and p < 0.05"
    assert first.url == "https://laboratory.example/2026/03/att/?page=2#comments"
    assert first.abstract.startswith("We counted every colony twice. The second count agrees")
    assert "track" not in first.abstract
    assert "were larger & fewer" in first.abstract
    assert first.abstract_kind is AbstractKind.AUTHORS
    assert first.authors == ("Ada Moss",)
    assert first.categories == ("Methods", "Statistics")
    assert first.published == date(2026, 3, 4)  # in the zone that it is written in
    assert (liked.ids.arxiv, liked.authors, liked.abstract_kind) == ("2603.01234", ("Bo Reed",), AbstractKind.NONE)
    assert (bare.ids.strongest, bare.url, bare.rank) == (None, "", 3)


def test_a_journal_feed_gives_dois_authors_and_no_teaser_as_abstract() -> None:
    slow, salt, copper = recorded("journal.rss.xml").papers
    assert slow.title == "Slow Water on Warm H2O Ice"
    assert (slow.ids.doi, slow.abstract) == ("10.1021/acs.invented.6c00017", "")
    assert slow.authors == ("Ada Moss", "Bo Reed", "Cy Fell")
    assert salt.url == "https://www.sciencedirect.example/science/article/pii/S0000000026000017"
    assert (salt.authors, salt.abstract) == (("D. Lamb", "E. van Ness"), "")
    assert salt.journal == "Journal of Salts, Volume 12"
    assert (copper.ids.doi, copper.journal) == ("10.1002/inv.202600017", "Invented Materials")
    assert copper.authors == ("Ada Moss", "Bo Reed")
    assert copper.published == date(2026, 3, 2)
    assert copper.url == "https://onlinelibrary.example/doi/10.1002/inv.202600017"


def test_an_rdf_feed_gives_its_dc_and_prism_fields() -> None:
    valleys, wind = recorded("journal.rdf.xml").papers
    assert valleys.ids.doi == "10.1038/s41000-026-00001-2"
    assert valleys.authors == ("Ada Moss", "Bo Reed", "Cy Moss")
    assert (valleys.published, valleys.journal) == (date(2026, 3, 3), "Invented Quarterly")
    assert (valleys.abstract, valleys.abstract_kind) == ("Valleys are quieter than maps suggest.", AbstractKind.NONE)
    assert wind.abstract.startswith("We follow the price")
    assert (wind.abstract_kind, wind.categories) == (AbstractKind.AUTHORS, ("Economics",))


def test_a_biorxiv_feed_loses_its_figures() -> None:
    (vole,) = recorded("biorxiv.rdf.xml").papers
    assert vole.ids.doi == "10.1101/2026.03.01.700001"
    assert vole.authors == ("A. Moss", "B. C. Reed", "E. van Ness")
    assert vole.url == "http://biorxiv.org/cgi/content/short/2026.03.01.700001v1"
    assert vole.abstract.endswith("another vole is near. Highlights Voles sleep. Snow helps.")
    assert vole.published == date(2026, 3, 3)


def test_a_saved_search_of_pubmed_gives_abstract_and_doi() -> None:
    hands, letter = recorded("pubmed.rss.xml").papers
    assert hands.ids.doi == "10.1016/j.invented.2026.03.001"
    assert hands.url == "https://pubmed.ncbi.nlm.nih.gov/49999901/"
    assert hands.abstract.startswith("Voles keep their hands cold.")
    assert hands.abstract.endswith("in most of them.")
    assert (letter.ids.doi, letter.abstract) == ("10.1016/j.invented.2026.03.002", "")


def test_an_atom_feed_is_read_with_relative_links_and_markup_as_content() -> None:
    counting, two = recorded("notes.atom.xml").papers
    assert counting.title == "Counting backwards with <think> tags"
    assert counting.url == "https://institute.example/notes/17.html"
    assert counting.abstract.startswith("We count backwards from every number up to a thousand, in eleven languages")
    assert counting.authors == ("Ada Moss", "Bo Reed")
    assert (counting.published, counting.categories) == (date(2026, 3, 3), ("cs.DS",))
    assert (two.title, two.ids.arxiv, two.ids.doi) == ("Two ids, one work", "2603.00042", "10.5555/2603.42")


def test_an_empty_feed_is_empty_and_no_failure() -> None:
    assert recorded("empty.rss.xml").status is FetchStatus.OK_EMPTY


def test_a_web_page_is_told_apart_and_its_feed_is_named() -> None:
    with pytest.raises(LayoutChanged, match=r"web page.*https://site\.example/quarterly\.rss\?x=1&y=2 as its feed"):
        recorded("page.html")
    with pytest.raises(LayoutChanged, match=r"a web page, not with a feed$"):
        read("<html><body><a href=/feed>feed</a></body></html>")


def test_words_that_ask_for_patience_are_throttling() -> None:
    with pytest.raises(Throttled):
        read("Rate exceeded.")


@pytest.mark.parametrize(
    "body", ["", " \n", "%PDF-1.7", "{}", "<svg/>", "<feed/>", "<RDF></RDF>", '<opml version="2.0"/>']
)
def test_what_is_no_feed_is_refused(body: str) -> None:
    assert not looks_like_feed(body)
    with pytest.raises(LayoutChanged, match="feed"):
        read(body)


def test_a_feed_is_known_by_its_root() -> None:
    assert looks_like_feed("\ufeff\n<?xml version='1.0'?><!-- <html> --><!DOCTYPE rss [<!ENTITY a 'b>'>]>" + feed())
    assert looks_like_feed((PAGES / "journal.rdf.xml").read_text())
    assert looks_like_feed('<a:feed xmlns:a="http://www.w3.org/2005/Atom"></a:feed>')


# -- damage ------------------------------------------------------------------------------------------------------------


def test_a_cut_feed_gives_what_stands_before_the_cut() -> None:
    whole = feed(*(item(number) for number in range(5)))
    listing = read(whole[: whole.index("Paper 3")])
    assert (listing.status, len(listing.papers), listing.rejected) == (FetchStatus.PARTIAL, 3, 1)
    assert "breaks off after 3" in listing.note
    between = read(whole[: whole.index("<item><title>Paper 3")])
    assert (between.status, len(between.papers), between.rejected) == (FetchStatus.PARTIAL, 3, 0)
    with pytest.raises(LayoutChanged, match="before its first"):
        read(RSS + "<item><title>a")
    with pytest.raises(LayoutChanged, match="before its first"):
        read(RSS)


def test_one_damaged_entry_costs_itself_alone() -> None:
    listing = read(feed(item(1), item(2, "<b><i></b></i>"), item(3)))
    assert (listing.status, [paper.rank for paper in listing.papers], listing.rejected) == (
        FetchStatus.PARTIAL,
        [1, 2],
        1,
    )
    with pytest.raises(LayoutChanged, match="2 of the feed's 3"):
        read(feed(item(1), item(2, "<b>"), item(3, "<b>")))


def test_a_namespace_that_no_xml_can_have_costs_its_entry_alone() -> None:
    listing = read(feed(item(1), item(2, '<title xmlns:p="u" xmlns:q="u" p:a="1" q:a="2">B</title>'), item(3)))
    assert (listing.status, len(listing.papers), listing.rejected) == (FetchStatus.PARTIAL, 2, 1)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://site.example/café?x=ü", "https://site.example/caf%C3%A9?x=%C3%BC"),
        ("https://café.example/", ""),
        ("javascript:alert(1)", ""),
        ("http://[", ""),
        ("https://site.example/?from=Rome&amp;ref=rss&amp;rss=1&amp;gclid=x#rss", "https://site.example/?from=Rome"),
    ],
)
def test_a_link_is_kept_only_if_it_can_be_followed(link: str, url: str) -> None:
    (paper,) = read(feed(f"<item><title>A</title><link>{link}</link></item>")).papers
    assert paper.url == url


def test_an_entry_without_a_title_is_rejected() -> None:
    listing = read(feed(item(1), "<item><link>https://site.example/2</link></item>"))
    assert (listing.status, len(listing.papers), listing.rejected) == (FetchStatus.PARTIAL, 1, 1)
    with pytest.raises(LayoutChanged, match="1 of the feed's 1"):
        read(feed("<item><title> &lt;br/&gt; </title></item>"))


def test_what_writers_of_feeds_forget_is_mended() -> None:
    inside = "<description>Salt & p < 1 &nbsp;&eacute;&copy; a<br>b &unknown;</description><media:x>1</media:x>"
    listing = read(feed(item(1, inside), item(2, "<prism:doi>10.5555/17</prism:doi><bell>\x07</bell>")))
    assert (listing.status, len(listing.papers)) == (FetchStatus.OK, 2)
    assert listing.papers[0].abstract == "Salt & p < 1 é© a b &unknown;"
    assert listing.papers[1].ids.doi == "10.5555/17"  # although no one declared "prism"


def test_an_entry_that_stands_twice_is_one_paper() -> None:
    link = "<link>https://site.example/1?rss=1</link>"
    listing = read(feed(item(1), f"<item><title>PAPER 1</title>{link}</item>", item(2), item(1)))
    assert [paper.title for paper in listing.papers] == ["Paper 1", "Paper 2"]


def test_an_error_in_a_feeds_clothes_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="Feed error for query: x"):
        read("<rss version='2.0'><channel><title>Feed error for query: x</title></channel></rss>")
    error = "<entry><id>http://arxiv.org/api/errors#bad</id><title>Error</title></entry>"
    with pytest.raises(LayoutChanged, match="1 of the feed's 1"):
        read(f'<feed xmlns="http://www.w3.org/2005/Atom">{error}</feed>')


def test_entities_are_neither_expanded_nor_fetched() -> None:
    bomb = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 20))
    head = f'<!DOCTYPE x [<!ENTITY b0 "ha">{bomb}<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    listing = read(head + feed("<item><title>&b19; and &f; stay</title></item>"))
    assert [paper.title for paper in listing.papers] == ["&b19; and &f; stay"]


@pytest.mark.parametrize(
    ("charset", "declared", "header"),
    [
        ("utf-8", "iso-8859-1", "application/rss+xml; charset=ISO-8859-1"),
        ("utf-8", "utf-8", "text/xml"),
        ("utf-8-sig", "utf-8", "text/html; charset=windows-874"),
        ("iso-8859-1", "iso-8859-1", "application/xml"),
        ("windows-1252", "utf-8", "application/xml; charset=windows-1252"),
        ("utf-16", "utf-16", "application/xml"),
        ("utf-16-le", "utf-16", "application/xml; charset=utf-8"),
        ("utf-32", "utf-32", ""),
        ("utf-8", "punycode", "text/xml; charset=idna"),
    ],
)
def test_a_feed_is_read_in_its_charset_whatever_the_header_says(charset: str, declared: str, header: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>' + feed("<item><title>Éric Müller’s café</title></item>")
    if charset == "iso-8859-1":
        text = text.replace("’", "'")
    (paper,) = read(text.encode(charset), header).papers
    assert paper.title.replace("'", "’") == "Éric Müller’s café"


def test_bytes_of_no_charset_still_give_papers() -> None:
    (paper,) = read(feed("<item><title>caf? noir</title></item>").encode().replace(b"?", b"\xe9")).papers
    assert paper.title == "caf\ufffd noir"


# -- the source --------------------------------------------------------------------------------------------------------

SOURCE = FeedSource("a journal", "https://site.example/feed?jc=7", timedelta(hours=6))
VISIT = Visit(day=DAY, newest=DAY, since=DAY - timedelta(days=7))


def page(body: bytes, content_type: str) -> Page:
    at = datetime(2026, 3, 5, 9, tzinfo=UTC)
    return Page("https://site.example/feed", 200, {"content-type": content_type}, body, at)


def test_the_source_asks_for_its_own_address_once() -> None:
    (request,) = SOURCE.requests(VISIT)
    assert (request.url, request.pace, request.is_page) == (SOURCE.url, 1.0, True)
    assert "application/feed+json" in request.accept
    assert (SOURCE.label, SOURCE.kind, SOURCE.calendar.is_dated) == ("a journal", "feed", False)
    (near,) = FeedSource("x", "http://127.0.0.1:8000/feed", timedelta(1)).requests(VISIT)
    assert near.pace == 0


def test_the_source_reads_either_kind_whatever_the_header_says() -> None:
    rss = SOURCE.parse(page((PAGES / "blog.rss.xml").read_bytes(), "text/html"), VISIT)
    assert (rss.source, rss.day, len(rss.papers)) == ("a journal", DAY, 3)
    items = SOURCE.parse(page((PAGES / "feed.json").read_bytes(), "application/xml"), VISIT)
    assert (items.source, items.day, len(items.papers)) == ("a journal", DAY, 2)


# -- arXiv's feeds, as anybody's ---------------------------------------------------------------------------------------

COUNTS = {
    "serialized_atom_cs.CL_2025-05-12.xml": 38,
    "serialized_atom_cs.CL_2025-05-13.xml": 85,
    "serialized_rss_cs.CL_2025-05-12.xml": 38,
    "serialized_rss_cs.CL_2025-05-13.xml": 85,
    "serialized_rss_cs.CL_2025-05-14.xml": 82,
    "serialized_rss_cs.CL_2025-05-15.xml": 31,
    "serialized_rss_cs.CL_2025-05-16.xml": 61,
    "serialized_rss_cs.CL_2025-05-17_weekend_empty.xml": 0,
    "zotero_arxiv_daily_atom_cs.AI_2025-08-20.xml": 7,
}


@needs_samples
@pytest.mark.parametrize("name", COUNTS)
def test_each_sample_is_read_whole(name: str) -> None:
    listing = read((SAMPLES / name).read_bytes())
    assert (len(listing.papers), listing.rejected) == (COUNTS[name], 0)
    assert listing.status is (FetchStatus.OK if COUNTS[name] else FetchStatus.OK_EMPTY)
    for paper in listing.papers:
        assert paper.ids.arxiv
        assert paper.url == f"https://arxiv.org/abs/{paper.ids.arxiv}"
        assert paper.authors
        assert not paper.abstract.startswith(("arXiv:", "Abstract"))
        assert paper.published is None
        replaced = paper.announcement in {Announcement.REPLACE, Announcement.REPLACE_CROSS}
        assert paper.only_if_known is replaced


@needs_samples
def test_the_sample_of_an_error_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="Feed error"):
        read((SAMPLES / "serialized_rss_error_cs.ZZ.xml").read_bytes())


@needs_samples
def test_the_abstracts_of_the_biorxiv_sample_are_read_whole() -> None:
    with (SAMPLES.parents[1] / "biorxiv" / "biorecap_example_preprints.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    fields = (("title", "title"), ("link", "url"), ("description", "abstract"))
    listing = read(
        feed(
            *(
                f"<item>{''.join(f'<{name}>{escape(row[column])}</{name}>' for name, column in fields)}</item>"
                for row in rows
            )
        )
    )
    assert (listing.status, len(listing.papers)) == (FetchStatus.OK, 60)
    assert all(paper.abstract_kind is AbstractKind.AUTHORS for paper in listing.papers)
    assert not any("?rss=1" in paper.url for paper in listing.papers)


# -- hostility ---------------------------------------------------------------------------------------------------------


def test_a_feed_of_a_hundred_thousand_entries_is_read_in_part_and_in_good_time() -> None:
    body = feed(*(item(number, f"<description>{WORDS}</description>") for number in range(100_000)))
    started = time.process_time()
    listing = read(body)
    assert time.process_time() - started < 8
    assert (listing.status, len(listing.papers)) == (FetchStatus.PARTIAL, 2_000)
    assert listing.note == "only the first 2,000 of 100,000 entries were read"


@pytest.mark.parametrize(
    "body",
    [
        "\n" * 500_000 + feed(),
        "<!--" * 200_000,
        RSS + "<!--" * 200_000,
        RSS + "<item><![CDATA[" * 60_000,
        RSS + "<item>" * 100_000,
        feed("<item><b></item>" * 50_000),
        feed("<item>" + "<a>" * 150_000),
        feed("<item>" + "<" * 300_000 + "</item>"),
        feed(item(1, f"<dc:creator>{'a' * 190_000}</dc:creator>")),
        feed(item(1, f"<dc:creator>{('a' * 90 + ' ') * 2_000}</dc:creator>") * 5),
        feed(item(1, "".join(f"<category>{n}</category>" for n in range(30_000)))),
        feed(item(1, "".join(f"<dc:creator>A {n}</dc:creator>" for n in range(30_000)))),
        feed(*(f'<item xmlns:p{n}="u{n}"><title>a</title><p{n}:x/></item>' for n in range(10_000))),
        feed(item(1, f"<x {ATTRIBUTES}/>")),
        f"<rss {ATTRIBUTES}>{END}",
        feed(item(1, f"<description><![CDATA[{'<script>' * 50_000}]]></description>")),
        feed(item(1, "<description><![CDATA[" + '<a b="' * 60_000 + "]]></description>")),
        feed(item(1, f"<description>{'O_FIG ' * 60_000}</description>")),
        feed(item(1, f"<description>{'&amp;#' + '9' * 190_000};</description>")),
        "<html>" + "<link rel=alternate " * 60_000,
    ],
    ids=range(20),
)
def test_a_hostile_feed_costs_little(body: str) -> None:
    started = time.process_time()
    with suppress(CollectError):
        read(body)
    assert time.process_time() - started < 2


FIXTURES = sorted(path.name for path in PAGES.glob("*.xml"))


def is_sound(body: bytes) -> None:
    """Any bytes give a listing of papers with titles, or a CollectError."""
    try:
        listing = read(body)
    except CollectError:
        return
    assert all(paper.title for paper in listing.papers)
    assert [paper.rank for paper in listing.papers] == list(range(1, len(listing.papers) + 1))
    assert all(paper.url.startswith(("http://", "https://", "")) for paper in listing.papers)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_no_cut_or_flip_of_a_feed_breaks_the_reader(name: str, data: st.DataObject) -> None:
    body = bytearray((PAGES / name).read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.sampled_from(b"<>&\"'/=]![? \0\n0aZ:;\xe9\xff"))
    start, end = sorted((data.draw(st.integers(0, len(body))), data.draw(st.integers(0, len(body)))))
    is_sound(bytes(body[:start] + body[end:]) if data.draw(st.booleans()) else bytes(body[:end]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                (
                    "title",
                    "link",
                    "guid",
                    "author",
                    "dc:creator",
                    "pubDate",
                    "dc:date",
                    "description",
                    "category",
                    "x:y",
                )
            ),
            st.text(max_size=60),
        ),
        max_size=8,
    )
)
def test_no_field_breaks_the_reader(fields: list[tuple[str, str]]) -> None:
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in fields)
    is_sound(feed(f"<item><title>A</title>{inside}</item>").encode(errors="replace"))


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two<br/>three</p>", "One two three"),
        ("H<sub>2</sub>O is <i>wet</i>", "H2O is wet"),
        ("<jats:p>A <mml:math><mml:mi>x</mml:mi></mml:math></jats:p>", "A x"),
        ("if a < b then <think> and </a> <EOS>", "if a < b then <think> and <EOS>"),
        ("x<script>a > b</SCRIPT >y<!-- <p> -->z", "x yz"),
        ('<img alt="a > b" src=x>cut <a href="', 'cut <a href="'),
        ("&amp;lt; &eacute; &#233; &#99999999999;", "&lt; é é"),
        ("รฉ stays, Leguรฉry does not", "รฉ stays, Leguéry does not"),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_the_marks_of_biorxiv_are_taken_out() -> None:
    said = "MotivationO_ST_ABSWhyC_ST_ABSBecause of O_SCPLOWTP53C_SCPLOW. O_FIG x C_FIG O_TBL y M_TBL C_TBL End."
    assert without_figures(said) == "Motivation Why Because of TP53. End."
    assert without_figures("O_FIG that nothing closes") == "that nothing closes"
