"""What a browser can take and what it has: Accept-Encoding and If-None-Match."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.negotiation import is_known, is_text, packed, takes_gzip, weak


@pytest.mark.parametrize(
    ("accept", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0.001", True),
        ("gzip ; Q=0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("br", False),
        ("gzippy", False),
        ("gzip;q=2", False),
        ("gzip;q=-1", False),
        ("gzip;level=9", False),
        (",,,gzip,", True),
    ],
)
def test_gzip_is_sent_to_who_takes_it(accept, takes):
    assert takes_gzip(accept) is takes


@given(
    st.integers(0, 1000), st.lists(st.sampled_from(["br", "deflate;q=0.5", "identity;q=0", "*;q=0", "*"]), max_size=4)
)
def test_the_worth_that_gzip_is_given_decides_whatever_stands_beside_it(worth, others):
    named = f"gzip;q={worth / 1000:.3f}"
    for place in range(len(others) + 1):
        assert takes_gzip(", ".join([*others[:place], named, *others[place:]])) is (worth > 0)


@given(st.text(max_size=80))
def test_whatever_is_accepted_is_read(accept):
    if "gzip" not in accept.lower() and "*" not in accept:
        assert not takes_gzip(accept)


@pytest.mark.parametrize(
    ("known", "tag", "is_it"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"b", "a"', '"a"', True),
        ("*", '"a"', True),
        ('"b"', '"a"', False),
        ('"aa"', '"a"', False),
        ("a", '"a"', False),
        ("", '"a"', False),
        ('"a"', "a", False),
    ],
)
def test_a_tag_is_known_if_it_is_named_weakly_or_not(known, tag, is_it):
    assert is_known(known, tag) is is_it


def test_a_tag_made_weak_stays_weak():
    assert weak('"a"') == weak(weak('"a"')) == 'W/"a"'


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "text/css", "application/json", "application/atom+xml", "image/svg+xml"]
)
def test_words_are_packed(kind):
    assert is_text(kind)


@pytest.mark.parametrize("kind", ["image/png", "application/gzip", "application/pdf", "", "application/octet-stream"])
def test_what_is_packed_already_is_not(kind):
    assert not is_text(kind)


@given(st.binary(max_size=2000))
def test_packing_is_undone_by_unpacking_and_never_makes_it_larger(body):
    small = packed(body)
    assert small is None or (gzip.decompress(small) == body and len(small) < len(body))
    assert len(body) >= 600 or small is None


def test_the_same_page_is_the_same_bytes():
    assert packed(b"tide " * 500) == packed(b"tide " * 500)
