"""Any tree selects the papers that each of its leaves, AND, OR and NOT say, on either database."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from domain.authors import likeness, names
from domain.facts import is_in_category, is_source
from domain.fts5 import TOKENIZE, TOKENIZE_FORMS, match_expression, prefix_expression, searchable, tokens
from domain.papers import Identifiers
from domain.topics import And, Author, Category, Field, Node, Not, Or, Phrase, Prefix, Query, Source, Votes, Word
from domain.traces import asked_for, traces
from storage.archive import Archive
from storage.database import Database
from storage.filters import Filters
from storage.paging import Order
from storage.search import Search
from storage.tables import PAPER, SIGHTING
from storage.words.cutting import COLUMNS
from storage.words.index import index_of

DAY = date(2026, 11, 20)
EVER = date.min
TEXTS = ("tide", "tidal", "Sensitivity", "sensitivities", "naïve", "C++", "Okafor", "cs.LG", "한국어", "x" * 1990, "ω")
AUTHORS = (
    "Kaiming He",
    "He, Kaiming",
    "K. He",
    "Kai-Ming He",
    "Mira O'Brien",
    "Jürgen Müller",
    "J Mueller",
    "李明",
    "He",
)
CATEGORIES = ("cs.CL", "CS.cl", "cs", "math.AG", "csx.LG", "Vol. 3")
SOURCES = ("arxiv:cs.CL", "arxiv:math", "Huggingface-Daily", "huggingface", "hug")
PREFIXES = ("tid", "tide", "sensitiv", "sensit", "nai", "c+", "c", "한", "xxx", "ω", "o", "cs", "absent")
WORDS = sorted({word for text in TEXTS for word in tokens(text)})
ASKED = (
    "Kaiming He",
    "He Kai Ming",
    "K He",
    "he",
    "OBrien",
    "Mira Obrien",
    "Muller",
    "J. Müller",
    "明",
    "李明",
    "B. Nobody",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a paper."""

    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    sources: tuple[str, ...]
    votes: int | None

    def columns(self) -> dict[str, Any]:
        lists = {"authors": list(self.authors), "categories": list(self.categories)}
        return {"title": self.title, "abstract": self.abstract, "upvotes": self.votes, **lists}


def _some(choice: tuple[str, ...], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(choice), max_size=most, unique=True).map(tuple)


SAID = _some(TEXTS, 5).map(" ".join)
ROWS = st.lists(
    st.builds(
        Row,
        title=SAID,
        abstract=SAID,
        authors=_some(AUTHORS),
        categories=_some(CATEGORIES),
        sources=_some(SOURCES),
        votes=st.sampled_from((None, 0, 3, 20)),
    ),
    min_size=4,
    max_size=4,
)
FIELDS = st.sampled_from((None, None, *Field))
LEAVES = st.one_of(
    st.builds(Word, st.sampled_from(WORDS), FIELDS),
    st.builds(Phrase, st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), FIELDS),
    st.builds(Prefix, st.sampled_from(PREFIXES), FIELDS),
    st.sampled_from(ASKED).map(lambda name: Author(names(name))),
    st.sampled_from(("cs.cl", "cs", "math", "csx", "vol", "cs.", "")).map(Category),
    st.sampled_from(("arxiv", "arxiv:cs.cl", "arxiv:cs", "huggingface", "hug", "daily")).map(Source),
    st.sampled_from((0, 3, 4, 10**30)).map(Votes),
)


def _both(parts: list[Node]) -> Node:
    """Return an AND; of exclusions alone, what is excluded is an OR."""
    if all(isinstance(part, Not) for part in parts):
        return Not(Or(tuple(part.part for part in parts)))
    return And(tuple(parts))


def _either(parts: list[Node]) -> Node:
    """Return an OR; as everything but what one part excludes is nothing that can be asked for, its part is."""
    return Or(tuple(part.part if isinstance(part, Not) else part for part in parts))


SOME = {"min_size": 2, "max_size": 4}
TREES = st.recursive(
    LEAVES,
    lambda parts: (
        st.lists(parts, **SOME).map(_both)
        | st.lists(parts, **SOME).map(_either)
        | parts.map(lambda part: part.part if isinstance(part, Not) else Not(part))
    ),
    max_leaves=10,
).filter(lambda tree: not isinstance(tree, Not))


