"""What Amazon SES says of a letter, as reports; pure.

SES speaks two dialects that differ in one name: identity notifications have `notificationType`, event publishing has
`eventType`. Both give a bounce and a complaint the same `feedbackId`, so who has both set up counts each once.

A letter of ours has one recipient. So a notification is one report, whatever number of recipients it lists: of several
bounces the worst counts, and a complaint that may be one of several people's is one complaint.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from digests.mail.webhooks.reading import identifier, inner, line, moment, needed, rows, text
from digests.mail.webhooks.told import ENHANCED, Report, left_part, message_id, status_in
from domain.letter_events import LETTER_HEADER, LetterEventKind

_CLASSES = {"Permanent": "5", "Transient": "4", "Undetermined": "4"}
#: Where SES knows more than the mailbox said: (bounceType, bounceSubType) → enhanced status (RFC 3463).
_STATUS: Mapping[tuple[str, str], str] = {
    ("Permanent", "NoEmail"): "5.1.1",
    ("Permanent", "Suppressed"): "5.1.1",  # on the list of all of SES: no such mailbox, for other senders
    ("Permanent", "OnAccountSuppressionList"): "5.2.1",  # SES will carry nothing there any more
    ("Transient", "MailboxFull"): "4.2.2",
    ("Transient", "MessageTooLarge"): "4.3.4",
    ("Transient", "CustomTimeoutExceeded"): "4.4.7",
    ("Transient", "ContentRejected"): "5.7.1",  # about our letter, not about the mailbox
    ("Transient", "AttachmentRejected"): "5.7.1",
}
#: Reports about a letter that no reader complained of (RFC 5965 section 7.3, RFC 6591).
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure"})


def reports_of(event: Mapping[str, Any]) -> tuple[Report, ...]:
    """Return what an event says of a letter, nothing for kinds that we do not count, such as sends and opens.

    Raises UnreadableWebhook where a part that SES always sends is missing.
    """
    kind = text(event, "notificationType") or text(event, "eventType")
    read = _KINDS.get(kind)
    return tuple(read(event, _letters(inner(event, "mail")))) if read else ()


def _bounce(event: Mapping[str, Any], ids: tuple[str, ...]) -> Iterable[Report]:
    bounce = inner(event, "bounce")
    kind, subtype = needed(bounce, "bounceType"), text(bounce, "bounceSubType")
    told = [(_status(kind, subtype, each), text(each, "diagnosticCode")) for each in rows(bounce, "bouncedRecipients")]
    status, diagnosis = max(told, default=(_STATUS.get((kind, subtype), ""), ""))
    at = moment(needed(bounce, "timestamp"), "bounce.timestamp")
    happened = LetterEventKind.BOUNCE
    if subtype == "UnsubscribedRecipient":
        happened, status = LetterEventKind.UNSUBSCRIBE, ""
    elif not status and kind == "Transient":
        # Also how SES tells of an answer by a machine ("out of the office"): no mailbox is given up for that.
        happened = LetterEventKind.DELAYED
    elif not status:
        status = f"{_CLASSES.get(kind, '4')}.0.0"
    yield Report(
        event_id=identifier(bounce, "feedbackId"),
        letters=ids,
        kind=happened,
        at=at,
        status=status,
        detail=line(f"{kind}/{subtype} {diagnosis}"),
    )


def _status(kind: str, subtype: str, recipient: Mapping[str, Any]) -> str:
    """Return the status of one recipient: the class as SES judges it, the rest as the mailbox said; "" if none did."""
    known = _STATUS.get((kind, subtype))
    if known:
        return known
    said = text(recipient, "status").strip()[:20]
    if not ENHANCED.fullmatch(said):
        said = status_in(text(recipient, "diagnosticCode"))
    if not said or said[0] == "2":
        return ""
    if said.startswith("5.7."):
        return said
    return f"{_CLASSES.get(kind, said[0])}{said[1:]}"


def _complaint(event: Mapping[str, Any], ids: tuple[str, ...]) -> Iterable[Report]:
    complaint = inner(event, "complaint")
    at = moment(needed(complaint, "timestamp"), "complaint.timestamp")
    feedback, subtype = text(complaint, "complaintFeedbackType"), text(complaint, "complaintSubType")
    if feedback in _NO_COMPLAINT:
        return
    refused = subtype == "OnAccountSuppressionList"  # an old complaint: this letter was never shown to anybody
    yield Report(
        event_id=identifier(complaint, "feedbackId"),
        letters=ids,
        kind=LetterEventKind.BOUNCE if refused else LetterEventKind.COMPLAINT,
        at=at,
        status="5.2.1" if refused else "",
        detail=line(f"{feedback or 'no reason given'} {subtype}"),
    )


def _delivery(event: Mapping[str, Any], ids: tuple[str, ...]) -> Iterable[Report]:
    at = moment(needed(event, "delivery", "timestamp"), "delivery.timestamp")
    yield Report(
        event_id=f"{identifier(event, 'mail', 'messageId')} delivered",
        letters=ids,
        kind=LetterEventKind.DELIVERED,
        at=at,
        detail=line(text(event, "delivery", "smtpResponse")),
    )


def _delay(event: Mapping[str, Any], ids: tuple[str, ...]) -> Iterable[Report]:
    delay = inner(event, "deliveryDelay")
    said = needed(delay, "timestamp")
    status = max((text(each, "status")[:20] for each in rows(delay, "delayedRecipients")), default="")
    yield Report(
        event_id=f"{identifier(event, 'mail', 'messageId')} delayed {line(said)[:40]}",
        letters=ids,
        kind=LetterEventKind.DELAYED,
        at=moment(said, "deliveryDelay.timestamp"),
        status=status if ENHANCED.fullmatch(status) else "",
        detail=line(text(delay, "delayType")),
    )


def _reject(event: Mapping[str, Any], ids: tuple[str, ...]) -> Iterable[Report]:
    """SES took the letter and then did not send it, for what is in it."""
    yield Report(
        event_id=f"{identifier(event, 'mail', 'messageId')} rejected",
        letters=ids,
        kind=LetterEventKind.BOUNCE,
        at=moment(needed(event, "mail", "timestamp"), "mail.timestamp"),
        status="5.7.1",
        detail=line(text(event, "reject", "reason")),
    )


_KINDS: Mapping[str, Callable[[Mapping[str, Any], tuple[str, ...]], Iterable[Report]]] = {
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Delivery": _delivery,
    "DeliveryDelay": _delay,
    "Reject": _reject,
}


def _letters(mail: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what may be our Message-ID: by our own header, by the one we wrote, by what SES remembers of it.

    SES replaces the Message-ID on the wire. It passes on the headers only where the operator ticked that.
    """
    named = [(text(each, "name").lower(), text(each, "value")) for each in rows(mail, "headers")]
    ours = [left_part(value) for name, value in named if name == LETTER_HEADER.lower()]
    written = [message_id(value) for name, value in named if name == "message-id"]
    remembered = message_id(text(mail, "commonHeaders", "messageId"))
    return tuple(dict.fromkeys(each for each in [*ours[:1], *written[:1], remembered] if each))
