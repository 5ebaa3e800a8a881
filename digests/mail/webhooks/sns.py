"""Messages of Amazon SNS: which text is signed, and whether the signature is the topic's.

    topic known? → young enough? → the certificate's address → its key (certificates.py) → signature → the message

The text is the names and values of the signed fields in the order of their names, a line each (Amazon SNS Developer
Guide, "Verifying the signatures of Amazon SNS messages").
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from digests.mail.webhooks.arns import Topic
from digests.mail.webhooks.certificates import Certificates
from digests.mail.webhooks.reading import moment, needed, text
from digests.mail.webhooks.told import SKEW
from domain.errors import ForgedWebhook, UnreadableWebhook

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"

_SIGNED: Mapping[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIPTION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
# A topic signs with SHA-1 unless its owner chose otherwise. That is no less safe here: a forger would need a second
# text for a hash that is given, and only collisions can be made.
_HASHES: Mapping[str, SHA1 | SHA256] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 the sender chooses it, see above

#: SNS stops after an hour (hard limit of a delivery policy) and signs only once, with the time of publication.
OLDEST = timedelta(hours=1) + SKEW


@dataclass(frozen=True, slots=True)
class Proven:
    """A message that its topic signed."""

    topic: Topic
    kind: str  #: NOTIFICATION, SUBSCRIPTION or UNSUBSCRIPTION
    id: str
    message: str


def prove(found: Mapping[str, Any], topics: Mapping[str, Topic], certificates: Certificates, now: datetime) -> Proven:
    """Return a message of one of `topics` (ARN → topic). Raises ForgedWebhook, UnreadableWebhook, UnprovenWebhook."""
    kind = needed(found, "Type")
    if kind not in _SIGNED:
        raise UnreadableWebhook("Type is none that SNS documents")
    topic = topics.get(needed(found, "TopicArn"))
    if topic is None:
        raise ForgedWebhook("it is of a topic that [bounces] ses_topics does not name")
    signed = _canonical(kind, found)
    published = moment(needed(found, "Timestamp"), "Timestamp")
    if not now - OLDEST <= published <= now + SKEW:
        raise ForgedWebhook("its Timestamp is too old, or in the future")
    algorithm = _HASHES.get(needed(found, "SignatureVersion"))
    if algorithm is None:
        raise ForgedWebhook("its SignatureVersion is neither 1 nor 2")
    signature = _octets(needed(found, "Signature"))
    url = needed(found, "SigningCertURL")
    if not topic.is_certificate(url):
        raise ForgedWebhook("its SigningCertURL is not where the topic's certificates are")
    try:
        certificates.key(url, topic, now).verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise ForgedWebhook("its signature is not of these words") from error
    return Proven(topic=topic, kind=kind, id=needed(found, "MessageId"), message=needed(found, "Message"))


def _canonical(kind: str, found: Mapping[str, Any]) -> bytes:
    """Return what is signed; a notification without a subject has no line for it."""
    lines = []
    for name in _SIGNED[kind]:
        if name == "Subject" and found.get(name) is None:
            continue
        value = text(found, name) if name == "Subject" else needed(found, name)
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8", "surrogatepass")  # half a pair is no text of theirs: nothing will match it


def _octets(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error) as error:
        raise UnreadableWebhook("Signature is not base64") from error
