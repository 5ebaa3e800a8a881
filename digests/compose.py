"""From candidates to a digest: what goes into one reader's letter, under which topic, in which order.

    candidates  →  without what this reader had before  →  each topic's matches, best first
                →  each once, under the first topic that wants it; of papers that may be one work, the first alone
                →  topics take turns until the letter is full  →  the rest as titles
                →  where a topic has few matches, related papers fill its section
                →  late risers and what is trending: small sections of their own

Related papers are no matches. A paper that answers one topic stands there, although it may be related to an earlier
one; those that find no room were not sent, and are not rolled over. They may be all of a letter, which then says so:
papers with every word are a small part of what is relevant to a topic of plain words (relevance.md, "Recommended
design", 4). Late risers and trending papers never are the reason for a letter.

Pure: the same values give the same digest, whatever order the candidates come in.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from digests.choosing import Arrange, Kin, Standing, answered, each_once, ids, ranked, take_turns
from domain.issues import (
    Aside,
    AsideKind,
    Candidate,
    Digest,
    Entry,
    Reason,
    Receipt,
    Section,
    Slot,
    SourceCheck,
    TopicWish,
)
from domain.papers import Paper
from domain.topics import FEW, Tier, Why

Explain = Callable[[int, Paper], Why]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many papers stand in full."""

    papers: int = 10  #: under all topics of one letter
    per_topic: int = 5
    late_risers: int = 3
    trending: int = 0


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
    explain: Explain,
    kin: Kin = lambda _: (),
    arranged: Arrange = lambda _, best: best,
    beyond: Mapping[int, int] | None = None,
    risers: Sequence[Candidate] = (),
    trending: Sequence[Paper] = (),
    since: date | None = None,
    away_since: date | None = None,
) -> Digest | None:
    """Return the digest of one reader, or None when nothing matched and it is not the first.

    `wishes` stand in the reader's own order; candidates of other topics are ignored. `sent` are the ids of papers that
    this reader had in earlier letters: never again. `new` is how many papers the archive gained since the last issue.
    `explain` is asked only for papers that stand in full; `kin` names the papers that may be the same work as one.
    `arranged` gets the candidates of one topic and tier, best first, and returns them in the order to be shown.
    `beyond` is topic → how many papers matched beside the candidates; `risers` and `trending` come best first.
    `since` is the day of the last issue, or the first that is looked back to; `away_since` that of a reader's pause.
    """
    names = _names(wishes)
    queries = {wish.topic_id: wish.query for wish in reversed(wishes)}
    fresh = [each for each in candidates if _may_stand(each.paper, sent)]
    exact = ranked(names, fresh, Tier.EXACT, slot.day, arranged)
    own = each_once(exact, Standing(kin))
    matched = ids(own)
    exact = {topic_id: [paper for paper in best if paper.id in matched] for topic_id, best in exact.items()}
    counted = {topic_id: (beyond or {}).get(topic_id, 0) if best else 0 for topic_id, best in exact.items()}
    total = {topic_id: len(best) + counted[topic_id] for topic_id, best in exact.items()}
    room = take_turns({topic_id: min(len(best), limits.per_topic) for topic_id, best in own.items()}, limits.papers)

    lacking = {
        wish.topic_id: min(FEW - total[wish.topic_id], limits.per_topic - room[wish.topic_id])
        for wish in wishes
        if wish.related and total[wish.topic_id] < FEW
    }
    near = ranked(lacking, fresh, Tier.RELATED, slot.day, arranged)
    fill = each_once(near, Standing(kin, matched), lacking)
    turns = take_turns({topic_id: len(best) for topic_id, best in fill.items()}, limits.papers - sum(room.values()))
    related = {topic_id: best[: turns[topic_id]] for topic_id, best in fill.items()}
    if not matched and not ids(related) and not first:
        return None

    writer = _Writer(names, explain)
    answers, likenesses = answered(exact), answered(near)
    standing = Standing(kin, matched | ids(related))
    asides = (
        Aside(AsideKind.LATE_RISERS, writer.risen(risers, sent, standing, limits.late_risers)),
        Aside(AsideKind.TRENDING, _trending(trending, sent, standing, limits.trending)),
    )
    return Digest(
        slot=slot,
        first=first,
        sections=tuple(
            Section(
                topic_id=topic_id,
                name=name,
                total=total[topic_id],
                entries=(
                    *writer.entries(topic_id, own[topic_id][: room[topic_id]], answers, Tier.EXACT),
                    *writer.entries(topic_id, related.get(topic_id, ()), likenesses, Tier.RELATED),
                ),
                overflow=tuple(own[topic_id][room[topic_id] :]),
                beyond=counted[topic_id],
                query=queries[topic_id],
                since=min([since, *(paper.listed for paper in exact[topic_id])]) if since else None,
            )
            for topic_id, name in names.items()
            if exact[topic_id] or related.get(topic_id)
        ),
        topics=tuple(names.values()),
        receipt=Receipt(
            checks=tuple(checks),
            new=new,
            matched=len(matched) + sum(counted.values()),
            at_most=len(names) > 1 and any(counted.values()),
        ),
        confirmed_at=confirmed_at,
        welcome_days=welcome_days,
        asides=tuple(aside for aside in asides if aside.entries),
        away_since=away_since,
    )


