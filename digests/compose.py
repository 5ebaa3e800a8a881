"""From candidates to a digest: what goes into one reader's letter, under which topic, in which order.

    candidates  →  without what this reader had before  →  of papers that may be one work, the first alone
                →  each paper once, under the first topic that wants it
                →  best first in each topic  →  topics take turns until the letter is full  →  the rest as titles

Pure: the same values give the same digest, whatever order the candidates come in.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.issues import Candidate, Digest, Entry, Receipt, Section, Slot, SourceCheck, TopicWish
from domain.papers import Paper
from domain.topics import Why


@dataclass(frozen=True, slots=True)
class Limits:
    """How many papers stand in full."""

    papers: int = 10  #: in one letter
    per_topic: int = 5


def compose(
    *,
    slot: Slot,
    first: bool,
    wishes: Sequence[TopicWish],
    candidates: Sequence[Candidate],
    sent: Collection[int],
    limits: Limits,
    checks: Sequence[SourceCheck],
    new: int,
    confirmed_at: datetime | None,
    welcome_days: int,
    explain: Callable[[int, Paper], Why],
    kin: Callable[[Paper], Collection[int]] = lambda _: (),
) -> Digest | None:
    """Return the digest of one reader, or None when nothing matched and it is not the first.

    `wishes` stand in the reader's own order; candidates of other topics are ignored. `sent` are the ids of papers that
    this reader had in earlier letters: never again. `new` is how many papers the archive gained since the last issue.
    `explain` is asked only for papers that stand in full; `kin` names the papers that may be the same work as one.
    """
    wishes = _distinct(wishes)
    ranked = _without_kin(_ranked(wishes, candidates, sent), kin)
    own = _each_once(wishes, ranked)
    matched = sum(map(len, own.values()))
    if not matched and not first:
        return None
    room = _take_turns({topic_id: len(papers) for topic_id, papers in own.items()}, limits)
    sections = tuple(
        Section(
            topic_id=wish.topic_id,
            name=wish.name,
            total=len(ranked[wish.topic_id]),
            entries=tuple(
                Entry(paper=paper, topic_id=wish.topic_id, why=explain(wish.topic_id, paper))
                for paper in own[wish.topic_id][: room[wish.topic_id]]
            ),
            overflow=tuple(own[wish.topic_id][room[wish.topic_id] :]),
        )
        for wish in wishes
        if ranked[wish.topic_id]
    )
    return Digest(
        slot=slot,
        first=first,
        sections=sections,
        topics=tuple(wish.name for wish in wishes),
        receipt=Receipt(checks=tuple(checks), new=new, matched=matched),
        confirmed_at=confirmed_at,
        welcome_days=welcome_days,
    )


def _distinct(wishes: Sequence[TopicWish]) -> list[TopicWish]:
    """Return the wishes without a topic that was asked twice."""
    once: dict[int, TopicWish] = {}
    for wish in wishes:
        once.setdefault(wish.topic_id, wish)
    return list(once.values())


def _ranked(
    wishes: Sequence[TopicWish], candidates: Sequence[Candidate], sent: Collection[int]
) -> dict[int, list[Paper]]:
    """Return each topic's papers, best first: by tier, score, votes, then the newest."""
    found: dict[int, dict[int, Paper]] = {wish.topic_id: {} for wish in wishes}
    for candidate in sorted(candidates, key=_rank):
        paper = candidate.paper
        if candidate.topic_id in found and paper.id not in sent and not paper.withdrawn:
            found[candidate.topic_id].setdefault(paper.id, paper)
    return {topic_id: list(papers.values()) for topic_id, papers in found.items()}


def _without_kin(ranked: dict[int, list[Paper]], kin: Callable[[Paper], Collection[int]]) -> dict[int, list[Paper]]:
    """Return each topic's papers without those that may be the same work as one that stands before them."""
    kept: set[int] = set()
    for papers in ranked.values():
        for paper in papers:
            if kept.isdisjoint(kin(paper)):
                kept.add(paper.id)
    return {topic_id: [paper for paper in papers if paper.id in kept] for topic_id, papers in ranked.items()}


def _rank(candidate: Candidate) -> tuple[int, float, int, int, int]:
    """Return what orders the papers of one topic; the smallest is the best."""
    paper = candidate.paper
    day = paper.published or paper.first_listed
    return (candidate.tier, -candidate.score, -(paper.upvotes or 0), -day.toordinal(), -paper.id)


def _each_once(wishes: Sequence[TopicWish], ranked: dict[int, list[Paper]]) -> dict[int, list[Paper]]:
    """Return every paper under the first topic that wants it, and nowhere else."""
    taken: set[int] = set()
    own: dict[int, list[Paper]] = {}
    for wish in wishes:
        own[wish.topic_id] = [paper for paper in ranked[wish.topic_id] if paper.id not in taken]
        taken.update(paper.id for paper in own[wish.topic_id])
    return own


def _take_turns(wanted: dict[int, int], limits: Limits) -> dict[int, int]:
    """Return how many papers of each topic stand in full: one each in turn, so that no topic is crowded out."""
    room = dict.fromkeys(wanted, 0)
    left = limits.papers
    while left > 0:
        hungry = [topic for topic, count in wanted.items() if room[topic] < min(count, limits.per_topic)]
        if not hungry:
            break
        for topic in hungry[:left]:
            room[topic] += 1
        left -= len(hungry)
    return room
