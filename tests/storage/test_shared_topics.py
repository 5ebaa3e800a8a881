"""Topics with a page: random addresses that go with whoever shared them."""

import pytest
from sqlalchemy import select, update

from domain.errors import UnknownError
from domain.letter_events import SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from domain.topics import WishedTopic
from storage.coming_back import Returns
from storage.shared_topics import SharedTopics
from storage.subscribers import Subscribers, record
from storage.suppressions import Suppressions
from storage.tables import SHARED_TOPIC, SUBSCRIBER, TOPIC
from topics.query import parse

S = SubscriberState


@pytest.fixture
def shared(database):
    return SharedTopics(database)


@pytest.fixture
def page(shared, now):
    return lambda reader, name="page": shared.share(reader.id, reader.subscriptions[0].topic_id, name, now)


def test_a_page_says_the_topic_and_nothing_of_who_shares_it(shared, reader, page, now):
    mira = reader()
    made = page(mira)
    assert (made.public_id, made.name, made.query, made.at, made.by_operator) == ("page", "tides", "tides", now, False)
    assert shared.by_public_id("page") == made
    assert shared.of(mira.id) == shared.all() == (made,)
    assert shared.by_public_id("other") is None


def test_shared_twice_it_keeps_its_address_and_each_reader_has_a_page_of_their_own(shared, reader, page):
    mira, jun = reader(), reader("jun")
    assert page(mira, "one") == page(mira, "two")
    assert page(jun, "three").public_id == "three"
    assert [each.public_id for each in shared.all()] == ["one", "three"]


def test_nobody_shares_what_they_do_not_have(shared, reader, now):
    mira, jun = reader(), reader("jun", topic="rivers")
    for topic_id in (jun.subscriptions[0].topic_id, 4711):
        with pytest.raises(UnknownError):
            shared.share(mira.id, topic_id, "page", now)
    assert shared.all() == ()


def test_a_page_is_taken_away_by_its_own_reader_alone_and_twice_is_once(shared, reader, page):
    mira, jun = reader(), reader("jun")
    page(mira)
    assert not shared.unshare("page", jun.id)
    assert shared.by_public_id("page") is not None
    assert shared.unshare("page", mira.id)
    assert not shared.unshare("page", mira.id)


def test_what_only_a_page_asked_is_forgotten_with_it(database, shared, reader, page, now):
    mira, rare = reader(), WishedTopic("R", parse("a rare illness"))
    shared.publish(rare, "ours", now)
    shared.withdraw(rare)
    Subscribers(database).change_topics(mira.public_id, [rare], [], now)
    Subscribers(database).change_topics(mira.public_id, [], [rare.query], now)
    with database.reading() as connection:
        assert not any("ill" in each for each in connection.execute(select(TOPIC.c.normal_form)).scalars())


def test_a_page_is_there_while_its_reader_is_and_for_good_gone_when_they_left(database, shared, reader, page, now):
    mira = reader()
    page(mira)
    with database.writing() as connection:
        connection.execute(update(SUBSCRIBER).values(state="paused"))
    assert shared.by_public_id("page") is not None
    Subscribers(database).unsubscribe(mira.public_id, Consent("unsubscribed", "1", now))
    assert shared.by_public_id("page") is None
    reader()
    assert (shared.by_public_id("page"), shared.all()) == (None, ()), "who comes back shares nothing by that"


def test_who_thinks_better_of_it_at_once_shares_what_they_shared(database, shared, reader, page, now):
    mira = reader()
    page(mira)
    with database.writing() as connection:
        record(connection, mira.id, Consent("confirmed", "1", now))
    Subscribers(database).unsubscribe(mira.public_id, Consent("unsubscribed", "1", now, "/preferences"))
    assert shared.by_public_id("page") is None
    assert Returns(database).weekly(mira.public_id, now, Consent("resumed", "1", now))
    assert shared.by_public_id("page") is not None


def test_who_complained_and_comes_back_shares_nothing_by_that(database, shared, reader, page, count, now):
    mira = reader()
    page(mira)
    Suppressions(database).add("mira@lab.example", SuppressionReason.COMPLAINT, "", now)
    assert shared.by_public_id("page") is None
    reader(state=S.PENDING)
    assert count(SHARED_TOPIC) == 0


def test_erasing_a_reader_takes_their_pages_and_leaves_the_operator_s(database, shared, reader, page, now):
    mira = reader()
    page(mira)
    ours = shared.publish(WishedTopic("Tides", parse("tides")), "ours", now)
    Subscribers(database).erase(mira.public_id, now)
    assert shared.all() == (ours,)
    assert shared.publish(WishedTopic("Tides again", parse("tides")), "theirs", now) == ours, "it keeps its address"
    with database.reading() as connection:
        assert connection.execute(select(TOPIC.c.normal_form)).scalars().all() == ["tides"]


def test_the_operator_shares_a_topic_that_nobody_reads_and_takes_it_back(shared, reader, page, now):
    wished = WishedTopic("Rivers", parse("rivers OR lakes"))
    ours = shared.publish(wished, "ours", now)
    assert (ours.by_operator, ours.query) == (True, "rivers OR lakes")
    page(reader(topic="lakes OR rivers"), "hers")
    assert shared.withdraw(wished) == ours
    assert [each.public_id for each in shared.all()] == ["hers"]
    with pytest.raises(UnknownError, match="is not shared by the operator"):
        shared.withdraw(wished)
