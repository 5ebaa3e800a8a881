"""Mailgun: JSON with a signature beside the event.

The signature is HMAC-SHA256 over a timestamp and a random token, not over the event (Mailgun's manual, "Securing
webhooks"). So a captured request could be sent again with other words; each token is therefore good for one event only,
as long as its timestamp is and this process lives: tokens are remembered in it alone (docs/decisions/0026). Mailgun
repeats for eight hours what we could not take, and does not say whether it signs anew for that; the window is as long,
because a complaint that is lost is worse than one that is told twice and counts once.
"""

import hashlib
import hmac
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from digests.mail.webhooks.reading import document, identifier, inner, line, moment, needed, text
from digests.mail.webhooks.told import ENHANCED, SKEW, Report, Told, message_id, status_in
from domain.errors import ForgedWebhook, UnreadableWebhook
from domain.letter_events import LetterEventKind

#: Eight hours of repeating (10 + 10 + 15 + 30 minutes, 1 + 2 + 4 hours at most), and some.
OLDEST = timedelta(hours=8) + SKEW
_REMEMBERED = 50_000  # tokens; some 10 MB at the very most
_SECONDS = re.compile(r"[0-9]{9,11}")
_TOKEN = re.compile(r"[0-9A-Za-z_-]{16,128}")

#: The events that are counted: (event, severity) → kind.
_KINDS: Mapping[tuple[str, str], LetterEventKind] = {
    ("failed", "permanent"): LetterEventKind.BOUNCE,
    ("failed", "temporary"): LetterEventKind.DELAYED,  # Mailgun goes on trying
    ("complained", ""): LetterEventKind.COMPLAINT,
    ("delivered", ""): LetterEventKind.DELIVERED,
    ("unsubscribed", ""): LetterEventKind.UNSUBSCRIBE,
}
#: Why Mailgun did not even try: its own lists, and what they mean in RFC 3463.
_REASONS: Mapping[str, str] = {
    "suppress-bounce": "5.1.1",
    "suppress-complaint": "5.2.1",  # no new complaint: this letter was never shown to anybody
    "old": "4.4.7",
}


class Mailgun:
    """Reads what Mailgun posts; `key` is the HTTP webhook signing key of the account."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._seen: OrderedDict[str, bytes] = OrderedDict()  # token → the digest of the one event it was used for
        self._lock = threading.Lock()

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:  # noqa: ARG002 it is all in the body
        """See `Provider`."""
        found = document(body)
        event = inner(found, "event-data")
        token = self._prove(found, now)
        self._use(token, event)
        severity = text(event, "severity") if text(event, "event") == "failed" else ""
        kind = _KINDS.get((needed(event, "event"), severity))
        if kind is None:
            return Told(note="an event that is not counted")
        return Told(reports=(_report(event, kind),))

    def _prove(self, found: Mapping[str, Any], now: datetime) -> str:
        timestamp, token = _stamp(found), needed(found, "signature", "token")
        given = needed(found, "signature", "signature")
        if not _SECONDS.fullmatch(timestamp) or not _TOKEN.fullmatch(token):
            raise UnreadableWebhook("signature.timestamp or signature.token is not of its form")
        wanted = hmac.new(self._key, f"{timestamp}{token}".encode("ascii"), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass")):
            raise ForgedWebhook("its signature is not made with [bounces] mailgun_key")
        if not now - OLDEST <= moment(int(timestamp), "signature.timestamp") <= now + SKEW:
            raise ForgedWebhook("its timestamp is too old, or in the future")
        return token

    def _use(self, token: str, event: Mapping[str, Any]) -> None:
        """Tie a token to its event; the same one may come again, because the first answer may have been lost."""
        try:
            digest = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).digest()
        except RecursionError as error:
            raise UnreadableWebhook("event-data is nested too deep") from error
        with self._lock:
            if self._seen.setdefault(token, digest) != digest:
                raise ForgedWebhook("its token was used for another event")
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)


def _stamp(found: Mapping[str, Any]) -> str:
    """Return the timestamp as it was signed: Mailgun writes it as text, its older examples as a number."""
    value = inner(found, "signature").get("timestamp")
    return str(value) if isinstance(value, int) and 0 <= value < 10**11 else needed(found, "signature", "timestamp")


def _report(event: Mapping[str, Any], kind: LetterEventKind) -> Report:
    at = event.get("timestamp")
    if isinstance(at, bool) or not isinstance(at, int | float):
        raise UnreadableWebhook("event-data.timestamp is missing or is no number")
    reason, status = text(event, "reason"), ""
    if kind is LetterEventKind.BOUNCE and reason == "suppress-unsubscribe":
        kind = LetterEventKind.UNSUBSCRIBE
    if kind in {LetterEventKind.BOUNCE, LetterEventKind.DELAYED}:
        status = _status(event, reason, temporary=kind is LetterEventKind.DELAYED)
    told = inner(event, "delivery-status")
    found = message_id(text(event, "message", "headers", "message-id"))
    return Report(
        event_id=identifier(event, "id"),
        letters=(found,) if found else (),
        kind=kind,
        at=moment(at, "event-data.timestamp"),
        status=status,
        detail=line(f"{reason} {text(told, 'message') or text(told, 'description')}"),
    )


def _status(event: Mapping[str, Any], reason: str, *, temporary: bool) -> str:
    """Return the enhanced status: Mailgun's own lists first, then what the mailbox said, then the class of its code."""
    if reason in _REASONS:
        return _REASONS[reason]
    told = inner(event, "delivery-status")
    said = text(told, "enhanced-code").strip()[:20]
    if not ENHANCED.fullmatch(said):
        said = status_in(text(told, "message"))
    if said and said[0] != "2":
        return said
    code = told.get("code")
    if isinstance(code, int) and 400 <= code < 500:
        return "4.0.0"
    return "4.0.0" if temporary else "5.0.0"
