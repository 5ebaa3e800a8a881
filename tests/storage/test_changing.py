"""What readers change of their own letters: each change once, told to whoever saw what was before."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from domain.errors import ChangedMeanwhile, UnknownError, UsageError
from domain.subscriptions import Act, Cadence, Choices, Consent, Schedule, SubscriberState
from domain.topics import WishedTopic
from storage.changing import MOST_TOPICS, Changes
from storage.shared_topics import SharedTopics
from storage.subscribers import Subscribers, record
from storage.tables import CONSENT, SUBSCRIBER, SUBSCRIPTION, TOPIC
from topics.query import parse

S = SubscriberState
UNTIL = date(2026, 12, 24)


def wished(text, name=None, related=None):
    return WishedTopic(name or text, parse(text), related)


@pytest.fixture
def changes(database):
    return Changes(database)


@pytest.fixture
def again(database):
    """Look at a reader once more."""
    return lambda reader: Subscribers(database).by_public_id(reader.public_id)


@pytest.fixture
def said(now):
    return lambda action, days=0: Consent(action, "web 1", now + timedelta(days=days), "/preferences")


def order_of(reader):
    return [each.name for each in reader.subscriptions]


# -- every change ------------------------------------------------------------------------------------------------------

CHANGES = {
    "schedule": lambda changes, reader, seen, _at: changes.schedule(
        reader.public_id, seen, Schedule(Cadence.WEEK, 4, 18, "Europe/Berlin")
    ),
    "choose": lambda changes, reader, seen, _at: changes.choose(
        reader.public_id, seen, Choices(papers=3), text_only=True
    ),
    "add a topic": lambda changes, reader, seen, at: changes.add_topic(reader.public_id, seen, wished("rivers"), at),
    "remove a topic": lambda changes, reader, seen, _at: changes.remove_topic(
        reader.public_id, seen, reader.subscriptions[0].topic_id
    ),
    "amend a topic": lambda changes, reader, seen, _at: changes.amend_topic(
        reader.public_id, seen, reader.subscriptions[0].topic_id, "My tides", wished=wished("tides", related=True)
    ),
    "order topics": lambda changes, reader, seen, _at: changes.order_topics(
        reader.public_id, seen, [each.topic_id for each in reversed(reader.subscriptions)]
    ),
    "pause": lambda changes, reader, seen, at: changes.pause(
        reader.public_id, seen, UNTIL, Consent("paused", "web 1", at, "/preferences")
    ),
}


def test_of_two_tabs_the_later_one_is_told_and_changes_nothing(changes, reader, again, now):
    for number, (name, change) in enumerate(CHANGES.items()):
        mira = reader(f"mira{number}")
        first = change(changes, mira, mira.revision, now)
        assert first.revision == mira.revision + 1, name
        assert again(mira) == first != mira, name
        for other in CHANGES.values():
            with pytest.raises(ChangedMeanwhile):
                other(changes, mira, mira.revision, now)
        assert again(mira) == first, name


def test_who_left_or_may_not_be_mailed_changes_nothing(changes, database, reader, again, now):
    mira = reader()
    for state in (S.UNSUBSCRIBED, S.SUPPRESSED):
        with database.writing() as connection:
            connection.execute(update(SUBSCRIBER).values(state=state.value))
        before = again(mira)
        for change in CHANGES.values():
            with pytest.raises(UsageError, match="please subscribe again"):
                change(changes, mira, None, now)
        assert again(mira) == before


def test_nobody_is_no_reader(changes, database, reader, now):
    mira = reader()
    Subscribers(database).erase(mira.public_id, now)
    for change in CHANGES.values():
        with pytest.raises(UnknownError):
            change(changes, mira, None, now)


def test_what_changes_a_reader_elsewhere_is_told_to_an_open_page_too(changes, database, reader, again, now):
    mira, subscribers = reader(), Subscribers(database)
    seen = [mira.revision]
    for act in (
        lambda: reader(topic="rivers"),
        lambda: subscribers.change_topics(mira.public_id, [wished("seas")], [], now),
        lambda: subscribers.choose(mira.public_id, Choices(papers=4)),
        lambda: subscribers.unsubscribe(mira.public_id, Consent("unsubscribed", "1", now)),
        lambda: reader(state=S.PENDING, topic="tides"),
        lambda: subscribers.confirm(mira.public_id, Consent("confirmed", "1", now)),
    ):
        act()
        seen.append(again(mira).revision)
    assert seen == sorted(set(seen)), "each of them raises it"
    with pytest.raises(ChangedMeanwhile):
        changes.order_topics(mira.public_id, seen[0], [])


# -- topics ------------------------------------------------------------------------------------------------------------


def test_topics_are_put_in_order_and_those_that_are_not_named_follow(changes, reader, now):
    mira = reader()
    for text in ("rivers", "seas", "lakes"):
        mira = changes.add_topic(mira.public_id, mira.revision, wished(text), now)
    numbers = {each.name: each.topic_id for each in mira.subscriptions}
    asked = [numbers["lakes"], numbers["rivers"], numbers["lakes"]]
    ordered = changes.order_topics(mira.public_id, None, asked)
    assert order_of(ordered) == ["lakes", "rivers", "tides", "seas"]
    assert [each.position for each in ordered.subscriptions] == [0, 1, 2, 3]


def test_a_topic_that_the_reader_does_not_have_moves_nothing(changes, reader, again, now):
    mira, jun = reader(), reader("jun", topic="rivers")
    mira = changes.add_topic(mira.public_id, None, wished("seas"), now)
    first, second = (each.topic_id for each in mira.subscriptions)
    for strange in (jun.subscriptions[0].topic_id, 4711, -1):
        for ask in (
            lambda strange=strange: changes.order_topics(mira.public_id, None, [second, strange, first]),
            lambda strange=strange: changes.remove_topic(mira.public_id, None, strange),
            lambda strange=strange: changes.amend_topic(mira.public_id, None, strange, "x", wished=wished("x")),
        ):
            with pytest.raises(UnknownError):
                ask()
    assert again(mira) == mira
    assert order_of(again(jun)) == ["rivers"]


def test_a_topic_twice_is_one_and_keeps_its_name(changes, reader, now):
    mira = reader()
    mira = changes.add_topic(mira.public_id, None, wished("rivers", "Streams"), now)
    assert order_of(changes.add_topic(mira.public_id, None, wished("rivers"), now)) == ["tides", "Streams"]


@pytest.mark.engines("memory")
def test_a_reader_has_only_so_many_topics(changes, reader, again, now):
    mira = reader()
    for number in range(MOST_TOPICS - 1):
        mira = changes.add_topic(mira.public_id, None, wished(f"tides{number}"), now)
    assert len(changes.add_topic(mira.public_id, None, wished("tides"), now).subscriptions) == MOST_TOPICS
    before = again(mira)
    with pytest.raises(UsageError, match="50 topics are the most"):
        changes.add_topic(mira.public_id, None, wished("rivers"), now)
    assert again(mira) == before


def test_who_lets_related_papers_in_is_shown_those_of_before_too(changes, database, reader, now):
    mira = reader(topic="tides AND moons")
    topic = mira.subscriptions[0].topic_id
    with database.writing() as connection:
        connection.execute(update(TOPIC).values(backfilled=True))
    for related, is_backfilled in ((False, True), (True, False)):
        after = changes.amend_topic(
            mira.public_id, None, topic, "Pull", wished=wished("tides AND moons", related=related)
        )
        assert (after.subscriptions[0].name, after.subscriptions[0].related) == ("Pull", related)
        with database.reading() as connection:
            assert connection.execute(select(TOPIC.c.backfilled)).scalar_one() is is_backfilled


def test_a_topic_that_is_taken_away_takes_its_page_along(changes, database, reader, now):
    mira = reader()
    topic, shared = mira.subscriptions[0].topic_id, SharedTopics(database)
    page = shared.share(mira.id, topic, "page", now)
    changes.remove_topic(mira.public_id, None, topic)
    assert shared.by_public_id(page.public_id) is None
    assert shared.all() == ()


# -- a pause -----------------------------------------------------------------------------------------------------------


def test_a_pause_and_its_end_are_on_record_and_the_way_back_is_remembered(changes, database, reader, said, now):
    mira = reader()
    paused = changes.pause(mira.public_id, mira.revision, UNTIL, said("paused"))
    assert (paused.state, paused.paused_until, paused.away_since) == (S.PAUSED, UNTIL, now)
    longer = changes.pause(mira.public_id, None, None, said("paused", 1))
    assert (longer.paused_until, longer.away_since) == (None, now)
    back = changes.resume(mira.public_id, longer.revision, said("resumed", 2))
    assert (back.state, back.paused_until, back.away_since) == (S.CONFIRMED, None, now)
    record = Subscribers(database).consents(mira.id)[1:]
    assert [(each.action, each.at, each.place) for each in record] == [
        ("paused", now, "/preferences"),
        ("paused", now + timedelta(days=1), "/preferences"),
        ("resumed", now + timedelta(days=2), "/preferences"),
    ]


def test_twice_the_same_pause_or_resume_is_once(changes, database, reader, said):
    mira = reader()
    once = changes.pause(mira.public_id, None, UNTIL, said("paused"))
    assert changes.pause(mira.public_id, None, UNTIL, said("paused", 1)) == once
    back = changes.resume(mira.public_id, None, said("resumed", 2))
    assert changes.resume(mira.public_id, None, said("resumed", 3)) == back
    assert len(Subscribers(database).consents(mira.id)) == 3


def test_who_never_confirmed_has_nothing_to_pause(changes, reader, again, said):
    mira = reader(state=S.PENDING)
    for ask in (
        lambda: changes.pause(mira.public_id, None, UNTIL, said("paused")),
        lambda: changes.resume(mira.public_id, None, said("resumed")),
    ):
        with pytest.raises(UsageError, match="confirm the address first") as caught:
            ask()
        assert "@" not in str(caught.value), "a page that shows this may be anybody's"
    assert again(mira) == mira


def test_a_pause_ends_after_today_and_within_a_year(changes, reader, again, said):
    mira = reader()
    for day in (date(2026, 11, 20), date(2026, 11, 1), date(2027, 11, 22), date.min, date.max):
        with pytest.raises(UsageError, match="a day after today, 2026-11-20, and within a year"):
            changes.pause(mira.public_id, None, day, said("paused"))
    assert again(mira) == mira
    assert changes.pause(mira.public_id, None, date(2027, 11, 21), said("paused")).state is S.PAUSED


def test_today_is_that_of_the_reader(changes, reader, said):
    mira = reader()
    changes.schedule(mira.public_id, None, Schedule(zone="Pacific/Kiritimati"))  # 14 hours ahead: the 20th, 22:00
    with pytest.raises(UsageError, match="2026-11-20"):
        changes.pause(mira.public_id, None, date(2026, 11, 20), said("paused"))
    changes.schedule(mira.public_id, None, Schedule(zone="Pacific/Pago_Pago"))  # 11 behind: the 19th
    assert changes.pause(mira.public_id, None, date(2026, 11, 20), said("paused")).state is S.PAUSED


def test_no_pause_outlives_leaving_or_coming_back(changes, database, reader, again, said, now):
    mira, subscribers = reader(), Subscribers(database)
    changes.pause(mira.public_id, None, UNTIL, said("paused"))
    subscribers.unsubscribe(mira.public_id, said("unsubscribed", 1))
    gone = again(mira)
    assert (gone.state, gone.paused_until, gone.away_since) == (S.UNSUBSCRIBED, None, None)
    with database.writing() as connection:  # as an earlier version left it
        connection.execute(update(SUBSCRIBER).values(paused_until=UNTIL, away_since=now))
    back = reader(state=S.PENDING)
    assert (back.state, back.paused_until, back.away_since) == (S.PENDING, None, None)


def test_a_command_that_adds_a_topic_ends_no_pause(changes, reader, said):
    mira = reader()
    changes.pause(mira.public_id, None, UNTIL, said("paused"))
    after = reader(topic="rivers")
    assert (after.state, after.paused_until, order_of(after)) == (S.PAUSED, UNTIL, ["tides", "rivers"])


def test_an_interruption_anywhere_leaves_the_whole_change_or_none(changes, database, reader, again, now, monkeypatch):
    """Each change is one transaction: whatever ends it before its last word undoes all of it."""
    mira = reader()
    mira = changes.add_topic(mira.public_id, None, wished("seas"), now)

    def die(*_):
        raise KeyboardInterrupt

    for change in CHANGES.values():
        with monkeypatch.context() as patched:
            patched.setattr("storage.changing.alter", die)
            with pytest.raises(KeyboardInterrupt):
                change(changes, mira, mira.revision, now)
        assert again(mira) == mira
    with database.reading() as connection:
        assert len(connection.execute(select(SUBSCRIPTION)).all()) == 2


@pytest.mark.parametrize("act", list(Act))
def test_each_act_is_read_back_as_it_was_recorded(database, reader, act, now):
    mira, said = reader(), Consent(act, "web 1", now, "/preferences")
    with database.writing() as connection:
        record(connection, mira.id, said)
    assert Subscribers(database).consents(mira.id)[-1] == said
    with database.reading() as connection:
        assert connection.execute(select(CONSENT.c.action).order_by(CONSENT.c.id)).scalars().all()[-1] == act.value
