"""The links of a letter: nothing changes until somebody presses a button, and then it changes once."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.subscriptions import SubscriberState

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ONE_CLICK = b"List-Unsubscribe=One-Click"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": 'multipart/form-data; boundary="cut"'}
PARTS = b'--cut\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--cut--\r\n'


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


def links_of(site, reader):
    return {
        "confirm": site.path(site.links.confirm(reader.public_id, NOW)),
        "unsubscribe": site.path(site.links.unsubscribe(reader.public_id)),
        "preferences": site.path(site.links.preferences(reader.public_id)),
    }


# -- opening a link --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(SubscriberState))
def test_no_method_but_post_changes_anything_on_any_link(site, state):
    reader = site.reader(state)
    before = site.tables()

    for path in links_of(site, reader).values():
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            answer = site.ask(method, path, ONE_CLICK, URLENCODED)
            assert answer.status < 500, (method, path)
            assert "location" not in answer.headers
            assert "set-cookie" not in answer.headers

    assert site.tables() == before


def test_head_answers_as_get_without_the_page(site):
    reader = site.reader(SubscriberState.PENDING)
    for path in links_of(site, reader).values():
        got, asked = site.ask("GET", path), site.ask("HEAD", path)

        assert (got.status, asked.status, asked.text) == (200, 200, "")
        dated = {"date"}
        assert {n: v for n, v in asked.headers.items() if n not in dated} == {
            n: v for n, v in got.headers.items() if n not in dated
        }


def test_options_names_every_method_and_a_wrong_one_gets_a_calm_page(site):
    path = links_of(site, site.reader())["unsubscribe"]

    assert site.ask("OPTIONS", path).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    refused = site.ask("DELETE", path)
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert "<h1>That cannot be done here</h1>" in refused.text


# -- confirm ---------------------------------------------------------------------------------------------------------


def test_confirm_shows_one_button_and_pressing_it_confirms_once(site):
    reader = site.reader(SubscriberState.PENDING)
    path = links_of(site, reader)["confirm"]

    page = site.ask("GET", path)
    assert page.text.count("<button") == 1
    assert '<form method="post">' in page.text
    assert site.state(reader) is SubscriberState.PENDING

    first, second = site.ask("POST", path), site.ask("POST", path)

    assert (first.status, second.status) == (200, 200)
    assert "Your address is confirmed" in second.text
    assert ("on its way" in first.text, "on its way" in second.text) == (True, False)
    for page in (first, second):
        assert f'<a href="{site.links.preferences(reader.public_id)}">See your topics' in page.text
    assert site.state(reader) is SubscriberState.CONFIRMED
    (consent,) = site.subscribers.consents(reader.id)
    assert (consent.action, consent.wording, consent.at) == ("confirmed", "web 3", NOW)
    assert "Your address is confirmed" in site.ask("GET", path).text


def test_an_old_confirm_link_says_what_to_do_next(site):
    reader = site.reader(SubscriberState.PENDING)
    path = links_of(site, reader)["confirm"]
    site.clock.set(NOW + timedelta(hours=73))
    before = site.tables()

    for method in ("GET", "POST"):
        answer = site.ask(method, path)
        assert answer.status == 410
        assert "please subscribe again" in answer.text

    assert site.tables() == before


def test_who_left_is_not_brought_back_by_a_confirm_link(site):
    reader = site.reader(SubscriberState.PENDING)
    paths = links_of(site, reader)
    site.ask("POST", paths["unsubscribe"])

    assert site.ask("POST", paths["confirm"]).status == 410
    assert site.ask("GET", paths["confirm"]).status == 410
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_a_paused_reader_is_told_that_the_address_is_confirmed(site):
    reader = site.reader(SubscriberState.PAUSED)

    assert "Your address is confirmed" in site.ask("POST", links_of(site, reader)["confirm"]).text
    assert site.state(reader) is SubscriberState.PAUSED


# -- unsubscribe -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ONE_CLICK, URLENCODED),
        (PARTS, MULTIPART),
        (b"", {}),
        (b"", URLENCODED),
        (b"--cut\r\nnot whole", MULTIPART),
        (b"\xff\xfe%%%&&==", {"Content-Type": "multipart/form-data"}),
    ],
    ids=["urlencoded", "multipart", "nothing", "an empty form", "a broken form", "noise"],
)
def test_one_post_unsubscribes_whatever_its_form_and_a_second_does_nothing_more(site, body, headers):
    reader = site.reader()
    path = links_of(site, reader)["unsubscribe"]

    first = site.ask("POST", path, body, headers)
    assert first.status == 200
    assert "You are unsubscribed" in first.text
    assert "location" not in first.headers
    assert "set-cookie" not in first.headers
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED

    after = site.tables()
    assert site.ask("POST", path, body, headers).status == 200
    assert site.tables() == after
    (consent,) = site.subscribers.consents(reader.id)
    assert (consent.action, consent.wording, consent.at) == ("unsubscribed", "web 3", NOW)


def test_only_the_button_of_a_page_is_answered_by_a_letter(site):
    """A mailbox sends one-click requests by itself; whoever pressed "unsubscribe" there wants no further mail."""

    def goodbyes(reader):
        return [each for each in site.outbox.records() if each.recipient == reader.email]

    for body, headers in ((ONE_CLICK, URLENCODED), (PARTS, MULTIPART), (b"", {})):
        reader = site.reader()
        site.ask("POST", links_of(site, reader)["unsubscribe"], body, headers)
        assert goodbyes(reader) == []

    for link in ("unsubscribe", "preferences"):
        reader = site.reader()
        page = site.ask("GET", links_of(site, reader)[link]).text
        field = re.search('<form method="post"><input type="hidden" name="(action)" value="(unsubscribe)">', page)
        for _ in range(2):
            site.ask("POST", links_of(site, reader)[link], f"{field[1]}={field[2]}".encode(), URLENCODED)
        assert len(goodbyes(reader)) == 1
        assert site.state(reader) is SubscriberState.UNSUBSCRIBED


def test_unsubscribe_shows_one_button_and_afterwards_none(site):
    reader = site.reader()
    path = links_of(site, reader)["unsubscribe"]

    assert site.ask("GET", path).text.count("<button") == 1
    site.ask("POST", path)
    assert "<button" not in site.ask("GET", path).text


def test_an_unsubscribe_link_works_years_later_and_for_one_who_was_erased(site):
    reader = site.reader()
    site.clock.set(NOW + timedelta(days=3000))
    assert site.ask("POST", links_of(site, reader)["unsubscribe"]).status == 200
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED

    gone = site.path(site.links.unsubscribe("f" * 16))
    assert site.ask("GET", gone).status == 200
    assert "You are unsubscribed" in site.ask("POST", gone).text


# -- preferences -----------------------------------------------------------------------------------------------------


def test_preferences_show_topics_state_and_hour_but_not_the_whole_address(site):
    reader = site.reader(topics=("tides <b>\u202eof</b>",))
    page = site.ask("GET", links_of(site, reader)["preferences"])

    assert page.status == 200
    assert "tides &lt;b&gt;of&lt;/b&gt;" in page.text
    assert "every day at 07:00, Europe/Berlin" in page.text
    assert "m…@lab.example" in page.text
    assert reader.email not in page.text
    assert page.text.count(">Unsubscribe</button>") == 1


def test_the_button_on_the_preferences_unsubscribes_and_nothing_else_does(site):
    reader = site.reader()
    path = links_of(site, reader)["preferences"]
    before = site.tables()

    for body in (b"", b"action=", b"action=erase", b"action=subscribe&action=unsubscribe", b"\xff=%"):
        refused = site.ask("POST", path, body, URLENCODED)
        assert refused.status == 400
        assert "Nothing was changed" in refused.text
    assert site.tables() == before

    assert "You are unsubscribed" in site.ask("POST", path, b"action=unsubscribe", URLENCODED).text
    assert site.state(reader) is SubscriberState.UNSUBSCRIBED
    after = site.ask("GET", path).text
    assert after.count("<button") == after.count(">Send me the link</button>") == 1
    assert "To have letters again" in after


def test_preferences_of_one_who_was_erased_are_not_there(site):
    assert site.ask("GET", site.path(site.links.preferences("e" * 16))).status == 404


# -- links that are not good -----------------------------------------------------------------------------------------


def test_a_token_opens_only_what_it_was_made_for(site):
    reader = site.reader(SubscriberState.PENDING)
    paths = links_of(site, reader)
    before = site.tables()

    for made, path in paths.items():
        token = path.rpartition("/")[2]
        for purpose in paths.keys() - {made}:
            for method in ("GET", "POST"):
                answer = site.ask(method, f"/{purpose}/{token}", b"action=unsubscribe", URLENCODED)
                assert answer.status == 404
                assert "This link does not work" in answer.text

    assert site.tables() == before


def _paths(site, token):
    return [f"/{purpose}/{token}" for purpose in ("confirm", "unsubscribe", "preferences")]


@pytest.mark.parametrize(
    "token", ["x", "A" * 36, "%00", "a%00b", "%ff%fe", "%0A", "..%2F", "%F0%9F%8C%8A", "a" * 30_000, "%ED%A0%80"]
)
def test_a_bad_token_gets_a_calm_page(site, token):
    before = site.tables()

    for path in _paths(site, token):
        for method in ("GET", "POST"):
            answer = site.ask(method, path)
            assert answer.status == 404
            assert answer.text.count("<h1>") == 1

    assert site.tables() == before


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(place=st.integers(0, 35), letter=st.sampled_from("ABCxyz019-_~.="))
def test_a_token_with_one_letter_changed_is_not_ours(site, place, letter):
    path = site.path(site.links.unsubscribe("0123456789abcdef"))
    head, _, token = path.rpartition("/")
    altered = f"{token[:place]}{letter}{token[place + 1 :]}"

    answer = site.ask("POST", f"{head}/{altered}")

    assert answer.status == (200 if altered == token else 404)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(token=st.binary(min_size=1, max_size=60))
def test_no_bytes_in_a_link_are_a_fault_of_ours(site, token):
    for method in ("GET", "POST"):
        assert site.ask(method, f"/preferences/{quote(token, safe='')}").status == 404


# -- a personal installation -----------------------------------------------------------------------------------------


def test_a_personal_installation_has_no_token_links(personal):
    reader = personal.reader()
    before = personal.tables()

    for path in links_of(personal, reader).values():
        for method in ("GET", "HEAD", "POST"):
            assert personal.ask(method, path, ONE_CLICK, URLENCODED).status == 404

    assert personal.tables() == before


def test_a_site_under_a_path_serves_its_links_there(below):
    reader = below.reader()
    path = links_of(below, reader)["unsubscribe"]

    assert path.startswith("/papers/unsubscribe/")
    assert 'href="/papers/style.css?v=' in below.ask("GET", path).text
    assert below.ask("POST", path).status == 200
    assert below.state(reader) is SubscriberState.UNSUBSCRIBED
    assert below.ask("GET", path.removeprefix("/papers")).status == 404
    for there in ("/papers", "/papers/", "/papers/style.css", "/healthz", "/papers/healthz"):
        assert below.ask("GET", there).status == 200
