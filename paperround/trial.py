"""try: the letter that a query would have brought from real Hugging Face days, without settings or a reader."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from digests.compose import Limits, compose
from digests.mail.joining import part
from digests.mail.message import mailing_slots
from domain.clock import Clock
from domain.issues import Candidate, TopicWish
from domain.papers import FetchStatus
from domain.subscriptions import Schedule
from domain.topics import Selection, Topic
from paperround.settings import build
from paperround.wiring import House
from topics.explain import Explainer
from topics.matching import match
from topics.query import parse
from worker.reports import SourceReport

_STILL_FILLING = timedelta(days=3)  # a listing fills through its day and is corrected after (sources.md 1.5)
_LIMITS = Limits(papers=20, per_topic=20)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a query would have brought."""

    papers: int
    listed: int
    reports: tuple[SourceReport, ...]  #: of the days that had to be asked for
    letter: Path | None  #: None where no day could be read


def trial(
    query: str,
    days: int,
    url: str,
    cache: Path,
    *,
    progress: Callable[[int], None],
    clock: Clock | None = None,
) -> Trial:
    """Read the last `days` listing days into a cache folder and write the letter there; raises PaperroundError."""
    parsed = parse(query)
    cache.mkdir(parents=True, exist_ok=True)
    site = hashlib.sha256(url.encode()).hexdigest()[:8]
    settings = build(
        {
            "database": {"url": f"sqlite:///{cache / f'try-{site}.db'}"},
            "source": [{"name": "huggingface-daily", "kind": "huggingface-daily", "url": url}],
        },
        cache,
    )
    with House(settings, clock=clock) as house, Explainer(house.labels) as explainer:
        now = house.clock.now()
        known = house.states.days("huggingface-daily")
        wanted = [now.date() - timedelta(days=n) for n in reversed(range(days))]
        reports: list[SourceReport] = []
        for day in wanted:
            if day not in known or now.date() - day <= _STILL_FILLING:
                reports += house.collector.collect(days=[day])
            progress(1)
        papers = {paper.id: paper for paper in house.archive.since(wanted[0])}
        topic = Topic(0, parsed, related=parsed.is_plain)
        found = next(match(list(papers.values()), [topic], house.census.of), Selection(0, ()))
        tiers = {each.paper_id: each.tier for each in found.matches}
        digest = compose(
            slot=Schedule().slot(now),
            first=True,
            wishes=[TopicWish(topic_id=0, name=query, related=parsed.is_plain)],
            candidates=[
                Candidate(topic_id=0, paper=papers[each.paper_id], score=each.score, tier=each.tier)
                for each in found.matches
            ],
            sent=(),
            limits=_LIMITS,
            checks=house.receipts().checks(now - timedelta(days=days), first=True),
            new=len(papers),
            confirmed_at=None,
            welcome_days=days,
            beyond={0: found.beyond},
            explain=lambda _, paper: explainer.explain(parsed, paper, tiers[paper.id]),
        )
        fragments = house.renderer.digest(digest, shared=False).fragments if digest else ()
    page = cache / "letter.html"
    if reports and not papers and all(each.status is FetchStatus.FAILED for each in reports):
        return Trial(papers=0, listed=0, reports=tuple(reports), letter=None)  # the last letter stays
    slots = mailing_slots(recipient="you@lab.example", message_id="<try@lab.example>", date=now)
    page.write_text(part(fragments, "html", personal=True, slots=slots), encoding="utf-8")
    return Trial(papers=len(tiers) + found.beyond, listed=len(papers), reports=tuple(reports), letter=page)
