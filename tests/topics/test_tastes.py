import random

import pytest

from domain.learning import Taste, Term
from domain.topics import Census
from topics.matching import Batch
from topics.tastes import Because, Likeness

HAVING = {"tide": 40, "mud": 30, "moon": 20, "glass": 60, "yeast": 25}


@pytest.fixture
def census():
    asked: list[set[str]] = []

    def of(stems) -> Census:
        asked.append(set(stems))
        return Census(papers=1000, average=8.0, having={stem: HAVING[stem] for stem in stems if stem in HAVING})

    of.asked = asked
    return of


def taste(*terms: tuple[str, float, int]) -> Taste:
    return Taste(tuple(Term(stem, stem, weight, saved) for stem, weight, saved in terms))


def test_papers_that_reach_the_least_come_best_first(a_paper, census):
    papers = [a_paper(1, "Glass"), a_paper(2, "Tides and mud"), a_paper(3, "Tides of the moon, tides of mud")]
    with Batch(papers) as batch:
        likeness = Likeness(batch, census)
        wanted = taste(("tide", 0.5, 1), ("mud", 0.4, 1), ("moon", 0.3, 2))
        (best, second) = likeness.like(wanted, 0.1)
        assert (best[1], second[1]) == (3, 2)
        assert best[0] == pytest.approx(likeness.score(wanted, 3))
        between = (best[0] + second[0]) / 2
        assert [each for _, each in likeness.like(wanted, between)] == [3]
        assert [each for _, each in likeness.like(wanted, second[0])] == [3, 2]
        assert likeness.like(wanted, 1000.0) == []


def test_the_archive_is_asked_once_for_a_word_and_never_for_one_that_no_paper_has(a_paper, census):
    with Batch([a_paper(1, "Tides and mud")]) as batch:
        likeness = Likeness(batch, census)
        likeness.like(taste(("tide", 0.5, 1), ("yeast", 0.5, 1)), 0.1)
        likeness.like(taste(("tide", 0.5, 1), ("mud", 0.5, 1)), 0.1)
    assert census.asked == [{"tide"}, {"mud"}]


def test_it_is_told_which_saved_paper_and_which_words_a_paper_owes_it_to(a_paper, census):
    with Batch([a_paper(1, "Tides and mud", "Of glass.")]) as batch:
        wanted = taste(("tide", 0.5, 7), ("mud", 0.4, 7), ("glass", 0.6, 8), ("moon", 0.9, 9))
        assert Likeness(batch, census).because(wanted, 1) == Because(7, ("tide", "mud"), ("tide", "mud", "glass"))


def test_a_taste_of_nothing_likes_nothing(a_paper, census):
    with Batch([a_paper(1, "Tides")]) as batch:
        assert Likeness(batch, census).like(Taste(), 0.1) == []
    with Batch([]) as batch:
        assert Likeness(batch, census).like(taste(("tide", 0.5, 1)), 0.1) == []


def test_long_sums_find_exactly_what_a_plain_sum_finds(a_paper):
    chance = random.Random(9)  # noqa: S311 the same words at every run
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}q" for n in range(200)]
    papers = [
        a_paper(n, " ".join(chance.choices(words, k=6)), " ".join(chance.choices(words, k=60))) for n in range(150)
    ]
    having = {word: 1 + n * 4 for n, word in enumerate(words)}
    with Batch(papers) as batch:
        likeness = Likeness(batch, lambda _stems: Census(papers=1000, average=60.0, having=having))
        for _ in range(30):
            terms = [(word, chance.random(), 1) for word in chance.sample(words, 120)]
            wanted = taste(*terms)
            plain = sorted((-likeness.score(wanted, each.id), each.id) for each in papers)
            least = -plain[40][0]
            found = likeness.like(wanted, least)
            assert [each for _, each in found] == [each for below, each in plain if -below >= least]
