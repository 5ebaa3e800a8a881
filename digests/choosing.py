"""Which papers stand under which topic of a letter, and how many of them in full; compose.py tells the whole."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from digests.trending import heat
from domain.issues import Candidate
from domain.papers import Paper
from domain.topics import Tier

Kin = Callable[[Paper], Collection[int]]  # the papers that may be the same work as one
Arrange = Callable[[int, Sequence[Candidate]], Sequence[Candidate]]
Ranked = dict[int, list[Paper]]  # a topic's papers, best first; topics in the reader's order


class Standing:
    """What stands in a letter so far."""

    def __init__(self, kin: Kin, taken: Collection[int] = ()) -> None:
        self._kin = kin
        self._taken = set(taken)

    def take(self, papers: Iterable[Paper], most: int) -> list[Paper]:
        """Take the first papers, at most so many, that do not stand yet, nor any that may be the same work."""
        taken: list[Paper] = []
        for paper in papers:
            if len(taken) >= most:
                break
            if paper.id not in self._taken and self._taken.isdisjoint(self._kin(paper)):
                self._taken.add(paper.id)
                taken.append(paper)
        return taken


def ranked(
    topics: Iterable[int], candidates: Iterable[Candidate], tier: Tier, today: date, arranged: Arrange
) -> Ranked:
    """Return each topic's papers of one tier, best first, each once."""
    found: dict[int, dict[int, Candidate]] = {topic_id: {} for topic_id in topics}
    for each in sorted(candidates, key=lambda candidate: _rank(candidate, today)):
        if each.tier == tier and each.topic_id in found:
            found[each.topic_id].setdefault(each.paper.id, each)
    return {
        topic_id: [each.paper for each in arranged(topic_id, tuple(best.values()))] if best else []
        for topic_id, best in found.items()
    }


def _rank(candidate: Candidate, today: date) -> tuple[float, float, int, int]:
    """Return what orders the papers of one topic and tier: the smallest is the best, and heat only decides ties."""
    return (-candidate.score, *_of_equals(candidate.paper, today))


@lru_cache(maxsize=8192)
def _of_equals(paper: Paper, today: date) -> tuple[float, int, int]:
    day = paper.published or paper.first_listed
    return (-heat(paper, today), -day.toordinal(), -paper.id)


def each_once(papers: Ranked, standing: Standing, most: Mapping[int, int] | None = None) -> Ranked:
    """Return every paper under the first topic that wants it, and nowhere else; of a topic at most `most`."""
    return {
        topic_id: standing.take(best, len(best) if most is None else most[topic_id])
        for topic_id, best in papers.items()
    }


def last_of_all(papers: Ranked, set_aside: Collection[int]) -> Ranked:
    """Return each topic's papers with those set aside at the end."""
    if not set_aside:
        return papers
    return {topic_id: sorted(best, key=lambda paper: paper.id in set_aside) for topic_id, best in papers.items()}


def take_turns(wanted: Mapping[int, int], most: int) -> dict[int, int]:
    """Return how many papers of each topic stand in full: one each in turn, so that no topic is crowded out."""
    room = dict.fromkeys(wanted, 0)
    left = most
    while left > 0:
        hungry = [topic for topic, count in wanted.items() if room[topic] < count]
        if not hungry:
            break
        for topic in hungry[:left]:
            room[topic] += 1
        left -= len(hungry)
    return room


def ids(papers: Ranked) -> frozenset[int]:
    """Return the ids of all papers."""
    return frozenset(paper.id for best in papers.values() for paper in best)


def answered(papers: Ranked) -> dict[int, list[int]]:
    """Return paper → the topics that have it, in the reader's order."""
    topics: dict[int, list[int]] = {}
    for topic_id, best in papers.items():
        for paper in best:
            topics.setdefault(paper.id, []).append(topic_id)
    return topics
