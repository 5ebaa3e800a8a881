import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity import Verdict, arxiv_id, doi, identifiers_in, openreview_id, title_hash, title_key, verdict
from domain.papers import Identifiers

ABSTRACT = "We measure how tides move mud along forty estuaries and find that most of it moves twice a year, " * 3
OTHER = "Quantum clocks tick in pairs; this note counts the pairs, and says why the count is always odd. " * 3


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
        ("10.48550/arXiv.2401.01234", None),
        ("10.5/x", None),
    ],
)
def test_a_doi_is_normalised_and_arxivs_own_are_none(text, expected):
    assert doi(text) == expected


def test_an_openreview_forum_is_named_by_its_id():
    assert openreview_id("https://openreview.net/forum?id=AbC_123-x&noteId=1") == "AbC_123-x"
    assert openreview_id("https://openreview.net/group?id=ICLR") is None


def test_the_strongest_id_names_the_paper():
    ids = identifiers_in(["https://doi.org/10.1000/x", "https://arxiv.org/abs/2401.01234"])
    assert ids == Identifiers(arxiv="2401.01234", doi="10.1000/x")
    assert ids.strongest == "arxiv:2401.01234"
    assert Identifiers().strongest is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"Schr\"odinger Bridges", "Schrödinger Bridges"),
        (r"Schr\"{o}dinger Bridges", "Schrodinger bridges"),
        ("$N$-ary Relations", "N-ary relations"),
        (r"80\%+ of It", "80%+ of it"),
        ("TranslationUsing Less", "Translation Using Less"),
        ("Preprint: On Mud", "On Mud"),
        ("On Mud (extended version)", "On Mud"),
        ("Mud &amp;amp; Water", "Mud and Water"),
        (r"M{\aa}ns on {\o}re", "Måns on øre"),
        ("<b>Mud</b>", "Mud"),
    ],
)
def test_titles_that_say_the_same_have_one_key(one, other):
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("On Mud, Part I", "On Mud, Part II"),
        ("GPT-4 Reads Mud", "GPT-4V Reads Mud"),
        ("Mud", "Erratum: Mud"),
        ("Loss < 1 and a > b", "Loss"),
    ],
)
def test_titles_that_differ_in_a_numeral_or_a_kind_stay_apart(one, other):
    assert title_key(one) != title_key(other)


def judge(one=None, other=None, titles=("On Mud", "On Mud"), abstracts=("", ""), authors=("", "")):
    return verdict(
        one or Identifiers(), other or Identifiers(), titles=titles, abstracts=abstracts, first_authors=authors
    )


LONG = ("The Slow Migration of Estuarine Mud", "The slow migration of estuarine mud")


def test_a_shared_id_is_the_same_paper_whatever_the_title():
    same = Identifiers(arxiv="2401.01234")
    assert judge(same, same, titles=("On Mud", "On Water")) is Verdict.SAME
    by_doi = Identifiers(arxiv="2401.01234", doi="10.1/x"), Identifiers(doi="10.1/x")
    assert judge(*by_doi, titles=("On Mud", "On Water")) is Verdict.SAME


def test_two_arxiv_ids_are_two_papers_whatever_the_title():
    two = Identifiers(arxiv="2401.01234"), Identifiers(arxiv="2401.01235")
    assert judge(*two, titles=LONG, abstracts=(ABSTRACT, ABSTRACT)) is Verdict.DIFFERENT


def test_equal_titles_need_a_second_witness():
    assert judge(abstracts=(ABSTRACT, ABSTRACT)) is Verdict.SAME
    assert judge(titles=LONG, abstracts=(ABSTRACT, "")) is Verdict.SAME
    assert judge(titles=LONG, abstracts=(ABSTRACT, OTHER), authors=("Ada Moss", "A. Moss")) is Verdict.SAME
    assert judge(titles=LONG, abstracts=(ABSTRACT, OTHER), authors=("Ada Moss", "Eve Reed")) is Verdict.UNSURE
    assert judge(abstracts=(ABSTRACT, OTHER), authors=("Ada Moss", "Ada Moss")) is Verdict.UNSURE
    assert judge() is Verdict.UNSURE
    assert judge(titles=("On Mud", "On Water"), abstracts=(ABSTRACT, ABSTRACT)) is Verdict.DIFFERENT
    assert judge(titles=("…", "!")) is Verdict.DIFFERENT


@given(st.text(max_size=300))
def test_any_text_has_a_key_that_is_stable(text):
    key = title_key(text)
    assert not any(character.isspace() for character in key)
    assert bool(key) == bool(text.strip())
    assert len(title_hash(key)) == 16
    arxiv_id(text)
    doi(text)
    openreview_id(text)
