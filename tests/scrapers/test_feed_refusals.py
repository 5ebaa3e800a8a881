"""Feeds that mean no good: a login in their place, texts that hold a reader; and bibliography in place of a text."""

import time
from datetime import date

import pytest

from domain.errors import Blocked, LayoutChanged
from domain.papers import AbstractKind, ListedPaper
from scrapers.feed_page import read_feed

DAY = date(2026, 3, 5)


def read(*items: str) -> tuple[ListedPaper, ...]:
    body = f'<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>{"".join(items)}</channel></rss>'
    return read_feed(body.encode(), "", source="x", day=DAY, visited=DAY).papers


def item(number: int, text: str, inside: str = "") -> str:
    return (
        f"<item><title>Paper {number}</title><link>https://site.example/{number}</link>"
        f"<description>{text}</description>{inside}</item>"
    )


@pytest.mark.parametrize("field", ["<input type=password>", '<INPUT name="p" id=q type = "Password" required>'])
def test_a_login_form_in_place_of_a_feed_is_a_refusal(field: str) -> None:
    page = f"<!doctype html><html><title>Sign in</title><form>{field}</form></html>"
    with pytest.raises(Blocked, match="login form"):
        read_feed(page.encode(), "text/html", source="x", day=DAY, visited=DAY)


@pytest.mark.parametrize("field", ["<input type=text name=password>", "<p>password", "<input" * 40_000])
def test_another_web_page_in_place_of_a_feed_is_a_changed_layout(field: str) -> None:
    began = time.process_time()
    with pytest.raises(LayoutChanged, match="a web page, not with a feed"):
        read_feed(f"<!doctype html><html>{field}".encode(), "text/html", source="x", day=DAY, visited=DAY)
    assert time.process_time() - began < 2


def test_bibliography_in_place_of_a_text_is_taken_apart() -> None:
    said = "Publication date: March 2026 Source: Voles, Volume 7 Author(s): Ada Moss, Bo Reed"
    (paper, bare) = read(item(1, said), item(2, "Publication date: May 2026Source: Voles"))
    assert (paper.journal, paper.authors, paper.abstract) == ("Voles, Volume 7", ("Ada Moss", "Bo Reed"), "")
    assert (bare.journal, bare.authors, bare.abstract_kind) == ("Voles", (), AbstractKind.NONE)


def test_words_of_bibliography_without_end_hold_nobody() -> None:
    text = "Publication date:" + "Source: " * 12 + "Author(s): " * 25 + "x" * 20_500
    began = time.process_time()
    papers = read(*(item(number, text) for number in range(40)))
    assert time.process_time() - began < 2
    assert len(papers) == 40


def test_the_line_of_authors_of_arxiv_is_read_as_arxiv_writes_it() -> None:
    line = "Ada Moss (1), Bo Reed, Jr., Y. Wang, Y. Wang (2 additional authors not shown)"
    arxiv = "<guid>oai:arXiv.org:2603.01234v1</guid>"
    (paper,) = read(item(1, "We look.", f"<dc:creator>{line}</dc:creator>{arxiv}"))
    assert (paper.ids.arxiv, paper.authors) == ("2603.01234", ("Ada Moss", "Bo Reed Jr.", "Y. Wang", "Y. Wang"))
    assert paper.author_count == 6