class Plain:
    """Each leaf asked of FTS5 in memory or of the row itself, and the sets put together."""

    def __init__(self, rows: list[Row], *, is_topic: bool) -> None:
        self._rows = rows
        self._within = "{title abstract} : " if is_topic else ""
        self._memory = sqlite3.connect(":memory:")
        for table, tokenize in (("stem", TOKENIZE), ("form", TOKENIZE_FORMS)):
            self._memory.execute(
                f'CREATE VIRTUAL TABLE {table} USING fts5({", ".join(COLUMNS)}, tokenize="{tokenize}")'
            )
            for place, row in enumerate(rows):
                lists = (", ".join(row.authors), ", ".join(row.categories))
                texts = [searchable(text) for text in (row.title, row.abstract, *lists)]
                self._memory.execute(
                    f"INSERT INTO {table} (rowid, title, abstract, authors, categories) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 from above
                    (place, *texts),
                )

    def close(self) -> None:
        self._memory.close()

    def places(self, tree: Node) -> set[int]:
        match tree:
            case And(parts):
                kept = set.intersection(*(self.places(part) for part in parts if not isinstance(part, Not)))
                return kept.difference(*(self.places(part.part) for part in parts if isinstance(part, Not)))
            case Or(parts):
                return set().union(*map(self.places, parts))
            case Word() | Phrase():
                return self._found("stem", f"{self._within}({match_expression(tree)})")
            case Prefix():
                return self._found("form", f"{{title abstract}} : ({prefix_expression(tree)})")
        return {place for place, row in enumerate(self._rows) if _has(row, tree)}

    def _found(self, table: str, expression: str) -> set[int]:
        rows = self._memory.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ?", (expression,))  # noqa: S608 from above
        return {place for (place,) in rows}


def _has(row: Row, fact: Node) -> bool:
    match fact:
        case Author(asked):
            return any(likeness(asked, listed) for listed in row.authors)
        case Category(name):
            return any(is_in_category(name, category) for category in row.categories)
        case Source(name):
            return any(is_source(name, source) for source in row.sources)
        case Votes(least):
            return row.votes is not None and row.votes >= least
    raise AssertionError(fact)


class Kept:
    """Four papers in an archive, of which everything changes with each example."""

    def __init__(self, database: Database, ids: list[int], rows: list[Row]) -> None:
        self.ids = ids
        self.search = Search(database)
        self._database = database
        self._rows = rows

    def fill(self, rows: list[Row]) -> None:
        with self._database.writing() as connection:
            index = index_of(connection)
            index.take(connection, self._columns(self._rows))
            for paper, columns in zip(self.ids, self._columns(rows), strict=True):
                connection.execute(update(PAPER).where(PAPER.c.id == paper).values(columns))
            connection.execute(delete(SIGHTING))
            now, rank = self.now, {"rank": 1, "details": {}}
            stood = [
                {"paper_id": paper, "source": source, "day": DAY, "seen_at": now, **rank}
                for paper, row in zip(self.ids, rows, strict=True)
                for source in row.sources
            ]
            if stood:
                connection.execute(insert(SIGHTING), stood)
            index.put(connection, self._columns(rows))
        self._rows = rows

    now: Any = None

    def _columns(self, rows: list[Row]) -> list[dict[str, Any]]:
        return [{"id": paper, **row.columns()} for paper, row in zip(self.ids, rows, strict=True)]

    def places(self, ids: list[int]) -> set[int]:
        assert len(set(ids)) == len(ids)
        return {self.ids.index(paper) for paper in ids}


@pytest.fixture
def kept(database: Database, archive: Archive, listed, listing, now) -> Kept:
    papers = archive.add(listing(*(listed(f"Paper number {nth}") for nth in range(4))), now).new
    rows = [Row(each.title, each.abstract, each.authors, each.categories, (), None) for each in papers]
    made = Kept(database, [paper.id for paper in papers], rows)
    made.now = now
    return made


def asked(tree: Node) -> Query:
    return Query(text="", tree=tree, normal_form="", terms=())


def test_any_tree_selects_what_its_parts_say(kept: Kept) -> None:
    @settings(max_examples=60, deadline=None)
    @given(rows=ROWS, tree=TREES)
    def same(rows: list[Row], tree: Node) -> None:
        kept.fill(rows)
        with closing(Plain(rows, is_topic=False)) as plain:
            expected = plain.places(tree)
            assert kept.places(kept.search.ids(asked(tree), 0, 9)) == expected
            for order in Order:
                page = kept.search.search(asked(tree), 9, order=order)
                assert kept.places([paper.id for paper in page.papers]) == expected
                assert page.total == len(expected)
        with closing(Plain(rows, is_topic=True)) as plain:
            expected = plain.places(tree)
            assert kept.places(kept.search.selected(tree, EVER)) == expected
            assert kept.places(kept.search.best(tree, EVER, 9)) == expected
            assert kept.search.per_day(tree, EVER) == ({DAY: len(expected)} if expected else {})

    same()


