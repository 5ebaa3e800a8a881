"""What a provider told us, as values, and what each provider's module does: headers and bytes in, reports out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.letter_events import LetterEventKind

#: How far a provider's clock may be from ours, either way.
SKEW = timedelta(minutes=15)
#: An enhanced status code (RFC 3463 section 2) of a report about a letter.
ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
_STATUS_IN_TEXT = re.compile(r"(?<![\d.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![\d.])")
_LETTER = re.compile(r"[0-9a-f]{32}")
_MESSAGE_ID = re.compile(r"<?([!-;=?A-~]{1,200}@[!-;=?A-~]{1,255})>?")


@dataclass(frozen=True, slots=True)
class Report:
    """One thing that happened to one letter, before it is known which of our deliveries that is."""

    event_id: str  #: unique for the provider: the same report twice counts once
    letters: tuple[str, ...]  #: Message-IDs, or their left part alone; the surest first, the first known one counts
    kind: LetterEventKind
    at: datetime  #: when it happened, as the provider says; aware UTC
    status: str = ""  #: the enhanced status (RFC 3463); "" where none was given
    detail: str = ""  #: one printable line of at most 500 characters


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook that was proven and read."""

    reports: tuple[Report, ...] = ()
    note: str = ""  #: for the log: what it was, where it is no report; without addresses


class Provider(Protocol):
    """One provider's way to sign and to tell."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Told:
        """Prove that the provider sent this, and read it; `headers` have lower-case names.

        Raises ForgedWebhook, UnreadableWebhook, and UnprovenWebhook where the proof could not be looked up.
        """
        ...


def status_in(diagnostic: str) -> str:
    """Return the enhanced status that stands in what a mailbox's server said; "" where none does."""
    found = _STATUS_IN_TEXT.search(diagnostic[:1000])
    return found[0] if found else ""


def left_part(value: str) -> str:
    """Return the left part of a Message-ID that our own header holds; "" if it is not one that we write."""
    return value.strip() if _LETTER.fullmatch(value.strip()) else ""


def message_id(value: str) -> str:
    """Return a Message-ID with angle brackets, as we keep it; "" for what cannot be one of ours."""
    found = _MESSAGE_ID.fullmatch(value.strip()) if len(value) < 500 else None
    return f"<{found[1]}>" if found else ""
