"""Readers as they stand → what became of today's letters. Pure.

A reader's newest letter counts where it is of the last day; who is due and has none is told apart from whoever was
looked at and had nothing that matched.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from domain.deliveries import DeliveryState
from domain.operations import DAY, Standing
from domain.subscriptions import Cadence
from web.operations.values import Today

S = DeliveryState
_ON_THE_WAY = frozenset({S.PLANNED, S.LEASED, S.SENDING})
_NEXT = 3  # hours that come next are told


def count(standings: Iterable[Standing], now: datetime, is_due: Callable[[Standing, datetime], bool]) -> Today:
    """Return what became of the last day's letters; `is_due` says who is due a letter that nobody made."""
    counted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for each in standings:
        if is_due(each, now):
            counted["unplanned"] += each.number
        elif each.state is S.REJECTED:
            refused[each.status] += each.number
        elif each.state is not None:
            counted[_fate(each)] += each.number
            if each.is_note and each.state is S.ACCEPTED:
                counted["notes"] += each.number
        elif each.confirmed and each.has_topics and each.looked_at is not None and each.looked_at > now - DAY:
            counted["nothing_matched"] += each.number
    return Today(refused=dict(refused), **counted)


def next_letters(standings: Iterable[Standing], now: datetime) -> tuple[tuple[datetime, int], ...]:
    """Return the next hours at which letters are due, and to how many readers, the soonest first."""
    hours: Counter[datetime] = Counter()
    for each in standings:
        if not each.confirmed or not each.has_topics:
            continue
        opens = each.schedule.opens(now)
        if opens <= now:
            opens = each.schedule.opens(now + timedelta(days=1 if each.schedule.every is Cadence.DAY else 7))
        hours[opens] += each.number
    return tuple(sorted(hours.items())[:_NEXT])


def _fate(standing: Standing) -> str:
    state = standing.state
    if state is S.ACCEPTED:
        return "got"
    if state in _ON_THE_WAY:
        return "on_the_way"
    if state is S.UNCERTAIN:
        return "undecided" if standing.held else "unsure"
    return {S.DEFERRED: "put_off", S.EXPIRED: "expired"}.get(state, "skipped") if state else "skipped"
