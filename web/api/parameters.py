"""The parameters of the API, with their bounds: the same words check a request and describe it."""

import re
from datetime import date
from typing import Annotated

from fastapi import Path, Query
from pydantic import BeforeValidator

from storage.paging import Order
from topics.query import LONGEST

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(said: object) -> object:
    """Take days alone: pydantic would also take seconds since 1970 for one."""
    if isinstance(said, str) and not _DAY.fullmatch(said):
        raise ValueError("a day is written like 2026-11-20")
    return said


_Day = Annotated[date, BeforeValidator(_day)]

Words = Annotated[
    str | None, Query(max_length=LONGEST, description="A query in the topic language; without one, all papers.")
]
TopicWords = Annotated[str, Query(max_length=LONGEST, description="A query in the topic language.")]
SourceName = Annotated[str | None, Query(max_length=200, description="Only papers sighted on this source.")]
CategoryName = Annotated[
    str | None, Query(max_length=200, description="Only papers of this category, such as cs.LG, or cs for all of it.")
]
Since = Annotated[_Day | None, Query(description="Only papers listed, on that source, from this day on.")]
Until = Annotated[_Day | None, Query(description="And up to this one.")]
Sort = Annotated[Order | None, Query(description="Default relevance; without a query first-seen.")]
Limit = Annotated[int, Query(ge=1, le=100, description="At most so many papers.")]
After = Annotated[str | None, Query(max_length=200, description="The `next` of the page before, with the same order.")]
Days = Annotated[int, Query(ge=1, le=90, description="How far to look back from the archive's newest day.")]
Key = Annotated[
    str, Path(max_length=1000, description="A paper's key, or any id of it; its slashes may stand as they are.")
]
TopicId = Annotated[str, Path(max_length=64, description="The random id in the address of the topic's page.")]
