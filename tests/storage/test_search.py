from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.papers import Identifiers, ListedPaper
from domain.topics import And, Node, Not, Or, Phrase, Query, Word
from storage.archive import Archive
from storage.database import Database
from storage.filters import Filters
from storage.paging import Cursor, Order, cursor_from
from storage.search import Search, order_of
from topics.query import DEEPEST

ALL = 1000
NEWEST = date(2026, 11, 20)


def asked(tree: Node | str) -> Query:
    tree = Word(tree) if isinstance(tree, str) else tree
    return Query(text="", tree=tree, normal_form="", terms=())


@pytest.fixture
def search(database: Database) -> Search:
    return Search(database)


@pytest.fixture
def store(archive: Archive, listed, listing, now) -> Callable[..., list[int]]:
    """Store papers of these titles on a listing; return their ids."""
    number = 0

    def go(*titles: str, listing_of: dict | None = None, **values) -> list[int]:
        nonlocal number
        papers: list[ListedPaper] = []
        for title in titles:
            number += 1
            papers.append(listed(title, ids=Identifiers(doi=f"10.5555/{number}"), **values))
        added = archive.add(listing(*papers, **(listing_of or {})), now + timedelta(minutes=number))
        return [paper.id for paper in added.new]

    return go


def found(search: Search, tree: Node | str | None, **values) -> list[int]:
    return [paper.id for paper in search.search(None if tree is None else asked(tree), ALL, **values).papers]


# -- words ---------------------------------------------------------------------------------------------------------


def test_words_are_looked_for_in_title_abstract_authors_and_categories(search, store):
    (paper,) = store("Tides", abstract="Of estuaries.", authors=("Mira Okafor",), categories=("math.AG",))

    for word in ("tide", "estuary", "okafor", "math", "ag"):
        assert found(search, word) == [paper]
    assert found(search, And((Word("okafor"), Word("tides")))) == [paper]


def test_a_phrase_does_not_reach_from_one_column_into_the_next(search, store):
    store("Deep", abstract="neural nets", authors=("Tide Model",), categories=("cs.LG",))

    for phrase in (("deep", "neural"), ("nets", "tide"), ("model", "cs")):
        assert found(search, Phrase(phrase)) == []
    assert len(found(search, Phrase(("neural", "net")))) == 1


def test_a_changed_abstract_is_found_by_its_new_words_alone(search, archive, listed, listing, now):
    ids = Identifiers(doi="10.5555/1")
    archive.add(listing(listed(abstract="", ids=ids)), now)
    archive.add(listing(listed(abstract="The authors say estuaries.", ids=ids)), now)

    assert len(found(search, "estuary")) == 1


def test_a_tree_as_deep_as_a_topic_may_be_is_answered(search, store):
    (paper,) = store("Tides")
    tree: Node = Word("tide")
    for level in range(DEEPEST):
        tree = And((tree, Not(Word("absent")))) if level % 2 else Or((tree, Word("absent")))

    assert found(search, tree) == [paper]


def test_a_word_that_was_never_typed_as_syntax_is_none(search, store):
    store("NEAR AND OR NOT near tides")

    for word in ("near", "and", "or", "not"):
        assert len(found(search, word)) == 1
    assert found(search, Phrase(("near", "or"))) == []


def test_a_paper_longer_than_an_index_can_place_is_found_by_each_of_its_words(search, store):
    words = " ".join(f"word{number}" for number in range(30_000))
    (paper,) = store("Long", abstract=f"{words} the end {'again ' * 400}")

    for word in ("word0", "word29999", "end", "again"):
        assert found(search, word) == [paper]
    assert found(search, Phrase(("word7", "word8"))) == [paper]
    assert found(search, Phrase(("word29999", "word5"))) == []


# -- filters -------------------------------------------------------------------------------------------------------


def test_the_source_and_the_days_are_those_of_one_sighting(search, store, archive, listed, listing, now):
    (paper,) = store("Tides", listing_of={"source": "hf", "day": date(2026, 11, 2)})
    again = listed("Tides", ids=Identifiers(doi="10.5555/1"))
    archive.add(listing(again, source="arxiv", day=date(2026, 11, 9)), now)

    def passes(**values) -> bool:
        here = {found(search, tree, filters=Filters(**values)) == [paper] for tree in ("tide", None)}
        assert len(here) == 1
        return here.pop()

    assert passes(source="hf")
    assert passes(source="arxiv", since=date(2026, 11, 9), until=date(2026, 11, 9))
    assert not passes(source="hf", since=date(2026, 11, 3))
    assert not passes(source="arxiv", until=date(2026, 11, 8))
    assert passes(since=date(2026, 11, 3))
    assert passes(until=date(2026, 11, 2))
    assert not passes(since=date(2026, 11, 3), until=date(2026, 11, 8))
    assert not passes(since=date(2026, 11, 10), until=date(2026, 11, 1))
    assert not passes(source="hf daily")


