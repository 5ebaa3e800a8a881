"""match: papers × topics.

    the papers that no topic has met yet × every distinct topic → the best of each, the others counted, and the marker
        moves, in one transaction; backlog apart, so that it crowds no news out
    the papers that changed since × the topics that may see it → what matches now is news, what does not any more goes
    the topics that have no past yet × the papers of the last `welcome_days` → matches that are no news

Each distinct topic is run once over a batch, whatever the number of its readers. Scores are those of the whole archive.
Where papers are read for their meaning, they were before this begins; one that was not is near to nothing, and no later
round makes up for it: by then the day may have its exact papers, and what comes late is no news.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.papers import Paper
from domain.topics import Category, Match, Node, Query, Selection, Source, Topic, Votes, leaves
from storage.archive import Archive
from storage.topics import Change, Met, StoredTopic, Topics
from topics.matching import Batch, CensusOf, match
from topics.merging import merged
from topics.mixing import asked
from topics.nearness import CosinesOf, conditions, near
from topics.query import parse
from topics.related import loosened
from worker.nearness import Near, Nearness

BATCH = 1_000  # papers met at once: of 100,000 topics they are two million matches, 230 MiB until they are written
AGAIN = 500  # changed papers met at once: of these all matches are told
_LONGEST_AGO = timedelta(days=90)  # a letter that is cut for a slot of the past
_NEWS_FOR = timedelta(days=31)  # after a paper came: later, it may have answered a topic before that was there


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What one match did."""

    papers: int  #: that met the topics for the first time
    topics: int  #: that there are; 0 where there was nothing to match
    matches: int  #: new ones
    new_topics: int  #: topics that were matched over the past


