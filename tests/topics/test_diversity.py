from collections.abc import Callable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.papers import Paper
from domain.topics import Match, Tier
from topics.diversity import LAMBDA, diversified

MakePaper = Callable[..., Paper]

MADE = "We train a small transformer on protein sequences and show that its attention finds contacts without labels"
OTHER = "A survey of what contact maps tell about folding, with open questions for learned models of structure"


def order(matches: list[Match], papers: list[Paper], head: int = 10) -> list[int]:
    return [match.paper_id for match in diversified(matches, {paper.id: paper for paper in papers}, head)]


def test_a_near_identical_paper_makes_room_for_another_of_nearly_its_score(a_paper: MakePaper) -> None:
    papers = [
        a_paper(1, "Contacts from attention", MADE),
        a_paper(2, "Contacts from attention, extended", f"{MADE} at all"),
        a_paper(3, "Contact maps", OTHER),
    ]
    matches = [Match(7, 1, 10.0), Match(7, 2, 9.9), Match(7, 3, 9.5)]

    assert order(matches, papers) == [1, 3, 2]
    assert order(matches, papers, head=1) == [1, 2, 3]
    assert order(matches, papers[:1]) == [1, 2, 3]


def test_a_paper_of_a_much_lower_score_stays_behind(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "Contacts", MADE), a_paper(2, "Contacts", MADE), a_paper(3, "Maps", OTHER)]

    assert order([Match(7, 1, 10.0), Match(7, 2, 10.0), Match(7, 3, 8.0)], papers) == [1, 2, 3]


def test_tiers_do_not_mix_whatever_their_scores(a_paper: MakePaper) -> None:
    papers = [a_paper(1, "Contacts", MADE), a_paper(2, "Contacts", MADE), a_paper(3, "Maps", OTHER)]
    matches = [Match(7, 3, 99.0, Tier.RELATED), Match(7, 2, 1.0), Match(7, 1, 2.0)]

    assert order(matches, papers) == [1, 2, 3]


def test_equal_papers_stay_in_the_order_given(a_paper: MakePaper) -> None:
    papers = [a_paper(number) for number in (1, 2, 3)]

    assert order([Match(7, number, 0.0) for number in (3, 1, 2)], papers) == [3, 1, 2]
    assert order([Match(7, number, 4.0) for number in (1, 2, 3)], papers) == [1, 2, 3]
    assert order([], papers) == []


TEXT = st.lists(st.sampled_from(["amber", "birch", "cedar", "dahlia"]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(TEXT, st.integers(0, 20), st.sampled_from(Tier)), max_size=12), st.integers(0, 12))
def test_each_next_paper_is_the_one_worth_most(
    a_paper: MakePaper, drawn: list[tuple[str, int, Tier]], head: int
) -> None:
    """The same rule without short cuts."""

    def pairs(number: int) -> set[tuple[str, str]]:
        words = drawn[number][0].split()
        return set(pairwise(words))

    def alike(one: int, other: int) -> float:
        either = pairs(one) | pairs(other)
        return len(pairs(one) & pairs(other)) / len(either) if either else 0.0

    expected = []
    for tier in Tier:
        left = sorted((n for n in range(len(drawn)) if drawn[n][2] is tier), key=lambda n: -drawn[n][1])
        best = drawn[left[0]][1] or 1.0 if left else 1.0
        picked: list[int] = []
        while left and len(picked) < head:
            worth = [
                LAMBDA * (drawn[n][1] / best) - (1 - LAMBDA) * max((alike(n, p) for p in picked), default=0.0)
                for n in left
            ]
            picked.append(left.pop(worth.index(max(worth))))
        expected += picked + left

    papers = {number: a_paper(number, "", text) for number, (text, _, _) in enumerate(drawn)}
    matches = [Match(7, number, float(score), tier) for number, (_, score, tier) in enumerate(drawn)]
    assert [match.paper_id for match in diversified(matches, papers, head)] == expected
