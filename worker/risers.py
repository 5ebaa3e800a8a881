"""Late risers: what a reader was not sent although a topic of theirs picks it, and most upvotes go to now.

    the most voted papers of the last days → those that each topic picks → for each reader: came before the last letter
        → was not sent (digests/compose.py)

They are asked of the papers and not of stored matches: of a flooded topic those are the best of a run, which letters
name anyway (docs/decisions/0018).
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from domain.issues import Candidate
from domain.papers import Paper
from domain.topics import Query
from storage.issues import Reader
from topics.matching import Batch

DAYS = timedelta(days=30)  #: how old one may be
TOP_SHARE = 0.1  #: of the papers of those days that have votes: a late riser is among the most voted
LEAST_VOTES = 10  #: however few votes the others have
MOST = 200  #: papers looked at


def risers(
    hot: Sequence[Paper],
    readers: Sequence[Reader],
    parsed: Callable[[str], Query],
) -> dict[int, list[Candidate]]:
    """Return reader → what has risen for them, in the order of `hot`, under every topic that picks it.

    What they were sent is not left out yet. A reader without a letter has none: all is new to them.
    """
    found: dict[int, list[Candidate]] = {}
    picked: dict[int, set[int]] = {}
    with Batch(hot) as batch:
        for reader in readers:
            if reader.last is None:
                continue
            for each in reader.subscriber.subscriptions:
                if each.topic_id not in picked:
                    picked[each.topic_id] = set(batch.select(parsed(each.query).tree))
            since = reader.last.created_at
            found[reader.subscriber.id] = [
                Candidate(topic_id=each.topic_id, paper=paper, score=0.0)
                for paper in hot
                if paper.first_seen <= since
                for each in reader.subscriber.subscriptions
                if paper.id in picked[each.topic_id]
            ]
    return found
