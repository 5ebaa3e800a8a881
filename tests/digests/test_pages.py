"""Addresses of the site's pages, whatever a key or a query holds."""

import re
from datetime import date
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.pages import SitePages
from domain.errors import SettingsError

PAGES = SitePages("https://lab.example/papers-of-ours/")
ROOT = "https://lab.example/papers-of-ours"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("arxiv:2611.00001", "arxiv:2611.00001"),
        ("doi:10.1101/2026.11.20.1", "doi:10.1101/2026.11.20.1"),
        ("doi:10.1002/(SICI)1<2>3#4?5%6", "doi:10.1002/%28SICI%291%3C2%3E3%234%3F5%256"),
        ("openreview:a_b-C", "openreview:a_b-C"),
        ('x" onclick="y', "x%22%20onclick%3D%22y"),
    ],
)
def test_a_key_stands_in_the_path_with_its_slashes(key, path):
    assert PAGES.paper(key) == f"{ROOT}/papers/{path}"
    assert PAGES.bib(key) == f"{ROOT}/papers/{path}.bib"
    assert PAGES.similar(key) == f"{ROOT}/papers/{path}#similar"


@given(st.text(max_size=60))
def test_any_query_comes_back_whole_and_nothing_else_stands_in_the_address(query):
    address = PAGES.search(query, date(2026, 11, 20))
    if not query:
        assert address == ""
        return
    assert re.fullmatch(r"[!-~]+", address)
    parts = urlsplit(address)
    assert (parts.path, parts.fragment) == ("/papers-of-ours/papers", "")
    assert parse_qs(parts.query, keep_blank_values=True) == {"q": [query], "since": ["2026-11-20"]}


@given(st.text(min_size=1, max_size=60))
def test_any_key_comes_back_whole(key):
    parts = urlsplit(PAGES.paper(key))
    assert unquote(parts.path.removeprefix("/papers-of-ours/papers/")) == key
    assert (parts.query, parts.fragment) == ("", "")


def test_half_a_character_breaks_no_address_and_an_endless_query_makes_no_link():
    assert PAGES.search("a\ud800b", None) == f"{ROOT}/papers?q=a%3Fb"
    assert PAGES.paper("title:\udfff") == f"{ROOT}/papers/title:%3F"
    assert PAGES.search("ü" * 134, None) == ""
    assert PAGES.search("ü" * 133, None) != ""


def test_privacy_has_one_address_and_a_root_that_is_none_is_refused():
    assert PAGES.privacy() == f"{ROOT}/privacy"
    with pytest.raises(SettingsError):
        SitePages("lab.example")
