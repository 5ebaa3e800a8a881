"""Compose: what stands in a letter beside the matches, and every reason of a paper."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.compose import Limits, compose
from digests.trending import heat, hotness
from domain.issues import AsideKind, Candidate, Digest, Entry, Slot, TopicWish
from domain.papers import Paper
from domain.topics import FEW, Tier, Why

MakePaper = Callable[..., Paper]
WISHES = (TopicWish(1, "one", related=True), TopicWish(2, "two", related=True), TopicWish(3, "three"))
DAY = date(2026, 11, 20)


def composed(candidates: list[Candidate], **changes: Any) -> Digest | None:
    values: dict[str, Any] = {
        "slot": Slot("2026-11-20", "UTC", DAY),
        "first": False,
        "wishes": WISHES,
        "sent": frozenset(),
        "limits": Limits(),
        "checks": (),
        "new": 30,
        "confirmed_at": None,
        "welcome_days": 7,
        "explain": lambda topic_id, paper: Why(f"{topic_id}:{paper.id}"),
    }
    return compose(candidates=candidates, **(values | changes))


def made(candidates: list[Candidate], **changes: Any) -> Digest:
    digest = composed(candidates, **changes)
    assert digest is not None
    return digest


def under(digest: Digest) -> dict[int, list[tuple[int, int]]]:
    """Topic → (paper, tier) as they stand."""
    return {each.topic_id: [(entry.paper.id, entry.tier) for entry in each.entries] for each in digest.sections}


def beside(digest: Digest) -> dict[str, list[int]]:
    return {aside.kind.value: [entry.paper.id for entry in aside.entries] for aside in digest.asides}


def near(topic_id: int, paper: Paper, score: float = 1.0) -> Candidate:
    return Candidate(topic_id, paper, score, Tier.RELATED)


# -- every reason ------------------------------------------------------------------------------------------------------


def reasons(entry: Entry) -> list[tuple[str, str]]:
    return [(each.topic, each.why.line) for each in entry.also]


def test_a_paper_of_three_topics_stands_once_with_all_three_reasons(make_paper: MakePaper) -> None:
    paper = make_paper(1)
    digest = made([Candidate(topic_id, paper, 1.0) for topic_id in (3, 1, 2)])
    assert under(digest) == {1: [(1, Tier.EXACT)], 2: [], 3: []}
    entry = digest.sections[0].entries[0]
    assert (entry.why.line, reasons(entry)) == ("1:1", [("two", "2:1"), ("three", "3:1")])


def test_to_be_related_to_another_topic_is_no_reason_for_a_match(make_paper: MakePaper) -> None:
    paper = make_paper(1)
    digest = made([near(1, paper), Candidate(2, paper, 1.0)])
    assert under(digest) == {2: [(1, Tier.EXACT)]}
    assert reasons(digest.sections[0].entries[0]) == []
    both = made([near(1, paper), near(2, paper)])
    assert under(both) == {1: [(1, Tier.RELATED)]}
    assert reasons(both.sections[0].entries[0]) == [("two", "2:1")]


# -- related papers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("matches", "filled"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_related_papers_fill_a_section_of_few_matches(make_paper: MakePaper, matches: int, filled: int) -> None:
    candidates = [Candidate(1, make_paper(n), 1.0) for n in range(1, matches + 1)]
    candidates += [near(1, make_paper(n), -n) for n in range(11, 16)]
    digest = made(candidates)
    section = digest.sections[0]
    assert [entry.paper.id for entry in section.related] == list(range(11, 11 + filled))
    assert section.entries == section.matches + section.related
    assert (section.total, digest.receipt.matched, section.overflow) == (matches, matches, ())


def test_matches_that_stand_above_or_are_only_counted_leave_less_to_fill(make_paper: MakePaper) -> None:
    candidates = [near(2, make_paper(n), -n) for n in range(11, 16)]
    candidates += [Candidate(topic_id, make_paper(1), 1.0) for topic_id in (1, 2)]
    assert under(made(candidates))[2] == [(11, Tier.RELATED), (12, Tier.RELATED)]
    assert under(made(candidates, beyond={2: 9}))[2] == []


def test_related_papers_come_only_where_they_are_wanted(make_paper: MakePaper) -> None:
    assert composed([near(3, make_paper(1))]) is None
    assert composed([near(1, make_paper(1), 1.0), near(1, make_paper(2, withdrawn=True))], sent={1}) is None


def test_a_letter_may_be_of_related_papers_alone(make_paper: MakePaper) -> None:
    digest = made([near(1, make_paper(1))])
    assert (digest.receipt.matched, digest.sections[0].total) == (0, 0)
    assert [paper.id for paper in digest.papers] == [1]


def test_related_papers_take_only_the_room_that_matches_leave(make_paper: MakePaper) -> None:
    candidates = [near(topic_id, make_paper(topic_id * 10 + n), -n) for topic_id in (1, 2) for n in range(3)]
    candidates.append(Candidate(3, make_paper(1), 1.0))
    digest = made(candidates, limits=Limits(papers=4, per_topic=2))
    near_by_topic = {each.topic_id: [entry.paper.id for entry in each.related] for each in digest.sections}
    assert near_by_topic == {1: [10, 11], 2: [20], 3: []}


def test_a_related_paper_that_may_be_the_same_work_as_a_match_is_left_out(make_paper: MakePaper) -> None:
    kin = {1: {11}, 11: {1, 12}, 12: {11}}
    candidates = [Candidate(1, make_paper(1), 1.0), near(1, make_paper(11), 2.0), near(1, make_paper(12), 1.0)]
    digest = made(candidates, kin=lambda paper: kin.get(paper.id, ()))
    assert under(digest)[1] == [(1, Tier.EXACT), (12, Tier.RELATED)]


# -- order -------------------------------------------------------------------------------------------------------------


def test_the_order_handed_in_decides_within_a_topic_and_tier(make_paper: MakePaper) -> None:
    asked: list[tuple[int, list[int]]] = []

    def backwards(topic_id: int, best: Any) -> Any:
        asked.append((topic_id, [each.paper.id for each in best]))
        return best[::-1]

    candidates = [Candidate(1, make_paper(1), 3.0), Candidate(1, make_paper(2), 2.0)]
    candidates += [near(1, make_paper(3), 9.0), near(1, make_paper(4), 8.0)]
    assert [paper for paper, _ in under(made(candidates, arranged=backwards))[1]] == [2, 1, 4]
    assert asked == [(1, [1, 2]), (1, [3, 4])]


def test_heat_decides_between_equal_scores_only(make_paper: MakePaper) -> None:
    old = make_paper(1, upvotes=400, published=DAY - timedelta(days=30))
    fresh = make_paper(2, upvotes=3, published=DAY)
    better = make_paper(3)
    digest = made([Candidate(1, old, 1.0), Candidate(1, fresh, 1.0), Candidate(1, better, 1.1)])
    assert [paper for paper, _ in under(digest)[1]] == [3, 2, 1]


def test_heat_halves_every_two_days_and_knows_no_future(make_paper: MakePaper) -> None:
    assert hotness(7, timedelta()) == hotness(7, timedelta(days=-3)) == 3
    assert hotness(7, timedelta(hours=48)) == 1.5
    assert (hotness(0, timedelta()), hotness(-4, timedelta())) == (0, 0)
    assert hotness(10**9, timedelta(days=40_000)) == 0
    assert heat(make_paper(published=None, first_listed=DAY, upvotes=7), DAY + timedelta(days=2)) == 1.5
    assert heat(make_paper(upvotes=None), DAY) == 0


# -- late risers and trending ------------------------------------------------------------------------------------------

ASIDES = Limits(late_risers=2, trending=2)


def test_late_risers_stand_apart_with_the_topics_that_they_answer(make_paper: MakePaper) -> None:
    risers = [Candidate(each, make_paper(n), 1.0) for n, each in ((9, 3), (9, 2), (8, 1), (7, 1), (6, 5))]
    digest = made([Candidate(1, make_paper(1), 1.0)], risers=risers, limits=ASIDES)
    assert beside(digest) == {"late-risers": [9, 8]}
    first, second = digest.asides[0].entries
    assert (first.topic_id, first.topic, first.why.line, reasons(first)) == (2, "two", "2:9", [("three", "3:9")])
    assert (second.topic, reasons(second)) == ("one", [])
    assert digest.receipt.matched == 1


def test_what_is_trending_answers_no_topic(make_paper: MakePaper) -> None:
    digest = made([Candidate(1, make_paper(1), 1.0)], trending=[make_paper(n) for n in (5, 4, 3)], limits=ASIDES)
    assert digest.asides[0].kind is AsideKind.TRENDING
    assert beside(digest) == {"trending": [5, 4]}
    assert [(entry.topic_id, entry.why.line) for entry in digest.asides[0].entries] == [(0, ""), (0, "")]


def test_a_paper_stands_once_whatever_would_have_it(make_paper: MakePaper) -> None:
    one, titled, close, risen, hot = (make_paper(n) for n in (1, 2, 3, 4, 5))
    asides = [one, titled, close, make_paper(6), make_paper(7), make_paper(8, withdrawn=True), risen, hot]
    digest = made(
        [Candidate(3, one, 2.0), Candidate(3, titled, 1.0), near(1, close)],
        sent={6},
        kin=lambda paper: {1} if paper.id == 7 else (),
        limits=Limits(per_topic=1, late_risers=1, trending=9),
        risers=[Candidate(1, paper, 1.0) for paper in asides],
        trending=asides,
    )
    assert beside(digest) == {"late-risers": [4], "trending": [5]}


def test_an_aside_is_no_reason_for_a_letter_but_stands_in_a_first_one(make_paper: MakePaper) -> None:
    given: dict[str, Any] = {"risers": [Candidate(1, make_paper(1), 1.0)], "trending": [make_paper(2)]}
    assert composed([], limits=ASIDES, **given) is None
    assert beside(made([], first=True, limits=ASIDES, **given)) == {"late-risers": [1], "trending": [2]}
    assert beside(made([], first=True, limits=Limits(late_risers=0), **given)) == {}


# -- what is only counted ----------------------------------------------------------------------------------------------


def test_matches_beyond_the_best_are_counted(make_paper: MakePaper) -> None:
    digest = made([Candidate(1, make_paper(1), 1.0)], beyond={1: 690, 2: 5}, wishes=WISHES[:1])
    section = digest.sections[0]
    assert (section.total, section.beyond, digest.receipt.matched, digest.receipt.at_most) == (691, 690, 691, False)
    several = made([Candidate(1, make_paper(1), 1.0)], beyond={1: 690, 2: 5})
    assert (several.receipt.matched, several.receipt.at_most) == (691, True)


# -- whatever is given -------------------------------------------------------------------------------------------------

PAIRS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12), st.floats(0, 9)), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    exact=PAIRS,
    related=PAIRS,
    risen=PAIRS,
    hot=st.lists(st.integers(1, 15), max_size=9),
    beyond=st.dictionaries(st.integers(1, 4), st.integers(0, 700)),
    caps=st.tuples(st.integers(1, 12), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4)),
    seed=st.randoms(use_true_random=False),
)
def test_figures_add_up_and_no_paper_stands_twice(
    make_paper: MakePaper, exact: Any, related: Any, risen: Any, hot: Any, beyond: Any, caps: Any, seed: Any
) -> None:
    tiers = {(topic, paper): (score, tier) for tier, pairs in ((Tier.RELATED, related), (Tier.EXACT, exact))
             for topic, paper, score in pairs}  # fmt: skip
    candidates = [Candidate(topic, make_paper(paper), score, tier) for (topic, paper), (score, tier) in tiers.items()]
    given: dict[str, Any] = {
        "limits": Limits(*caps),
        "beyond": beyond,
        "risers": [Candidate(topic, make_paper(paper), score) for topic, paper, score in risen],
        "trending": [make_paper(paper) for paper in hot],
    }
    digest = composed(candidates, **given)
    shuffled = list(candidates)
    seed.shuffle(shuffled)
    assert composed(shuffled, **given) == digest
    wanted = {paper for (topic, paper), (_, tier) in tiers.items() if tier is Tier.EXACT and topic <= 3}
    if digest is None:
        assert not wanted
        return
    ids = [paper.id for paper in digest.papers]
    assert len(ids) == len(set(ids))
    assert digest.receipt.matched == len(wanted) + sum(section.beyond for section in digest.sections)
    for section in digest.sections:
        assert len(section.entries) <= caps[1]
        assert len(section.matches) + len(section.overflow) + section.beyond <= section.total
        assert not section.related or section.total + len(section.related) <= FEW
        assert wanted.isdisjoint(entry.paper.id for entry in section.related)
    assert sum(len(section.entries) for section in digest.sections) <= caps[0]
    assert all(len(aside.entries) <= caps[2 if aside.kind is AsideKind.LATE_RISERS else 3] for aside in digest.asides)


def test_a_topic_is_found_again_from_the_day_of_its_oldest_paper_on(make_paper: MakePaper) -> None:
    old = make_paper(1, listed=DAY - timedelta(days=3))
    wishes = (TopicWish(1, "one", query="tides"), TopicWish(2, "two", query="mud"))
    digest = made(
        [Candidate(1, old, 2.0), Candidate(1, make_paper(2), 1.0), Candidate(2, make_paper(3), 1.0)],
        wishes=wishes,
        since=DAY - timedelta(days=1),
    )
    assert [(each.query, each.since) for each in digest.sections] == [
        ("tides", DAY - timedelta(days=3)),
        ("mud", DAY - timedelta(days=1)),
    ]
    assert {each.since for each in made([Candidate(1, old, 2.0)]).sections} == {None}
