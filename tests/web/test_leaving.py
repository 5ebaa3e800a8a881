"""The way out, and for half an hour the way back to fewer letters."""

import re
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from digests.links import Links
from domain.deliveries import DeliveryState
from domain.subscriptions import Cadence, Consent, SubscriberState
from storage.coming_back import Returns
from storage.tables import TOPIC
from web.app import create_app
from web.bad_links import BadLinks
from web.leaving import LeavingPages
from web.rendering import Rendering, SiteFacts
from web.server import serve
from web.words import WORDING

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
LEAVE, WEEKLY, PAUSE = b"action=unsubscribe", b"action=weekly", b"action=pause"
ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


@pytest.fixture
def way(site):
    def of(reader):
        return site.path(site.links.unsubscribe(reader.public_id))

    return of


def test_the_goodbye_offers_less_and_the_page_before_it_asks_nothing(site, way):
    reader = site.reader()

    assert site.ask("GET", way(reader)).text.count("<button") == 1
    goodbye = site.ask("POST", way(reader), LEAVE, URLENCODED).text

    assert "You are unsubscribed" in goodbye
    assert re.findall(r"<button[^>]*>(.*?)</button>", goodbye) == ["Weekly instead", "Pause for a month instead"]
    assert set(re.findall(r'action="(.*?)"', goodbye)) == {way(reader)}
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED
    assert "<button" not in site.ask("GET", way(reader)).text


def test_leaving_from_the_preferences_offers_the_same(site, way):
    reader = site.reader()
    page = site.path(site.links.preferences(reader.public_id))

    assert f'action="{way(reader)}"' in site.ask("POST", page, LEAVE, URLENCODED).text
    assert "One letter a week" in site.ask("POST", way(reader), WEEKLY, URLENCODED).text


def test_one_press_brings_a_letter_a_week_and_a_second_does_nothing_more(site, way):
    reader = site.reader()
    site.ask("POST", way(reader), LEAVE, URLENCODED)
    site.clock.set(NOW + timedelta(minutes=5))

    back = site.ask("POST", way(reader), WEEKLY, URLENCODED)

    assert back.status == 200
    assert "every Monday at 07:00, Europe/Berlin" in back.text
    now = site.subscribers.by_public_id(reader.public_id)
    assert (now.state, now.schedule.every) == (SubscriberState.CONFIRMED, Cadence.WEEK)
    assert site.subscribers.consents(reader.id)[-1] == Consent(
        "came back, weekly", WORDING, NOW + timedelta(minutes=5), "/unsubscribe"
    )
    assert now.subscriptions == reader.subscriptions
    after = site.tables()
    assert site.ask("POST", way(reader), WEEKLY, URLENCODED).text == back.text
    assert site.tables() == after
    (goodbye,) = [each for each in site.outbox.records() if each.recipient == reader.email]
    assert (goodbye.state, goodbye.reason) == (DeliveryState.SKIPPED, "the reader came back")


def test_one_press_pauses_for_a_month(site, way):
    reader = site.reader()
    site.ask("POST", way(reader), LEAVE, URLENCODED)

    assert "No letter comes before 20 December 2026." in site.ask("POST", way(reader), PAUSE, URLENCODED).text
    now = site.subscribers.by_public_id(reader.public_id)
    assert (now.state, now.paused_until, now.away_since) == (SubscriberState.PAUSED, date(2026, 12, 20), NOW)


def test_after_half_an_hour_nobody_comes_back_by_the_link_of_an_old_letter(site, way):
    reader = site.reader()
    site.ask("POST", way(reader), LEAVE, URLENCODED)
    site.clock.set(NOW + timedelta(minutes=31))
    before = site.tables()

    for body in (WEEKLY, PAUSE):
        answer = site.ask("POST", way(reader), body, URLENCODED)
        assert answer.status == 410
        assert "subscribe again" in answer.text
    assert site.tables() == before


