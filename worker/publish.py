"""publish: matches → letters.

    the confirmed readers whose slot has opened → what matched since their last issue → compose → render
    → one transaction a block freezes issues, papers, contents and deliveries

Running it twice, or in two places, is harmless: the unique keys (subscriber, slot) and (subscriber, paper) decide, and
a crash leaves a block either whole or not at all.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from digests.compose import compose
from digests.mail.message import Identity, freeze
from digests.render import Renderer
from domain.clock import Clock
from domain.issues import Candidate, Digest, IssuePlan, Mailing, PublishCounts, TopicWish
from domain.papers import Paper
from domain.subscriptions import Subscriber
from storage.archive import Archive
from storage.issues import Issues, News, Reader
from topics.explain import Explainer
from topics.query import parse
from worker.planning import Policy, ReaderLinks, plan
from worker.receipts import Receipts


class Publisher:
    """Turns matches into frozen letters."""

    def __init__(
        self,
        *,
        archive: Archive,
        issues: Issues,
        receipts: Callable[[], Receipts],
        renderer: Renderer,
        identity: Identity,
        policy: Policy,
        links: ReaderLinks | None,
        clock: Clock,
    ) -> None:
        self._archive = archive
        self._issues = issues
        self._receipts = receipts
        self._renderer = renderer
        self._identity = identity
        self._policy = policy
        self._links = links
        self._clock = clock

    def publish(
        self, now: datetime, *, dry_run: bool = False, progress: Callable[[int], None] = lambda _: None
    ) -> PublishCounts:
        """Freeze an issue for every reader who is due at `now`, which sets slots and cut-offs only.

        A dry run composes and renders everything and writes nothing.
        """
        due = issues = papers = 0
        skipped: Counter[str] = Counter()
        up_to = self._issues.newest_match()
        receipts = self._receipts()
        for block in self._issues.readers():
            chosen = [reader for reader in block if _is_due(reader, now)]
            plans = self._plans(chosen, now, up_to, receipts)
            due += len(chosen)
            skipped["nothing matched"] += len(chosen) - len(plans)
            written = len(plans) if dry_run else self._issues.freeze(plans, self._clock.now())
            skipped["has this issue already"] += len(plans) - written
            issues += written
            papers += sum(len(each.papers) for each in plans) if written == len(plans) else 0
            progress(len(block))
        counts = PublishCounts(due=due, issues=issues, papers=papers, skipped={k: n for k, n in skipped.items() if n})
        if due and not dry_run:
            self._issues.record_run(now, due=due, planned=issues, excluded=counts.skipped)
        return counts

    def preview(self, subscriber: Subscriber, now: datetime) -> Mailing | None:
        """Return the letter that a confirmed reader would get if it were due now; None if there would be none."""
        up_to = self._issues.newest_match()
        for block in self._issues.readers():
            chosen = [reader for reader in block if reader.subscriber.id == subscriber.id]
            plans = self._plans(chosen, now, up_to, self._receipts())
            if plans:
                return plans[0].mailing
        return None

    def _plans(self, readers: Sequence[Reader], now: datetime, up_to: int, receipts: Receipts) -> list[IssuePlan]:
        return [
            plan(
                reader.subscriber,
                digest,
                freeze(self._renderer.digest(digest, shared=reader.subscriber.shared), self._identity),
                public_id=secrets.token_hex(8),
                cutoff=now,
                upto_match=up_to,
                created=self._clock.now(),
                max_age=self._policy.max_age,
                domain=self._identity.domain,
                links=self._links,
            )
            for reader, digest in self._drafts(readers, now, up_to, receipts)
        ]

    def _drafts(
        self, readers: Sequence[Reader], now: datetime, up_to: int, receipts: Receipts
    ) -> list[tuple[Reader, Digest]]:
        news = self._news(readers, now, up_to)
        papers = {
            paper.id: paper
            for paper in self._archive.papers({each.paper_id for found in news.values() for each in found})
        }
        drafts = []
        with Explainer() as explainer:
            for reader in readers:
                found = news.get(reader.subscriber.id, [])
                digest = self._compose(reader, found, papers, now, receipts=receipts, explainer=explainer)
                if digest is not None:
                    drafts.append((reader, digest))
        return drafts

    def _news(self, readers: Sequence[Reader], now: datetime, up_to: int) -> dict[int, list[News]]:
        moment = now - timedelta(days=self._policy.welcome_days)
        first = [reader.subscriber.id for reader in readers if reader.last is None]
        later = [reader.subscriber.id for reader in readers if reader.last is not None]
        return {**self._issues.welcome(first, up_to, moment.date(), moment), **self._issues.news(later, up_to)}

    def _compose(
        self,
        reader: Reader,
        news: Sequence[News],
        papers: Mapping[int, Paper],
        now: datetime,
        *,
        receipts: Receipts,
        explainer: Explainer,
    ) -> Digest | None:
        subscriber = reader.subscriber
        queries = {each.topic_id: each.query for each in subscriber.subscriptions}
        last = reader.last.created_at if reader.last else None
        since = last or now - timedelta(days=self._policy.welcome_days)
        return compose(
            slot=subscriber.schedule.slot(now),
            first=reader.last is None,
            wishes=[TopicWish(topic_id=each.topic_id, name=each.name) for each in subscriber.subscriptions],
            candidates=[
                Candidate(topic_id=each.topic_id, paper=papers[each.paper_id], score=each.score, tier=each.tier)
                for each in news
            ],
            sent=(),  # what a reader had before is no news to begin with
            limits=self._policy.limits,
            checks=receipts.checks(since),
            new=receipts.new_papers(since),
            confirmed_at=subscriber.confirmed_at,
            welcome_days=self._policy.welcome_days,
            explain=lambda topic_id, paper: explainer.explain(parse(queries[topic_id]), paper),
        )


def _is_due(reader: Reader, now: datetime) -> bool:
    """The first issue leaves at the next publish after confirmation; later ones when their slot opens."""
    if not reader.subscriber.subscriptions:
        return False
    if reader.last is None:
        return True
    schedule = reader.subscriber.schedule
    return schedule.is_due(now) and schedule.slot(now).label != reader.last.slot
