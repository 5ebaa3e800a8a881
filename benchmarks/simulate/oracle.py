"""What each reader was owed, found without the code under test, beside what the database says and what the sink saw.

owed      the slot of the first publish, then that of each opening until the last one; the openings are found by
          walking local time in quarters of an hour
served    each owed slot has one issue, or one entry that says that nothing matched
arrived   each issue's letter was taken once; once more at most for each try of which no answer was heard
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.deliveries import DeliveryState
from storage.tables import DELIVERY, ISSUE, SILENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.simulate.readers import Simulated
    from benchmarks.simulate.sink import SinkTransport
    from storage.database import Database

_STEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the three accounts compare; what is wrong has to be 0."""

    owed: int  #: slots
    issues: int
    silent: int  #: owed slots for which nothing matched
    excused: int  #: owed slots of readers whose mailbox had refused a letter for good before
    letters: int  #: of any kind that the sink took at least once
    copies: int  #: beyond the first, each after a try of which no answer was heard
    refused: int  #: letters
    waiting: int  #: letters that had not left when the simulation ended
    held: int  #: letters that may have left and wait for the operator's word
    expired: int  #: letters that were too old when their turn came
    # -- what has to be 0 --
    unserved: int  #: owed slots without a letter or an entry
    unowed: int  #: issues for a slot that nobody was owed, or at another time than its opening
    lost: int  #: letters that the database says were taken and the sink has not
    unknown: int  #: letters that the sink took and the database does not say so
    doubled: int  #: copies without a reason
    after_refusal: int  #: letters that a mailbox was sent after it had refused one for good

    @property
    def wrong(self) -> int:
        """How much is wrong in all."""
        return self.unserved + self.unowed + self.lost + self.unknown + self.doubled + self.after_refusal


def judge(
    database: Database, readers: Mapping[int, Simulated], sink: SinkTransport, first: datetime, last: datetime
) -> Verdict:
    """Compare the accounts of all that was published from the first publish to the last, both included."""
    counts = Counter(dict.fromkeys(Verdict.__dataclass_fields__, 0))
    with database.reading() as connection:
        issued: dict[int, dict[str, datetime]] = defaultdict(dict)
        for row in connection.execute(select(ISSUE.c.subscriber_id, ISSUE.c.slot, ISSUE.c.cutoff)):
            issued[row.subscriber_id][row.slot] = row.cutoff
        silences: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for row in connection.execute(select(SILENCE.c.subscriber_id, SILENCE.c.first_slot, SILENCE.c.last_slot)):
            silences[row.subscriber_id].append((row.first_slot, row.last_slot))
        names = DELIVERY.c.message_id, DELIVERY.c.state, DELIVERY.c.not_before, DELIVERY.c.issue_id
        deliveries = connection.execute(select(*names)).all()
    refused_at: dict[str, datetime] = {}
    for mail in sink.mailed.values():
        if mail.refused:
            refused_at[mail.recipient] = min(mail.at, refused_at.get(mail.recipient, mail.at))
    for number, reader in readers.items():
        slots = owed(reader.zone, reader.hour, reader.weekday, first, last)
        _served(counts, slots, issued[number], silences[number], refused_at.get(reader.email))
    _arrived(counts, deliveries, sink)
    counts["after_refusal"] = sum(
        mail.at > refused_at.get(mail.recipient, mail.at) and mail.taken for mail in sink.mailed.values()
    )
    return Verdict(**counts)


def _served(
    counts: Counter[str],
    slots: Mapping[str, datetime],
    issued: Mapping[str, datetime],
    silences: list[tuple[str, str]],
    refused: datetime | None,
) -> None:
    counts["owed"] += len(slots)
    counts["issues"] += len(issued)
    # An issue is cut at the opening of its slot or later, never before; the first of all at the first publish.
    counts["unowed"] += sum(slot not in slots or cutoff < slots[slot] for slot, cutoff in issued.items())
    for slot, opens in slots.items():
        if slot in issued:
            continue
        if any(begin <= slot <= end for begin, end in silences):
            counts["silent"] += 1
        elif refused is not None and opens >= refused:
            counts["excused"] += 1
        else:
            counts["unserved"] += 1


def _arrived(counts: Counter[str], deliveries: Sequence[Any], sink: SinkTransport) -> None:
    known = set()
    for row in deliveries:
        known.add(row.message_id)
        mail = sink.mailed.get(row.message_id)
        taken = mail.taken if mail else 0
        match DeliveryState(row.state):
            case DeliveryState.ACCEPTED:
                counts["lost"] += not taken
            case DeliveryState.REJECTED:
                counts["refused"] += 1
                counts["unknown"] += taken
            case DeliveryState.EXPIRED:
                counts["expired"] += 1
                counts["unknown"] += taken
            case DeliveryState.UNCERTAIN if row.not_before is None:
                counts["held"] += 1
            case DeliveryState.UNCERTAIN | DeliveryState.PLANNED | DeliveryState.DEFERRED:
                counts["waiting"] += 1
            case _:
                counts["unknown"] += taken
    for message_id, mail in sink.mailed.items():
        counts["letters"] += mail.taken > 0
        copies = max(0, mail.taken - 1)
        counts["copies"] += min(copies, mail.unanswered)
        counts["doubled"] += max(0, copies - mail.unanswered)
        counts["unknown"] += message_id not in known


def owed(zone: str, hour: int, weekday: int | None, first: datetime, last: datetime) -> Mapping[str, datetime]:
    """Return slot → the instant from which it is owed; the slot of the first publish is owed from then on."""
    found = {_label(first.astimezone(ZoneInfo(zone)).date(), weekday): first}
    day = first.astimezone(ZoneInfo(zone)).date()
    while day <= last.astimezone(ZoneInfo(zone)).date():
        opens = _opening(zone, hour, day)
        if (weekday is None or day.weekday() == weekday) and first < opens <= last:
            found.setdefault(_label(day, weekday), opens)
        day += timedelta(days=1)
    return found


def _label(day: date, weekday: int | None) -> str:
    return day.isoformat() if weekday is None else "{}-W{:02}".format(*day.isocalendar()[:2])


@cache
def _opening(zone: str, hour: int, day: date) -> datetime:
    """Return the first quarter of an hour at which that day's clocks show that hour, or a later one."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while True:
        local = at.astimezone(ZoneInfo(zone))
        if (local.date(), local.hour) >= (day, hour):
            return at
        at += _STEP


def as_json(verdict: Verdict) -> dict[str, int]:
    """Return the counts by name, and what is wrong in all."""
    return {**asdict(verdict), "wrong": verdict.wrong}
