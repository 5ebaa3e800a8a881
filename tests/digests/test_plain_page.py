"""The page of a letter that is text alone: what was sent, in a form that a browser can show."""

import re

import pytest

from digests.plain_page import page_of_text


def pre(page: str) -> str:
    return re.search(r"<pre[^>]*>\n(.*)\n</pre>", page, re.DOTALL)[1]


def test_lines_and_blanks_stay_as_they_were():
    text = "Paperround          Friday\n\n 1. A title\n    that goes on\n"
    assert pre(page_of_text("A subject", text)).rstrip("\n") == text.rstrip("\n")


def test_text_from_outside_is_text():
    page = page_of_text('<i>"s', '<script>alert(1)</script> & "more"\n\0q:unsubscribe\0\n')
    assert "<script" not in page
    assert "<i>" not in page
    assert "\0" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;more&#34;" in page


@pytest.mark.parametrize(
    ("line", "links"),
    [
        ("    https://arxiv.org/abs/1", ["https://arxiv.org/abs/1"]),
        ("Privacy: https://lab.example/privacy", ["https://lab.example/privacy"]),
        ("https://lab.example/papers?q=a&since=b", ["https://lab.example/papers?q=a&amp;since=b"]),
        ("read https://evil.example now", []),
        ("javascript:alert(1)", []),
        ("https://a@evil.example/", []),
        ('https://evil.example/"onclick="x', []),
        ("ftp://evil.example/", []),
    ],
)
def test_only_a_plain_address_alone_on_its_line_becomes_a_link(line, links):
    page = page_of_text("A subject", f"{line}\n")
    assert re.findall(r'<a href="([^"]*)"', page) == links
