"""Names of authors as feeds write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.feed_people import names_in, turned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Moss, Bo Reed and Cy Fell", ("Ada Moss", "Bo Reed", "Cy Fell")),
        ("Moss, Ada", ("Ada Moss",)),
        ("Moss, A., Reed, B. C.", ("A. Moss", "B. C. Reed")),
        ("Moss, Ada; Reed, Bo; The Vole Consortium", ("Ada Moss", "Bo Reed", "The Vole Consortium")),
        ("By Ada Moss & Bo Reed", ("Ada Moss", "Bo Reed")),
        ("Smith, John, Jr.", ("John Smith Jr.",)),
        ("Smith, Jr., John", ("John Smith Jr.",)),
        ("John Smith, PhD", ("John Smith",)),
        ("Smith, John, Ph.D.", ("John Smith",)),
        ("Ada Moss, MD, Bo Reed, PhD", ("Ada Moss", "Bo Reed")),
        ("Smith, MD, Moss, AB", ("MD Smith", "AB Moss")),
        ("Ada Moss, Bo Reed, Jr.", ("Ada Moss", "Bo Reed Jr.")),
        ("Ada Moss, Bo Reed, III, and Cy Fell", ("Ada Moss", "Bo Reed III", "Cy Fell")),
        ("Ada Moss, Jr.", ("Ada Moss Jr.",)),
        ("Smith, J. A., Jr., Moss, B.", ("J. A. Smith Jr.", "B. Moss")),
        ("Wang, Y.; Li, J.; Wang, Y.", ("Y. Wang", "J. Li", "Y. Wang")),
        ("nobody@site.example", ()),
        ("", ()),
    ],
)
def test_authors_in_one_text_are_told_apart(text: str, names: tuple[str, ...]) -> None:
    assert names_in([text]) == names


def test_two_people_of_one_name_are_two_but_a_list_said_twice_is_one() -> None:
    assert names_in(["Wang, Y.", "Li, J.", "Wang, Y."]) == ("Y. Wang", "J. Li", "Y. Wang")
    assert names_in(["Ada Moss", "Bo Reed", "Ada Moss", "Bo Reed"]) == ("Ada Moss", "Bo Reed")
    assert names_in(["Ada Moss, Bo Reed"] * 2) == ("Ada Moss", "Bo Reed")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Smith, J. A., Jr.", "J. A. Smith Jr."),
        ("Smith, J. A., III,", "J. A. Smith III"),
        ("Smith, John, PhD", "John Smith"),
        ("Smith, Jr.", "Smith Jr."),
        ("Smith, MD", "MD Smith"),
        ("Institute of Voles, North, Town", "Institute of Voles, North, Town"),
        (",", ""),
    ],
)
def test_a_name_is_turned_with_its_suffix_at_the_end(name: str, expected: str) -> None:
    assert turned(name) == expected


PART = st.sampled_from(["Moss", "Ada", "A.", "MD", "Jr.", "III", "PhD", "and", "&", ""]) | st.text(max_size=5)


@given(st.lists(PART, max_size=8).map(", ".join) | st.text(max_size=60))
def test_no_text_of_names_breaks_the_reader(text: str) -> None:
    for names in (names_in([text]), names_in([text, "Bo Reed"])):
        assert all(names)