@pytest.mark.parametrize("left", [ONE_CLICK, b""], ids=["by one click", "by an empty request"])
def test_who_left_by_a_button_of_their_mailbox_is_offered_nothing_and_stays_away(site, way, left):
    reader = site.reader()
    assert "<button" not in site.ask("POST", way(reader), left, URLENCODED).text

    assert site.ask("POST", way(reader), WEEKLY, URLENCODED).status == 410
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED
    assert site.subscribers.consents(reader.id)[-1].place == "one-click"


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.SUPPRESSED, SubscriberState.UNSUBSCRIBED])
def test_nobody_becomes_a_reader_by_leaving(site, way, state):
    reader = site.reader(state)
    assert "<button" not in site.ask("POST", way(reader), LEAVE, URLENCODED).text
    stays = site.state(reader)

    for body in (WEEKLY, PAUSE):
        assert site.ask("POST", way(reader), body, URLENCODED).status == 410
    assert site.state(reader) is stays


def test_who_asked_again_and_never_confirmed_does_not_confirm_by_leaving(site, way):
    reader = site.reader()
    site.ask("POST", way(reader), LEAVE, URLENCODED)
    site.house.desk.subscribe(reader.email, ["evil"], None, vouched=False, shared=False)
    assert site.state(reader) is SubscriberState.PENDING
    site.ask("POST", way(reader), LEAVE, URLENCODED)

    assert site.ask("POST", way(reader), WEEKLY, URLENCODED).status == 410
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_the_two_buttons_change_nothing_for_one_who_has_not_left(site, way):
    reader = site.reader()
    before = site.tables()

    for body in (WEEKLY, PAUSE):
        answer = site.ask("POST", way(reader), body, URLENCODED)
        assert answer.status == 200
        assert answer.text.count("<button") == 1
    assert site.tables() == before


@pytest.mark.parametrize(
    "body",
    [WEEKLY + b"&" + ONE_CLICK, WEEKLY + b"&x=1", WEEKLY + b"&" + PAUSE, b"action=stay", b"&".join([b"a=1"] * 500)],
    ids=["with one click", "with more", "two", "unknown", "very many"],
)
def test_any_other_body_means_to_leave(site, way, body):
    reader = site.reader()

    assert site.ask("POST", way(reader), body, URLENCODED).status == 200
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_topics_that_nobody_else_held_look_back_again(site, way):
    reader = site.reader(topics=())
    site.house.desk.change_topics(reader.email, ["quokka"], [])
    topic = site.subscribers.by_public_id(reader.public_id).subscriptions[0].topic_id
    site.ask("POST", way(reader), LEAVE, URLENCODED)
    with site.database.writing() as connection:
        connection.execute(update(TOPIC).where(TOPIC.c.id == topic).values(backfilled=True))
    site.ask("POST", way(reader), WEEKLY, URLENCODED)

    with site.database.reading() as connection:
        looked = connection.execute(select(TOPIC.c.backfilled).where(TOPIC.c.id == topic)).scalar()
    assert not looked


@pytest.mark.engines("sqlite")
def test_the_way_out_of_a_letter_signed_with_an_old_key_works_until_the_key_is_dropped(site, ask, way):
    reader, rendering = site.reader(), Rendering(SiteFacts())
    key = site.house.settings.web.secret_key

    def answered(old_keys):
        leaving = LeavingPages(
            readers=site.subscribers,
            returns=Returns(site.database),
            links=Links("https://digests.example.org", "a newer key, which signs from now on", old_keys),
            farewells=site.house.farewells,
            clock=site.clock,
            rendering=rendering,
        )
        app = create_app(rendering=rendering, groups=[leaving, BadLinks(rendering)], healthy=lambda: True)
        with serve(app, "127.0.0.1", 0, threading.Event()) as address:
            return ask(address, "POST", way(reader), ONE_CLICK, URLENCODED).status

    assert answered([]) == 404
    assert site.state(reader) is SubscriberState.CONFIRMED
    assert answered([key]) == 200
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED
