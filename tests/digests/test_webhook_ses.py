"""What Amazon SES posts: only what its topic signed is read, whatever else is tried."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from digests.mail.webhooks.ses import Ses
from domain.errors import (
    ForgedWebhook,
    NotThere,
    SettingsError,
    TransientCollectError,
    UnprovenWebhook,
    UnreadableWebhook,
)
from domain.letter_events import LetterEventKind

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:letters"
REFUSED = (ForgedWebhook, UnreadableWebhook)


@pytest.fixture
def internet(amazon):
    return amazon.Internet()


@pytest.fixture
def ses(internet):
    return Ses([TOPIC], internet)


def read(ses, message, now=NOW):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return ses.read({}, body, now)


# -- the proof -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_notification_is_read_whichever_hash_the_topic_signs_with(ses, amazon, version):
    (report,) = read(ses, amazon.notification(amazon.bounce(), version=version)).reports

    assert report.kind is LetterEventKind.BOUNCE
    assert report.letters[0] == amazon.LEFT


def test_a_subject_is_part_of_what_is_signed(ses, amazon):
    message = amazon.notification(amazon.bounce(), Subject="Amazon SES")

    assert read(ses, message).reports
    with pytest.raises(ForgedWebhook):
        read(ses, {**message, "Subject": "Another"})
    with pytest.raises(ForgedWebhook):
        read(ses, {name: value for name, value in message.items() if name != "Subject"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Message", '{"notificationType": "Complaint"}'),
        ("MessageId", "another"),
        ("Subject", "added"),
        ("Timestamp", "2026-11-20T08:00:01.000Z"),
        ("TopicArn", "arn:aws:sns:eu-west-1:123456789012:other"),
        ("Type", "SubscriptionConfirmation"),
        ("SignatureVersion", "2"),
        ("SignatureVersion", "3"),
        ("Signature", "AAAA"),
        ("Signature", "not base64 at all"),
        ("Signature", "Ünicode"),
        ("Message", "half a pair: \ud800"),
    ],
)
def test_a_message_that_was_altered_in_one_field_is_refused(ses, amazon, field, value):
    with pytest.raises(REFUSED):
        read(ses, {**amazon.notification(amazon.bounce()), field: value})


@pytest.mark.parametrize("field", ["Token", "SubscribeURL", "Message", "MessageId", "Timestamp"])
def test_a_confirmation_that_was_altered_in_one_field_is_refused_and_nothing_is_visited(ses, amazon, internet, field):
    with pytest.raises(REFUSED):
        read(ses, {**amazon.subscription(), field: "https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic"})

    assert all(url.endswith(".pem") for url in internet.asked)


@pytest.mark.parametrize(
    "field",
    ["Type", "Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SignatureVersion", "SigningCertURL"],
)
@pytest.mark.parametrize("value", [None, 7, [], {}, ""])
def test_a_message_without_a_needed_field_is_refused(ses, amazon, field, value):
    with pytest.raises(REFUSED):
        read(ses, {**amazon.notification(amazon.bounce()), field: value})


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.evil.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.example/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://user:word@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/?x=SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem#x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥.pem",
        "https://sns.eu-west-1.amazonaws。com/SimpleNotificationService-0123456789abcdef.pem",
        "https://ѕns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonawsXcom/SimpleNotificationService-0123456789abcdef.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_certificate_is_fetched_from_another_place(ses, amazon, internet, url):
    with pytest.raises(REFUSED):
        read(ses, {**amazon.notification(amazon.bounce()), "SigningCertURL": url})

    assert internet.asked == []


def test_a_topic_that_is_not_ours_costs_no_request(ses, amazon, internet):
    message = amazon.notification(amazon.bounce(), TopicArn="arn:aws:sns:eu-west-1:999999999999:letters")

    with pytest.raises(ForgedWebhook, match="ses_topics"):
        read(ses, message)

    assert internet.asked == []


@pytest.mark.parametrize(
    "made",
    [
        {"name": "sns.example.org"},
        {"names": ["sns.eu-west-1.amazonaws.com.evil.example"]},
        {"name": "sns.amazonaws.com", "names": ["other.example"]},
        {"begins": NOW - timedelta(days=400)},
        {"begins": NOW + timedelta(days=1)},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=1024)},  # noqa: S505 that is what is refused
    ],
)
def test_a_certificate_that_is_not_good_now_or_not_of_sns_proves_nothing(amazon, made):
    ses = Ses([TOPIC], amazon.Internet({amazon.CERTIFICATE: amazon.certificate(**made)}))
    message = amazon.notification(amazon.bounce())

    with pytest.raises(ForgedWebhook, match="certificate"):
        read(ses, amazon.sign(message, key=made.get("key", amazon.KEY)))


@pytest.mark.parametrize("names", [["sns.eu-west-1.amazonaws.com"], ["sns-signing.eu-west-1.amazonaws.com"], None])
def test_a_certificate_may_be_made_out_to_each_name_that_amazon_uses(amazon, names):
    ses = Ses([TOPIC], amazon.Internet({amazon.CERTIFICATE: amazon.certificate(names=names)}))

    assert read(ses, amazon.notification(amazon.bounce())).reports


def test_a_good_certificate_with_another_key_proves_nothing(amazon):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ses = Ses([TOPIC], amazon.Internet({amazon.CERTIFICATE: amazon.certificate(key=other)}))

    with pytest.raises(ForgedWebhook, match="signature"):
        read(ses, amazon.notification(amazon.bounce()))


def test_a_certificate_is_fetched_once_and_its_dates_are_looked_at_each_time(ses, amazon, internet):
    for _ in range(3):
        read(ses, amazon.notification(amazon.bounce()))
    assert internet.asked == [amazon.CERTIFICATE]

    late = NOW + timedelta(days=366)
    with pytest.raises(ForgedWebhook, match="not valid at this time"):
        read(ses, amazon.notification(amazon.bounce(), at=late), now=late)


@pytest.mark.parametrize("answer", [b"", b"<html>later</html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END"])
def test_a_certificate_that_cannot_be_fetched_or_read_asks_for_another_try(amazon, answer):
    ses = Ses([TOPIC], amazon.Internet({amazon.CERTIFICATE: answer} if answer else {}))
    if not answer:
        ses = Ses([TOPIC], amazon.Internet({}, TransientCollectError("no answer")))

    with pytest.raises(UnprovenWebhook):
        read(ses, amazon.notification(amazon.bounce()))


@pytest.mark.parametrize("error", [NotThere("it answered 404"), None])
def test_a_flood_of_forged_messages_becomes_no_flood_of_requests(ses, amazon, internet, error):
    internet.error = error
    message = amazon.notification(amazon.bounce())
    for number in range(50):
        url = f"{amazon.HOST}/SimpleNotificationService-{number:032x}.pem"
        with pytest.raises(UnprovenWebhook):
            read(ses, {**message, "SigningCertURL": url})
    assert len(internet.asked) == 7
    for _ in range(5):  # the same again: they are known not to be there
        with pytest.raises(UnprovenWebhook):
            read(ses, {**message, "SigningCertURL": f"{amazon.HOST}/SimpleNotificationService-{0:032x}.pem"})
    assert len(internet.asked) == 7
    # The true one is asked for with every message: SNS sends it again after 20 seconds, and then there is room for it.
    with pytest.raises(UnprovenWebhook):
        read(ses, message)
    assert read(ses, message).reports

    later = NOW + timedelta(minutes=10)
    assert read(ses, amazon.notification(amazon.bounce(), at=later), now=later).reports


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(minutes=74), True),
        (timedelta(minutes=76), False),
        (timedelta(minutes=-14), True),
        (timedelta(minutes=-16), False),
    ],
)
def test_a_message_is_good_as_long_as_sns_repeats_it(ses, amazon, age, taken):
    message = amazon.notification(amazon.bounce(), at=NOW - age)

    if taken:
        assert read(ses, message).reports
    else:
        with pytest.raises(ForgedWebhook, match="too old"):
            read(ses, message)


@pytest.mark.parametrize("arn", ["", "letters", f"{TOPIC}/x", "arn:aws:sqs:eu-west-1:123456789012:letters"])
def test_what_is_no_topic_is_refused_as_a_setting(amazon, arn):
    with pytest.raises(SettingsError, match="ARN"):
        Ses([arn], amazon.Internet())


def test_a_topic_in_china_has_its_own_host(amazon):
    arn = "arn:aws-cn:sns:cn-north-1:123456789012:letters"
    url = amazon.CERTIFICATE.replace("eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    internet = amazon.Internet({url: amazon.certificate("sns-cn-north-1.amazonaws.com.cn")})
    message = {**amazon.notification(amazon.bounce(), TopicArn=arn), "SigningCertURL": url}

    assert read(Ses([arn], internet), message).reports


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_a_subscription_of_our_topic_is_confirmed_once(ses, amazon, internet):
    assert "confirmed" in read(ses, amazon.subscription()).note
    assert "confirmed" in read(ses, amazon.subscription()).note

    visited = [url for url in internet.asked if not url.endswith(".pem")]
    assert visited == [
        f"{amazon.HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e2425f004a"
    ]


@pytest.mark.parametrize(
    "url", ["https://evil.example/?Action=ConfirmSubscription", "http://sns.eu-west-1.amazonaws.com/?"]
)
def test_a_subscription_that_leads_elsewhere_is_refused_though_it_is_signed(ses, amazon, internet, url):
    with pytest.raises(ForgedWebhook, match="SubscribeURL"):
        read(ses, amazon.subscription(SubscribeURL=url))

    assert internet.asked == [amazon.CERTIFICATE]


def test_a_token_cannot_add_to_the_request(ses, amazon, internet):
    read(ses, amazon.subscription(Token="a&Action=Unsubscribe#x"))

    assert internet.asked[-1].endswith("&Token=a%26Action%3DUnsubscribe%23x")


def test_a_confirmation_that_did_not_get_through_is_tried_again(amazon):
    answers = {amazon.CERTIFICATE: amazon.certificate()}
    internet = amazon.Internet(answers, TransientCollectError("no answer from ?Token=2336412f"))
    ses = Ses([TOPIC], internet)
    with pytest.raises(UnprovenWebhook) as refused:
        read(ses, amazon.subscription())
    assert "Token" not in str(refused.value)

    internet.error = None
    assert "confirmed" in read(ses, amazon.subscription()).note


def test_a_farewell_of_the_topic_is_noted_and_visits_nothing(ses, amazon, internet):
    assert "unsubscribed" in read(ses, amazon.subscription("UnsubscribeConfirmation")).note

    assert internet.asked == [amazon.CERTIFICATE]


# -- any bytes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"Type": ' + b"9" * 5000 + b"}",
        b'{"Type": "Notification", "TopicArn": NaN}',
    ],
)
def test_what_is_no_message_is_one_sentence(ses, body):
    with pytest.raises(UnreadableWebhook):
        read(ses, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ("notificationType", "eventType", "mail", "bounce", "complaint", "delivery", "deliveryDelay", "reject")
) | st.sampled_from(
    ("timestamp", "headers", "bouncedRecipients", "bounceType", "bounceSubType", "feedbackId", "messageId", "status")
)
SHAPES = st.recursive(
    JSON | st.sampled_from(["Bounce", "Complaint", "Delivery", "DeliveryDelay", "Reject", "2026-11-20T07:30:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(NAMES, SHAPES, max_size=5) | SHAPES)
def test_an_event_of_any_shape_is_reports_or_one_sentence(amazon, event):
    ses = Ses([TOPIC], amazon.Internet())

    try:
        told = read(ses, amazon.notification(json.dumps(event) or "0"))
    except UnreadableWebhook:
        return
    for report in told.reports:
        assert report.detail.isprintable()
        assert len(report.detail) <= 500
        assert report.event_id.isprintable()
        assert report.at.tzinfo is UTC
