"""What begins with a prefix is found and scored by the index's own letters, in any script."""

from collections.abc import Callable

import pytest

from domain.papers import Paper
from domain.topics import Prefix
from topics.matching import Batch, CensusOf, Ranking


@pytest.mark.parametrize(
    ("beginning", "word", "other"),
    [
        ("schröd", "Schrödinger", "school"),
        ("딥러", "딥러닝", "기계"),
        ("がん", "がんばる", "かんばん"),
        ("йогу", "йогурт", "иога"),
        ("naï", "naïve", "nave"),
        ("c+", "c++20", "c#"),
    ],
)
def test_a_word_that_a_prefix_picks_is_scored(
    a_paper: Callable[..., Paper],
    census_of: Callable[[list[Paper]], CensusOf],
    beginning: str,
    word: str,
    other: str,
) -> None:
    papers = [a_paper(1, f"On {word} here"), a_paper(2, f"On {other} here")]
    prefix = Prefix(beginning)

    with Batch(papers) as batch:
        ranked = Ranking(batch, [prefix], census_of(papers)).rank(prefix)

    assert [(paper_id, score > 0) for paper_id, score in ranked] == [(1, True)]
