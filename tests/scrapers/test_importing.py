"""Saved files: what a file is is told by its content, and what cannot be read is named in a sentence."""

import codecs
import contextlib
import gzip
import html
import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import (
    Blocked,
    CollectError,
    LayoutChanged,
    PermanentCollectError,
    RefusedAnswer,
    Throttled,
    UsageError,
)
from domain.papers import Announcement, FetchStatus, Listing
from scrapers.detecting import TEXTS
from scrapers.importing import KINDS, read_file

CAPTURES = Path(__file__).parent / "captures"
MAILS = Path(__file__).parent / "mails"
DAY = date(2026, 3, 20)
RECORDS = b'{"title": "One", "listed": "2026-01-01"}\n{"title": "Two"}\n'


def read(data: bytes, *, kind: str | None = None, backlog: bool | None = None, day: date = DAY) -> list[Listing]:
    return list(read_file("saved.file", data, day=day, kind=kind, backlog=backlog))


def page(*, query: str = "", charset: str = "utf-8", title: str = "Lantern", **says: object) -> bytes:
    listed = "2026-03-17T00:00:00.000Z"
    paper = {"id": "2603.01234", "title": title, "summary": "At night.", "authors": [], "submittedOnDailyAt": listed}
    item = {"paper": paper, "title": title}
    props = {
        "dailyPapers": [item],
        "searchResults": [item, {"paper": {"id": "2603.01235", "title": "Tide"}}],
        "dateString": "2026-03-18",
        "query": {"q": query} if query else {},
        **says,
    }
    blob = html.escape(json.dumps(props, ensure_ascii=False))
    text = f'<!doctype html><meta charset="{charset}"><div data-target="DailyPapers" data-props="{blob}"></div>'
    return text.encode(charset)


