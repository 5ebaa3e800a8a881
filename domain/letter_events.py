"""What is heard of letters after they left: bounces, complaints; and the addresses that must not be mailed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Our header that names a letter where a provider gives it a Message-ID of its own, as Amazon SES does: its value is
#: the left part of ours.
LETTER_HEADER = "X-Paperround-Letter"
#: How long after a letter somebody may report on it (mail.md item 25).
MOST_LATE = timedelta(days=60)
#: The source of what a relay said at once, before it took the letter.
SMTP = "smtp"


class LetterEventKind(StrEnum):
    """What happened to a letter that a relay took."""

    BOUNCE = "bounce"
    DELAYED = "delayed"  # not there yet; never scores
    COMPLAINT = "complaint"
    DELIVERED = "delivered"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class LetterEvent:
    """One report about one letter, as whoever told it said."""

    source: str  #: "dsn", "arf", "body", "smtp", "ses", "mailgun"
    source_event_id: str  #: unique for the source: the same report twice counts once
    delivery_id: int  #: 0 where only `letter` tells which
    kind: LetterEventKind
    at: datetime  #: when it happened, as the source says; aware
    status: str = ""  #: the enhanced status (RFC 3463), such as "5.1.1"; "" where none was given
    detail: str = ""  #: the diagnostic text, one printable line of at most 500 characters
    raw: bytes | None = None  #: the report as it came, kept for [keep] bounces_days
    #: The left part of the Message-ID that the report names, "" where it names none: a report that names another letter
    #: than the delivery's is not of it.
    letter: str = ""


class SuppressionReason(StrEnum):
    """Why an address must not be mailed."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that must not be mailed; known by its keyed hash alone, so that it outlives an erasure."""

    address_hash: str
    reason: SuppressionReason
    detail: str  #: in a sentence, without the address
    at: datetime
    email: str = ""  #: of the reader who still has it; "" where no reader does
