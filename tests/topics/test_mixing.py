from hypothesis import given
from hypothesis import strategies as st

from topics.mixing import asked, mixed
from topics.query import parse

SCORES = st.lists(st.floats(0, 50), max_size=8).map(lambda scores: list(enumerate(scores)))
COSINES = st.dictionaries(st.integers(0, 9), st.floats(-1, 1))


def order(scored: list[tuple[int, float]], cosines: dict[int, float]) -> list[int]:
    return [paper_id for paper_id, _ in mixed(scored, cosines)]


def test_words_and_meaning_count_alike() -> None:
    scored = [(1, 9.0), (2, 8.0), (3, 5.0)]
    assert order(scored, {1: 0.2, 2: 0.6, 3: 0.3}) == [2, 1, 3]


def test_of_two_papers_the_words_decide_where_meaning_says_the_opposite() -> None:
    assert order([(1, 9.0), (2, 8.0)], {1: 0.1, 2: 0.9}) == [1, 2]


def test_of_equal_scores_meaning_decides_and_of_equal_cosines_the_words() -> None:
    assert order([(1, 4.0), (2, 4.0), (3, 4.0)], {1: 0.1, 2: 0.9, 3: 0.5}) == [2, 3, 1]
    assert mixed([(1, 3.0), (2, 4.0)], {1: 0.5, 2: 0.5}) == [(2, 4.0), (1, 3.0)]


def test_a_paper_without_a_vector_counts_as_the_middle_one() -> None:
    cosines = {1: 0.9, 2: 0.5, 3: 0.1}
    scored = [(number, 5.0) for number in (4, 1, 2, 3)]
    assert order(scored, cosines) == [1, 4, 2, 3]


def test_the_vector_of_a_single_paper_moves_nothing() -> None:
    assert mixed([(1, 5.0), (2, 4.0), (3, 1.0)], {3: 0.9}) == [(1, 5.0), (2, 4.0), (3, 1.0)]


def test_nothing_is_mixed_of_nothing() -> None:
    assert mixed([], {1: 0.5}) == []
    assert mixed([(1, 0.0)], {1: 0.5}) == [(1, 0.0)]


@given(SCORES, COSINES)
def test_every_paper_stands_once_between_the_least_and_the_best_score(
    scored: list[tuple[int, float]], cosines: dict[int, float]
) -> None:
    found = mixed(scored, cosines)
    assert sorted(paper_id for paper_id, _ in found) == [paper_id for paper_id, _ in scored]
    assert found == sorted(found, key=lambda each: -each[1])
    scores = [score for _, score in scored]
    assert all(score <= max(scores) + 1e-9 for _, score in found)


@given(SCORES)
def test_without_cosines_the_scores_stay_what_they_are(scored: list[tuple[int, float]]) -> None:
    assert mixed(scored, {}) == sorted(scored, key=lambda each: -each[1])


def test_what_stands_for_a_topic_is_what_it_wants_in_words_as_typed() -> None:
    for text, told in (
        ("protein folding", "protein folding"),
        ("mud AND tides", "mud tides"),
        ('tides -moon "sea level" cat:cs author:sato upvotes>=3', "tides sea level"),
        ("(tides OR title:ebb) estu*", "tides ebb estu"),
        ("cat:cs.LG", ""),
    ):
        assert asked(parse(text)) == told, text
