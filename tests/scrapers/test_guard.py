"""A page is looked over before a parser builds a tree of it."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import LayoutChanged
from scrapers.guard import look_over


@pytest.mark.parametrize(
    "page",
    [
        "",
        "1 < 2 & <é> 3<",
        f"<p {' '.join(f'a{n}=1' for n in range(900))}>x</p>",
        f"<div data-props='{'a=1 ' * 5_000}'>",
        "<h3><a href=x>y</a></h3>" * 5_000,
        "<a href=x>" * 40,
        '<dt><a id="x">[1]</a></dt><dd><div class="y"><b>z</b><i></i></div></dd>' * 20_000,
    ],
)
def test_what_a_site_might_send_passes(page: str) -> None:
    look_over(page, tags=200_000)  # as many as arXiv's lists may have


@pytest.mark.parametrize(
    "page",
    [
        f"<a{' b=c' * 200_000}>",
        f"<a{' b' * 200_000}",
        f"<p>x</p><main{''.join(f' b{n}' for n in range(2_000))}>",
        "<h3><a>" * 30,
        "<a></a>" * 30_000,
        "<p>" * 1_300_000,
        "</p>" * 300_000,
        "<!---->" * 300_000,
        "<p<p" * 300_000,
        f"<b {' '.join(f'a{n}' for n in range(900))}>" * 1_200,
    ],
)
def test_what_none_would_send_is_a_changed_layout(page: str) -> None:
    with pytest.raises(LayoutChanged):
        look_over(page)


@pytest.mark.parametrize(
    "page",
    [
        "<a " * 300_000,
        "<a b='" * 200_000,
        '<a b="' * 200_001,
        "<" * 1_000_000,
        "<a/" * 300_000,
        "<!--" * 200_000,
        "</a" * 300_000,
        "<a b = " * 150_000,
        "<a>" + "x" * 2_000_000,
    ],
)
def test_it_is_over_in_good_time_whatever_stands_there(page: str) -> None:
    began = time.process_time()
    with suppress(LayoutChanged):
        look_over(page)
    assert time.process_time() - began < 2


@given(st.text(alphabet="<>ab=\"'/!-? &;#1", max_size=60))
def test_any_text_passes_or_is_refused(page: str) -> None:
    look_over(page)
