import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.titles import keyed, saying, title_hash, title_key


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
        ("Mud+Water", "Mud + Water"),
        ("GPT-4+ on n+1 Muds", "GPT 4 on n + 1 muds"),
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
        ("Mud in C", "Mud in C++"),
        ("Mud in C", "Mud in C#"),
        ("C++11 Mud", "C11 Mud"),
    ],
)
def test_titles_that_differ_in_a_numeral_or_a_kind_stay_apart(one, other):
    assert title_key(one) != title_key(other)


@pytest.mark.parametrize(
    ("title", "marks"),
    [
        ("On Mud", ()),
        ("On Mud, Part I", ("1",)),
        ("On Mud, Part II", ("2",)),
        ("on mud, part ii", ("2",)),
        ("On Mud, Part Two", ("2",)),
        ("On Mud, Part B", ("2",)),
        ("On Mud, Part 2 of 4", ("2", "4")),
        ("Mud XIV: Silt", ("14",)),
        ("GPT-4 Reads Mud", ("4",)),
        ("GPT-4Reads Mud", ("4",)),
        ("GPT-4V Reads Mud", ("4v",)),
        ("GPT-4.5 Reads Mud", ("4.5",)),
        ("3D Mud from 2D Silt", ("3d", "2d")),
        ("80% of $10^2$ Muds", ("80", "10", "2")),
        ("Erratum: On Mud", ("erra",)),
        ("Erratum On Mud", ("erra",)),
        ("On Mud (Erratum)", ("erra",)),
        ("Correction: On Mud", ("corr",)),
        ("Author Correction: On Mud", ("corr",)),
        ("Corrigendum to “On Mud”", ("corr",)),
        ("A Comment on “On Mud”", ("comm",)),
        ("Reply to Moss", ("repl",)),
        ("On Mud: Reply", ("repl",)),
        ("On Mud – Supplementary Material", ("supp",)),
        ("Correction of bias in maps", ()),
        ("Correction for Bias: A Survey", ()),
        ("Gradient Correction", ()),
        ("On Self-Correction", ()),
        ("Supplementary Motor Areas", ()),
    ],
)
def test_a_titles_marks_are_its_numerals_and_its_kind_of_notice(title, marks):
    assert keyed(title) == (title_key(title), marks)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"We show $\alpha$-mud; it's {\it slow}.", "We show alpha mud: its slow"),
        ("Abstract: Mud moves.", "Mud moves."),
        ("Mud &amp; silt <i>move</i>.", "Mud and silt move"),
        ("ﬁne “mud” moves", "fine mud moves"),
    ],
)
def test_abstracts_that_differ_in_typography_say_the_same(one, other):
    assert saying(one) == saying(other)


@given(st.text(max_size=300))
def test_any_text_has_a_key_that_is_stable(text):
    key = title_key(text)
    assert not any(character.isspace() for character in key)
    assert bool(key) == bool(text.strip())
    assert len(title_hash(key)) == 16
    assert keyed(text)[0] == key
    assert not saying(text) or saying(text).casefold() == saying(text)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="&<\\+#"), min_size=1, max_size=200))
def test_plain_words_are_read_letter_by_letter(text):
    assert saying(text) == "".join(filter(str.isalnum, text.casefold())).removeprefix("abstract")


@pytest.mark.parametrize(
    "text",
    [
        "(extended version)" + " " * 200_000 + "x",
        "(extended version)." * 50_000,
        "preprint " * 50_000,
        "<a " * 100_000,
        "\\text" * 100_000,
        "\\'" + " " * 200_000,
        "C+#" * 100_000,
        "&#" + "1" * 100_000,
        "&amp;#" + "1" * 3_900,
        "&amp;" * 100_000,
        "IX" * 100_000,
        "1." * 100_000,
        "part " * 100_000,
        "part" + " " * 200_000 + "a",
        ": erratum " * 100_000,
        "erratum" + "." * 200_000 + "x",
        "." * 200_000 + "erratum",
        "\ufdfa" * 100_000,
    ],
)
def test_any_text_takes_little_time(text):
    began = time.process_time()
    key, _ = keyed(text)
    said = saying(text)
    assert time.process_time() - began < 0.5
    assert max(len(key), len(said)) <= 4_000
