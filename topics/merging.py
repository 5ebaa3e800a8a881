"""What topics selected of several batches, as if of one."""

from collections.abc import Callable, Iterable, Sequence

from domain.topics import FEW, Match, Selection, Tier
from topics.matching import BEST, MOST_RELATED

#: Returns one topic's related papers, which come by score, in the order by which the best are kept.
Arranged = Callable[[int, Sequence[Match]], Sequence[Match]]


def merged(
    found: Iterable[Iterable[Selection]], best: int = BEST, arranged: Arranged = lambda _, related: related
) -> list[Selection]:
    """Return what topics selected of several batches as if of one."""
    gathered: dict[int, list[Selection]] = {}
    for selections in found:
        for each in selections:
            gathered.setdefault(each.topic_id, []).append(each)
    return [_joined(topic_id, several, best, arranged) for topic_id, several in gathered.items()]


def _joined(topic_id: int, several: Sequence[Selection], best: int, arranged: Arranged) -> Selection:
    matches = sorted(
        (match for each in several for match in each.matches), key=lambda m: (m.tier, -m.score, m.paper_id)
    )
    exact = [match for match in matches if match.tier is Tier.EXACT]
    beyond = sum(each.beyond for each in several)
    is_thin = len(exact) + beyond < FEW
    near = arranged(topic_id, matches[len(exact) :])[:MOST_RELATED] if is_thin and len(exact) < len(matches) else ()
    return Selection(topic_id, (*exact[:best], *near), beyond=beyond + len(exact[best:]))
