"""Delivery status notifications, read strictly: RFC 3464 and 6522, and 6533 for addresses beyond ASCII.

    the machine-readable part → a group for each recipient → what became of the letter

A letter of ours has one recipient. Where a report has several groups, an alias was resolved on the way: what counts is
the group that names the letter's own recipient, else the mildest, for a letter that somebody may have got is no bounce.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from digests.mail.bounces.fields import Group, first, groups
from digests.mail.bounces.opening import DELIVERY_STATUS, Mail, body, parts, printable
from digests.mail.bounces.returned import Returned, returned_in
from domain.bounce_score import weigh
from domain.letter_events import LetterEventKind

MOST_RECIPIENTS = 100
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
# "smtp; 550-5.1.1 …", "smtp; 550 5.1.1 …", "550 #5.1.1 …": what the mailbox's own server said.
_SAID = re.compile(r"(?:smtp; ?)?[245]\d\d[ -]#?([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.IGNORECASE)
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


class Action(StrEnum):
    """What a server did (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


_KINDS = {
    Action.FAILED: LetterEventKind.BOUNCE,
    Action.DELAYED: LetterEventKind.DELAYED,
    Action.DELIVERED: LetterEventKind.DELIVERED,
    Action.RELAYED: LetterEventKind.DELIVERED,
    Action.EXPANDED: LetterEventKind.DELIVERED,
}
_MILD = (LetterEventKind.DELIVERED, LetterEventKind.DELAYED, LetterEventKind.BOUNCE)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One group of a report."""

    action: Action
    status: str  #: RFC 3463; where the server that reports says only x.0.0, what the mailbox's server said
    final: str  #: the address that was tried last, without its type
    original: str = ""  #: the address as it was given to the first server; "" where that is not said
    diagnostic: str = ""

    @property
    def kind(self) -> LetterEventKind:
        """What it is to the letter."""
        return _KINDS[self.action]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A whole notification."""

    recipients: tuple[Recipient, ...]  #: never empty
    returned: Returned
    machine: bytes  #: the machine-readable part: equal for copies of one report
    envelope: str = ""  #: the letter's envelope sender, where the server says it (Postfix does)

    @property
    def outcome(self) -> Recipient:
        """The group that says what became of the letter."""
        own = [each for each in self.recipients if {each.final, each.original} & self.returned.recipients]
        return min(own if len(own) == 1 else self.recipients, key=_harshness)


def read(message: Mail) -> StatusReport | None:
    """Return the notification that a message is; None for one that holds none, or none of any recipient."""
    for part in parts(message):
        if part.get_content_type() not in DELIVERY_STATUS:
            continue
        machine = body(part)
        found = groups(machine, MOST_RECIPIENTS + 1)
        recipients = tuple(each for each in map(_recipient, found) if each is not None)
        if not recipients:
            return None
        envelope = first(found[0], "x-postfix-sender")
        return StatusReport(recipients, returned_in(message), machine, envelope)
    return None


def _recipient(group: Group) -> Recipient | None:
    """Return a recipient; None for a group without one, without a known action, or whose status contradicts it."""
    words = first(group, "action").lower().split()
    final = _address(first(group, "final-recipient"))
    if not words or words[0] not in set(Action) or not final:
        return None
    action = Action(words[0])
    diagnostic = first(group, "diagnostic-code")
    status = _status(first(group, "status"), diagnostic)
    if action is Action.FAILED and status.startswith("2"):
        return None
    return Recipient(
        action=action,
        status=status,
        final=final,
        original=_address(first(group, "original-recipient")),
        diagnostic=printable(diagnostic),
    )


def _status(field: str, diagnostic: str) -> str:
    found, said = _STATUS.match(field), _SAID.match(diagnostic)
    status = found[1] if found else ""
    if said and (not status or (status.endswith(".0.0") and status[0] == said[1][0])):
        return said[1]
    return status


def _address(field: str) -> str:
    """Return the casefolded address of "rfc822; a@b" or "utf-8; ä@b" (RFC 6533 section 3); "" for any other type."""
    kind, divided, written = field.partition(";")
    if not divided or kind.strip().lower() not in {"rfc822", "utf-8", "x400", "unknown", "system"}:
        return ""
    address = written.strip().removeprefix("<").removesuffix(">")
    return printable(_ESCAPED.sub(_character, address), 320).casefold()


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else " "


def _harshness(each: Recipient) -> tuple[int, float]:
    return _MILD.index(each.kind), weigh(each.kind, each.status, each.diagnostic)