class Matcher:
    """Brings papers and topics together."""

    def __init__(
        self,
        *,
        archive: Archive,
        topics: Topics,
        census: CensusOf,
        welcome_days: int,
        nearness: Nearness | None = None,
    ) -> None:
        self._archive = archive
        self._topics = topics
        self._census = census
        self._welcome = timedelta(days=welcome_days)
        self._nearness = nearness
        self._queries: dict[str, Query] = {}  # by normal form: after a restore an id may mean another topic

    def is_due(self) -> bool:
        """Whether a paper, a change of one, or a topic has not been matched; cheap."""
        return self._topics.is_due()

    def match(
        self, now: datetime, progress: Callable[[int], None] = lambda _: None, *, slot: datetime | None = None
    ) -> MatchReport:
        """Match everything that has not been matched; doing it again, or twice at once, adds nothing.

        Where there is nothing to match, no topic is read. A new topic meets the past once: what a first letter looks
        back over, one of `slot` where that is earlier than `now`, by 90 days at most.
        """
        if not self._topics.is_due():
            return MatchReport(papers=0, topics=0, matches=0, new_topics=0)
        stored = self._topics.all()
        held = {each.normal_form for each in stored}
        self._queries = {normal: query for normal, query in self._queries.items() if normal in held}
        since = self._topics.matched_up_to()
        met = found = 0
        while True:
            known = self._topics.newest_change()  # before the papers are read, which may miss a later one
            papers = self._archive.after(since, BATCH)
            if not papers:
                break
            # Matched before the transaction begins, which holds the database for the writing alone.
            selections = self._met(papers, self._read(stored), progress)
            added = self._topics.record(selections, since=since, up_to=papers[-1].id, now=now, changes=known)
            if added is None:
                # Another run is at it: what it has not done is done the next time.
                return MatchReport(papers=met, topics=len(stored), matches=found, new_topics=0)
            met += len(papers)
            found += added
            since = papers[-1].id
        while changes := self._topics.changed(AGAIN):
            found += self._again(changes, stored, now)
        fresh = [each for each in stored if not each.backfilled]
        if fresh:
            found += self._past(fresh, now, min(now, max(slot or now, now - _LONGEST_AGO)) - self._welcome, since)
        return MatchReport(papers=met, topics=len(stored), matches=found, new_topics=len(fresh))

    def _met(
        self, papers: Sequence[Paper], topics: Sequence[Topic], progress: Callable[[int], None]
    ) -> list[Selection]:
        """Return what topics select of new papers; of backlog nothing is counted, for no letter tells it as news."""
        backlog = [paper for paper in papers if paper.backlog]
        news = [paper for paper in papers if not paper.backlog]
        cosines_of = self._cosines_of(papers)
        found = list(match(news, topics, self._census, progress, cosines_of=cosines_of)) if news else []
        if backlog:
            met = match(backlog, topics, self._census, progress, cosines_of=cosines_of)
            found += (replace(each, beyond=0) for each in met)
        return found

    def _near(self, papers: Iterable[Paper]) -> Near | None:
        return self._nearness.over([paper.id for paper in papers]) if self._nearness else None

    def _cosines_of(self, papers: Iterable[Paper]) -> CosinesOf | None:
        near = self._near(papers)
        return near.cosines if near else None

    def _read(self, stored: Sequence[StoredTopic]) -> list[Topic]:
        """Return the topics with their queries read; what was read before is kept as long as somebody asks it."""
        for each in stored:
            if each.normal_form not in self._queries:
                self._queries[each.normal_form] = parse(each.normal_form)
        read = ((each, self._queries[each.normal_form]) for each in stored)
        return [Topic(each.id, query, each.related or (each.unsaid and query.is_plain)) for each, query in read]

    def _again(self, changes: Sequence[Change], stored: Sequence[StoredTopic], now: datetime) -> int:
        """Let changed papers meet the topics again that may answer otherwise than before."""
        papers = {paper.id: paper for paper in self._archive.papers(each.paper_id for each in changes)}
        topics = [Topic(each.id, each.query) for each in self._read(stored)]  # alone, every paper would be related
        young = now - _NEWS_FOR
        met = []
        for what, sees in _SEES.items():
            those = frozenset(each.paper_id for each in changes if each.what == what)
            seeing = [topic for topic in topics if sees(topic.query.tree)]
            again = [papers[paper_id] for paper_id in sorted(those & papers.keys())]
            if seeing and again:
                found = match(again, seeing, self._census, best=len(again))
                met.append(
                    Met(
                        topics=frozenset(topic.id for topic in seeing),
                        papers=those,
                        matches=[each for selection in found for each in selection.matches],
                        news=frozenset(
                            each.id for each in again if each.listed >= young.date() or each.first_seen >= young
                        ),
                        adds=what != "scored",
                    )
                )
        return self._topics.record_changed(changes, met, self._unrelated(papers.values(), topics))

    def _unrelated(self, papers: Iterable[Paper], topics: Iterable[Topic]) -> set[tuple[int, int]]:
        """Return the related (topic, paper) among these papers that are not related any more."""
        known = {paper.id: paper for paper in papers}
        pairs = self._topics.related(known)
        if not pairs:
            return set()
        queries = {topic.id: topic.query for topic in topics}
        asked_again = {topic_id: queries[topic_id] for topic_id, _ in pairs if topic_id in queries}
        changed = [known[paper_id] for paper_id in sorted({paper_id for _, paper_id in pairs})]
        cosines_of = self._cosines_of(changed)
        with Batch(changed) as batch:
            still = {
                (topic_id, each)
                for topic_id, query in asked_again.items()
                for each in (*_related(batch, query), *(_near(batch, query, cosines_of) if cosines_of else ()))
            }
        return {pair for pair in pairs if pair[0] in asked_again} - still

    def _past(self, fresh: Sequence[StoredTopic], now: datetime, moment: datetime, up_to: int) -> int:
        """Let new topics meet the papers since a moment, those of this run among them: all of a first letter's days."""
        day = moment.date()
        papers = [paper for paper in self._archive.since(day, moment) if paper.id <= up_to]
        wanted = self._read(fresh)
        found = self._merged(papers, wanted)
        return self._topics.record_past(fresh, found, day=day, moment=moment, up_to=up_to, now=now)

    def _merged(self, papers: Sequence[Paper], topics: Sequence[Topic]) -> list[Selection]:
        """Return what topics select of more papers than meet them at once."""
        near = self._near(papers)
        if near is None:
            return merged(match(batch, topics, self._census) for batch in _batches(papers))
        queries = {topic.id: topic.query for topic in topics}

        def arranged(topic_id: int, related: Sequence[Match]) -> list[Match]:
            return near.in_order(queries[topic_id], related)

        found = (match(batch, topics, self._census, cosines_of=near.cosines) for batch in _batches(papers))
        return merged(found, arranged=arranged)


def _related(batch: Batch, query: Query) -> list[int]:
    """Return the ids of the papers with part of what a query wants; none where it asks for no more than one thing."""
    loose = loosened(query.tree)
    return batch.select(loose) if loose else []


def _near(batch: Batch, query: Query, cosines_of: CosinesOf) -> list[int]:
    """Return the ids of the papers that are near in meaning and keep what a query asks beside its words."""
    held = conditions(query.tree)
    return [] if held is None else near(cosines_of(asked(query), batch.named(batch.keeping(held))))


def _batches(papers: Sequence[Paper]) -> Iterator[Sequence[Paper]]:
    for start in range(0, len(papers), BATCH):
        yield papers[start : start + BATCH]


def _asks_for_votes(tree: Node) -> bool:
    return any(isinstance(leaf, Votes) for leaf in leaves(tree))


def _asks_where_filed(tree: Node) -> bool:
    return any(isinstance(leaf, Category | Source) for leaf in leaves(tree))


#: What changed of a paper → whether a topic can see it.
_SEES: dict[str, Callable[[Node], bool]] = {
    "scored": lambda _: True,
    "words": lambda _: True,
    "filed": _asks_where_filed,
    "votes": _asks_for_votes,
}
