"""Words and phrases select what FTS5 selects, and are ranked as FTS5 ranks them, whatever the database.

FTS5 itself is asked, in memory, with the same words. Trees with other leaves are in test_whole_trees.py.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fts5 import TOKENIZE, match_expression, tokens
from domain.topics import And, Field, Node, Not, Or, Phrase, Word
from storage.archive import Archive
from storage.database import Database
from storage.words.asking import asking_of
from storage.words.cutting import COLUMNS, columns_of
from storage.words.index import index_of
from storage.words.selecting import Where
from topics.normal import complement, conjunction, disjunction

LONG = "x" * 2999
PIECES = [
    *(
        "tide",
        "tides",
        "tidal",
        "the",
        "of",
        "and",
        "C++",
        "C#",
        "C",
        "+",
        "#",
        "naïve",
        "naive",
        "Ω",
        "ω",
        "ﬁne",
        "fine",
    ),
    *(
        "fine-tuning",
        "tuning",
        "CO$_2$",
        "CO2",
        r"Schr\"odinger",
        "schrödinger",
        "한국어",
        "深度学习",
        "深度",
        "İstanbul",
    ),
    *(
        "e\u0301t\u0301",
        "ß",
        "cs.LG",
        "LG",
        "🤗",
        "\0",
        "'",
        '"',
        "\\",
        ":",
        "&",
        "|",
        "!",
        "<->",
        "(",
        ")",
        "*",
        "A",
        "1A",
    ),
    *(LONG, f"{LONG}x", f"{LONG}y", "長" * 800, "長" * 801, "sensitivity", "sensitivities"),
]
WORDS = sorted({word for piece in PIECES for word in tokens(piece)})
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), min_size=3, max_size=3)
FIELDS = st.sampled_from((None, None, *Field))
LEAVES = st.builds(
    lambda words, field: Word(words[0], field) if len(words) == 1 else Phrase(tuple(words), field),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    FIELDS,
)
TREES = st.recursive(
    LEAVES,
    lambda parts: (
        st.lists(parts, min_size=2, max_size=4).map(conjunction)
        | st.lists(parts, min_size=2, max_size=4).map(disjunction)
        | parts.map(complement)
    ),
    max_leaves=12,
).filter(lambda tree: not isinstance(tree, Not))
_SETTINGS = settings(max_examples=60, deadline=None)


class Bare:
    """FTS5 alone, in memory."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._memory = sqlite3.connect(":memory:")
        self._memory.execute(f'CREATE VIRTUAL TABLE paper USING fts5({", ".join(COLUMNS)}, tokenize="{TOKENIZE}")')
        self._memory.executemany(
            "INSERT INTO paper(rowid, title, abstract, authors, categories) VALUES "
            "(:id, :title, :abstract, :authors, :categories)",
            map(columns_of, rows),
        )

    def close(self) -> None:
        self._memory.close()

    def ids(self, tree: Node, where: Where = Where.ANYWHERE) -> list[int]:
        rows = self._memory.execute("SELECT rowid FROM paper WHERE paper MATCH ?", (_within(where, tree),))
        return sorted(paper for (paper,) in rows)

    def scores(self, tree: Node, where: Where = Where.ANYWHERE) -> dict[int, float]:
        return dict(
            self._memory.execute(
                "SELECT rowid, -bm25(paper, 2.0, 1.0, 1.0, 1.0) FROM paper WHERE paper MATCH ?",
                (_within(where, tree),),
            )
        )


def _within(where: Where, tree: Node) -> str:
    expression = match_expression(tree)
    return expression if where is Where.ANYWHERE else f"{{title abstract}} : ({expression})"


class Index:
    """The index of a database, holding rows of our choice for papers that are there."""

    def __init__(self, database: Database, ids: list[int]) -> None:
        self._database = database
        self._ids = ids
        self._asking = asking_of(database.dialect)
        self._rows: list[dict[str, Any]] = []

    def fill(self, texts: list[tuple[str, str, str, str]]) -> list[dict[str, Any]]:
        """Put these in place of what was there before; the ids are taken anew each time."""
        with self._database.writing() as connection:
            if self._rows:
                index_of(connection).take(connection, self._rows)
            self._rows = [
                {"id": paper, "title": title, "abstract": abstract, "authors": [one, "Sato"], "categories": [two]}
                for paper, (title, abstract, one, two) in zip(self._ids, texts, strict=True)
            ]
            index_of(connection).put(connection, self._rows)
        return self._rows

    def ids(self, tree: Node, where: Where = Where.ANYWHERE) -> list[int]:
        with self._database.reading() as connection:
            return sorted(connection.execute(self._asking.ask(connection, tree, where).matching().select).scalars())

    def ranked(self, tree: Node, where: Where = Where.ANYWHERE) -> dict[int, float]:
        with self._database.reading() as connection:
            ranked = self._asking.ask(connection, tree, where).ranked().select
            return {row.id: row.score for row in connection.execute(ranked)}


