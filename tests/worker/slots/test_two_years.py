"""Two years of days in eight zones, daily and weekly, with a clock that jumps and a machine that dies.

What is owed is worked out from the wall clocks alone. A slot is owed where the clock showed any instant of it (from its
opening up to the next one) while a publish came through, at the first such publish; slots that opened before the first
letter are not. So only a slot that the clock jumped over whole, and never came back to, may stay without a letter.
"""

import random
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from domain.clock import FixedClock
from domain.subscriptions import Cadence, Schedule
from storage.database import Database

BEGIN = datetime(2011, 1, 3, 12, 5, tzinfo=UTC)
END = BEGIN + timedelta(days=731)
#: Zone → the hour, which a gap takes away where there is one, and the weekday on which it does.
ZONES = {
    "Europe/Berlin": (2, 6),
    "America/New_York": (2, 6),
    "America/Los_Angeles": (7, 2),
    "Asia/Kolkata": (23, 0),
    "Australia/Lord_Howe": (2, 6),  # half an hour
    "Pacific/Auckland": (2, 6),
    "America/Santiago": (0, 6),  # the gap begins at midnight
    "Pacific/Apia": (7, 4),  # Friday, 30 December 2011, never was
}
RESTARTS = 100
EXCURSIONS = 50


class Killed(BaseException):
    """The end of a process."""


class Torn(Mapping):
    """Slots of a letter on which a process dies while a transaction writes it."""

    def __getitem__(self, name):
        raise Killed

    def __iter__(self):
        raise Killed

    def __len__(self):
        return 1


def test_everybody_gets_one_letter_for_each_slot_that_the_clock_showed(desk_on, wall, label):
    chance = random.Random(8)  # noqa: S311 no secret
    clock = FixedClock(BEGIN)
    with Database("sqlite://") as database:
        desk = desk_on(database, clock)
        for zone, (hour, weekday) in ZONES.items():
            desk.reader(f"daily {zone}", Schedule(hour=hour, zone=zone))
            desk.reader(f"weekly {zone}", Schedule(every=Cadence.WEEK, weekday=weekday, hour=hour, zone=zone))
        shown, jumps, restarts = run(desk, clock, chance)
        issues = desk.issues()
    assert min(shown) == shown[0] == BEGIN
    assert jumps >= EXCURSIONS
    assert restarts >= RESTARTS
    for zone, (hour, weekday) in ZONES.items():
        seen = wall(zone, BEGIN.replace(minute=0) - timedelta(days=21), END + timedelta(days=12))
        for name in ("daily", "weekly"):
            weekly = name == "weekly"
            opened = seen.openings(weekly=weekly, weekday=weekday, hour=hour)
            owed = owed_of(opened, shown)
            owed[label(dict(seen.shown)[BEGIN.replace(minute=0)].date(), weekly=weekly)] = BEGIN
            assert issues[f"{name} {zone}"] == owed
            # The clock showed nearly all of them: a day of jumping skips no whole week, and few whole days.
            in_time = [each for at, each in opened if BEGIN < at < END]
            assert len(in_time) - sum(each in owed for each in in_time) <= (0 if weekly else 5)


def run(desk, clock, chance):
    """Publish for two years, as a machine does that dies and whose clock jumps.

    Return what it showed when a publish came through, how often it jumped, and how often it died.
    """
    shown = []
    true, ahead, excursion, jumps, restarts = BEGIN, timedelta(), 0, 0, 0
    publisher = desk.publisher()
    while true < END:
        if excursion == 0 and ahead:
            ahead = timedelta()
        elif true > BEGIN + timedelta(days=3) and chance.random() < EXCURSIONS * 2 / 5_500:
            ahead, excursion = timedelta(minutes=chance.randint(-1440, 1440)), chance.randint(1, 30)
            jumps += 2
        clock.set(true + ahead)
        done = True
        if publisher.is_due(clock.now()):
            how = chance.choice(["editing", "writing", "written"]) if chance.random() < RESTARTS / 3_000 else ""
            done = publish(desk, publisher, clock, how)
            if how:
                restarts += 1
                publisher = desk.publisher()
        if done:
            shown.append(clock.now())
        excursion = max(0, excursion - 1)
        true += timedelta(minutes=chance.randint(20, 340))
    return shown, jumps, restarts


def publish(desk, publisher, clock, how):
    """Publish, or die of it in one way; return whether the letters were written."""

    def die(_):
        raise Killed

    desk.before = die if how == "editing" else lambda _: None
    desk.slots = (lambda _: Torn()) if how == "writing" else lambda slots: slots
    try:
        publisher.publish(clock.now(), progress=die if how == "written" else lambda _: None)
    except Killed:
        return how == "written"
    return True


def owed_of(opened, shown):
    """Return slot → when its letter is to be cut."""
    owed = {}
    first = shown[0]
    instants = [at for at, _ in opened]
    for now in shown[1:]:
        number = bisect_right(instants, now) - 1
        at, slot = opened[number]
        if at > first:
            owed.setdefault(slot, now)
    return owed
