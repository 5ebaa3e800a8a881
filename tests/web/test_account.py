"""What needs a fresh link: another address, everything as JSON, erasing; and the link that moves the letters."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digests.addresses import address_key
from domain.letter_events import SuppressionReason
from domain.subscriptions import Consent, SubscriberState
from web.words import WORDING

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture(autouse=True)
def _at_rest(site):
    site.clock.set(NOW)


@pytest.fixture
def account(site):
    def of(reader, at=NOW):
        return site.path(site.links.fresh(reader.public_id, at))

    return of


def post(site, path, **fields):
    return site.ask("POST", path, urlencode(fields).encode(), URLENCODED)


def letters_to(site, email):
    return [each for each in site.outbox.records() if each.recipient == email]


@pytest.mark.parametrize("state", list(SubscriberState))
def test_no_method_but_post_changes_anything(site, account, state):
    reader = site.reader(state)
    site.house.desk.ask_new_address(reader.public_id, f"n{reader.email}")
    before = site.tables()

    for path in (account(reader), site.path(site.links.address(reader.public_id, NOW))):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
            answer = site.ask(method, path, b"action=erase&word=ERASE", URLENCODED)
            assert answer.status < 500
            assert "set-cookie" not in answer.headers
    assert site.tables() == before


def test_the_page_half_hides_the_address_and_says_how_long_it_works(site, account):
    reader = site.reader()
    page = site.ask("GET", account(reader)).text

    assert reader.email not in page
    assert "m…@lab.example" in page
    assert "works for 2 hours" in page


def test_a_link_that_is_too_old_says_how_to_get_another(site, account):
    reader = site.reader()
    path, before = account(reader), site.tables()
    site.clock.set(NOW + timedelta(hours=2, seconds=1))

    for method in ("GET", "POST"):
        answer = site.ask(method, path, b"action=erase&word=ERASE", URLENCODED)
        assert answer.status == 410
        assert "Open “Your topics” from any letter" in answer.text
    assert site.tables() == before


def test_no_other_link_opens_it(site):
    reader = site.reader()
    before = site.tables()
    for link in (site.links.preferences, site.links.unsubscribe):
        token = link(reader.public_id).rpartition("/")[2]
        for page in ("account", "address"):
            assert post(site, f"/{page}/{token}", action="erase", word="ERASE").status == 404
    assert site.tables() == before


# -- another address ---------------------------------------------------------------------------------------------------


def test_the_letters_move_once_the_new_address_confirms(site, account):
    reader = site.reader()
    new = f"new.{reader.email}"

    assert "If it can be used" in post(site, account(reader), action="address", email=f" {new} ").text
    assert len(letters_to(site, new)) == 1
    assert site.subscribers.by_public_id(reader.public_id).email == reader.email
    link = site.path(site.links.address(reader.public_id, NOW))
    page = site.ask("GET", link)
    assert page.text.count("<button") == 1
    assert new in page.text
    assert reader.email not in page.text.replace(new, "")

    site.clock.set(NOW + timedelta(hours=1))
    first = site.ask("POST", link)
    assert "Your letters have moved" in first.text
    assert site.subscribers.by_public_id(reader.public_id).email == new
    after = site.tables()
    assert site.ask("POST", link).text == first.text
    assert "Your letters have moved" in site.ask("GET", link).text
    assert site.tables() == after
    said = site.subscribers.consents(reader.id)
    assert said == (Consent("address changed", WORDING, NOW + timedelta(hours=1), "/address"),)


def test_a_fresh_link_in_the_old_mailbox_is_good_for_nothing_once_the_letters_have_moved(site, account):
    reader = site.reader()
    old, email = account(reader), f"moved.{reader.email}"
    post(site, old, action="address", email=email)
    site.clock.set(NOW + timedelta(minutes=20))
    site.ask("POST", site.path(site.links.address(reader.public_id, NOW)))
    after = site.tables()

    for action in (
        {"action": "export"},
        {"action": "erase", "word": "ERASE"},
        {"action": "address", "email": "a@b.cc"},
    ):
        answer = post(site, old, **action)
        assert answer.status == 410
        assert email not in answer.text
    assert site.ask("GET", old).status == 410
    assert site.tables() == after
    later = NOW + timedelta(minutes=21)
    site.clock.set(later)
    assert site.ask("GET", account(reader, later)).status == 200


def test_who_asks_for_a_new_address_does_not_hear_whether_anybody_has_it(site, account):
    reader, other = site.reader(), site.reader()
    site.house.suppressions.add(address_key("dead@lab.example"), SuppressionReason.OPERATOR, "", NOW)

    answers = {
        post(site, account(reader), action="address", email=email).text
        for email in (other.email, "dead@lab.example", f"free.{reader.email}", reader.email)
    }

    assert len(answers) == 1
    assert letters_to(site, other.email) == letters_to(site, "dead@lab.example") == []


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b\r\nBcc: c@d.example", "a@b@c.example", "x" * 5000, "<script>@x.example"]
)
def test_what_is_no_address_gets_a_sentence_beside_its_field(site, account, email):
    reader = site.reader()
    before = site.tables()

    answer = post(site, account(reader), action="address", email=email)

    assert answer.status == 422
    assert 'aria-describedby="email-wrong"' in answer.text
    assert "<script" not in answer.text
    assert site.tables() == before


@pytest.mark.parametrize("late", [timedelta(hours=73), timedelta(hours=1)], ids=["too old", "never asked"])
def test_an_address_link_that_is_no_longer_good_says_so(site, late):
    reader = site.reader()
    link = site.path(site.links.address(reader.public_id, NOW))
    site.clock.set(NOW + late)
    before = site.tables()

    for method in ("GET", "POST"):
        answer = site.ask(method, link)
        assert answer.status == 410
        assert "no longer good" in answer.text
    assert site.tables() == before


# -- export and erase --------------------------------------------------------------------------------------------------


def test_everything_comes_as_one_file_that_nobody_keeps(site, account):
    reader = site.reader(topics=("tides",))
    before = site.tables()

    answer = post(site, account(reader), action="export")

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="paperround-export.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert reader.email in json.dumps(json.loads(answer.text))
    assert site.tables() == before


def test_erasing_asks_for_a_word_and_leaves_nothing(site, account):
    reader = site.reader()
    before = site.tables()
    for word in ("", "yes", "erase it"):
        refused = post(site, account(reader), action="erase", word=word)
        assert refused.status == 422
        assert "Nothing was erased" in refused.text
    assert site.tables() == before

    done = post(site, account(reader), action="erase", word=" erase ")

    assert "Everything of yours was erased" in done.text
    assert "keyed hash" in done.text
    assert site.subscribers.by_public_id(reader.public_id) is None
    assert reader.email not in str(site.tables())
    for again in (site.ask("GET", account(reader)), post(site, account(reader), action="export")):
        assert again.status == 410
        assert "There is nothing here any more" in again.text


@pytest.mark.parametrize(
    "body", [b"", b"action=", b"action=erase&action=erase&word=ERASE", b"action=add", b"\xff", b"word=ERASE"]
)
def test_what_no_form_of_ours_sends_is_refused(site, account, body):
    reader = site.reader()
    before = site.tables()

    answer = site.ask("POST", account(reader), body, URLENCODED)

    assert answer.status == 400
    assert site.tables() == before


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(action=st.sampled_from(["address", "export", "erase"]), text=st.text(max_size=40))
def test_no_form_is_a_fault_of_ours(site, action, text):
    path = site.path(site.links.fresh("0" * 15 + "1", NOW))

    answer = site.ask("POST", path, urlencode({"action": action, "email": text, "word": text}).encode(), URLENCODED)

    assert answer.status in {200, 410, 422}
