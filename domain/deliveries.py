"""Deliveries: one message on its way out, and what comes of every try."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from domain.issues import Fragment, LetterKind

#: Reply codes that speak of our log-in, and of no recipient (RFC 4954 section 6).
LOG_IN_CODES = frozenset({530, 534, 535, 538})


class DeliveryState(StrEnum):
    """Where a delivery stands (mail.md section 2)."""

    PLANNED = "planned"
    LEASED = "leased"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that this worker holds."""

    id: int
    message_key: str
    kind: LetterKind
    recipient: str
    message_id: str
    attempts: int  #: tries before this one that counted
    uncertain_before: bool  #: it may already have left once
    expires_at: datetime
    subject: str
    fragments: tuple[Fragment, ...]
    slots: Mapping[str, str]
    date: datetime  #: of the letter; also the instant that its signature names
    keeper: str = ""  #: who keeps the mailbox (mailboxes.py)
    sha256: str = ""  #: of the message that was sent, signature and all; "" before the first try that reached the dot
    signature: str = ""  #: the DKIM-Signature header it was sent with, folded, without its last line end


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, ready for a transport."""

    key: str  #: the message key; a transport that can overwrite uses it to stay idempotent
    kind: LetterKind
    sender: str  #: envelope sender
    recipient: str  #: envelope recipient
    message_id: str
    data: bytes  #: CRLF lines, no dot-stuffing
    #: Whether `data` is known to end in CRLF, and to hold no other line end, no NUL and no line that begins with a dot.
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A transport took the message."""

    reply: str  #: what the relay said, or where the file lies
    code: int | None = None
    enhanced: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended: the state to settle, and when to try again."""

    state: DeliveryState
    reply: str = ""
    code: int | None = None
    enhanced: str | None = None
    not_before: datetime | None = None  #: for deferred, uncertain and planned
    counts: bool = True  #: whether it used an attempt
    reason: str = ""  #: for skipped, rejected, expired: why, in a word or a sentence
    blames: bool = False  #: the relay refused this recipient or letter for good: it counts for the mailbox's score


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """What one pass of deliver did."""

    accepted: int = 0
    deferred: int = 0
    rejected: int = 0
    uncertain: int = 0
    skipped: int = 0
    expired: int = 0
    held: str = ""  #: why nothing was sent, in a sentence; "" where nothing holds it
    is_shut: bool = False  #: whether it is the road that is shut, and not the operator who has to let letters go

    @property
    def numbers(self) -> dict[str, int]:
        """How many letters went to each state."""
        return {name: number for name, number in asdict(self).items() if name not in {"held", "is_shut"}}