def test_a_category_is_the_papers_own_or_the_archive_it_belongs_to(search, store):
    one, other = store("Tides", "Moons", categories=("cs.LG", "stat.ML"))
    (third,) = store("Stars", categories=("cs.CL", "cell biology"))
    store("None", categories=("csx.LG", "math.GT", "LG", "Vol. 3"))

    def of(category: str) -> list[int]:
        return sorted(found(search, None, filters=Filters(category=category)))

    assert of("cs.LG") == of("CS.lg") == [one, other]
    assert of("cs") == [one, other, third]
    assert of("cell biology") == [third]
    for none in ("cell", "LG.", "cs.", "cs.L", "", "cs'; --", 'cs" OR "x', "%", "\0", "\ud800"):
        assert of(none) == []
    assert found(search, "moon", filters=Filters(category="cs")) == [other]


def test_a_category_that_a_paper_learns_is_found(search, archive, listed, listing, now):
    ids = Identifiers(doi="10.5555/1")
    archive.add(listing(listed(ids=ids)), now)
    archive.add(listing(listed(ids=ids, categories=("cs.LG",))), now)

    assert len(found(search, None, filters=Filters(category="cs.LG"))) == 1


def test_votes_are_the_least_and_a_paper_without_any_figure_does_not_pass(search, store):
    (many,), (_few,), (_none,) = store("A", upvotes=9), store("B", upvotes=0), store("C", upvotes=None)

    assert found(search, None, filters=Filters(votes=1)) == [many]
    assert len(found(search, None, filters=Filters(votes=0))) == 2
    assert found(search, None, filters=Filters(votes=10**30)) == []


def test_what_no_paper_has_is_named(search, store):
    store("Tides", categories=("cs.LG",))

    assert search.unknown(Filters(source="hf", category="cs")) == ()
    assert search.unknown(Filters(source="nope", category="cs.AI")) == ("source", "category")
    assert search.unknown(Filters(source="\0", category="\ud800")) == ("source", "category")


def test_what_is_rare_is_counted_anew_where_papers_are_reworded_in_as_many_words(search, archive, listed, listing, now):
    def say(*words: str) -> None:
        named = enumerate(words, 1)
        archive.add(listing(*(listed(f"{word} {n}", ids=Identifiers(doi=f"10.5555/{n}")) for n, word in named)), now)

    either = Or((Word("mud"), Word("moon")))
    say("Mud", "Moon", "Moon", "Moon", *["Sand"] * 8)
    assert found(search, either)[0] == 1
    say("Mud", "Moon", "Mud", "Mud", *["Sand"] * 8)
    assert found(search, either)[0] == 2


# -- orders and pages ----------------------------------------------------------------------------------------------


def test_papers_without_the_value_come_last_and_of_equals_the_one_stored_last_comes_first(search, store):
    ids = [store(f"Tide {nth}", upvotes=votes)[0] for nth, votes in enumerate((None, 3, 9, 3, None))]

    for tree in (None, "tide"):
        assert found(search, tree, order=Order.UPVOTES) == [ids[place] for place in (2, 3, 1, 4, 0)]


def test_the_title_counts_twice_and_a_rare_word_more_than_a_frequent_one(search, store):
    (in_abstract,) = store("Moons", abstract="Of the tide.")
    (in_title,) = store("Tide", abstract="Of the moons.")
    store(*(f"Moons {number}" for number in range(9)), abstract="Of nothing.")

    assert found(search, "tide") == [in_title, in_abstract]
    assert found(search, Or((Word("tide"), Word("nothing"))))[:2] == [in_title, in_abstract]


