"""What is like papers that readers saved, or want less of: new papers × the profiles of a block of readers.

    the readers of the block with a profile → the papers that are new to one of them, as one batch (topics/tastes.py)
        → of each reader what reaches the taste, best first, without what they were sent, saved or disliked
        → what is like the disliked, and more so than like the saved, is set aside

The batch is made once for a publish, and its words are looked up once, however many readers have them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digests.compose import NOTHING_LEARNED, Learned
from domain.learning import Profile
from domain.papers import Paper
from domain.titles import titled
from domain.topics import Census, Or, Query, Tier, Why, Word
from storage.archive import Archive
from storage.issues import Reach, Reader
from storage.likings import Likings
from storage.news import Newsroom
from topics.explain import Explainer
from topics.matching import Batch, CensusOf
from topics.profile import LESS_APART, MORE_APART, least
from topics.tastes import Because, Likeness
from worker.learn import Learner
from worker.planning import Policy, is_first, limits_of

MOST = 5_000  #: papers compared, the newest
_SPARE = 7  # more than may stand: some are among a topic's own, or may be one work with another
_LONGEST_TITLE = 80


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found for one reader."""

    like: Sequence[Paper] = ()
    because: Mapping[int, Because] = field(default_factory=dict)  #: by paper
    titles: Mapping[int, str] = field(default_factory=dict)  #: of saved papers, by number
    aside: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is known of one reader, with the scores from which a paper is like it in the archive as it is now."""

    profile: Profile
    more_from: float
    less_from: float

    def liked(self, likeness: Likeness) -> list[tuple[float, int]]:
        return likeness.like(self.profile.more, self.more_from)

    def set_aside(self, likeness: Likeness) -> set[int]:
        """Return the papers that are like the disliked, and more so than like the saved."""
        if not self.profile.less.terms:
            return set()
        unwanted = likeness.like(self.profile.less, self.less_from)
        return {paper_id for score, paper_id in unwanted if score > likeness.score(self.profile.more, paper_id)}


class Tasted:
    """What was found for the readers of a block."""

    def __init__(self, found: Mapping[int, _Found]) -> None:
        self._found = found
        #: Whatever may stand in one of their letters for being like what was saved.
        self.papers = {paper.id: paper for each in found.values() for paper in each.like}

    def learned(self, reader: Reader, explainer: Explainer) -> Learned:
        """Return what a reader's likings say; why a paper is like them is told while the explainer is open."""
        found = self._found.get(reader.subscriber.id)
        if found is None:
            return NOTHING_LEARNED

        def explain(paper: Paper) -> Why:
            return _why(found.because[paper.id], found.titles, paper, explainer)

        return Learned(like_saved=found.like, explain=explain, set_aside=found.aside)


NOTHING_TASTED = Tasted({})


