"""The certificates that Amazon SNS signs with: fetched once each, remembered, looked at before each use.

What is checked: the address (arns.py), the TLS of the host that it comes from (by whoever hands in `get`), the dates,
the name it is made out to, an RSA key of 2048 bits or more. What is not: the chain up to Amazon's root, because the
answer holds the leaf alone and its issuers change, and revocation. A forger would have to speak for Amazon's host over
TLS; the AWS SDKs for JavaScript, PHP and Ruby rest on the same.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from digests.mail.webhooks.arns import Topic
from domain.errors import CollectError, ForgedWebhook, PermanentCollectError, UnprovenWebhook

_REMEMBERED = 16  # certificates; Amazon has one or two a region at a time
_FETCHES, _PER = 10, timedelta(minutes=10)  # a flood of forged messages must not become a flood of ours
_KEPT_FREE = 3  # of the fetches: for names that were asked for before, as the true one is with every message
_ASKED = 4_096  # names that are remembered
_SHORTEST = 2048  # bits


class Certificates:
    """Looks up the key behind a certificate's address through `get`, which raises CollectError."""

    def __init__(self, get: Callable[[str], bytes]) -> None:
        self._get = get
        self._known: OrderedDict[str, x509.Certificate] = OrderedDict()
        self._fetched: deque[datetime] = deque(maxlen=_FETCHES)
        self._asked: OrderedDict[str, datetime | None] = OrderedDict()  # name → when it was not there, if it was not
        self._lock = threading.Lock()

    def key(self, url: str, topic: Topic, now: datetime) -> RSAPublicKey:
        """Return the key that messages of `topic` are signed with. Raises ForgedWebhook, UnprovenWebhook."""
        with self._lock:
            certificate = self._known.get(url)
        if certificate is None:
            certificate = self._fetch(url, now)
        key = _key(certificate, topic, now)
        with self._lock:  # remembered only where it is good, so that nothing else pushes a good one out
            self._known[url] = certificate
            self._known.move_to_end(url)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return key

    def _fetch(self, url: str, now: datetime) -> x509.Certificate:
        with self._lock:
            self._admit(url, now)
        try:
            answer = self._get(url)
        except CollectError as error:
            if isinstance(error, PermanentCollectError):
                self._note_gone(url, now)
            raise UnprovenWebhook(f"the certificate of Amazon SNS could not be fetched: {error}") from error
        try:
            return x509.load_pem_x509_certificate(answer)
        except (ValueError, UnsupportedAlgorithm) as error:
            self._note_gone(url, now)
            raise UnprovenWebhook("what Amazon SNS answered is not a certificate") from error

    def _admit(self, url: str, now: datetime) -> None:
        """Raise UnprovenWebhook where a certificate is not to be asked for now.

        Forgers make up names: each costs one request, and names that nobody has asked for before leave some for the
        others.
        """
        is_known, gone = url in self._asked, self._asked.get(url)
        self._asked[url] = gone
        self._asked.move_to_end(url)
        while len(self._asked) > _ASKED:
            self._asked.popitem(last=False)
        if gone is not None and now - gone < _PER:
            raise UnprovenWebhook("the certificate of Amazon SNS was not there minutes ago")
        lately = sum(now - each < _PER for each in self._fetched)
        if lately >= (_FETCHES if is_known else _FETCHES - _KEPT_FREE):
            raise UnprovenWebhook("too many certificates were asked for within minutes")
        self._fetched.append(now)

    def _note_gone(self, url: str, now: datetime) -> None:
        with self._lock:
            self._asked[url] = now


def _key(certificate: x509.Certificate, topic: Topic, now: datetime) -> RSAPublicKey:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ForgedWebhook("the certificate is not valid at this time")
    try:
        named, key = _names(certificate), certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise ForgedWebhook("the certificate cannot be read") from error
    if not named & topic.signers:
        raise ForgedWebhook("the certificate is not made out to Amazon SNS")
    if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST:
        raise ForgedWebhook(f"the certificate has no RSA key of {_SHORTEST} bits or more")
    return key


def _names(certificate: x509.Certificate) -> set[str]:
    """Return the host names of a certificate; those of its subject only where it lists no others (RFC 6125 6.4.4)."""
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(listed.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        return {str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