def test_without_a_query_nothing_is_relevant_and_first_sight_orders():
    assert order_of(None, None) is order_of(None, Order.RELEVANCE) is Order.FIRST_SEEN
    assert order_of(asked("tide"), None) is Order.RELEVANCE
    assert order_of(None, Order.UPVOTES) is order_of(asked("tide"), Order.UPVOTES) is Order.UPVOTES


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("tree", [None, "tide", Or((Word("tide"), And((Word("moon"), Not(Word("five"))))))])
def test_pages_show_every_paper_once_though_others_come_in_meanwhile(search, store, order, tree):
    values = [(votes, day) for votes in (None, 1, 1, 5, 900) for day in (None, date(2026, 1, 1), date(2026, 2, 2))]
    for nth, (votes, day) in enumerate(values):
        store(f"Tide {nth} of {votes}", abstract="moon " * min(votes or 1, 30), upvotes=votes, published=day)
    query = None if tree is None else asked(tree)
    at_first = found(search, tree, order=order)
    assert len(at_first) == len(values)

    shown: list[int] = []
    after: Cursor | None = None
    while True:
        page = search.search(query, 4, order=order, after=after)
        shown += [paper.id for paper in page.papers]
        assert page.total >= len(values)
        if page.next is None:
            break
        after = cursor_from(str(page.next), order_of(query, order))
        if len(shown) == 8:
            for votes in (None, 5, 10_000):
                store(f"Tide tide for {votes}", abstract="tides", upvotes=votes, published=date(2026, 3, 3))
            store(*(f"Nothing {number}" for number in range(20)))

    assert len(shown) == len(set(shown))
    assert [paper for paper in shown if paper in at_first] == at_first


def test_a_page_goes_on_although_the_paper_it_ended_with_is_no_match_any_more(search, store):
    store(*(f"Tide {'tide ' * number}" for number in range(6)))
    page = search.search(asked("tide"), 2)
    ids = found(search, "tide")

    gone = search.search(asked("tide"), ALL, after=Cursor(page.next.value, 0))

    assert [paper.id for paper in gone.papers] == ids[2:]


def test_a_page_beyond_the_last_is_empty_and_knows_the_total(search, store):
    store("Tide", "Tides")

    for order in Order:
        value = {Order.RELEVANCE: -1.0, Order.FIRST_SEEN: datetime(1990, 1, 1, tzinfo=UTC)}.get(order)
        page = search.search(asked("tide"), 5, order=order, after=Cursor(value, 0))
        assert (page.total, page.papers, page.next) == (2, (), None)


@pytest.mark.parametrize(
    ("order", "value"),
    [
        (Order.RELEVANCE, 1e308),
        (Order.FIRST_SEEN, datetime(9999, 12, 31, tzinfo=UTC)),
        (Order.PUBLISHED, date(9999, 12, 31)),
        (Order.UPVOTES, 10**17),
    ],
)
def test_a_made_up_place_before_all_papers_is_as_good_as_none(search, store, order, value):
    store("Tide", "Tides", upvotes=3, published=date(2026, 1, 1))

    page = search.search(asked("tide"), 5, order=order, after=Cursor(value, 10**17))

    assert [paper.id for paper in page.papers] == found(search, "tide", order=order)


def test_many_matches_and_few_are_ordered_alike(search, store):
    ids = store(*(f"Tide {number}" for number in range(60)))
    (moon,) = store("Tide and moon")

    for order in Order:
        first = search.search(asked("tide"), 1, order=order)
        assert first.total == 61
        assert found(search, "moon", order=order) == [moon]
    assert found(search, "tide", order=Order.FIRST_SEEN) == [moon, *reversed(ids)]


# -- taking away ---------------------------------------------------------------------------------------------------


def test_ids_rise_from_where_one_stopped(search, store):
    ids = store(*(f"Tide {number}" for number in range(7)), categories=("cs.LG",))
    store("Moon")

    assert search.ids(asked("tide"), 0, 3) == ids[:3]
    assert search.ids(asked("tide"), ids[2], ALL) == ids[3:]
    assert search.ids(asked("tide"), ids[-1], ALL) == []
    assert search.ids(None, 0, ALL, Filters(category="cs")) == ids


def test_every_match_that_is_there_now_is_given_in_order_of_storing(search, store):
    ids = store(*(f"Tide {number}" for number in range(7)))
    papers = search.every(asked("tide"))
    first = next(papers)
    store("Tide too late")

    assert [first.id, *(paper.id for paper in papers)] == ids
    assert [paper.id for paper in search.every(None)] == [*ids, ids[-1] + 1]
