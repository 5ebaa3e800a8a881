"""An Amazon SNS of our own: a key, a certificate, topics, and the messages that it signs. Nothing here is Amazon's."""

import base64
import json
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:letters"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
LEFT = "0123456789abcdef0123456789abcdef"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_ORDER = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


def certificate(name="sns.amazonaws.com", *, key=KEY, names=None, begins=NOW - timedelta(days=30), days=365):
    """Return a certificate in PEM form; `names` are listed beside the subject's."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )
    if names is not None:
        listed = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(listed, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Internet:
    """What `get` reaches: answers by address, an error for the rest; remembers what was asked."""

    def __init__(self, answers=None, error=None):
        self.answers = {CERTIFICATE: certificate()} if answers is None else answers
        self.error = error
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        if url not in self.answers and self.error is not None:
            raise self.error
        return self.answers.get(url, b"<ConfirmSubscriptionResponse/>")


def sign(message, version="1", key=KEY):
    """Return a message with its signature."""
    names = [name for name in _ORDER[message["Type"]] if message.get(name) is not None]
    text = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 as SNS does
    signature = base64.b64encode(key.sign(text, PKCS1v15(), algorithm)).decode()
    return {**message, "SignatureVersion": version, "Signature": signature, "SigningCertURL": CERTIFICATE}


def notification(event, *, version="1", at=NOW, **fields):
    """Return a signed notification; `event` is what SES says, as a value or as text."""
    message = {
        "Type": "Notification",
        "MessageId": "11111111-2222-3333-4444-555555555555",
        "TopicArn": TOPIC,
        "Message": event if isinstance(event, str) else json.dumps(event),
        "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        **fields,
    }
    return sign(message, version)


def subscription(kind="SubscriptionConfirmation", **fields):
    """Return a signed question whether the topic may post here."""
    message = {
        "Type": kind,
        "MessageId": "66666666-7777-8888-9999-000000000000",
        "TopicArn": TOPIC,
        "Token": "2336412f37fb687f5d51e6e2425f004a",
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f5d51e6e2425f004a",
        "Timestamp": NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        **fields,
    }
    return sign(message)


def mail(**fields):
    """Return the part of an event that names the letter."""
    return {
        "timestamp": "2026-11-20T07:00:00.000Z",
        "messageId": "0100-ses",
        "headers": [
            {"name": "From", "value": "digests@lab.example"},
            {"name": "X-Paperround-Letter", "value": LEFT},
        ],
        "commonHeaders": {"messageId": "<0100-ses@eu-west-1.amazonses.com>"},
        **fields,
    }


def bounce(kind="Permanent", subtype="General", recipients=None, name="notificationType", **fields):
    """Return a bounce as SES tells it."""
    if recipients is None:
        recipients = [
            {"emailAddress": "mira@lab.example", "status": "5.1.1", "diagnosticCode": "smtp; 550 no such user"}
        ]
    told = {
        "bounceType": kind,
        "bounceSubType": subtype,
        "bouncedRecipients": recipients,
        "timestamp": "2026-11-20T07:30:00.000Z",
        "feedbackId": "feedback-1",
        **fields,
    }
    return {name: "Bounce", "mail": mail(), "bounce": told}


def complaint(feedback="abuse", **fields):
    """Return a complaint as SES tells it."""
    told = {
        "complainedRecipients": [{"emailAddress": "mira@lab.example"}],
        "timestamp": "2026-11-20T07:30:00.000Z",
        "feedbackId": "feedback-2",
        "complaintFeedbackType": feedback,
        **fields,
    }
    return {"eventType": "Complaint", "mail": mail(), "complaint": told}
