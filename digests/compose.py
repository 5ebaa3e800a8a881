"""From candidates to a digest: what goes into one reader's letter, under which topic, in which order.

    candidates  →  without what this reader had before  →  each topic's matches, best first
                →  each once, under the first topic that wants it; of papers that may be one work, the first alone
                →  topics take turns until the letter is full  →  the rest as titles
                →  where a topic has few matches, related papers fill its section
                →  like what the reader saved, late risers, what is trending, what became of what was sent: small
                   sections of their own

Related papers are no matches. A paper that answers one topic stands there, although it may be related to an earlier
one; those that find no room were not sent, and are not rolled over. They may be all of a letter, which then says so:
papers with every word are a small part of what is relevant to a topic of plain words (relevance.md, "Recommended
design", 4). So may papers like what the reader saved. What else stands beside the topics never is the reason for a
letter.

What is like papers that the reader wants less of is `set_aside`: a match is named by title alone, for it answers what
was asked; anything else does not stand in the letter.

Pure: the same values give the same digest, whatever order the candidates come in.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from digests.choosing import Arrange, Kin, Standing, answered, each_once, ids, last_of_all, ranked, take_turns
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
    like_saved: int = 3
    sent_news: int = 5


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of a paper that the reader was sent."""

    paper: Paper
    told: str  #: "a new version (v3), 26 November; its code, 25 November"


@dataclass(frozen=True, slots=True)
class Learned:
    """What a reader's likings say of what may go into one letter."""

    like_saved: Sequence[Paper] = ()  #: like what they saved, the most alike first
    explain: Callable[[Paper], Why] = lambda _: Why("")  #: why one of these is; asked only of those that stand
    set_aside: Collection[int] = frozenset()  #: the ids of those like what they want less of


NOTHING_LEARNED = Learned()


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
    learned: Learned = NOTHING_LEARNED,
    happened: Sequence[Happening] = (),
    since: date | None = None,
    away_since: date | None = None,
) -> Digest | None:
    """Return the digest of one reader, or None when nothing matched and it is not the first.

    `wishes` stand in the reader's own order; candidates of other topics are ignored. `sent` are the ids of papers that
    this reader had in earlier letters: never again. `new` is how many papers the archive gained since the last issue.
    `explain` is asked only for papers that stand in full; `kin` names the papers that may be the same work as one.
    `arranged` gets the candidates of one topic and tier, best first, and returns them in the order to be shown.
    `beyond` is topic → how many papers matched beside the candidates; `risers` and `trending` come best first, and what
    `happened` to papers that the reader was sent, the gravest first.
    `since` is the day of the last issue, or the first that is looked back to; `away_since` that of a reader's pause.
    """
    names = _names(wishes)
    queries = {wish.topic_id: wish.query for wish in reversed(wishes)}
    fresh = [each for each in candidates if _may_stand(each.paper, sent)]
    exact = ranked(names, fresh, Tier.EXACT, slot.day, arranged)
    own = last_of_all(each_once(exact, Standing(kin)), learned.set_aside)
    matched = ids(own)
    exact = {topic_id: [paper for paper in best if paper.id in matched] for topic_id, best in exact.items()}
    counted = {topic_id: (beyond or {}).get(topic_id, 0) if best else 0 for topic_id, best in exact.items()}
    total = {topic_id: len(best) + counted[topic_id] for topic_id, best in exact.items()}
    able = {topic_id: sum(paper.id not in learned.set_aside for paper in best) for topic_id, best in own.items()}
    room = take_turns({topic_id: min(papers, limits.per_topic) for topic_id, papers in able.items()}, limits.papers)

    lacking = {
        wish.topic_id: min(FEW - total[wish.topic_id], limits.per_topic - room[wish.topic_id])
        for wish in wishes
        if wish.related and total[wish.topic_id] < FEW
    }
    welcome = [each for each in fresh if each.paper.id not in learned.set_aside]
    near = ranked(lacking, welcome, Tier.RELATED, slot.day, arranged)
    fill = each_once(near, Standing(kin, matched), lacking)
    turns = take_turns({topic_id: len(best) for topic_id, best in fill.items()}, limits.papers - sum(room.values()))
    related = {topic_id: best[: turns[topic_id]] for topic_id, best in fill.items()}
    standing = Standing(kin, matched | ids(related))
    apart = {*sent, *learned.set_aside}
    like_saved = _like_saved(learned, apart, standing, limits.like_saved)
    if not matched and not ids(related) and not like_saved and not first:
        return None

    writer = _Writer(names, explain)
    answers, likenesses = answered(exact), answered(near)
    asides = (
        Aside(AsideKind.LIKE_SAVED, like_saved),
        Aside(AsideKind.LATE_RISERS, writer.risen(risers, apart, standing, limits.late_risers)),
        Aside(AsideKind.TRENDING, _trending(trending, apart, standing, limits.trending)),
        Aside(
            AsideKind.SENT_NEWS,
            tuple(_happened(each) for each in happened[: limits.sent_news]),
            more=len(happened[limits.sent_news :]),
        ),
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
                set_aside=frozenset(ids({topic_id: own[topic_id]}).intersection(learned.set_aside)),
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


def _like_saved(learned: Learned, apart: Collection[int], standing: Standing, most: int) -> tuple[Entry, ...]:
    """Return what is like papers that the reader saved."""
    able = (paper for paper in learned.like_saved if _may_stand(paper, apart))
    return tuple(
        Entry(paper=paper, topic_id=0, why=learned.explain(paper), tier=Tier.LIKE_SAVED)
        for paper in standing.take(able, most)
    )


def _happened(happening: Happening) -> Entry:
    return Entry(paper=happening.paper, topic_id=0, why=Why(""), happened=happening.told)


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
