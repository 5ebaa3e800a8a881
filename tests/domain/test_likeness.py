import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.likeness import ratio


def by_the_table(one: str, other: str) -> float:
    """The longest common subsequence by the whole table, as every textbook has it."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = row
        row = [0]
        for place, theirs in enumerate(other):
            row.append(before[place] + 1 if letter == theirs else max(before[place + 1], row[place]))
    return 200 * row[-1] / (len(one) + len(other)) if one or other else 100.0


@given(st.text(alphabet="abcä李", max_size=90), st.text(alphabet="abcä李", max_size=90))
def test_it_is_what_the_whole_table_says(one, other):
    assert ratio(one, other) == by_the_table(one, other)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_have_one_likeness_whichever_comes_first(one, other):
    assert ratio(one, other) == ratio(other, one) == by_the_table(one, other)
    assert ratio(one, one) == 100


@given(st.text(alphabet="ab", max_size=40), st.text(alphabet="ab", max_size=40), st.floats(0, 100))
def test_what_is_less_alike_than_asked_for_is_not_alike_at_all(one, other, least):
    found = by_the_table(one, other)
    assert ratio(one, other, at_least=least) == (found if found >= least else 0)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 100), ("mud", "", 0), ("mud", "silt", 0), ("part1of4", "part2of4", 87.5), ("mud", "muds", 600 / 7)],
)
def test_some_likenesses_are_known(one, other, expected):
    assert ratio(one, other) == pytest.approx(expected)


def test_texts_of_many_words_are_compared_whole():
    mud, silt = "mud moves slowly " * 40, "silt moves slowly " * 40
    assert ratio(mud, silt) == by_the_table(mud, silt)