NAMES = st.lists(
    st.sampled_from(
        ("kai", "ming", "kaiming", "he", "k", "m", "van", "der", "müller", "mueller", "o'brien", "li", "Ø", "明")
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=500, deadline=None)
@given(typed=NAMES, listed=NAMES, comma=st.booleans())
def test_authors_that_are_alike_share_what_they_are_looked_up_by(
    typed: list[str], listed: list[str], comma: bool
) -> None:
    author = " ".join(each.title() for each in listed)
    if comma and len(listed) > 1:
        author = author.replace(" ", ", ", 1)
    wanted = names(" ".join(typed))
    if likeness(wanted, author):
        left = set(traces([author]))
        assert any(left.issuperset(way) for way in asked_for(wanted))


# -- pages, orders, filters --------------------------------------------------------------------------------------------


@pytest.fixture
def store(archive: Archive, listed, listing, now) -> Callable[..., int]:
    number = iter(range(1, 1000))

    def go(title: str, *, source: str = "hf", day: date = DAY, **values: Any) -> int:
        each = next(number)
        paper = listed(title, ids=Identifiers(doi=f"10.5555/{each}"), **{"abstract": "", **values})
        (new,) = archive.add(listing(paper, source=source, day=day), now + timedelta(minutes=each)).new
        return new.id

    return go


@pytest.fixture
def search(database: Database) -> Search:
    return Search(database)


TIDES_OF_ONE_KIND = (
    And((Word("tide"), Category("cs"))),
    And((Prefix("tid"), Not(Votes(1000)))),
    Or((Word("absent"), Category("cs.lg"))),
    And((Source("hf"), Or((And((Word("tide"), Votes(0))), Author(("lena", "brandt")))))),
)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("tree", TIDES_OF_ONE_KIND)
def test_pages_of_any_tree_show_every_paper_once(search: Search, store, order: Order, tree: Node) -> None:
    ids = [store(f"{'Tide ' * (nth % 3 + 1)} {nth}", categories=("cs.LG",), upvotes=nth % 4) for nth in range(11)]
    store("Moons", source="arxiv")
    shown: list[int] = []
    after = None
    while True:
        page = search.search(asked(tree), 4, order=order, after=after)
        shown += [paper.id for paper in page.papers]
        assert page.total == len(ids)
        if (after := page.next) is None:
            break
    assert sorted(shown) == ids
    assert [paper.id for paper in search.every(asked(tree))] == ids
    assert search.ids(asked(tree), ids[3], 2) == ids[4:6]


def test_filters_narrow_any_tree(search: Search, store) -> None:
    store("Tide", categories=("cs.LG",), upvotes=1)
    wanted = store("Tides", categories=("CS.LG",), upvotes=5)
    store("Tides", categories=("math.AG",), upvotes=9)

    for tree in (And((Word("tide"), Category("cs"))), Category("cs.lg"), And((Prefix("tid"), Not(Category("math"))))):
        found = search.search(asked(tree), 9, filters=Filters(votes=2, category="Cs.lg"))
        assert ([paper.id for paper in found.papers], found.total) == ([wanted], 1)


def test_words_score_and_facts_do_not(search: Search, store) -> None:
    store(*["Nothing"], source="arxiv")
    often = store("Tide", abstract="tide tide", categories=("cs.LG",))
    once = store("Moons of tides and of many other things", categories=("cs.LG",))
    never = store("Stars", categories=("cs.LG",))
    for tree in (Or((Word("tide"), Category("cs"))), And((Category("cs"), Or((Word("tide"), Prefix("star")))))):
        page = search.search(asked(tree), 9)
        assert [paper.id for paper in page.papers] == [often, once, never]
    assert search.best(Or((Word("tide"), Category("cs"))), EVER, 2) == [often, once]


def test_a_topic_looks_at_title_and_abstract_and_from_a_day_on(search: Search, store) -> None:
    store("Tide", day=DAY - timedelta(days=9))
    first = store("Tide", day=DAY - timedelta(days=1))
    store("Moon", authors=("Low Tide",), categories=("tide.LG",))
    last = store("Moons", abstract="Of tides.")
    since = DAY - timedelta(days=1)

    assert search.selected(Word("tide"), since) == [first, last]
    assert search.best(Word("tide"), since, 9) == [first, last]
    assert search.per_day(Word("tide"), since) == {since: 1, DAY: 1}
    assert search.selected(Word("tide", Field.ABSTRACT), since) == [last]


def test_a_tree_as_deep_as_a_topic_may_be_of_any_leaves(search: Search, store) -> None:
    wanted = store("Tide", categories=("cs.LG",))
    store("Moon", categories=("cs.LG",))
    for leaf in (Category("cs"), Prefix("tid"), Author(("okafor",)), Source("hf")):
        tree: Node = And((leaf, Word("tide")))
        for level in range(30):
            tree = And((tree, Not(Category("math")))) if level % 2 else Or((tree, Votes(10)))
        assert search.selected(tree, EVER) == [wanted]
        assert [paper.id for paper in search.search(asked(tree), 9).papers] == [wanted]


def test_as_many_alternatives_as_a_topic_has_room_for(search: Search, store) -> None:
    wanted = store("Tide", categories=("cs.LG",))
    parts: Iterator[Node] = (kind(f"a{nth}") for nth in range(150) for kind in (Category, Prefix, Word))
    assert search.selected(Or((*parts, Category("cs"))), EVER) == [wanted]
