"""The orders that papers are browsed in, and where a page ends in one.

A page goes on after a paper, named by what it is ordered by and by its number, and not after so many papers: those that
come in meanwhile move nothing. A score, though, changes with every paper that comes in, so by relevance a page goes on
after where that paper stands now (search.py).
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from domain.errors import UsageError

_DIGITS = 18  # of a number that a cursor may hold
_MOST = 2**31 - 1  # that a database's INTEGER holds, as papers' numbers and votes are kept

Value = float | int | date | datetime | None


class Order(StrEnum):
    """Best, newest or most first; what has no such value comes last; of equals the one stored last comes first."""

    RELEVANCE = "relevance"
    FIRST_SEEN = "first-seen"
    PUBLISHED = "published"
    UPVOTES = "upvotes"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: its last paper."""

    value: Value  #: what it is ordered by: a score, an aware instant, a day, or votes; None where it has none
    paper_id: int

    def __str__(self) -> str:
        """Return what `cursor_from` reads: the value, an @, the number; both parts are short and hold no blank."""
        value = self.value
        if isinstance(value, datetime):
            said = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        else:
            said = "" if value is None else value.isoformat() if isinstance(value, date) else repr(value)
        return f"{said}@{self.paper_id}"


def within(cursor: Cursor) -> Cursor:
    """Return the same place without a number that no database can compare with: no paper has one beyond."""
    value = min(cursor.value, _MOST) if isinstance(cursor.value, int) else cursor.value
    return Cursor(value, min(cursor.paper_id, _MOST))


def cursor_from(text: str, order: Order) -> Cursor:
    """Read a cursor of that order; raises UsageError, for whoever types it may type anything."""
    said, at, number = text.rpartition("@")
    try:
        return Cursor(_value(said if at else number, order), _count(number if at else ""))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text[:60]!r} is no place in papers ordered by {order.value}: "
            "take the `next` that came with the page before, and the same order"
        ) from error


def _value(said: str, order: Order) -> Value:
    if not said and order in {Order.PUBLISHED, Order.UPVOTES}:
        return None
    match order:
        case Order.RELEVANCE:
            score = float(said)
            if not math.isfinite(score):
                raise ValueError(said)
            return score
        case Order.FIRST_SEEN:
            instant = datetime.fromisoformat(said)
            if instant.tzinfo is None:
                raise ValueError(said)
            return instant.astimezone(UTC)
        case Order.PUBLISHED:
            return date.fromisoformat(said)
        case Order.UPVOTES:
            return _count(said)


def _count(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) <= _DIGITS):
        raise ValueError(said)
    return int(said)
