"""What Mailgun posts: known by its signature, each token good for one event, each event means one thing."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail.webhooks.mailgun import Mailgun
from digests.mail.webhooks.registry import PROVIDERS, Keys, configured
from domain.errors import ForgedWebhook, UnreadableWebhook
from domain.letter_events import LetterEventKind

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = "a signing key of the tests"
TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef01"
BOUNCE, DELAYED = LetterEventKind.BOUNCE, LetterEventKind.DELAYED


def event(kind="failed", severity="permanent", **fields):
    return {
        "event": kind,
        "severity": severity,
        "id": "event-1",
        "timestamp": NOW.timestamp() - 60.5,
        "reason": "bounce",
        "recipient": "mira@lab.example",
        "message": {"headers": {"message-id": "0123456789abcdef0123456789abcdef@lab.example"}},
        "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "no such user"},
        **fields,
    }


def signed(told, *, at=NOW, token=TOKEN, key=KEY):
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": timestamp, "token": token, "signature": signature}, "event-data": told}


def read(message, mailgun=None, now=NOW):
    return (mailgun or Mailgun(KEY)).read({}, json.dumps(message).encode(), now)


def only(told):
    (report,) = read(signed(told)).reports
    return report


def test_a_bounce_is_read():
    report = only(event())

    assert (report.kind, report.status, report.event_id) == (BOUNCE, "5.1.1", "event-1")
    assert report.letters == ("<0123456789abcdef0123456789abcdef@lab.example>",)
    assert report.at == NOW - timedelta(seconds=60.5)
    assert report.detail == "bounce no such user"


@pytest.mark.parametrize(
    ("kind", "severity", "fields", "what", "status"),
    [
        ("failed", "permanent", {"delivery-status": {"code": 550}}, BOUNCE, "5.0.0"),
        ("failed", "permanent", {"delivery-status": {"code": 452}}, BOUNCE, "4.0.0"),
        ("failed", "permanent", {"delivery-status": None}, BOUNCE, "5.0.0"),
        ("failed", "permanent", {"delivery-status": {"enhanced-code": "5.٧.1"}}, BOUNCE, "5.0.0"),
        ("failed", "permanent", {"delivery-status": {"code": 550, "message": "5.1.1 unknown"}}, BOUNCE, "5.1.1"),
        ("failed", "permanent", {"delivery-status": {"code": 550, "message": "see 2.1.5"}}, BOUNCE, "5.0.0"),
        ("failed", "permanent", {"reason": "old"}, BOUNCE, "4.4.7"),
        ("failed", "permanent", {"reason": "suppress-bounce"}, BOUNCE, "5.1.1"),
        ("failed", "permanent", {"reason": "suppress-complaint"}, BOUNCE, "5.2.1"),
        ("failed", "permanent", {"reason": "suppress-unsubscribe"}, LetterEventKind.UNSUBSCRIBE, ""),
        ("failed", "temporary", {"delivery-status": {"code": 451}}, DELAYED, "4.0.0"),
        ("complained", None, {}, LetterEventKind.COMPLAINT, ""),
        ("delivered", None, {}, LetterEventKind.DELIVERED, ""),
        ("unsubscribed", None, {}, LetterEventKind.UNSUBSCRIBE, ""),
    ],
)
def test_each_event_means_one_thing(kind, severity, fields, what, status):
    report = only(event(kind, severity, **fields))

    assert (report.kind, report.status) == (what, status)


@pytest.mark.parametrize("kind", ["accepted", "opened", "clicked", "stored", "rejected"])
def test_an_event_that_is_not_counted_is_no_report(kind):
    assert read(signed(event(kind))).reports == ()


@pytest.mark.parametrize("field", ["timestamp", "token", "signature"])
@pytest.mark.parametrize("value", [None, "", "0", 7, "x" * 64, "é", "\ud800", [], "1795161601"])
def test_a_signature_that_was_altered_is_refused(field, value):
    message = signed(event())
    message["signature"][field] = value

    with pytest.raises((ForgedWebhook, UnreadableWebhook)):
        read(message)


def test_another_key_is_refused_and_not_named():
    with pytest.raises(ForgedWebhook) as refused:
        read(signed(event(), key="another key"))

    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(hours=8, minutes=14), True),
        (timedelta(hours=8, minutes=16), False),
        (timedelta(minutes=-14), True),
        (timedelta(minutes=-16), False),
    ],
)
def test_a_signature_is_good_as_long_as_mailgun_repeats(age, taken):
    message = signed(event(), at=NOW - age)

    if taken:
        assert read(message).reports
    else:
        with pytest.raises(ForgedWebhook, match="too old"):
            read(message)


def test_a_token_is_good_for_one_event_which_may_come_again():
    mailgun = Mailgun(KEY)
    first = read(signed(event()), mailgun)

    assert read(signed(event()), mailgun) == first
    with pytest.raises(ForgedWebhook, match="another event"):
        read(signed(event("complained", id="event-2")), mailgun)
    assert read(signed(event("complained", id="event-2"), token="f" * 50), mailgun).reports


@pytest.mark.parametrize("field", ["event", "id", "timestamp"])
@pytest.mark.parametrize("value", [None, [], "", True])
def test_an_event_without_what_mailgun_always_says_is_not_guessed_at(field, value):
    with pytest.raises(UnreadableWebhook):
        read(signed(event(**{field: value})))


@pytest.mark.parametrize("at", [float("nan"), float("inf"), 1e300, -1e300, 10**400])
def test_an_instant_that_is_none_is_refused(at):
    with pytest.raises(UnreadableWebhook):
        read(signed(event(timestamp=at)))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{", b'{"event-data":' * 90_000, b"x" * 100_000])
def test_what_is_no_message_is_one_sentence(body):
    with pytest.raises(UnreadableWebhook):
        Mailgun(KEY).read({}, body, NOW)


@pytest.mark.parametrize("depth", range(200, 1200, 37))
def test_no_depth_of_nesting_is_more_than_one_sentence(depth):
    text = json.dumps(signed(event())).replace('"bounce"', '{"a":' * depth + "0" + "}" * depth)

    try:
        Mailgun(KEY).read({}, text.encode(), NOW)
    except UnreadableWebhook:
        return


NAMES = st.sampled_from(["event", "severity", "id", "timestamp", "reason", "message", "headers", "message-id", "code"])
SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["failed", "permanent"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.just("delivery-status"), inner, max_size=5),
    max_leaves=15,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(NAMES | st.just("delivery-status"), SHAPES, max_size=6))
def test_an_event_of_any_shape_is_reports_or_one_sentence(fields):
    try:
        told = read(signed({**event(), **fields}))
    except UnreadableWebhook:
        return
    for report in told.reports:
        assert report.detail.isprintable()
        assert report.event_id.isprintable()


def test_only_the_providers_that_are_set_up_are_there():
    def nowhere(url):
        raise AssertionError(url)

    arn = "arn:aws:sns:eu-west-1:123456789012:letters"

    assert configured(Keys(nowhere)) == {}
    assert set(configured(Keys(nowhere, mailgun_key=KEY))) == {"mailgun"}
    assert set(configured(Keys(nowhere, ses_topics=(arn,), mailgun_key=KEY))) == set(PROVIDERS)
