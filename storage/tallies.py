"""How many papers a topic matched beside those whose matches are kept: rows of `tally`, which only add up.

What a run counts stands beside what runs counted before; what a topic counts that meets its past takes the place of
all that was counted of it as past.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from domain.topics import Selection, Tier
from storage.reading import in_blocks
from storage.tables import MATCH, PAPER, TALLY


def count(connection: Connection, beyond: Mapping[int, int], *, news: bool, now: datetime) -> None:
    """Keep topic → what is only counted; nobody else writes meanwhile."""
    # Who has considered the newest match has considered this run.
    known = {"match_id": newest_match(connection), "at": now, "news": news}
    if beyond:
        connection.execute(
            insert(TALLY), [{"topic_id": each, "beyond": number, **known} for each, number in beyond.items()]
        )


def recounted(
    connection: Connection, topic_ids: Sequence[int], found: Iterable[Selection], past: Sequence[Any]
) -> dict[int, int]:
    """Return how many papers of the past are only counted, of topics that meet it, and forget the count before.

    What runs kept before is kept, so that it may be more than the best. A topic of which runs have counted something
    gets its number even where that is 0: it takes the place of theirs.
    """
    matching = {each.topic_id: sum(m.tier is Tier.EXACT for m in each.matches) + each.beyond for each in found}
    numbers: dict[int, int] = {}
    for block in in_blocks(topic_ids):
        connection.execute(delete(TALLY).where(TALLY.c.topic_id.in_(block), TALLY.c.news.is_(False)))
        counted = connection.execute(select(TALLY.c.topic_id).where(TALLY.c.topic_id.in_(block)).distinct()).scalars()
        numbers |= dict.fromkeys(counted, 0)
    flooded = [each.topic_id for each in found if each.beyond]
    for block in in_blocks(flooded):
        kept = (
            select(MATCH.c.topic_id, func.count())
            .join(PAPER, PAPER.c.id == MATCH.c.paper_id)
            .where(MATCH.c.topic_id.in_(block), MATCH.c.tier == Tier.EXACT, *past)
            .group_by(MATCH.c.topic_id)
        )
        numbers |= {topic_id: max(0, matching[topic_id] - number) for topic_id, number in connection.execute(kept)}
    return numbers


def newest_match(connection: Connection) -> int:
    """Return the number of the newest match; 0 if there is none."""
    return connection.execute(select(func.max(MATCH.c.id))).scalar() or 0