class _Writer:
    """Writes entries, each with all the reasons why its paper is there."""

    def __init__(self, names: Mapping[int, str], explain: Explain) -> None:
        self._names = names
        self._explain = explain

    def entries(
        self, topic_id: int, papers: Sequence[Paper], topics: Mapping[int, Sequence[int]], tier: Tier
    ) -> list[Entry]:
        """Return the entries of one section; `topics` is paper → what it answers in this tier."""
        return [self._entry(paper, topic_id, topics[paper.id], tier) for paper in papers]

    def risen(
        self, risers: Sequence[Candidate], sent: Collection[int], standing: Standing, most: int
    ) -> tuple[Entry, ...]:
        """Return the late risers, each under the first topic that it answers: who matched nothing has not risen."""
        papers = {each.paper.id: each.paper for each in risers if each.tier == Tier.EXACT}
        pairs = {(each.topic_id, each.paper.id) for each in risers if each.tier == Tier.EXACT}
        topics = {paper_id: [each for each in self._names if (each, paper_id) in pairs] for paper_id in papers}
        able = (paper for paper in papers.values() if topics[paper.id] and _may_stand(paper, sent))
        return tuple(
            replace(self._entry(paper, under, topics[paper.id], Tier.EXACT), topic=self._names[under])
            for paper in standing.take(able, most)
            for under in topics[paper.id][:1]
        )

    def _entry(self, paper: Paper, topic_id: int, topics: Sequence[int], tier: Tier) -> Entry:
        return Entry(
            paper=paper,
            topic_id=topic_id,
            why=self._explain(topic_id, paper),
            tier=tier,
            also=tuple(Reason(self._names[each], self._explain(each, paper)) for each in topics if each != topic_id),
        )


def _trending(papers: Sequence[Paper], sent: Collection[int], standing: Standing, most: int) -> tuple[Entry, ...]:
    """Return what is trending; its votes are the whole reason."""
    able = (paper for paper in papers if _may_stand(paper, sent))
    return tuple(Entry(paper=paper, topic_id=0, why=Why("", ())) for paper in standing.take(able, most))


def _names(wishes: Sequence[TopicWish]) -> dict[int, str]:
    """Return topic → what the reader calls it, in the reader's order; of a topic asked twice the first name."""
    names: dict[int, str] = {}
    for wish in wishes:
        names.setdefault(wish.topic_id, wish.name)
    return names


def _may_stand(paper: Paper, sent: Collection[int]) -> bool:
    """Whether a paper may go to this reader at all."""
    return paper.id not in sent and not paper.withdrawn
