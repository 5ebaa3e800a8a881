"""How many letters may leave in the coming moments, if never more than a limit may in any 60 minutes. Pure.

    given to a worker → in hand → sent: counted in its minute · refused or unused: given back
    room = the limit − what left in the minutes that reach into the last hour − what workers have in hand

Why that holds: take any 60 minutes, and the last giving of which a letter left in them. At that moment each letter of
an earlier giving that leaves in these 60 minutes was either counted in a minute that reached into the hour before, or
still in hand. So it was subtracted, and all of them together with this giving are within the limit.

What a killed worker had in hand may have left until it was killed: it counts as sent from when it is seen to be dead. A
living one keeps it, however long a relay makes it wait. Each giving is therefore small beside the limit. Everything is
in the records of the database, so that neither a restart nor an erased reader makes anybody forget.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from domain.lanes import IN_HAND, MINUTE, Lane

_MINUTE = 60
_HOUR = 3600
_SHARE = 10  # a giving is at most this part of the limit


def minute_of(at: datetime) -> str:
    """Return the name of the record that counts what leaves in a minute."""
    return f"{MINUTE}{int(at.timestamp()) // _MINUTE}"


def gone(lanes: Mapping[str, Lane], now: datetime) -> int:
    """Return how many letters count as sent in the hour before `now`, those in hand among them."""
    over = now.timestamp() - _HOUR
    return ceil(
        sum(
            lane.tokens
            for name, lane in lanes.items()
            if name.startswith(IN_HAND) or (name.startswith(MINUTE) and lane.filled_at + _MINUTE > over)
        )
    )


def room(lanes: Mapping[str, Lane], per_hour: int, now: datetime) -> int:
    """Return how many letters may be given to a worker now; `lanes` is tidy."""
    return max(0, min(per_hour - gone(lanes, now), ceil(per_hour / _SHARE)))


def sent(lanes: Mapping[str, Lane], at: Iterable[datetime]) -> dict[str, Lane]:
    """Return the minutes in which these letters left."""
    return _counted(lanes, Counter(minute_of(each) for each in at))


def in_hand(lanes: Mapping[str, Lane], worker: str, letters: int, now: datetime) -> dict[str, Lane | None]:
    """Return a worker's record with so many letters more, or fewer; None for a record that is of no use any more."""
    name = IN_HAND + worker
    known = lanes.get(name, Lane(name))
    left = max(0.0, known.tokens + letters)
    if not left:
        return {name: None} if name in lanes else {}
    return {name: replace(known, tokens=left, filled_at=now.timestamp())}


def tidy(lanes: Mapping[str, Lane], is_over: Callable[[str, timedelta], bool], now: datetime) -> dict[str, Lane | None]:
    """Return what has to change before anything is counted: minutes that are over, hands that hold no more.

    `is_over` says of a worker, and of how long it has not moved, whether what it has in hand can leave no more.
    A minute of the future was counted before the clock was set back: it is of now, for want of a better instant.
    """
    changed: dict[str, Lane | None] = {}
    present = int(now.timestamp()) // _MINUTE
    late: Counter[str] = Counter()
    for name, lane in lanes.items():
        if name.startswith(MINUTE):
            minute = int(name.removeprefix(MINUTE))
            if (minute + 1) * _MINUTE <= now.timestamp() - _HOUR:
                changed[name] = None
            elif minute > present + 1:
                changed[name] = None
                late[minute_of(now)] += int(lane.tokens)
        elif name.startswith(IN_HAND):
            idle = timedelta(seconds=abs(now.timestamp() - lane.filled_at))
            if is_over(name.removeprefix(IN_HAND), idle):
                changed[name] = None
                late[minute_of(now)] += ceil(lane.tokens)
    return changed | _counted(lanes, late)


def _counted(lanes: Mapping[str, Lane], letters: Counter[str]) -> dict[str, Lane]:
    return {
        name: Lane(name, tokens=lanes[name].tokens + number if name in lanes else number, filled_at=_begin(name))
        for name, number in letters.items()
    }


def _begin(name: str) -> float:
    return int(name.removeprefix(MINUTE)) * _MINUTE * 1.0
