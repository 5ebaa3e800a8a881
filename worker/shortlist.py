"""What may go into the letters of a block of readers: fetched in a few queries, and told of each reader.

    matches since each one's last issue, or those that a first letter looks back over → papers → candidates
    beside them: what was passed over and has taken off since, what most upvotes go to, what is like papers that a
        reader saved or does not like (tastes.py), which papers may be one work

A paper that changed since it met the topics meets them again at the next match; until then it is left out where it does
not answer any more.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from digests.compose import Happening
from digests.kinship import Kinship
from digests.trending import heat
from domain.issues import Candidate
from domain.papers import Paper
from domain.topics import Match, Query, Tier
from storage.afterwards import Afterwards, Became
from storage.archive import Archive
from storage.issues import Reach, Reader
from storage.news import Counted, News, Newsroom
from topics.diversity import diversified
from topics.matching import Batch
from topics.mixing import asked
from topics.nearness import near
from worker.afterwards import happenings
from worker.nearness import Near, Nearness
from worker.planning import Policy, is_first, limits_of
from worker.risers import DAYS, LEAST_VOTES, MOST, TOP_SHARE, risers
from worker.tastes import Tasted, Taster

_TRENDING_DAYS = timedelta(days=7)
_ORDERS = 16_384  # of topics and what they have, remembered
_PAPERS = 20_000  # that the blocks of a publish share
_MOST_VOTED = 100  # papers looked at for what is trending: heat halves every two days


class Shortlister:
    """Fetches what may go into letters."""

    def __init__(
        self,
        *,
        archive: Archive,
        newsroom: Newsroom,
        policy: Policy,
        parsed: Callable[[str], Query],
        taster: Taster,
        afterwards: Afterwards,
        nearness: Nearness | None = None,
    ) -> None:
        self._taster = taster
        self._archive = archive
        self._afterwards = afterwards
        self._newsroom = newsroom
        self._policy = policy
        self._parsed = parsed
        self._known: dict[int, Paper] = {}
        self._near = nearness.over(()) if nearness else None
        self._in_order = lru_cache(maxsize=_ORDERS)(self._arranged)

    def close(self) -> None:
        """Let go of what the blocks share."""
        self._taster.close()

    def of(self, readers: Sequence[Reader], now: datetime, reach: Reach) -> "Shortlist":
        """Return what may go into these readers' letters, of what is not beyond `reach`."""
        newsroom, up_to = self._newsroom, reach.match
        moment = now - timedelta(days=self._policy.welcome_days)
        first = [reader.subscriber.id for reader in readers if is_first(reader)]
        later = [reader.subscriber.id for reader in readers if not is_first(reader)]
        news = {**newsroom.welcome(first, up_to, moment.date(), moment), **newsroom.news(later, up_to)}
        counted = {**newsroom.welcome_counted(first, up_to, moment), **newsroom.counted(later, up_to)}
        limits = {reader.subscriber.id: limits_of(reader.subscriber, self._policy.limits) for reader in readers}
        rising = [each for each in readers if not is_first(each) and limits[each.subscriber.id].late_risers]
        risen = self._risen(now) if rising else ()
        voted = newsroom.voted(now - _TRENDING_DAYS, _MOST_VOTED) if any(x.trending for x in limits.values()) else ()
        had = newsroom.had(list(limits), {*voted, *risen}) if voted or risen else {}
        told = [each.subscriber.id for each in readers if not is_first(each) and limits[each.subscriber.id].sent_news]
        became = self._afterwards.of(told, reach.event)
        wanted = {each.paper_id for found in news.values() for each in found} | {*voted, *risen}
        wanted |= {each.paper_id for found in became.values() for each in found}
        papers = self._papers(wanted)
        if self._near:
            self._near.fetch({each.paper_id for found in news.values() for each in found})
        trending = (papers[each] for each in voted if each in papers)  # one may have been joined with another since
        hot = sorted(trending, key=lambda paper: (-heat(paper, now.date()), -paper.id))
        changed = [papers[each] for each in sorted(newsroom.changed(wanted)) if each in papers]
        tasted = self._taster.of(readers, now, reach, papers)
        related = {**papers, **tasted.papers}
        return Shortlist(
            papers=papers,
            news=news,
            unsaid=_unsaid(changed, readers, self._parsed),
            counted=counted,
            risers=risers([papers[each] for each in risen if each in papers], rising, self._parsed),
            trending=hot,
            had=had,
            kinship=Kinship(related.values(), self._archive.linked({*wanted, *related})),
            tasted=tasted,
            became=became,
            in_order=self._in_order,
            near=self._near,
            parsed=self._parsed,
        )

    def _arranged(self, topic_id: int, text: str, best: tuple[tuple[Paper, float, Tier], ...]) -> list[int]:
        return _in_order(topic_id, best, lambda scored: self._near.mixed(text, scored) if self._near else scored)

    def _papers(self, wanted: Collection[int]) -> dict[int, Paper]:
        """Return these papers as they are now; one that did not change is the same object as in the block before.

        So whatever is remembered of it, its pieces and why it answers what, is found at once.
        """
        fresh = {paper.id: paper for paper in self._archive.papers(wanted)}
        kept = {number: known for number, paper in fresh.items() if (known := self._known.get(number)) == paper}
        if len(self._known) > _PAPERS:
            self._known.clear()
        self._known.update(papers := {**fresh, **kept})
        return papers

    def _risen(self, now: datetime) -> tuple[int, ...]:
        """Return the papers of the last days to which most upvotes go, the most voted first."""
        since = (now - DAYS).date()
        least = self._newsroom.votes_of_the_best(since, TOP_SHARE)
        return () if least is None else self._newsroom.risen(since, max(least, LEAST_VOTES), MOST)


