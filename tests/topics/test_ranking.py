import math
import random
import sqlite3
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fts5 import TOKENIZE, searchable, tokens
from domain.topics import Census, Node, Prefix
from topics.normal import STOP_WORDS
from topics.query import parse
from topics.ranking import FUNCTION_WORDS, Scores, Wish, ceiling, rarity, wishes, words
from topics.stems import Stemmer, lengths, postings

Texts = list[tuple[str, str]]

VOCABULARY = ["amber", "birch", "cedar", "dahlia", "the"]
TEXT = st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join)
PAPERS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6)
CENSUS = Census(papers=1000, average=9.0, having={"amber": 700, "birch": 40, "cedar": 2})


def reader(papers: Texts) -> Callable[[str], dict[int, tuple[int, int]]]:
    """Postings counted by hand of words that are their own stems."""

    def read(stem: str) -> dict[int, tuple[int, int]]:
        counted = {place: tuple(text.split().count(stem) for text in paper) for place, paper in enumerate(papers)}
        return {place: times for place, times in counted.items() if any(times)}

    return read


def scores(papers: Texts, census: Census = CENSUS) -> Scores:
    return Scores(reader(papers), [len(tokens(title)) + len(tokens(abstract)) for title, abstract in papers], census)


def wished(tree: Node) -> tuple[Wish, ...]:
    with Stemmer() as stemmer:
        return wishes(tree, stemmer.stems(words(tree)))


@given(PAPERS, st.lists(st.sampled_from(VOCABULARY[:-1]), unique=True))
def test_a_score_is_what_the_formula_of_bm25_says(papers: Texts, asked: list[str]) -> None:
    expected = []
    for title, abstract in papers:
        counted = Counter(abstract.split() + title.split() * 2)
        said = f"{title} {abstract}".split()
        score = 0.0
        for word in asked:
            n = CENSUS.having.get(word, 0)
            idf = math.log(1 + (1000 - n + 0.5) / (n + 0.5))
            score += idf * counted[word] * 2.2 / (counted[word] + 1.2 * (1 - 0.6 + 0.6 * len(said) / 9.0))
        expected.append(score)

    assert scores(papers).total(asked, range(len(papers))) == pytest.approx(expected)


def test_a_word_in_the_title_counts_twice() -> None:
    once, twice, title = scores([("", "birch cedar oak"), ("", "birch birch oak"), ("birch", "cedar oak")]).total(
        ["birch"], range(3)
    )

    assert once < twice == title


def test_how_rare_a_word_is_the_archive_says_and_not_the_batch() -> None:
    papers = [("", "amber oak"), ("", "amber oak"), ("", "cedar oak")]

    in_batch_rare, in_archive_rare = scores(papers, Census(1000, 2.0, {"amber": 3, "cedar": 900})).total(
        ["amber", "cedar"], [2, 0]
    )

    assert in_batch_rare < in_archive_rare


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_no_word_is_worth_less_than_nothing_even_where_the_census_is_behind(papers: int, having: int) -> None:
    assert rarity("amber", Census(papers, 1.0, {"amber": having})) > 0


@given(PAPERS, st.lists(st.sampled_from(VOCABULARY[:-1]), unique=True))
def test_no_score_passes_the_ceiling(papers: Texts, asked: list[str]) -> None:
    highest = ceiling(asked, CENSUS)

    assert all(score <= highest for score in scores(papers).total(asked, range(len(papers))))


def test_papers_without_a_wish_score_nothing() -> None:
    assert scores([("amber", "")]).total((), [0, 0]) == [0.0, 0.0]
    assert scores([("amber", "")], Census(0, 0.0, {})).total(["birch"], [0]) == [0.0]


@pytest.mark.parametrize(
    ("query", "stems"),
    [
        ("sensitivities sensitivity analysis", ("analysi", "sensit")),
        ('"graph neural networks" graph', ("graph", "neural", "network")),
        ("amber -birch", ("amber",)),
        ("amber OR (birch -cedar)", ("amber", "birch")),
        ('"few shot learning"', ("shot", "learn")),
        ('"attention is all you need"', ("attent", "need")),
        ("C++", ("c++",)),
    ],
)
def test_a_topic_wishes_for_the_distinct_stems_of_what_it_wants(query: str, stems: tuple[str, ...]) -> None:
    assert set(wished(parse(query).tree)) == set(stems)
    assert len(wished(parse(query).tree)) == len(stems)


def test_of_the_words_that_begin_so_the_best_in_each_paper_counts() -> None:
    papers = [("", "amber birch"), ("", "amber oak"), ("", "oak oak")]
    either = wishes(Prefix("am"), {}, lambda _: ("amber", "birch"))
    ours = scores(papers)

    assert either == (("amber", "birch"),)
    assert ours.total(either, range(3)) == [
        pytest.approx(max(ours.of("amber")[0], ours.of("birch")[0])),
        pytest.approx(ours.of("amber")[1]),
        0.0,
    ]
    assert ceiling(either, CENSUS) == ceiling(["birch"], CENSUS)
    assert wishes(Prefix("am"), {}, lambda _: ("amber",)) == ("amber",)
    assert wishes(Prefix("am"), {}) == ()


def test_function_words_are_those_that_a_topic_passes_over_and_more() -> None:
    assert STOP_WORDS <= FUNCTION_WORDS
    assert all(tokens(word) == (word,) for word in FUNCTION_WORDS)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), min_size=1, max_size=4))
def test_stems_and_places_are_those_of_the_index(papers: Texts) -> None:
    index = sqlite3.connect(":memory:", isolation_level=None)
    index.execute(f"CREATE VIRTUAL TABLE paper USING fts5(title, abstract, content='', tokenize=\"{TOKENIZE}\")")
    for place, (title, abstract) in enumerate(papers):
        index.execute(
            "INSERT INTO paper(rowid, title, abstract) VALUES (?, ?, ?)", (place, *map(searchable, (title, abstract)))
        )
    read = postings(index)

    with Stemmer() as stemmer:
        for place, paper in enumerate(papers):
            stems = stemmer.stems(word for text in paper for word in tokens(text))
            for stem in set(stems.values()):
                counted = tuple(sum(stems.get(word) == stem for word in tokens(text)) for text in paper)
                assert read(stem)[place] == counted
    assert lengths(index, len(papers)) == [sum(len(tokens(text)) for text in paper) for paper in papers]
    index.close()


def test_a_stemmer_keeps_its_answers_apart_whatever_it_was_asked_before() -> None:
    many = [f"w{random.Random(number).randrange(10**9)}ings" for number in range(3000)]  # noqa: S311 no secret
    with Stemmer() as stemmer:
        first = stemmer.stems(many)
        assert stemmer.stems(["sensitivities", *many[:3], "-"]) == {
            "sensitivities": "sensit",
            **{word: first[word] for word in many[:3]},
        }
    assert len(first) == len(many)
