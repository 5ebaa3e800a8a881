from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from domain.errors import UnknownError
from domain.issues import Content, Fragment, LetterKind, Mailing, Role
from domain.papers import Identifiers
from domain.subscriptions import NO_CHOICES, Cadence, Choices, Consent, Schedule, SubscriberState
from domain.topics import Match, Selection, WishedTopic
from storage.outbox import Outbox
from storage.subscribers import Signup, Subscribers
from storage.tables import SUBSCRIBER
from storage.topics import Topics
from topics.query import parse

LETTER = Content(LetterKind.CONFIRM, "Please confirm", (Fragment(Role.HEAD, b"Subject: x\r\n"),))


def past(now):
    """The days that topics look back over, which say nothing where no paper is stored."""
    return {"day": now.date() - timedelta(days=7), "moment": now - timedelta(days=7), "now": now}


def confirmation(now):
    def make(public_id: str, number: int) -> Mailing:
        return Mailing(
            message_key=f"confirm:{public_id}:{number}",
            subscriber_id=public_id,
            recipient="mira@lab.example",
            content=LETTER,
            slots={},
            message_id=f"<{public_id}.{number}@lab.example>",
            date=now,
            not_before=now,
            expires_at=now + timedelta(days=5),
        )

    return make


def signup(email="mira@lab.example", topics=("tides",), state=SubscriberState.PENDING, **values):
    given = {
        "schedule": None,
        "shared": False,
        "public_id": f"{abs(hash((email, topics))):016x}"[:16],
        "consent": [Consent("asked", "1", datetime(2026, 11, 1, tzinfo=UTC))],
    }
    wished = [WishedTopic(name=text, query=parse(text)) for text in topics]
    return Signup(email=email, address_key=email.lower(), topics=wished, state=state, **{**given, **values})


@pytest.fixture
def subscribers(database):
    return Subscribers(database)


def test_a_new_reader_is_pending_and_one_confirmation_waits(subscribers, database, now):
    reader, _ = subscribers.subscribe(signup(), now, confirmation(now))
    assert (reader.state, [each.name for each in reader.subscriptions]) == (SubscriberState.PENDING, ["tides"])
    assert [each.kind for each in Outbox(database).records()] == ["confirm"]


def test_a_thousand_sign_ups_of_one_address_leave_three_letters_over_days(subscribers, database, now):
    for hour in range(0, 240, 6):
        moment = now + timedelta(hours=hour)
        subscribers.subscribe(signup(), moment, confirmation(moment))
        if hour < 24:
            assert len(Outbox(database).records()) == 1
    assert len(Outbox(database).records()) == 3


def test_equal_queries_of_two_readers_are_one_topic(subscribers, database, now):
    subscribers.subscribe(signup(topics=("Tides AND moons",)), now)
    subscribers.subscribe(signup("jonas@lab.example", topics=("moons  tides", "rivers")), now)
    found = Topics(database).all()
    assert [(each.readers, each.backfilled) for each in found] == [(2, False), (1, False)]


def test_subscribing_again_adds_topics_and_keeps_the_rest(subscribers, now):
    weekly = Schedule(every=Cadence.WEEK, weekday=4, hour=9, zone="Europe/Berlin")
    subscribers.subscribe(signup(schedule=weekly, state=SubscriberState.CONFIRMED), now)
    again, _ = subscribers.subscribe(signup(topics=("tides", "rivers")), now, confirmation(now))
    assert again.state is SubscriberState.CONFIRMED
    assert again.schedule == weekly
    assert [each.name for each in again.subscriptions] == ["tides", "rivers"]


def test_confirming_twice_confirms_once_and_is_on_record(subscribers, now):
    reader, _ = subscribers.subscribe(signup(), now)
    consent = Consent("confirmed", "1", now)
    assert subscribers.confirm(reader.public_id, consent)
    assert subscribers.confirm(reader.public_id, consent)
    assert [each.action for each in subscribers.consents(reader.id)] == ["asked", "confirmed"]
    assert subscribers.by_public_id(reader.public_id).confirmed_at == now


def test_a_stale_confirmation_link_does_not_bring_back_one_who_left(subscribers, now):
    reader, _ = subscribers.subscribe(signup(), now)
    assert subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    assert not subscribers.confirm(reader.public_id, Consent("confirmed", "1", now))
    assert subscribers.by_public_id(reader.public_id).state is SubscriberState.UNSUBSCRIBED