class Shortlist:
    """What may go into the letters of some readers."""

    def __init__(
        self,
        *,
        papers: Mapping[int, Paper],
        news: Mapping[int, Sequence[News]],
        counted: Counted,
        risers: Mapping[int, Sequence[Candidate]],
        trending: Sequence[Paper],
        had: Mapping[int, Collection[int]],
        became: Mapping[int, Sequence[Became]],
        kinship: Kinship,
        tasted: Tasted,
        unsaid: Collection[tuple[int, int]],
        in_order: Callable[[int, str, tuple[tuple[Paper, float, Tier], ...]], Sequence[int]],
        near: Near | None,
        parsed: Callable[[str], Query],
    ) -> None:
        self._papers = papers
        self._news = news
        self._counted = counted
        self._risers = risers
        self._had = had
        self._became = became
        self._unsaid = unsaid
        self._in_order = in_order
        self._near = near
        self._parsed = parsed
        self._made: dict[News, Candidate] = {}
        self.trending = trending  #: the hottest first
        self.kin = kinship.of
        self.learned = tasted.learned  #: what a reader's likings say, told while an explainer is open

    def candidates(self, reader: Reader) -> list[Candidate]:
        """Return what matched and was not sent."""
        return self._candidates(self._news.get(reader.subscriber.id, ()))

    def risers(self, reader: Reader) -> Sequence[Candidate]:
        """Return what has taken off, the most votes first."""
        return self._risers.get(reader.subscriber.id, ())

    def beyond(self, reader: Reader) -> dict[int, int]:
        """Return topic → matches that are only counted."""
        held = (each.topic_id for each in reader.subscriber.subscriptions)
        counted = {topic_id: self._counted.get((reader.subscriber.id, topic_id), 0) for topic_id in held}
        return {topic_id: number for topic_id, number in counted.items() if number}

    def had(self, reader: Reader) -> Collection[int]:
        """Return which of what is trending or has risen the reader was sent; of matches storage left those out."""
        return self._had.get(reader.subscriber.id, ())

    def happened(self, reader: Reader, *, year: int) -> Sequence[Happening]:
        """Return what became of papers that the reader was sent; `year` is the one that dates leave out."""
        return happenings(self._became.get(reader.subscriber.id, ()), self._papers, year=year)

    def arranged(self, topic_id: int, query: str, best: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return one topic's candidates so that what is much alike does not stand together.

        Where papers are read for their meaning too, the best are first those that the words of `query` and its meaning
        find best together. Equal topics may be typed in another order, so the text is part of what is remembered.
        """
        text = asked(self._parsed(query)) if self._near else ""
        order = self._in_order(topic_id, text, tuple([(each.paper, each.score, each.tier) for each in best]))
        return [best[place] for place in order]

    def is_near(self, query: str, paper_id: int) -> bool:
        """Whether a paper is near in meaning to what a query asks."""
        return self._near is not None and bool(near(self._near.cosines(asked(self._parsed(query)), [paper_id])))

    def _candidates(self, news: Sequence[News]) -> list[Candidate]:
        # A paper that was joined with another since is told under the other's number the next time.
        return [
            self._candidate(each)
            for each in news
            if each.paper_id in self._papers
            and (each.tier is not Tier.EXACT or (each.topic_id, each.paper_id) not in self._unsaid)
        ]

    def _candidate(self, news: News) -> Candidate:
        known = self._made.get(news)
        if known is None:
            paper = self._papers[news.paper_id]
            known = Candidate(topic_id=news.topic_id, paper=paper, score=news.score, tier=news.tier)
            self._made[news] = known
        return known


def _in_order(
    topic_id: int,
    best: tuple[tuple[Paper, float, Tier], ...],
    mixed: Callable[[Sequence[tuple[int, float]]], Sequence[tuple[int, float]]],
) -> list[int]:
    """Return the places of one topic's papers of one tier so that what is much alike does not stand together."""
    places = {paper.id: place for place, (paper, _, _) in enumerate(best)}
    scored = mixed([(paper.id, score) for paper, score, _ in best])
    matches = [Match(topic_id, paper_id, score, best[places[paper_id]][2]) for paper_id, score in scored]
    return [places[match.paper_id] for match in diversified(matches, {paper.id: paper for paper, _, _ in best})]


def _unsaid(
    changed: Sequence[Paper], readers: Sequence[Reader], parsed: Callable[[str], Query]
) -> set[tuple[int, int]]:
    """Return (topic, paper) of what changed since it met the topics and does not answer as it is now."""
    if not changed:
        return set()
    queries = {each.topic_id: each.query for reader in readers for each in reader.subscriber.subscriptions}
    ids = {paper.id for paper in changed}
    with Batch(changed) as batch:
        return {
            (topic_id, paper_id)
            for topic_id, query in queries.items()
            for paper_id in ids.difference(batch.select(parsed(query).tree))
        }
