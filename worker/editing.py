"""From due readers to plans: one block's news in a few queries, then letter by letter compose → render → plan.

A reader whose letter cannot be composed or rendered fails alone: it is logged, counted, and looked at again at the next
publish, and everyone else gets theirs (mail.md section 4, item 12).
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from digests.compose import compose
from digests.kinship import Kinship
from digests.mail.message import Identity, freeze
from digests.render import Renderer
from domain.clock import Clock
from domain.issues import Candidate, Digest, IssuePlan, Slot, TopicWish
from domain.papers import Paper
from domain.topics import Tier
from storage.archive import Archive
from storage.issues import Issues, News, Reader
from storage.search import Search
from topics.explain import Explainer
from topics.query import parse
from worker.planning import Policy, ReaderLinks, is_first, plan
from worker.receipts import Receipts

log = logging.getLogger("paperround.worker")


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of one due reader."""

    subscriber_id: int
    plan: IssuePlan | None  #: None where there is no letter
    fault: str = ""  #: why there is none, where it is not that nothing matched

    @property
    def is_empty(self) -> bool:
        """Whether the slot stays without a letter because nothing matched."""
        return self.plan is None and not self.fault


class Editor:
    """Edits the letters of one publish."""

    def __init__(
        self,
        *,
        archive: Archive,
        search: Search,
        issues: Issues,
        receipts: Receipts,
        renderer: Renderer,
        identity: Identity,
        policy: Policy,
        links: ReaderLinks | None,
        clock: Clock,
    ) -> None:
        self._archive = archive
        self._search = search
        self._issues = issues
        self._receipts = receipts
        self._renderer = renderer
        self._identity = identity
        self._policy = policy
        self._links = links
        self._clock = clock
        self._parsed = lru_cache(maxsize=4096)(parse)  # many readers ask the same

    def edit(self, readers: Sequence[tuple[Reader, Slot]], now: datetime, up_to: int) -> list[Edited]:
        """Return what comes of each due reader for that slot, considering the matches numbered up to `up_to`."""
        if not readers:
            return []
        news = self._news([reader for reader, _ in readers], now, up_to)
        wanted = {each.paper_id for found in news.values() for each in found}
        papers = {paper.id: paper for paper in self._archive.papers(wanted)}
        scores = self._scores([reader for reader, _ in readers], news)
        kinship = Kinship(papers.values(), self._archive.linked(wanted))
        edited = []
        with Explainer() as explainer:
            for reader, slot in readers:
                found = news.get(reader.subscriber.id, [])
                candidates = _candidates(found, papers, scores)
                try:
                    made = self._plan(reader, slot, candidates, explainer, kinship, now=now, up_to=up_to)
                    fault = ""
                except Exception:  # whatever is wrong with one letter, the others go
                    log.exception("a letter of subscriber %s could not be composed", reader.subscriber.public_id)
                    made, fault = None, "could not be composed"
                edited.append(Edited(subscriber_id=reader.subscriber.id, plan=made, fault=fault))
        return edited

    def _news(self, readers: Sequence[Reader], now: datetime, up_to: int) -> dict[int, list[News]]:
        moment = now - timedelta(days=self._policy.welcome_days)
        first = [reader.subscriber.id for reader in readers if is_first(reader)]
        later = [reader.subscriber.id for reader in readers if not is_first(reader)]
        return {**self._issues.welcome(first, up_to, moment.date(), moment), **self._issues.news(later, up_to)}

    def _scores(self, readers: Sequence[Reader], news: Mapping[int, Sequence[News]]) -> dict[tuple[int, int], float]:
        """Return (topic, paper) → how well it answers, comparable between papers of different days."""
        queries = {each.topic_id: each.query for reader in readers for each in reader.subscriber.subscriptions}
        wanted: dict[int, set[int]] = {}
        for found in news.values():
            for each in found:
                if each.topic_id in queries:  # a topic that was added since the readers were read waits
                    wanted.setdefault(each.topic_id, set()).add(each.paper_id)
        return {
            (topic_id, paper_id): score
            for topic_id, papers in wanted.items()
            for paper_id, score in self._search.scores(self._parsed(queries[topic_id]), papers).items()
        }

    def _plan(
        self,
        reader: Reader,
        slot: Slot,
        candidates: Sequence[Candidate],
        explainer: Explainer,
        kinship: Kinship,
        *,
        now: datetime,
        up_to: int,
    ) -> IssuePlan | None:
        digest = self._compose(reader, slot, candidates, explainer, kinship=kinship, now=now)
        if digest is None:
            return None
        letter = self._renderer.digest(digest, shared=reader.subscriber.shared)
        return plan(
            reader.subscriber,
            digest,
            freeze(letter, self._identity),
            named=letter.named,
            public_id=secrets.token_hex(8),
            cutoff=now,
            upto_match=up_to,
            created=self._clock.now(),
            max_age=self._policy.max_age,
            domain=self._identity.domain,
            links=self._links,
        )

    def _compose(
        self,
        reader: Reader,
        slot: Slot,
        candidates: Sequence[Candidate],
        explainer: Explainer,
        *,
        kinship: Kinship,
        now: datetime,
    ) -> Digest | None:
        subscriber = reader.subscriber
        queries = {each.topic_id: each.query for each in subscriber.subscriptions}
        first = is_first(reader)
        looks_back = now - timedelta(days=self._policy.welcome_days)
        since = looks_back if first or reader.last is None else reader.last.created_at
        return compose(
            slot=slot,
            first=first,
            wishes=[TopicWish(topic_id=each.topic_id, name=each.name) for each in subscriber.subscriptions],
            candidates=candidates,
            sent=(),  # storage left out what this reader had before
            limits=self._policy.limits,
            checks=self._receipts.checks(since, first=first),
            new=self._receipts.new_papers(since),
            confirmed_at=subscriber.confirmed_at,
            welcome_days=self._policy.welcome_days,
            explain=lambda topic_id, paper: explainer.explain(self._parsed(queries[topic_id]), paper),
            kin=kinship.of,
        )


def _candidates(
    news: Sequence[News], papers: Mapping[int, Paper], scores: Mapping[tuple[int, int], float]
) -> list[Candidate]:
    """Return what still answers: a paper whose words changed since it was matched may not any more."""
    return [
        Candidate(
            topic_id=each.topic_id,
            paper=papers[each.paper_id],
            score=scores[each.topic_id, each.paper_id],
            tier=Tier(each.tier),
        )
        for each in news
        if (each.topic_id, each.paper_id) in scores
    ]
