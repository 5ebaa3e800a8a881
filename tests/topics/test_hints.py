import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.hints import hints


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("deep or graph", "“or” is passed over"),
        ("deep Not graph", "“Not” is passed over"),
        ("NEAR(deep nets)", "“NEAR” is looked for as a word"),
        ("^deep", "“^” is no operator here"),
        ("{title}: deep", "“{title}” is no operator here"),
        ("deep|graph", "“|” inside a word makes a phrase"),
        ("graph nets, protein folding", "A comma is passed over"),
        ("10.1101/2026.01.02", "“10.1101/2026.01.02” is looked for in titles and abstracts"),
        ("2401.01234v2 OR deep", "“2401.01234v2” is looked for"),
        ("https://example.org/abs", "“https://example.org/abs” is looked for"),
        ("author:Mira Okafor", "Only “Mira” belongs to author:"),
    ],
)
def test_what_other_places_take_for_an_operator_is_noted(text: str, begins: str) -> None:
    (note,) = hints(text)

    assert note.startswith(begins)


@pytest.mark.parametrize(
    "text",
    [
        "deep graph nets and trees",
        "deep OR graph",
        "deep NOT graph",
        '"deep or graph"',
        "or deep",
        "near misses",
        "version 2.5",
        'author:"Okafor, Mira"',
        'author:"Mira Okafor" Vision',
        "author:okafor AND graph",
        "cat:(cs.CL OR cs.LG), deep",
        r"\textbf{deep}",
        "x^2",
        "AT&T",
        "C++",
    ],
)
def test_mostly_there_is_nothing_to_note(text: str) -> None:
    assert hints(text) == ()


@given(st.text())
def test_any_text_has_notes_of_one_line(text: str) -> None:
    assert all(note.splitlines() == [note] for note in hints(text))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!deep nets", "“!” excludes nothing here; one “-” right before a word does"),
        ("deep --nets", "“--” excludes nothing here; one “-” right before a word does"),
        ("nets cs.LG", "“cs.LG” is looked for as words; cat:cs.LG asks for the category"),
    ],
)
def test_what_elsewhere_excludes_or_names_a_category_is_noted(typed: str, said: str) -> None:
    assert hints(typed) == (said,)
