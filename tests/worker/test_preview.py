import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.papers import AbstractKind, FetchStatus, Identifiers, ListedPaper, Listing
from domain.topics import NEAR_IN_MEANING, Tier, Topic
from storage.census import Censuses
from storage.search import Search
from tests.worker.meanings import nearness
from topics.matching import MOST_RELATED, match
from topics.neighbours import usage
from topics.query import parse
from worker.preview import Previewer

NEWEST = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
_SUBJECTS = ("tides", "moon", "estuary", "mud", "krill", "silt", "delta")

QUERIES = (
    "tides",
    "tides moon",
    "tides moon estuary",
    "tides moon krill silt",
    "tides -mud",
    "tides -mud -krill",
    "tides -(mud moon)",
    "moon OR (tides -mud)",
    "(moon -mud) OR (silt -mud) OR (krill -delta)",
    '"tides moon"',
    "title:tides -abstract:mud",
    "est*",
    "est* OR cat:math",
    "cat:cs -mud",
    "moon -cat:math",
    "tides -upvotes>=3",
    "moon -source:other -author:sato",
    "upvotes>=2",
    "NEAR -paper_fts",
    "nothing",
)


@pytest.fixture
def store(archive) -> Callable[..., None]:
    def go(*titles: str, ago: int = 0, source: str = "hf", backlog: bool = False, **values) -> None:
        before = archive.newest_id()
        papers = tuple(
            ListedPaper(
                title=title,
                rank=rank,
                ids=Identifiers(doi=f"10.5555/{before + rank}"),
                abstract_kind=AbstractKind.AUTHORS,
                **{"abstract": "Of what moves.", "authors": ("Mira Okafor",), "author_count": 1, **values},
            )
            for rank, title in enumerate(titles, 1)
        )
        day = NEWEST - timedelta(days=ago)
        archive.add(Listing(source=source, day=day, papers=papers, status=FetchStatus.OK, backlog=backlog), NOW)

    return go


@pytest.fixture
def preview(database, archive) -> Callable:
    previewer = Previewer(archive=archive, search=Search(database), census=Censuses(database).of, labels={})

    def go(query: str, days: int = 14, limit: int | None = None, *, related: bool | None = None):
        return previewer.preview(parse(query), days, limit, related=related)

    return go


@pytest.fixture
def filled(store) -> None:
    """Ten days of papers about one to three subjects."""
    for ago in range(10):
        for each in range(12):
            number = ago * 12 + each
            subjects = random.Random(number).sample(_SUBJECTS, 1 + number % 4)  # noqa: S311 no secret
            store(
                " ".join(subjects[:2]),
                abstract=f"On {' and '.join(subjects)}, told {'at length ' * (number % 4)}.",
                ago=ago,
                source=("hf", "other")[number % 2],
                categories=(("cs.CL", "math.AG")[number % 5 == 0],),
                authors=(("Mira Okafor", "Jun Sato")[number % 3 == 0],),
                upvotes=number % 6 or None,
            )


def test_of_an_empty_archive_nothing_is_shown(preview):
    found = preview("tides -mud")
    assert (found.newest, found.total, found.per_day, found.papers, found.terms) == (None, 0, {}, (), ())


def test_days_are_counted_back_from_the_newest_of_the_archive_backlog_included(preview, store):
    store("Tides now", "Moon")
    store("Tides a day ago", ago=1, backlog=True)
    store("Tides nearly two weeks ago", ago=13)
    store("Tides two weeks ago", ago=14)

    found = preview("tides", 14)
    assert found.newest == NEWEST
    assert found.per_day == {NEWEST - timedelta(days=ago): 1 for ago in (13, 1, 0)}
    assert list(found.per_day) == sorted(found.per_day)
    assert [len(preview("tides", days).papers) for days in (1, 2, 15, 3660, 10**7)] == [1, 2, 4, 4, 4]


@pytest.mark.parametrize("related", [None, True, False])
def test_numbers_add_up_whatever_the_limit(preview, filled, related):
    for query in QUERIES:
        whole = preview(query, related=related)
        assert sum(whole.per_day.values()) == whole.total == len(whole.papers), query
        assert Counter(each.paper.listed for each in whole.papers) == whole.per_day
        assert sum(each.tier is Tier.EXACT for each in whole.papers) == whole.exact
        for limit in (1, 7, 1000):
            some = preview(query, limit=limit, related=related)
            assert some.papers == whole.papers[:limit]
            assert (some.per_day, some.exact, some.related) == (whole.per_day, whole.exact, whole.related)
            assert (some.excluded, some.terms) == (whole.excluded, whole.terms)


def test_a_days_preview_is_what_matching_keeps_of_that_days_papers(preview, filled, archive, database):
    papers = archive.since(NEWEST)
    census = Censuses(database).of
    for query in (parse(each) for each in QUERIES):
        for related in (False, True):
            kept = [
                (each.paper_id, each.tier, pytest.approx(each.score))
                for selection in match(papers, [Topic(1, query, related)], census)
                for each in selection.matches
            ]
            found = preview(query.text, 1, related=related)
            assert [(each.paper.id, each.tier, each.score) for each in found.papers] == kept, query.text