def test_leaving_twice_is_recorded_once_and_an_unknown_reader_is_told_apart(subscribers, now):
    reader, _ = subscribers.subscribe(signup(state=SubscriberState.CONFIRMED), now)
    gone = Consent("unsubscribed", "1", now)
    assert subscribers.unsubscribe(reader.public_id, gone)
    assert subscribers.unsubscribe(reader.public_id, gone)
    assert len(subscribers.consents(reader.id)) == 2
    assert not subscribers.unsubscribe("ffffffffffffffff", gone)


def test_topics_can_be_added_and_taken_away(subscribers, database, now):
    reader, _ = subscribers.subscribe(signup(), now)
    left = subscribers.change_topics(reader.public_id, [WishedTopic("R", parse("rivers"))], [parse("TIDES")], now)
    assert [each.name for each in left.subscriptions] == ["R"]
    with pytest.raises(UnknownError, match="no topic"):
        subscribers.change_topics(reader.public_id, [WishedTopic("M", parse("mud"))], [parse("hills")], now)
    assert [each.name for each in subscribers.by_public_id(reader.public_id).subscriptions] == ["R"]
    assert len(Topics(database).all()) == 1


def test_everyone_comes_in_order_however_many(subscribers, now):
    for number in range(503):
        subscribers.subscribe(signup(f"reader{number}@lab.example"), now)
    assert [each.email for each in subscribers.everyone()][::502] == ["reader0@lab.example", "reader502@lab.example"]


def test_of_two_matches_at_once_one_stores(archive, database, subscribers, listed, listing, now):
    archive.add(listing(listed("One", ids=Identifiers(arxiv="2611.90001"))), now)
    subscribers.subscribe(signup(), now)
    topics = Topics(database)
    assert topics.record([Selection(1, (Match(1, 1, 2.0),))], since=0, up_to=1, now=now) == 1
    assert topics.record([Selection(1, (Match(1, 1, 2.0),))], since=0, up_to=1, now=now) is None
    assert topics.matched_up_to() == 1


def test_matches_of_the_past_are_stored_once(archive, database, subscribers, listed, listing, now):
    archive.add(listing(listed("One", ids=Identifiers(arxiv="2611.90001"))), now)
    subscribers.subscribe(signup(), now)
    topics = Topics(database)
    assert topics.record_past(topics.all(), [Selection(1, (Match(1, 1, 2.0),))], up_to=0, **past(now)) == 1
    assert topics.record_past(topics.all(), [Selection(1, (Match(1, 1, 2.0),))], up_to=0, **past(now)) == 0
    assert topics.all()[0].backfilled


def test_a_past_that_was_looked_at_too_early_is_looked_at_again(archive, database, subscribers, listed, listing, now):
    archive.add(listing(listed("One", ids=Identifiers(arxiv="2611.90001"))), now)
    subscribers.subscribe(signup(), now)
    topics = Topics(database)
    topics.record([], since=0, up_to=1, now=now)
    assert topics.record_past(topics.all(), [Selection(1, (Match(1, 1, 2.0),))], up_to=0, **past(now)) == 0
    assert not topics.all()[0].backfilled


def test_a_topic_that_nobody_held_for_a_while_looks_back_again(database, subscribers, now):
    reader, _ = subscribers.subscribe(signup(topics=("tides", "rivers")), now)
    topics = Topics(database)
    topics.record_past(topics.all(), [], up_to=0, **past(now))
    subscribers.change_topics(reader.public_id, [], [parse("tides")], now)
    subscribers.subscribe(signup("jonas@lab.example", topics=("tides", "rivers")), now)
    assert {each.normal_form: each.backfilled for each in topics.all()} == {"tides": False, "rivers": True}


def test_topics_of_those_who_left_rest_until_somebody_comes_back(database, subscribers, now):
    reader, _ = subscribers.subscribe(signup(state=SubscriberState.CONFIRMED), now)
    topics = Topics(database)
    topics.record_past(topics.all(), [], up_to=0, **past(now))
    subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    assert topics.all() == ()
    back, _ = subscribers.subscribe(signup(topics=("tides", "mud"), state=SubscriberState.CONFIRMED), now)
    assert [each.backfilled for each in topics.all()] == [False, False]
    assert [each.name for each in back.subscriptions] == ["tides", "mud"]


def test_who_comes_back_has_the_topics_they_ask_for_and_no_others(subscribers, now):
    reader, _ = subscribers.subscribe(signup(topics=("tides", "rivers")), now)
    subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    back, _ = subscribers.subscribe(signup(topics=("mud",)), now)
    assert [each.name for each in back.subscriptions] == ["mud"]


