"""Compose: candidates in, a digest out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.compose import Limits, compose
from digests.kinship import Kinship
from domain.issues import Candidate, Digest, Slot, TopicWish
from domain.papers import Identifiers, Paper
from domain.topics import Why

MakePaper = Callable[..., Paper]
WISHES = (TopicWish(1, "one"), TopicWish(2, "two"), TopicWish(3, "three"))


def composed(candidates: list[Candidate], **changes: Any) -> Digest | None:
    values: dict[str, Any] = {
        "slot": Slot("2026-11-20", "UTC", date(2026, 11, 20)),
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


def shown(digest: Digest | None) -> dict[int, list[int]]:
    assert digest is not None
    return {section.topic_id: [entry.paper.id for entry in section.entries] for section in digest.sections}


def test_the_best_papers_of_a_topic_come_first(make_paper: MakePaper) -> None:
    candidates = [
        Candidate(1, make_paper(1), 0.5),
        Candidate(1, make_paper(2), 1.0),
        Candidate(1, make_paper(3, upvotes=5), 2.0),
        Candidate(1, make_paper(4, upvotes=9), 2.0),
        Candidate(1, make_paper(5, upvotes=9, published=date(2026, 11, 21)), 2.0),
    ]
    assert shown(composed(candidates)) == {1: [5, 4, 3, 2, 1]}


def test_of_papers_that_may_be_one_work_the_first_alone_is_in_the_letter(make_paper: MakePaper) -> None:
    said = {"authors": ("Ada Moss",), "title": "Cystic fibrosis.", "ids": Identifiers()}
    one = make_paper(1, **said, abstract="We measure how tides move mud along forty estuaries, and why it moves. " * 3)
    other = make_paper(
        2, **said, abstract="Quantum clocks tick in pairs; this note counts the pairs and their ticks. " * 3
    )
    apart = make_paper(3, title="Cystic fibrosis in mice and men")
    kin = Kinship([one, other, apart]).of
    assert (kin(one), kin(apart)) == ({2}, frozenset())
    candidates = [Candidate(1, other, 9.0), Candidate(1, one, 1.0), Candidate(2, one, 5.0), Candidate(2, apart, 1.0)]
    digest = composed(candidates, kin=kin)
    assert shown(digest) == {1: [2], 2: [3]}
    assert digest is not None
    assert digest.receipt.matched == 2


def test_of_a_crowd_of_one_title_two_papers_with_ids_of_their_own_may_stand_together(make_paper: MakePaper) -> None:
    crowd = [make_paper(number, title="Editorial", ids=Identifiers(doi=f"10.5555/{number}")) for number in range(30)]
    named = [make_paper(each, title="Editorial", ids=Identifiers(arxiv=f"2611.0000{each}")) for each in (31, 32)]
    kin = Kinship([*crowd, *named]).of
    assert kin(crowd[0]) == {each.id for each in (*crowd[1:], *named)}
    assert 32 not in kin(named[0])


def test_a_paper_stands_once_under_the_first_topic_that_wants_it(make_paper: MakePaper) -> None:
    both = make_paper(1)
    digest = composed([Candidate(2, both, 5.0), Candidate(1, both, 1.0), Candidate(2, make_paper(2), 1.0)])
    assert shown(digest) == {1: [1], 2: [2]}
    assert digest is not None
    assert digest.receipt.matched == 2
    assert [section.total for section in digest.sections] == [1, 2]


def test_a_topic_whose_papers_all_stand_above_is_still_named(make_paper: MakePaper) -> None:
    digest = composed([Candidate(1, make_paper(1), 1.0), Candidate(2, make_paper(1), 1.0)])
    assert shown(digest) == {1: [1], 2: []}


def test_no_reader_gets_a_paper_twice_or_a_withdrawn_one(make_paper: MakePaper) -> None:
    candidates = [Candidate(1, make_paper(1), 1.0), Candidate(1, make_paper(2, withdrawn=True), 1.0)]
    assert composed(candidates, sent={1}) is None


def test_topics_take_turns_so_that_the_last_is_not_starved(make_paper: MakePaper) -> None:
    candidates = [Candidate(1, make_paper(n), -n) for n in range(1, 20)]
    candidates += [Candidate(3, make_paper(n), -n) for n in range(30, 33)]
    digest = composed(candidates, limits=Limits(papers=6, per_topic=5))
    assert shown(digest) == {1: [1, 2, 3], 3: [30, 31, 32]}
    assert digest is not None
    assert [paper.id for paper in digest.sections[0].overflow] == list(range(4, 20))


def test_nothing_matched_means_no_letter_unless_it_is_the_first() -> None:
    assert composed([]) is None
    first = composed([], first=True)
    assert first is not None
    assert first.sections == ()
    assert first.topics == ("one", "two", "three")


def test_only_papers_shown_in_full_are_explained(make_paper: MakePaper) -> None:
    asked: list[int] = []

    def explain(_topic_id: int, paper: Paper) -> Why:
        asked.append(paper.id)
        return Why("")

    composed(
        [Candidate(1, make_paper(n), -n) for n in range(1, 9)], limits=Limits(papers=10, per_topic=2), explain=explain
    )
    assert asked == [1, 2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12), st.floats(0, 9)), max_size=40),
    papers=st.integers(1, 12),
    per_topic=st.integers(1, 6),
    seed=st.randoms(use_true_random=False),
)
def test_counts_add_up_whatever_the_order(
    make_paper: MakePaper, pairs: list[tuple[int, int, float]], papers: int, per_topic: int, seed: Any
) -> None:
    best = {(topic, paper): score for topic, paper, score in pairs}
    candidates = [Candidate(topic, make_paper(paper), score) for (topic, paper), score in best.items()]
    limits = Limits(papers=papers, per_topic=per_topic)
    digest = composed(candidates, limits=limits)
    shuffled = list(candidates)
    seed.shuffle(shuffled)
    assert composed(shuffled, limits=limits) == digest
    wanted = {paper for topic, paper, _ in pairs if topic <= 3}
    if digest is None:
        assert not wanted
        return
    named = [paper.id for paper in digest.papers]
    assert sorted(named) == sorted(wanted)
    assert digest.receipt.matched == len(wanted)
    full = [len(section.entries) for section in digest.sections]
    assert sum(full) <= papers
    assert max(full) <= per_topic
    assert composed([replace(candidate, topic_id=9) for candidate in candidates]) is None
