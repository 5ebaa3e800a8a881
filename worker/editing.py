"""From due readers to plans: one block's news in a few queries, then letter by letter compose → render → plan.

A reader whose letter cannot be composed or rendered fails alone: it is logged, counted, and looked at again at the next
publish, and everyone else gets theirs (mail.md section 4, item 12).
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from digests.compose import compose
from digests.mail.message import Identity, freeze
from digests.render import Renderer
from domain.clock import Clock
from domain.issues import Candidate, Digest, IssuePlan, Slot
from domain.papers import Paper
from domain.silences import NOT_COMPOSED
from domain.topics import Query, Tier, Why
from storage.issues import Reach, Reader
from topics.explain import Explainer
from topics.nearness import told
from worker.planning import Policy, ReaderLinks, away_since, is_first, limits_of, plan, wishes_of
from worker.receipts import Receipts
from worker.shortlist import Shortlist, Shortlister

log = logging.getLogger("paperround.worker")

_WHYS = 32_768  # of topics and papers, remembered: some 20 MB


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
        shortlister: Shortlister,
        receipts: Receipts,
        renderer: Renderer,
        identity: Identity,
        policy: Policy,
        links: ReaderLinks | None,
        clock: Clock,
        labels: Mapping[str, str],
        parsed: Callable[[str], Query],
    ) -> None:
        """`labels` is configured source name → what readers call it; `parsed` reads a query as it was typed."""
        self._shortlister = shortlister
        self._receipts = receipts
        self._renderer = renderer
        self._identity = identity
        self._policy = policy
        self._links = links
        self._clock = clock
        self._labels = labels
        self._parsed = parsed
        self._why = lru_cache(maxsize=_WHYS)(self._explain)  # for the whole publish: many readers ask the same
        self._explainer: Explainer | None = None

    def close(self) -> None:
        """Let go of what the letters of a publish share."""
        self._shortlister.close()

    def edit(self, readers: Sequence[tuple[Reader, Slot]], now: datetime, reach: Reach) -> list[Edited]:
        """Return what comes of each due reader for that slot, considering nothing beyond `reach`."""
        if not readers:
            return []
        edited = []
        shortlist = self._shortlister.of([reader for reader, _ in readers], now, reach)
        with Explainer(self._labels) as self._explainer:
            for reader, slot in readers:
                try:
                    digest = self._compose(reader, slot, shortlist, now)
                    made = None if digest is None else self._plan(reader, digest, now, reach)
                    fault = ""
                except Exception:  # whatever is wrong with one letter, the others go
                    log.exception("a letter of subscriber %s could not be composed", reader.subscriber.public_id)
                    made, fault = None, NOT_COMPOSED
                edited.append(Edited(subscriber_id=reader.subscriber.id, plan=made, fault=fault))
        return edited

    def _plan(self, reader: Reader, digest: Digest, now: datetime, reach: Reach) -> IssuePlan:
        letter = self._renderer.digest(digest, shared=reader.subscriber.shared)
        return plan(
            reader.subscriber,
            digest,
            freeze(letter, self._identity, text_only=reader.subscriber.text_only),
            named=letter.named,
            public_id=secrets.token_hex(8),
            cutoff=now,
            reach=reach,
            created=self._clock.now(),
            max_age=self._policy.max_age,
            identity=self._identity,
            links=self._links,
            window=self._policy.window,
        )

    def _compose(self, reader: Reader, slot: Slot, shortlist: Shortlist, now: datetime) -> Digest | None:
        subscriber = reader.subscriber
        queries = {each.topic_id: each.query for each in subscriber.subscriptions}
        first = is_first(reader)
        looks_back = now - timedelta(days=self._policy.welcome_days)
        since = looks_back if first or reader.last is None else reader.last.created_at

        def explain(topic_id: int, paper: Paper) -> Why:
            why = self._why(queries[topic_id], paper)
            return why if why.line or not shortlist.is_near(queries[topic_id], paper.id) else told(why)

        def arranged(topic_id: int, best: Sequence[Candidate]) -> Sequence[Candidate]:
            return shortlist.arranged(topic_id, queries[topic_id], best)

        return compose(
            slot=slot,
            first=first,
            wishes=wishes_of(subscriber, self._parsed),
            candidates=shortlist.candidates(reader),
            sent=shortlist.had(reader),
            limits=limits_of(subscriber, self._policy.limits),
            checks=self._receipts.checks(since, first=first),
            new=self._receipts.new_papers(since),
            confirmed_at=subscriber.confirmed_at,
            welcome_days=self._policy.welcome_days,
            explain=explain,
            kin=shortlist.kin,
            arranged=arranged,
            beyond=shortlist.beyond(reader),
            risers=shortlist.risers(reader),
            trending=shortlist.trending,
            learned=shortlist.learned(reader, self._asked()),
            happened=shortlist.happened(reader, year=slot.day.year),
            since=since.date(),
            away_since=away_since(reader),
        )

    def _explain(self, query: str, paper: Paper) -> Why:
        return self._asked().explain(self._parsed(query), paper, Tier.RELATED)  # told as exact where it is

    def _asked(self) -> Explainer:
        if self._explainer is None:
            raise RuntimeError("papers are explained while letters are edited")
        return self._explainer