def test_one_who_left_and_returns_can_confirm_again_if_they_ever_said_yes(subscribers, now):
    for day in range(3):
        reader, queued = subscribers.subscribe(
            signup(), now + timedelta(days=day), confirmation(now + timedelta(days=day))
        )
        assert queued
    later = now + timedelta(days=9)
    assert not subscribers.subscribe(signup(), later, confirmation(later))[1]
    subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", later))
    back = later + timedelta(days=1)
    assert not subscribers.subscribe(signup(), back, confirmation(back))[1], "a no is no yes: three were sent"
    assert subscribers.confirm(reader.public_id, Consent("confirmed", "1", back))
    subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", back))
    assert subscribers.subscribe(signup(), back, confirmation(back))[1]


def test_what_a_reader_chose_of_letters_stays_until_it_is_changed(subscribers, now):
    few = Choices(papers=3, late_risers=0)
    reader, _ = subscribers.subscribe(signup(state=SubscriberState.CONFIRMED, choices=few), now)
    again, _ = subscribers.subscribe(signup(topics=("mud",), choices=Choices(per_topic=2)), now)
    assert again.choices == Choices(papers=3, per_topic=2, late_risers=0)
    for _ in range(2):
        assert subscribers.choose(reader.public_id, Choices(trending=4)).choices == replace(again.choices, trending=4)
    assert subscribers.choose(reader.public_id, NO_CHOICES).choices.trending == 4
    assert subscribers.choose(reader.public_id, few, afresh=True).choices == few
    assert subscribers.by_public_id(reader.public_id).choices == few
    with pytest.raises(UnknownError):
        subscribers.choose("nobody", few)


def test_a_signup_for_an_address_that_may_not_be_mailed_takes_nothing_away(database, subscribers, now):
    given = {"topics": ("tides", "rivers"), "choices": Choices(papers=3)}
    subscribers.subscribe(signup(state=SubscriberState.CONFIRMED, **given), now)
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(state=SubscriberState.SUPPRESSED.value))
    again, _ = subscribers.subscribe(signup(topics=("mud",)), now)
    assert again.state is SubscriberState.SUPPRESSED
    assert [each.name for each in again.subscriptions] == ["tides", "rivers", "mud"]
    assert again.choices == Choices(papers=3)


def test_who_comes_back_chooses_anew(subscribers, now):
    reader, _ = subscribers.subscribe(signup(choices=Choices(papers=3)), now)
    subscribers.unsubscribe(reader.public_id, Consent("unsubscribed", "1", now))
    back, _ = subscribers.subscribe(signup(choices=Choices(trending=1)), now)
    assert back.choices == Choices(trending=1)


def test_a_topic_is_switched_by_any_spelling_and_an_unknown_one_changes_nothing(subscribers, now):
    reader, _ = subscribers.subscribe(signup(topics=("tides mud", "rivers")), now)
    for _ in range(2):
        changed = subscribers.change_topics(reader.public_id, (), (), now, [(parse("Mud AND tides"), False)])
        assert [each.related for each in changed.subscriptions] == [False, None]
    switch = [(parse("rivers"), True), (parse("hills"), True)]
    with pytest.raises(UnknownError):
        subscribers.change_topics(reader.public_id, (), (), now, switch)
    assert subscribers.by_public_id(reader.public_id).subscriptions == changed.subscriptions


def test_a_topic_that_is_asked_again_keeps_its_tier_unless_that_is_said(subscribers, now):
    def asked(related):
        wished = [WishedTopic("tides", parse("tides"), related)]
        reader, _ = subscribers.subscribe(signup(topics=(), public_id="a"), now)
        return subscribers.change_topics(reader.public_id, wished, (), now).subscriptions[0].related

    assert [asked(each) for each in (True, None, False, None)] == [True, True, False, False]


def test_a_topic_looks_back_again_for_the_first_who_wants_its_related_papers(database, subscribers, now):
    topics = Topics(database)
    exact, _ = subscribers.subscribe(signup(topics=("tides -mud",)), now)
    topics.record_past(topics.all(), [], up_to=0, **past(now))
    near, _ = subscribers.subscribe(signup("jonas@lab.example", topics=("tides -mud",)), now)
    assert [each.backfilled for each in topics.all()] == [True]
    subscribers.change_topics(near.public_id, (), (), now, [(parse("tides -mud"), True)])
    assert [each.backfilled for each in topics.all()] == [False]
    topics.record_past(topics.all(), [], up_to=0, **past(now))
    subscribers.change_topics(exact.public_id, (), (), now, [(parse("tides -mud"), True)])
    assert [each.backfilled for each in topics.all()] == [True]
