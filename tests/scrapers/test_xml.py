"""XML from outside: what is read, and that nothing in it can hurt."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import LayoutChanged
from scrapers.source import Page
from scrapers.xml import Element, read_xml, text_of

FEED = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://purl.org/dc/elements/1.1/" xmlns:x="urn:x">'
    "<title>Tides &amp; eddies</title>"
    '<entry><title>One<!-- not this --></title><link href="https://one.example/"/><d:creator>Ada</d:creator></entry>'
    "<entry><title><![CDATA[Two < three]]></title><x:odd>?</x:odd></entry></feed>"
)


def read(text: str) -> tuple[Element, list[Element]]:
    found: list[Element] = []
    root = read_xml(text, records=frozenset({"item", "atom:entry"}), take=found.append)
    return root, found


def test_records_are_handed_out_and_the_rest_comes_back() -> None:
    root, (one, two) = read(FEED)
    assert (root.name, root.said("atom:title")) == ("atom:feed", "Tides & eddies")
    assert not root.all("atom:entry")
    assert (one.said("atom:title"), one.said("dc:creator")) == ("One", "Ada")
    assert one.all("atom:link")[0].attributes == {"href": "https://one.example/"}
    assert (two.said("atom:title"), two.said("?:odd"), two.said("odd")) == ("Two < three", "?", "")


def test_a_control_character_does_not_cost_the_whole_feed() -> None:
    _, found = read("\ufeff \n<rss><item><title>Bell\x07 and \ud800half</title></item></rss>")
    assert found[0].said("title") == "Bell and half"


def attributes(count: int, prefix: str = "") -> str:
    return " ".join(f"{prefix}a{number}='{number}'" for number in range(count))


BOMB = '<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY c "&a;&a;&a;&a;">]><rss><item><title>&c;</title></item></rss>'
EXTERNAL = '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]><rss><item><title>&a;</title></item></rss>'
PARAMETER = '<!DOCTYPE b [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]><rss/>'


@pytest.mark.parametrize(
    "text", [BOMB, EXTERNAL, PARAMETER, '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd"><rss/>']
)
def test_a_document_type_is_refused_before_any_entity(text: str) -> None:
    with pytest.raises(LayoutChanged, match="document type"):
        read(f"<?xml version='1.0'?>{text}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "broken or cut"),
        ("<rss><item>", "broken or cut"),
        ("<rss><item><title>a</title></item>", "broken or cut"),
        ("<rss>&nbsp;</rss>", "undefined entity"),
        ("<rss><x:item/></rss>", "broken or cut"),
        ("<a>" * 31, "30 deep"),
        (f"<rss {attributes(101)}/>", "100 attributes"),
        (f"<rss>{'<b/>' * 1_001}</rss>", "more elements"),
        (f"<rss><item>{'<b/>' * 50_001}</item></rss>", "more elements"),
    ],
)
def test_what_is_broken_or_built_as_no_feed_is_refused(text: str, reason: str) -> None:
    with pytest.raises(LayoutChanged, match=reason):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "<a>" * 500_000,
        "<" * 2_000_000,
        f"<a {attributes(100_000)}/>",
        f"<a {attributes(50_000, 'xmlns:')}/>",
        f"<a x='{'y' * 2_000_000}",
        f"<a>{'&amp;' * 400_000}</a>",
        "\n" * 2_000_000,
        f"<!--{'- ' * 1_000_000}",
        f"<?xml {'x' * 2_000_000}",
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    start = time.perf_counter()
    with suppress(LayoutChanged):
        read(text)
    assert time.perf_counter() - start < 3  # seconds; what is not linear takes minutes


def page(body: bytes, content_type: str = "") -> Page:
    return Page("https://feeds.example/", 200, {"content-type": content_type}, body, datetime(2026, 3, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("declared", "encoded", "content_type"),
    [
        ("iso-8859-1", "iso-8859-1", "application/rss+xml"),  # nobody but the declaration tells
        ("iso-8859-1", "utf-8", "text/xml; charset=iso-8859-1"),  # UTF-8 proves itself
        ("utf-8", "windows-1252", "text/xml; charset=windows-1252"),  # HTTP overrules the declaration
        ("utf-16", "utf-16", "text/xml; charset=utf-16"),
        ("unicode_escape", "utf-8", "text/xml"),  # a codec of Python that is no page's
    ],
)
def test_the_charset_is_found_or_proven(declared: str, encoded: str, content_type: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><rss><item><title>Bücher</title></item></rss>'
    _, found = read(text_of(page(text.encode(encoded), content_type)))
    assert found[0].said("title") == "Bücher"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FEED)), st.integers(0, len(FEED)), st.text(max_size=4))
def test_a_cut_or_changed_text_gives_elements_or_a_layout_error(start: int, end: int, put: str) -> None:
    for text in (FEED[:start], FEED[:start] + put + FEED[end:], put):
        with suppress(LayoutChanged):
            read(text)
