"""match: papers × topics.

    the papers that no topic has met yet × every distinct topic → matches, and the marker moves, in one transaction
    the papers whose words changed since          × every distinct topic → matches of theirs that are new
    the topics that have no past yet × the papers of the last `welcome_days` → matches that are no news

Each distinct topic is run once over a batch, whatever the number of its readers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.topics import Query, Topic
from storage.archive import Archive
from storage.topics import StoredTopic, Topics
from topics.matching import match
from topics.query import parse

BATCH = 2_000  # papers met at once


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What one match did."""

    papers: int  #: that met the topics for the first time
    topics: int
    matches: int  #: new ones
    new_topics: int  #: topics that were matched over the past


class Matcher:
    """Brings papers and topics together."""

    def __init__(self, *, archive: Archive, topics: Topics, welcome_days: int) -> None:
        self._archive = archive
        self._topics = topics
        self._welcome = timedelta(days=welcome_days)
        self._queries: dict[str, Query] = {}  # by normal form: after a restore an id may mean another topic

    def match(self, now: datetime, progress: Callable[[int], None] = lambda _: None) -> MatchReport:
        """Match everything that has not been matched; doing it again, or twice at once, adds nothing."""
        stored = self._topics.all()
        since = self._topics.matched_up_to()
        met = found = 0
        while papers := self._archive.after(since, BATCH):
            # Matched before the transaction begins, which holds the database for the writing alone.
            matches = list(match(papers, self._read(stored), progress))
            added = self._topics.record(matches, since=since, up_to=papers[-1].id)
            if added is None:
                # Another run is at it: what it has not done is done the next time.
                return MatchReport(papers=met, topics=len(stored), matches=found, new_topics=0)
            met += len(papers)
            found += added
            since = papers[-1].id
        while changed := self._topics.changed(BATCH):
            # Those that the marker has not reached are met with their new words anyway.
            again = [paper for paper in self._archive.papers(changed.values()) if paper.id <= since]
            found += self._topics.record_changed(changed, list(match(again, self._read(stored))))
        fresh = [each for each in stored if not each.backfilled]
        if fresh:
            found += self._past(fresh, now, since)
        return MatchReport(papers=met, topics=len(stored), matches=found, new_topics=len(fresh))

    def _read(self, stored: Sequence[StoredTopic]) -> list[Topic]:
        """Return the topics with their queries read, each once in the life of this matcher."""
        for each in stored:
            if each.normal_form not in self._queries:
                self._queries[each.normal_form] = parse(each.normal_form)
        return [Topic(id=each.id, query=self._queries[each.normal_form]) for each in stored]

    def _past(self, fresh: Sequence[StoredTopic], now: datetime, up_to: int) -> int:
        moment = now - self._welcome
        papers = [paper for paper in self._archive.since(moment.date(), moment) if paper.id <= up_to]
        wanted = self._read(fresh)
        batches = (papers[start : start + BATCH] for start in range(0, len(papers), BATCH))
        matches = [found for batch in batches for found in match(batch, wanted)]
        return self._topics.record_past([each.id for each in fresh], matches, up_to=up_to)