def test_related_papers_come_of_days_on_which_few_answer_and_not_more_than_matching_keeps(preview, store):
    many = [f"Tides {number}" for number in range(MOST_RELATED + 2)]
    store(*many)
    store(*["Tides and moon"] * 3, *many, ago=1)
    store(*["Tides and moon"] * 2, "Tides", ago=2)
    store(*[f"Moon {number}" for number in range(40)], ago=30)

    found = preview("tides moon")
    assert (found.exact, found.related) == (5, MOST_RELATED + 1)
    assert list(found.per_day.values()) == [3, 3, MOST_RELATED]
    assert [each.tier for each in found.papers] == [Tier.EXACT] * 5 + [Tier.RELATED] * found.related
    assert all(each.why.line for each in found.papers)
    assert preview("tides moon", related=False).related == 0
    assert preview("tides AND moon -krill").related == 0, "an operator makes a topic exact"
    assert preview("tides AND moon -krill", related=True).related == MOST_RELATED + 1


def test_each_exclusion_keeps_out_as_many_as_another_preview_has_more(preview, filled):
    for query, term, other in (
        ("tides -mud", "-mud", "tides"),
        ("tides -mud -krill", "-krill", "tides -mud"),
        ("tides -(mud moon)", "-(moon mud)", "tides"),
        ("moon OR (tides -mud)", "-mud", "moon OR tides"),
        ("(moon -mud) OR (silt -mud) OR (krill -delta)", "-mud", "moon OR silt OR (krill -delta)"),
        ("title:tides -abstract:mud", "-abstract:mud", "title:tides"),
        ("moon -cat:math", "-cat:math", "moon"),
        ("tides -upvotes>=3", "-upvotes>=3", "tides"),
        ("moon -source:other -author:sato", "-author:sato", "moon -source:other"),
    ):
        found = preview(query)
        fewer = {each.term: each.fewer for each in found.excluded}
        assert fewer[term] == preview(other).exact - found.exact, query
        assert fewer[term] > 0, query
    assert preview("tides moon").excluded == ()


def test_of_equal_papers_the_newest_listing_day_comes_first_and_then_the_order_of_the_listing(preview, store):
    store("A", "B", ago=2, categories=("cs.CL",))
    store("C", "D", categories=("cs.CL",))

    assert [each.paper.title for each in preview("cat:cs").papers] == ["C", "D", "A", "B"]
    assert {each.score for each in preview("cat:cs").papers} == {0.0}


def test_of_very_many_papers_the_best_are_found_without_reading_all(preview, store):
    for ago in range(6):
        store(*["Of the moon"] * 99, "Tides, tides", ago=ago, abstract="The tides of what moves", categories=("cs.CL",))

    found = preview("tides", limit=7)
    assert (found.exact, len(found.papers)) == (600, 7)
    assert [each.paper.title for each in found.papers] == ["Tides, tides"] * 6 + ["Of the moon"]
    newest = preview("cat:cs", limit=100).papers
    assert [each.paper.id for each in newest] == list(range(1, 101)), "where nothing is wanted by words"
    assert [each.paper.id for each in preview("tid*", limit=100).papers][:1] == [100]


def test_words_to_consider_are_those_of_the_topics_papers(preview, store):
    store(*[f"Tides of the estuary {number}" for number in range(6)])
    store(*[f"The moon {number}" for number in range(60)], ago=1)

    assert [(each.word, each.papers) for each in preview("tides").terms] == [("estuary", 6)]
    assert preview("estuary -tides").terms == ()


def test_words_to_consider_follow_the_archive(preview, store, archive):
    store(*["Tides of the estuary"] * 6)
    assert preview("tides").terms == (), "the whole archive is about tides"
    store(*[f"The moon {number}" for number in range(60)])
    assert [each.word for each in preview("tides").terms] == ["estuary"]
    assert usage(archive.papers(range(1, 67))).papers == 66


def test_a_look_back_brings_what_is_near_in_meaning_and_orders_by_both(database, archive, store):
    store("The ebb", abstract="Of silt and flood.")
    store("Tides", abstract="Of mud and foxes and ports.", ago=1)
    store("Tides", abstract="Of mud and silt and flood.", ago=1)
    store("Wool", abstract="Of foxes.", ago=2)
    previewer = Previewer(
        archive=archive,
        search=Search(database),
        census=Censuses(database).of,
        labels={},
        nearness=nearness(archive),
    )
    found = previewer.preview(parse("tides mud"), 14)
    assert [(each.paper.title, each.tier, each.why.line == NEAR_IN_MEANING) for each in found.papers] == [
        ("Tides", Tier.EXACT, False),
        ("Tides", Tier.EXACT, False),
        ("The ebb", Tier.RELATED, True),
    ]
    assert found.papers[0].paper.abstract == "Of mud and silt and flood."
    assert found.per_day == {NEWEST: 1, NEWEST - timedelta(days=1): 2}
    assert previewer.preview(parse("tides mud -ebb"), 14, related=True).related == 0
    assert previewer.preview(parse("tides mud"), 14, related=False).total == 2