class Taster:
    """Compares new papers with profiles, for one publish; closed after use."""

    def __init__(
        self,
        *,
        archive: Archive,
        newsroom: Newsroom,
        likings: Likings,
        learner: Learner,
        census: CensusOf,
        policy: Policy,
    ) -> None:
        self._archive = archive
        self._newsroom = newsroom
        self._likings = likings
        self._learner = learner
        self._census = census
        self._policy = policy
        self._asked: set[str] = set()  # of the archive, once a publish
        self._having: dict[str, int] = {}
        self._whole = Census(0, 0.0, self._having)
        self._batch: Batch | None = None
        self._likeness: Likeness | None = None
        self._papers: dict[int, Paper] = {}
        self._range = (0, 0)  # the numbers between which the batch's papers lie

    def close(self) -> None:
        """Let go of the batch."""
        if self._batch is not None:
            self._batch.close()
        self._batch = self._likeness = None
        self._papers = {}

    def of(self, readers: Sequence[Reader], now: datetime, reach: Reach, others: Mapping[int, Paper]) -> Tasted:
        """Return what the likings of these readers say of the new papers, and of `others` what they set aside."""
        known = self._measured(self._learner.profiles([reader.subscriber.id for reader in readers]))
        if not known:
            return NOTHING_TASTED
        having = [reader for reader in readers if reader.subscriber.id in known]
        likeness = self._read(min(_newest_known(reader) for reader in having), reach)
        tastes = [taste for each in known.values() for taste in (each.profile.more, each.profile.less)]
        likeness.ready(tastes)
        older = [paper for number, paper in others.items() if number not in likeness]
        if not older or not any(each.profile.less.terms for each in known.values()):
            aside = {number: each.set_aside(likeness) for number, each in known.items()}
        else:
            with Batch(older) as batch:
                beside = Likeness(batch, self._census)
                beside.ready(tastes)
                aside = {number: each.set_aside(likeness) | each.set_aside(beside) for number, each in known.items()}
        return Tasted(self._found(having, now, known, aside))

    def _measured(self, profiles: Mapping[int, Profile]) -> dict[int, _Measured]:
        """Return those that say something, measured against the archive as it is now."""
        told = {number: each for number, each in profiles.items() if not each.is_empty}
        stems = {term.stem for each in told.values() for taste in (each.more, each.less) for term in taste.terms}
        if asked := stems - self._asked:
            census = self._census(asked)
            self._having |= census.having
            self._asked |= asked
            self._whole = Census(census.papers, census.average, self._having)
        return {
            number: _Measured(
                each, least(each.more, self._whole, MORE_APART), least(each.less, self._whole, LESS_APART)
            )
            for number, each in told.items()
        }

    def _found(
        self, readers: Sequence[Reader], now: datetime, known: Mapping[int, _Measured], aside: Mapping[int, set[int]]
    ) -> dict[int, _Found]:
        """Return what was found for each reader."""
        like: dict[int, list[int]] = {}
        for reader in readers:
            number = reader.subscriber.id
            if limits_of(reader.subscriber, self._policy.limits).like_saved and known[number].profile.more.terms:
                like[number] = self._like(reader, now, known[number], aside[number])
        having = [number for number, papers in like.items() if papers]
        alike = {each for papers in like.values() for each in papers}
        had = self._newsroom.had(having, alike)
        said = self._likings.said_among(having, alike, {key for each in alike for key in _keys(self._papers[each])})
        found = {}
        for reader in readers:
            number = reader.subscriber.id
            most = limits_of(reader.subscriber, self._policy.limits).like_saved + _SPARE
            apart = {*had.get(number, ()), *said.get(number, ())}
            papers = [self._papers[each] for each in like.get(number, ())]
            papers = [each for each in papers if apart.isdisjoint((each.id, *_keys(each)))][:most]
            found[number] = self._reasoned(number, known[number].profile, papers, aside[number])
        return found

    def _reasoned(
        self, subscriber_id: int, profile: Profile, papers: Sequence[Paper], aside: Collection[int]
    ) -> _Found:
        if not papers or self._likeness is None:
            return _Found(aside=frozenset(aside))
        because = {paper.id: self._likeness.because(profile.more, paper.id) for paper in papers}
        titles = self._likings.titles(subscriber_id, {each.saved for each in because.values()})
        return _Found(papers, because, titles, frozenset(aside))

    def _like(self, reader: Reader, now: datetime, known: _Measured, aside: Collection[int]) -> list[int]:
        """Return the papers that are new to a reader and like what they saved, best first."""
        if self._likeness is None:
            return []
        since = _newest_known(reader)
        moment = now - timedelta(days=self._policy.welcome_days)
        return [
            paper_id
            for _, paper_id in known.liked(self._likeness)
            if paper_id not in aside and (paper_id > since if since else _is_of_late(self._papers[paper_id], moment))
        ]

    def _read(self, after: int, reach: Reach) -> Likeness:
        """Return the batch of the papers beyond `after`, the newest of them; the one that there is if it has them.

        One that has too few is made anew with all that may be compared: so it is made twice at most.
        """
        oldest, newest = self._range
        if self._likeness is None or newest != reach.paper or after < oldest:
            after = after if self._likeness is None else 0
            self.close()
            papers = self._archive.newest(after, reach.paper, MOST)
            self._papers = {paper.id: paper for paper in papers}
            self._batch = Batch(papers)
            self._likeness = Likeness(self._batch, self._census)
            self._range = (after, reach.paper)
        return self._likeness


def _newest_known(reader: Reader) -> int:
    """Return the newest paper that was compared with a reader's likings; 0 where the look-back decides what is new."""
    return 0 if is_first(reader) or reader.last is None else reader.last.upto_paper


def _is_of_late(paper: Paper, moment: datetime) -> bool:
    return paper.listed >= moment.date() or paper.first_seen >= moment


def _keys(paper: Paper) -> tuple[str, ...]:
    """Return what a reader may have said something of the paper by: its key, its strong ids, and its title."""
    names = (f"{scheme}:{value}" for scheme, value in paper.ids.pairs())
    return (paper.key, *names, titled(paper.title))


def _why(because: Because, titles: Mapping[int, str], paper: Paper, explainer: Explainer) -> Why:
    """Return why a paper is like what was saved, with its own words marked that carry the likeness."""
    quoted = ", ".join(f"“{word}”" for word in because.words)
    if not because.saved:
        line = f"with {quoted}, which you asked for"
    elif title := titles.get(because.saved):
        line = f"like «{_cut(title)}», which you saved: {quoted}"
    else:
        line = f"with {quoted}, as in papers you saved"
    words = tuple(Word(word) for word in because.carrying)
    query = Query(text="", tree=Or(words) if len(words) > 1 else words[0], normal_form="", terms=because.carrying)
    marks = explainer.explain(query, paper, Tier.EXACT)
    return Why(line, marks.title, marks.abstract, marks.quote)


def _cut(title: str) -> str:
    """Return a title's beginning, cut at a word where it is long."""
    title = " ".join(title.split())
    if len(title) <= _LONGEST_TITLE:
        return title
    return f"{title[:_LONGEST_TITLE].rpartition(' ')[0] or title[: _LONGEST_TITLE - 1]}…"