ABSTRACT_PAGE = b"""<!DOCTYPE html><html><head><meta name="citation_title" content="Lantern" />
<meta name="citation_arxiv_id" content="2603.01234" /><meta name="citation_date" content="2026/03/02" /></head><body>
<h1 class="title mathjax"><span class="descriptor">Title:</span>Lantern</h1>
<blockquote class="abstract mathjax"><span class="descriptor">Abstract:</span>At night.</blockquote></body></html>"""
LIST_PAGE = b"""<!DOCTYPE html><html><body><div id='dlpage'><h1>Computation and Language</h1>
<h3>Showing new listings for Wednesday, 18 March 2026</h3><div class='paging'>Total of 1 entries</div>
<dl id='articles'><h3>New submissions (showing 1 of 1 entries)</h3><dt><a name='item1'>[1]</a>
<a href ="/abs/2603.01234" title="Abstract" id="2603.01234"> arXiv:2603.01234 </a></dt><dd><div class='meta'>
<div class='list-title mathjax'><span class='descriptor'>Title:</span> Lantern</div>
<div class='list-authors'><a href="https://arxiv.org/search/?query=Holm">Anna Holm</a></div>
<p class='mathjax'>At night.</p></div></dd></dl></div></body></html>"""
ARXIV_FEED = b"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>
<title>cs.CL updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.CL</link>
<lastBuildDate>Wed, 18 Mar 2026 04:00:00 +0000</lastBuildDate><pubDate>Wed, 18 Mar 2026 00:00:00 -0400</pubDate>
<item><title>Lantern</title><link>https://arxiv.org/abs/2603.01234</link>
<description>arXiv:2603.01234v1 Announce Type: new&#10;Abstract: At night.</description>
<guid isPermaLink="false">oai:arXiv.org:2603.01234v1</guid><category>cs.CL</category>
<pubDate>Wed, 18 Mar 2026 00:00:00 -0400</pubDate><arxiv:announce_type>new</arxiv:announce_type>
<dc:creator>Anna Holm</dc:creator></item></channel></rss>"""
ARXIV_API = b"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns="http://www.w3.org/2005/Atom"><id>https://arxiv.org/api/abc</id><title>arXiv Query: id_list=2603.01234</title>
<updated>2026-03-18T00:00:00Z</updated><opensearch:totalResults>1</opensearch:totalResults>
<opensearch:startIndex>0</opensearch:startIndex><opensearch:itemsPerPage>10</opensearch:itemsPerPage>
<entry><id>http://arxiv.org/abs/2603.01234v1</id><title>Lantern</title><updated>2026-03-02T00:00:00Z</updated>
<summary>At night.</summary><published>2026-03-02T00:00:00Z</published><author><name>Anna Holm</name></author>
<category term="cs.CL"/></entry></feed>"""
FEED = """<?xml version="1.0" encoding="ENCODING"?><rss version="2.0"><channel><title>A journal</title>
<link>https://journal.example/</link><description>Of nights</description><item><title>Café</title>
<link>https://journal.example/1</link><guid>https://journal.example/1</guid></item></channel></rss>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "A journal",
        "items": [{"id": "1", "url": "https://journal.example/1", "title": "Lantern"}],
    }
).encode()
PREPRINT = {
    "doi": "10.1101/2026.03.17.123456",
    "title": "Lantern",
    "authors": "Holm, A.; Moss, L.",
    "date": "2026-03-17",
    "version": "1",
    "category": "neuroscience",
    "abstract": "At night.",
    "published": "NA",
}
PAPER = {
    "id": "2603.01234",
    "authors": [{"name": "Anna Holm"}],
    "publishedAt": "2026-03-02T00:00:00.000Z",
    "title": "Lantern",
    "summary": "At night.",
    "upvotes": 3,
}


def preprints(server: str, *, indent: int | None = None) -> bytes:
    answer = {"messages": [{"status": "ok", "count": 1}], "collection": [{**PREPRINT, "server": server}]}
    return json.dumps(answer, indent=indent).encode()


@pytest.mark.parametrize(
    ("data", "kind", "source", "count", "day"),
    [
        (page(), "huggingface-daily", "huggingface-daily", 1, date(2026, 3, 18)),
        (page(query="night"), "huggingface-search", "huggingface-search", 2, DAY),
        (page(isTrending=True), "huggingface-trending", "huggingface-trending", 1, DAY),
        (page(periodType="week"), "huggingface-week", "huggingface-week", 1, DAY),
        (page(periodType="month", isTrending=False), "huggingface-month", "huggingface-month", 1, DAY),
        (json.dumps(PAPER).encode(), "huggingface-api", "huggingface-paper", 1, DAY),
        (json.dumps(PAPER, indent=1).encode(), "huggingface-paper", "huggingface-paper", 1, DAY),
        (json.dumps([{"paper": PAPER, "title": "Lantern"}]).encode(), "huggingface-api", "huggingface-search", 1, DAY),
        (ABSTRACT_PAGE, "arxiv-abstract", "arxiv-abstract", 1, DAY),
        (LIST_PAGE, "arxiv-listing", "arxiv-listing", 1, date(2026, 3, 18)),
        (ARXIV_FEED, "arxiv-feed", "arxiv-feed", 1, date(2026, 3, 18)),
        (ARXIV_API, "arxiv-api", "arxiv-api", 1, DAY),
        ((MAILS / "arxiv.txt").read_bytes(), "arxiv-mail", "arxiv-mail", 8, date(2026, 3, 13)),
        (FEED.replace("ENCODING", "utf-8").encode(), "feed", "feed", 1, DAY),
        (JSON_FEED, "feed", "feed", 1, DAY),
        (preprints("biorxiv"), "biorxiv", "biorxiv", 1, DAY),
        (preprints("medRxiv", indent=2), "medrxiv", "medrxiv", 1, DAY),
        ((CAPTURES / "footers.txt").read_bytes(), "huggingface-capture", "huggingface-capture", 5, date(2026, 2, 9)),
        ((CAPTURES / "keyword.txt").read_bytes(), "keyword-capture", "keyword-capture", 5, DAY),
        (b'{"title": "One"}', "records", "records", 1, DAY),
        (b'\n{"title": "One"}', "records", "records", 1, DAY),
    ],
)
def test_each_kind_is_told_by_its_content(data: bytes, kind: str, source: str, count: int, day: date) -> None:
    backlog = kind == "records"
    for saved in (data, gzip.compress(data, mtime=0), b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n")):
        (listing,) = read(saved)
        assert (listing.source, len(listing.papers), listing.day, listing.backlog) == (source, count, day, backlog)
        assert listing.status is FetchStatus.OK
    (told,) = read(data, kind=kind)
    assert told.papers == read(data)[0].papers
    assert [listing.backlog for listing in read(data, backlog=not backlog)] == [not backlog]


def test_what_is_surest_is_tried_first_and_no_text_is_of_two_kinds() -> None:
    texts = [ABSTRACT_PAGE, LIST_PAGE, ARXIV_FEED, ARXIV_API, preprints("biorxiv"), JSON_FEED, page(), FEED.encode()]
    texts += [
        (MAILS / "arxiv.txt").read_bytes(),
        *((CAPTURES / f"{name}.txt").read_bytes() for name in ("wrapped", "keyword")),
    ]
    found = [[kind.names[0] for kind in TEXTS if kind.looks_like(text.decode())] for text in texts]
    assert [names[0] for names in found] == [
        "arxiv-abstract",
        "arxiv-listing",
        "arxiv-feed",
        "arxiv-api",
        "biorxiv",
        "feed",
        "huggingface-daily",
        "feed",
        "arxiv-mail",
        "huggingface-capture",
        "keyword-capture",
    ]
    assert [names[1:] for names in found if names[1:]] == [["feed"]] * 2, "arXiv's feeds are feeds too"


def test_the_kinds_have_the_names_that_the_manual_gives() -> None:
    assert set(KINDS) == {
        *("huggingface-daily", "huggingface-week", "huggingface-month", "huggingface-trending", "huggingface-search"),
        *("huggingface-paper", "huggingface-api", "huggingface-capture", "keyword-capture", "records"),
        *("arxiv-listing", "arxiv-abstract", "arxiv-feed", "arxiv-api", "arxiv-mail", "feed", "biorxiv", "medrxiv"),
    }
    assert len(KINDS) == len(set(KINDS))


# -- JSON lines, or one JSON document ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "source", "titles"),
    [
        (json.dumps({**PAPER, "abstract": "x"}).encode() + b'\n{"title": "Two"}\n', "records", ["Lantern", "Two"]),
        (preprints("biorxiv") + b'\n{"title": "Two"}\n', "records", ["Two"]),
        (b'{"title": "On\n{"title": "Two"}\n', "records", ["Two"]),
        (b'{"title": "One"}\n\n\n', "records", ["One"]),
        (json.dumps(PAPER).encode() + b"\n", "huggingface-paper", ["Lantern"]),
        (preprints("biorxiv") + b"\n\n", "biorxiv", ["Lantern"]),
        (json.dumps({"title": "A page", "abstract": LIST_PAGE.decode()}).encode(), "records", ["A page"]),
    ],
)
def test_json_lines_are_told_from_one_document(data: bytes, source: str, titles: list[str]) -> None:
    (listing,) = read(data)
    assert (listing.source, [paper.title for paper in listing.papers]) == (source, titles)


@pytest.mark.parametrize(
    "data",
    [
        b'[{"title": "One"}]',
        json.dumps({"title": "One", "abstract": "At night."}, indent=1).encode(),
        json.dumps({"papers": [{"title": "One"}]}, indent=0).encode(),
        b'{"papers": [\n {"title": "One"}\n]}',
        b'{"url": "https://arxiv.example/", "body": ' + json.dumps(ARXIV_API.decode()).encode() + b"}",
        b"[]",
        b"{}",
        b"[1, 2]",
    ],
)
def test_other_json_is_not_taken_for_lines(data: bytes) -> None:
    if data == b"[]":  # what the Hugging Face API answers where there is nothing
        assert read(data)[0].status is FetchStatus.OK_EMPTY
        return
    with pytest.raises(
        PermanentCollectError, match="it is JSON, but no answer of a known API; records stand one a line"
    ):
        read(data)


def test_records_of_several_days_keep_their_order_and_their_days() -> None:
    (listing,) = read(RECORDS)
    assert [(paper.day, paper.title) for paper in listing.papers] == [(date(2026, 1, 1), "One"), (DAY, "Two")]
    assert listing.day == DAY


def test_a_wrong_kind_is_refused_at_once_with_the_legal_ones() -> None:
    with pytest.raises(UsageError) as refusal:
        read_file("saved.file", b"", day=DAY, kind="novel", backlog=None)
    assert str(refusal.value) == f"kind must be one of {', '.join(KINDS)}, not 'novel'"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_than_told_is_refused(kind: str) -> None:
    with pytest.raises(CollectError):
        read(b"Dear diary,\ntoday I read nothing.", kind=kind)


def test_a_page_that_is_no_list_says_so() -> None:
    with pytest.raises(Blocked, match=r"^the page holds no papers"):
        read(b"<html><body>Are you human?</body></html>", kind="huggingface-daily")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (bytes(1000), "the file is empty"),
        (b"Dear diary,\ntoday I read nothing.", "it is none of: arXiv's page of one paper, a list page of arXiv, "),
        (b"<html><body>Are you human?</body></html>", "it is a web page, but none that lists papers"),
        (b"%PDF-1.7\n%\xe2\xe3", "it is a PDF, which import does not read"),
        (gzip.compress(b"%PDF-1.7\n", mtime=0), "it is a PDF, which import does not read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "it is an image (PNG), which import does not read"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "it is an image (JPEG), which import does not read"),
        (b"PK\x03\x04\x14\0", "it is a zip archive, or a document packed as one, which import does not read"),
        (bytes(257) + b"ustar\x0000" + bytes(100), "it is a tar archive, which import does not read"),
        ("Caf\u00e9".encode("latin-1"), "is not UTF-8 text, from byte 4"),
        (codecs.BOM_UTF16_LE + b"a\0b", "it is not UTF-16-LE text, from byte 5"),
        (codecs.BOM_UTF16_LE, "the file is empty"),
        (
            b"<?xml version='1.0'?>\n<OAI-PMH xmlns='x'><error/></OAI-PMH>",
            "it is an OAI-PMH answer, which this version",
        ),
        (
            b'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//X" "https://x.example/">\n<PubmedArticleSet/>',
            "it is PubMed XML, which this version does not read",
        ),
        (
            b'{"header":{"type":"esearch"},"esearchresult":{"count":"1"}}',
            "it is a list of PubMed numbers, without papers",
        ),
        (b"<?xml version='1.0'?><!-- x --><opml version='2.0'></opml>", "it is XML, but neither a feed nor an answer"),
        (b"From: a@b.example\nSubject: lunch\n\nAt noon?\n", "it is a mail, but not arXiv's alert mail"),
        (
            b"From a Fri Mar 13 00:31:09 2026\nSubject: x\n\ny\n\nFrom a Fri Mar 13 00:31:09 2026\nSubject: x\n\ny\n",
            "it is a mailbox of several messages; save each as a file of its own",
        ),
        (
            b"From: <Saved by Blink>\nSnapshot-Content-Location: https://x.example/\n\n",
            "it is a page saved as a web archive (MHTML); save it as HTML alone",
        ),
        (b"source,title,abstract\na,b,c\n", "it is a table (CSV), which this version does not read"),
        (b"source\ttitle\tabstract\n", "it is a table (TSV), which this version does not read"),
        (b"@article{a, title = {One}}", "it is BibTeX, which this version does not read"),
        (b"TY  - JOUR\nTI  - One\n", "it is a file of RIS records, which this version does not read"),
        (page() + b"</html>\n" + page(), "several pages stand in it, one after the other; import each as a file"),
        (ARXIV_FEED + b"\n" + ARXIV_FEED, "several pages stand in it, one after the other"),
        (gzip.compress(RECORDS, mtime=0)[:-10], "gzip file is damaged or cut"),
        (b"\x1f\x8bnonsense", "gzip file is damaged or cut"),
        (b"{\n", "no line is a record: line 1 is not JSON"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(PermanentCollectError) as refusal:
        read(data)
    assert type(refusal.value) is PermanentCollectError, "a later version would not read it either"
    assert refusal.value.status is FetchStatus.FAILED
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "saved.file" not in str(refusal.value), "the report names the file"


@pytest.mark.parametrize("data", [page()[:300], page().replace(b"dailyPapers", b"papersOfTheDay")])
def test_a_page_that_is_known_and_damaged_is_a_changed_layout(data: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read(data)


def test_a_saved_search_is_no_daily_page() -> None:
    with pytest.raises(LayoutChanged, match="search"):
        read(page(query="night"), kind="huggingface-daily")


@pytest.mark.parametrize(("kind", "data"), [("huggingface-week", page()), ("huggingface-daily", page(isTrending=True))])
def test_a_page_of_another_time_than_told_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read(data, kind=kind)


def test_an_answer_that_asks_for_patience_is_no_listing() -> None:
    with pytest.raises(Throttled):
        read(b"Rate exceeded.")


def test_replacements_bring_no_new_papers() -> None:
    (listing,) = read(ARXIV_FEED.replace(b">new<", b">replace<").replace(b"Type: new", b"Type: replace"))
    assert [(paper.announcement, paper.only_if_known) for paper in listing.papers] == [(Announcement.REPLACE, True)]


def test_a_page_in_its_own_charset_is_read() -> None:
    (listing,) = read(page(charset="windows-1252", title="Café"))
    assert listing.papers[0].title == "Café"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_xml_in_the_charset_that_it_declares_is_read(charset: str) -> None:
    (listing,) = read(FEED.replace("ENCODING", charset).encode(charset))
    assert [paper.title for paper in listing.papers] == ["Café"]


def test_a_text_with_a_byte_order_mark_is_read() -> None:
    data = (CAPTURES / "footers.txt").read_text().encode("utf-16")
    assert read(data) == read((CAPTURES / "footers.txt").read_bytes())


def test_a_mail_of_raw_bytes_is_read_by_its_own_charset() -> None:
    body = (MAILS / "arxiv.txt").read_text().partition("\n\n")[2].replace("Lev Holm", "Lév Holm")
    head = "Subject: cs daily 4 new + 2 crosses received\nContent-Type: text/plain; charset=iso-8859-1\n\n"
    (listing,) = read((head + body).encode("iso-8859-1"))
    assert listing.papers[3].authors == ("Ada Moss", "Lév Holm")
    assert listing.status is FetchStatus.OK


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_of_raw_bytes_is_refused_as_anything_else(kind: str) -> None:
    with pytest.raises(CollectError):
        read(b'Subject: x\n\n<div data-target="DailyPapers" data-props="\xe9">', kind=kind)


def test_a_huge_file_is_refused_without_reading_all_of_it() -> None:
    began = time.process_time()
    with pytest.raises(RefusedAnswer, match="larger than 67,108,864 bytes"):
        read(b"a" * 200_000_000)
    with pytest.raises(RefusedAnswer, match="larger than 67,108,864 bytes"):
        read(gzip.compress(b"a" * 100_000_000, compresslevel=1, mtime=0))
    assert time.process_time() - began < 5


def test_a_line_without_end_is_one_bad_record() -> None:
    data = b'{"title": "One"}\n{' + b"a" * 20_000_000 + b'\n{"title": "Three"}\n'
    (listing,) = read(gzip.compress(data, mtime=0))
    assert [paper.title for paper in listing.papers] == ["One", "Three"]
    assert listing.note == "1 of 3 lines was skipped: line 2 is longer than 16,777,216 bytes"


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for kind in (None, *KINDS):
        try:
            read(data, kind=kind)
        except CollectError:
            continue


WHOLE = (
    *(page(), ABSTRACT_PAGE, LIST_PAGE, ARXIV_FEED, ARXIV_API, JSON_FEED, preprints("medrxiv"), FEED.encode()),
    json.dumps([{"paper": PAPER}]).encode(),
    (MAILS / "arxiv.txt").read_bytes(),
    RECORDS,
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_any_damage_is_read_or_refused(whole: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    try:
        listings = read(whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:])
    except CollectError:
        return
    assert all(paper.title for listing in listings for paper in listing.papers)


@pytest.mark.parametrize(
    "text",
    [
        "<",
        "<html ",
        "</html>\n",
        "{",
        "[",
        '{"',
        '{"a":',
        "a,",
        "a\t",
        "\n",
        "Subject: x\n",
        "<?xml ",
        "<!--",
        "\\\\\n",
        "> ",
    ],
)
def test_a_hostile_text_is_told_in_little_time(text: str) -> None:
    data = (text * (2_000_000 // len(text))).encode()
    began = time.process_time()
    with contextlib.suppress(CollectError):
        read(data)
    assert time.process_time() - began < 3
