"""After whatever readers and operators do, planning by looks finds exactly whom a walk over everybody finds."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from domain.clock import FixedClock
from domain.errors import PaperroundError
from domain.letter_events import SuppressionReason
from domain.subscriptions import Cadence, Choices, Consent, Schedule
from domain.topics import WishedTopic
from storage import integrity
from storage.changing import Changes
from storage.coming_back import Returns
from storage.issues import Issues
from storage.protections import protections_of, reapply
from storage.subscribers import Subscribers
from storage.suppressions import Suppressions
from storage.tables import SUBSCRIBER
from storage.topics import Topics
from storage.waking import Waking
from topics.query import parse
from worker.planning import due

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)
NAMES = ("mira", "jun", "noor")


def said(now, action="asked"):
    return Consent(action, "1", now, "/preferences")


ACTS = (
    "hour", "zone", "week", "pause", "pause for long", "resume", "wake", "leave", "back", "again", "suppress", "lift",
    "erase", "topics", "choose", "mend", "forget", "reapply", "publish",
)  # fmt: skip
ZONES = ("Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati")


def do(act, desk, who, now, n):  # noqa: C901, PLR0912 a table of what may happen
    """Do something to a reader, or for all; `n` says how."""
    archive = desk.database
    changes, subscribers, suppressions = Changes(archive), Subscribers(archive), Suppressions(archive)
    days = timedelta(days=1 + n % 3)
    added, gone = ([WishedTopic("mud", parse("mud"))], []) if n % 2 else ([], [parse("tides")])
    match act:
        case "hour" | "zone" | "week":
            hour = Schedule(hour=n % 24)
            week = Schedule(every=Cadence.WEEK, weekday=n % 7)
            changes.schedule(who, None, {"hour": hour, "zone": Schedule(zone=ZONES[n % 3]), "week": week}[act])
        case "pause" | "pause for long":
            changes.pause(who, None, now.date() + days if act == "pause" else None, said(now, "paused"))
        case "resume":
            changes.resume(who, None, said(now, "resumed"))
        case "wake":
            Waking(archive).wake(now, now)
        case "leave":
            subscribers.unsubscribe(who, said(now, "unsubscribed"))
        case "back":
            Returns(archive).weekly(who, now - timedelta(days=9), said(now, "came back, weekly"))
        case "again":
            desk.reader(who, Schedule(hour=n % 24))
        case "suppress":
            suppressions.add(f"{who}@lab.example", SuppressionReason.OPERATOR, "", now)
        case "lift":
            suppressions.remove(f"{who}@lab.example")
        case "erase":
            subscribers.erase(who, now)
        case "topics":
            subscribers.change_topics(who, added, gone, now)
        case "choose":
            subscribers.choose(who, Choices(papers=1 + n % 9))
        case "mend":
            integrity.mend(archive)
        case "forget":
            forget(desk)
        case "reapply":
            say_again(desk)
        case "publish":
            desk.publisher().publish(now)


def forget(desk):
    """Damage what is known of newest letters, and mend it."""
    with desk.database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(last_issue_id=None))
    integrity.mend(desk.database)


def say_again(desk):
    with desk.database.writing() as connection:
        reapply(connection, protections_of(connection))


def by_walking(desk, now):
    with desk.database.reading() as connection:
        ids = connection.execute(select(SUBSCRIBER.c.id)).scalars().all()
    found = Issues(desk.database).those(ids, now)
    served = desk.issues()
    return {
        each.subscriber.public_id
        for block in found
        for each in block
        if (slot := due(each, now)) is not None and slot.label not in served.get(each.subscriber.public_id, {})
    }


def by_looks(desk, now):
    desk.publisher().is_due(now)
    served = desk.issues()
    return {
        each.subscriber.public_id
        for block in Issues(desk.database).due(now)
        for each in block
        if (slot := due(each, now)) is not None and slot.label not in served.get(each.subscriber.public_id, {})
    }


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    finds=st.booleans(),
    story=st.lists(
        st.tuples(st.sampled_from(ACTS), st.sampled_from(NAMES), st.integers(0, 60), st.integers(-30, 40)),
        max_size=25,
    ),
)
def test_planning_by_looks_finds_whom_a_walk_over_all_readers_finds(desk_on, fresh, finds, story):
    clock = FixedClock(BEGIN)
    with fresh() as database:
        desk = desk_on(database, clock, finds=lambda _: finds)
        for number, name in enumerate(NAMES):
            desk.reader(name, Schedule(hour=8 + number))
        desk.publisher().publish(BEGIN)
        now = BEGIN
        for act, who, number, hours in story:
            now += max(hours, -3 if hours < -20 else 0) * HOUR  # now and then the clock is set back
            clock.set(now)
            with suppress(PaperroundError):  # who left cannot pause, and the like
                do(act, desk, who, now, number)
            assert by_looks(desk, now) == by_walking(desk, now)


def test_who_was_suppressed_while_they_were_planned_is_looked_at_when_that_is_lifted(desk):
    mira = desk.reader("mira", Schedule(hour=7))
    suppressions = Suppressions(desk.database)
    now = desk.clock.now()
    desk.before = lambda _: suppressions.add("mira@lab.example", SuppressionReason.BOUNCE, "", now)
    assert desk.publisher().publish(now).issues == 0
    desk.before = lambda _: None
    suppressions.remove("mira@lab.example")
    assert desk.publisher().publish(now).issues == 1
    assert mira.id


@pytest.mark.parametrize("step", [timedelta(minutes=1), timedelta(hours=1)])
def test_nothing_is_read_of_topics_where_nothing_is_to_be_matched(desk, step):

    topics = Topics(desk.database)
    assert not topics.is_due()
    desk.clock.set(desk.clock.now() + step)
    desk.reader("mira", Schedule())
    assert topics.is_due()  # a topic that has not met its past
    met = topics.all()
    moment = desk.clock.now()
    topics.record_past(met, [], day=moment.date(), moment=moment, up_to=0, now=moment)
    assert not topics.is_due()
    Subscribers(desk.database).change_topics("mira", [WishedTopic("mud", parse("mud"))], [], moment)
    assert topics.is_due()
    Subscribers(desk.database).unsubscribe("mira", said(moment, "unsubscribed"))
    assert not topics.is_due()  # whom no letter reaches, nothing is matched for
