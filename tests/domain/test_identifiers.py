import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import arxiv_id, doi, identifiers_in, openreview_id
from domain.papers import Identifiers

SICI = "(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2401.01234", "2401.01234"),
        ("2401.01234v3", "2401.01234"),
        ("arXiv:2401.01234v2", "2401.01234"),
        ("https://arxiv.org/abs/2401.01234v1", "2401.01234"),
        ("https://arxiv.org/pdf/2401.01234v2.pdf", "2401.01234"),
        ("http://export.arxiv.org/html/2401.01234", "2401.01234"),
        ("https://huggingface.co/papers/2401.01234#community", "2401.01234"),
        ("https://www.alphaxiv.org/abs/2401.01234", "2401.01234"),
        ("oai:arXiv.org:2401.01234v1", "2401.01234"),
        ("10.48550/arXiv.2401.01234", "2401.01234"),
        ("https://doi.org/10.65215/arXiv.2601.01234", "2601.01234"),
        ("https://dblp.org/rec/journals/corr/abs-2401-01234.html", "2401.01234"),
        ("0704.0001", "0704.0001"),
        ("astro-ph/0601001", "astro-ph/0601001"),
        ("math.GT/0309136v1", "math/0309136"),
        ("https://arxiv.org/abs/cond-mat/9901001", "cond-mat/9901001"),
        ("2413.01234", None),
        ("2401.012345", None),
        ("https://arxiv.org/abs/2401.012345", None),
        ("version 2401.1", None),
        ("tides", None),
        ("", None),
    ],
)
def test_an_arxiv_id_is_read_wherever_it_stands(text, expected):
    assert arxiv_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1101/2024.01.01.123456v2", "10.1101/2024.01.01.123456"),
        ("https://www.biorxiv.org/content/10.1101/2024.01.01.123456v1.full.pdf", "10.1101/2024.01.01.123456"),
        ("https://doi.org/10.1000/ABC.Def", "10.1000/abc.def"),
        ("see doi:10.1000/xyz.", "10.1000/xyz"),
        ("https://www.biorxiv.org/content/10.1101/2024.01.01.123456v1?rss=1", "10.1101/2024.01.01.123456"),
        ("https://www.biorxiv.org/content/10.1101/2024.01.01.123456v12.full-text#sec-1", "10.1101/2024.01.01.123456"),
        ("https://doi.org/10.1000/abc?utm_source=feed", "10.1000/abc"),
        ("https://example.org/find?doi=10.1000/abc&page=2", "10.1000/abc"),
        ("doi:10.1000/abc?d#e", "10.1000/abc?d#e"),
        (f"10.1002/{SICI}", f"10.1002/{SICI.lower()}"),
        (f"doi:10.1002/{SICI}.", f"10.1002/{SICI.lower()}"),
        (f"https://doi.org/10.1002/{SICI.replace('<', '%3C').replace('>', '%3E')}", f"10.1002/{SICI.lower()}"),
        ("<https://doi.org/10.1000/xyz>", "10.1000/xyz"),
        ("<b>10.1000/xyz</b>", "10.1000/xyz"),
        ("https://doi.org/10.1000/%22%20", None),
        ("10.48550/arXiv.2401.01234", None),
        ("https://doi.org/10.65215/arXiv.2601.01234", None),
        ("10.65215/abc.1", "10.65215/abc.1"),
        ("10.5/x", None),
    ],
)
def test_a_doi_is_normalised_and_arxivs_own_are_none(text, expected):
    assert doi(text) == expected


def test_old_serials_of_one_issue_are_two_papers():
    assert doi(f"10.1002/{SICI}") != doi(f"10.1002/{SICI.replace('693', '700')}")


@pytest.mark.parametrize(
    "text",
    [
        "openreview.net/forum?" * 50_000,
        "openreview.net/forum?" + "&" * 500_000,
        "/papers/" * 50_000,
        "/papers/2401.01234v" + "1" * 200_000 + ".1",
        "/papers/2401.01234" + "." * 200_000,
        "a-" * 200_000,
        "10.1234/" * 50_000,
        "10.1234/" + "<a:" * 100_000,
        "10.1101/" + "v1." * 100_000,
        "corr/abs-" * 50_000,
    ],
)
def test_any_text_takes_little_time(text):
    began = time.process_time()
    identifiers_in([text])
    assert time.process_time() - began < 0.5


def test_an_openreview_forum_is_named_by_its_id():
    assert openreview_id("https://openreview.net/forum?id=AbC_123-x&noteId=1") == "AbC_123-x"
    assert openreview_id("https://openreview.net/group?id=ICLR") is None


def test_an_address_with_arxivs_own_doi_names_an_arxiv_id_alone():
    for prefix in ("10.48550", "10.65215"):
        assert identifiers_in([f"https://doi.org/{prefix}/arXiv.2601.01234"]) == Identifiers(arxiv="2601.01234")


def test_the_strongest_id_names_the_paper():
    ids = identifiers_in(["https://doi.org/10.1000/x", "https://arxiv.org/abs/2401.01234"])
    assert ids == Identifiers(arxiv="2401.01234", doi="10.1000/x")
    assert ids.strongest == "arxiv:2401.01234"
    assert Identifiers().strongest is None


@given(st.text(max_size=300))
def test_any_text_is_searched_for_ids(text):
    found = identifiers_in([text])
    assert found == Identifiers(arxiv=arxiv_id(text), doi=doi(text), openreview=openreview_id(text))


@given(st.from_regex(r"(https://doi\.org/)?10\.(1101|1000)/[ -~]{1,20}", fullmatch=True))
def test_a_doi_that_was_read_is_read_again(text):
    value = doi(text)
    assert value is None or doi(value) == value
