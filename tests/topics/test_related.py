import pytest

from domain.topics import And, Author, Category, Field, Node, Not, Or, Phrase, Prefix, Source, Votes, Word
from topics.related import loosened, related

A, B, C = Word("amber"), Word("birch"), Word("cedar")
PHRASE = Phrase(("dahlia", "elm"))
EITHER = Or((Category("cs.lg"), Source("arxiv")))
AUTHOR, VOTES = Author(("mira", "okafor")), Votes(20)


@pytest.mark.parametrize(
    ("tree", "loose"),
    [
        (And((A, B)), Or((A, B))),
        (And((A, PHRASE, Prefix("fi"))), Or((A, PHRASE, Prefix("fi")))),
        (And((A, B, Not(C))), And((Or((A, B)), Not(C)))),
        (And((A, AUTHOR, B, VOTES)), And((Or((A, B)), AUTHOR, VOTES))),
        (And((A, Or((B, C)))), Or((A, B, C))),
        (And((A, B, EITHER)), And((Or((A, B)), EITHER))),
        (And((Or((A, AUTHOR)), B)), Or((A, AUTHOR, B))),
        (Or((And((A, B)), C)), Or((A, B, C))),
        (Or((And((A, B, Not(C))), And((A, Word("gorse"))))), Or((And((Or((A, B)), Not(C))), A, Word("gorse")))),
        (And((Word("amber", Field.TITLE), B)), Or((Word("amber", Field.TITLE), B))),
    ],
)  # fmt: skip
def test_words_wanted_together_become_an_or_and_what_limits_them_stays(tree: Node, loose: Node) -> None:
    assert loosened(tree) == loose


@pytest.mark.parametrize(
    "tree",
    [
        *(A, PHRASE, Prefix("am"), AUTHOR, EITHER, Or((A, B)), And((A, Not(B)))),
        *(And((AUTHOR, A)), And((AUTHOR, VOTES)), And((AUTHOR, Or((A, B))))),
    ],
)
def test_nothing_is_loosened_where_no_words_are_wanted_together(tree: Node) -> None:
    assert loosened(tree) is None


def test_related_are_the_part_matches_that_reach_a_fifth_of_the_ceiling() -> None:
    scored = [(4, 1.9), (3, 2.0), (1, 7.0), (2, 7.0), (9, 0.0)]

    assert related(scored, 10.0) == [(1, 7.0), (2, 7.0), (3, 2.0)]
    assert related([(9, 0.0)], 0.0) == []
