"""Tags and text as browsers tell them, in one pass whatever stands there."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import LayoutChanged
from scrapers.markup import EndTag, StartTag, tokens, unescaped


def told(page: str) -> list[object]:
    return [
        (token.name, dict(token.attributes()))
        if isinstance(token, StartTag)
        else f"/{token.name}"
        if isinstance(token, EndTag)
        else token
        for token in tokens(page)
    ]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("a<B Class=x>c</B >d", ["a", ("b", {"class": "x"}), "c", "/b", "d"]),
        ("""<a t='1 > "0"' u="it's"v=w/x/ y>""", [("a", {"t": '1 > "0"', "u": "it's", "v": "w/x/", "y": ""})]),
        ("<a b=1 B=2 c = '&amp;&quot;'/>", [("a", {"b": "1", "c": '&"'})]),
        ("<!doctype html><?xml version='1'?><!-- <a> --!><!--><br/>", [("br", {})]),
        ("<script>if (a<b) '<a href=x>'</script ><p>", [("script", {}), "/script", ("p", {})]),
        ("1 < 2 & <é> 3<", ["1 ", "<", " 2 & ", "<", "é> 3", "<"]),
        ("x</><a", ["x"]),
        ("x<a b='c>d", ["x"]),
        ("x<!-- <a>", ["x"]),
        ("<style><a>", [("style", {})]),
        ('<a =b c"d=e>', [("a", {"=b": "", 'c"d': "e"})]),
    ],
)
def test_tags_texts_and_attributes_are_told_apart(page: str, expected: list[object]) -> None:
    assert told(page) == expected


@given(st.text(alphabet="<>ab=\"'/!-? &;#1", max_size=60))
def test_any_text_is_tags_and_text(page: str) -> None:
    told(page)


def test_a_number_that_python_does_not_read_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged):
        unescaped(f"&#{'1' * 5_000};")


@pytest.mark.parametrize(
    "page",
    [
        "<a " * 300_000,
        "<a b='" * 200_000,
        '<a b="' * 200_001,
        f"<a{' b=c' * 200_000}>",
        f"<a{''.join(f' b{n}' for n in range(200_000))}>",
        "<div>" * 200_000 + "</b>" * 200_000,
        "<!--" * 300_000,
        "<!-" * 300_000,
        "</a" * 300_000,
        "<script>" * 150_000,
        "<" * 1_000_000,
        f"<a{' ' * 1_000_000}",
        f"<a b{' ' * 500_000}=",
        "<a/" * 300_000,
        "<a '=" * 300_000,
    ],
)
def test_any_page_takes_linear_time(page: str) -> None:
    began = time.process_time()
    told(page)
    assert time.process_time() - began < 4