@pytest.fixture
def index(database: Database, archive: Archive, listed, listing, now) -> Callable[[int], Index]:
    def make(papers: int) -> Index:
        new = archive.add(listing(*(listed(f"Paper number {nth}") for nth in range(papers))), now).new
        with database.writing() as connection:
            rows = [
                {"id": p.id, "title": p.title, "abstract": p.abstract, "authors": p.authors, "categories": p.categories}
                for p in new
            ]
            index_of(connection).take(connection, rows)
        return Index(database, [paper.id for paper in new])

    return make


def test_any_tree_selects_the_same_of_any_papers(index: Callable[[int], Index]) -> None:
    ours = index(3)

    @_SETTINGS
    @given(texts=ROWS, tree=TREES)
    def same(texts: list[tuple[str, str, str, str]], tree: Node) -> None:
        with closing(Bare(ours.fill(texts))) as bare:
            for where in Where:
                assert ours.ids(tree, where) == bare.ids(tree, where)

    same()


@pytest.fixture
def many(index: Callable[[int], Index]) -> Iterator[tuple[Index, Bare]]:
    """Eighty papers of which some words are in nearly all, some in one."""
    chance = random.Random(4)  # noqa: S311 the same papers at every run
    usual = PIECES[:40]

    def text(most: int) -> str:
        return " ".join(
            chance.choices(usual, weights=[1 / (nth + 1) for nth in range(len(usual))], k=chance.randint(0, most))
        )

    ours = index(80)
    rows = ours.fill([(text(8), text(40), text(3), text(2)) for _ in range(80)])
    with closing(Bare(rows)) as bare:
        yield ours, bare


def test_a_search_for_words_is_ranked_as_by_fts5(many: tuple[Index, Bare]) -> None:
    ours, bare = many
    leaves = st.builds(Word, st.sampled_from(WORDS), FIELDS)
    trees = st.lists(leaves | st.lists(leaves, min_size=2, max_size=3).map(conjunction), min_size=2, max_size=4)

    @_SETTINGS
    @given(tree=trees.map(disjunction))
    def same(tree: Node) -> None:
        for where in Where:
            expected = bare.scores(tree, where)
            if isinstance(tree, Word):  # of one word only the order is wanted
                assert _in_order(ours.ranked(tree, where)) == _in_order(expected)
            else:
                assert ours.ranked(tree, where) == pytest.approx(expected, rel=1e-4, abs=1e-7)

    same()


def _in_order(scores: dict[int, float]) -> list[int]:
    best = max(scores.values(), default=1.0)
    return sorted(scores, key=lambda paper: (round(scores[paper] / best, 5), paper))


def test_a_word_that_stands_often_is_counted_each_time(index: Callable[[int], Index]) -> None:
    ours = index(5)
    texts = [
        ("tide " * nth, f"{'tide ' * times} moon", "", "") for nth, times in ((0, 1), (1, 2), (3, 40), (0, 200), (2, 9))
    ]
    with closing(Bare(ours.fill(texts))) as bare:
        tree = And((Word("moon"), Word("tide")))
        assert ours.ranked(tree) == pytest.approx(bare.scores(tree), rel=1e-4)


def test_what_is_excluded_or_does_not_hold_adds_nothing(index: Callable[[int], Index]) -> None:
    ours = index(3)
    texts = [("tide moon", "sun"), ("tide", "tide moon star"), ("tide sun", "star star")]
    with closing(Bare(ours.fill([(*each, "", "") for each in texts]))) as bare:
        moon_and_sun = And((Word("moon"), Word("star")))
        for tree in (Or((Word("tide"), moon_and_sun)), And((Word("tide"), Not(moon_and_sun)))):
            assert ours.ranked(tree) == pytest.approx(bare.scores(tree), rel=1e-4, abs=1e-7)


def test_a_query_that_matches_nothing_has_no_scores(index: Callable[[int], Index]) -> None:
    ours = index(1)
    ours.fill([("", "", "", "")])

    assert ours.ranked(Word("tide")) == {}
