"""One message in, what it tells of our letters out. Pure, bounded, and careful whom it believes.

    complaint (arf.py)?  →  status notification (dsn.py)?  →  written by a machine (automatic.py)?  →  words (guess.py)

A letter is known by our return path, wherever it was written down on the way, for nobody can make one up; or by the
Message-ID in the returned headers, which nobody can guess (message.py seals it). A guess by words counts only with the
former.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from digests.mail.bounces import arf, automatic, dsn, guess
from digests.mail.bounces.opening import LARGEST, Mail, opened, value, values
from digests.mail.bounces.returned import Returned
from digests.mail.bounces.verp import ReturnPaths
from domain.letter_events import MOST_LATE, LetterEvent, LetterEventKind

_KEPT = 64 * 1024  # octets of a report that are kept
# Where servers write to whom a message was delivered: the nearest first. Only what we signed is believed.
_DELIVERED = (
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "Original-Recipient",
    "To",
    "Cc",
    "Resent-To",
    "Return-Path",
    "Received",
)
_NOTHING = Returned()


@dataclass(frozen=True, slots=True)
class Heard:
    """What one message told."""

    events: tuple[LetterEvent, ...] = ()  #: of deliveries that are known by their return path
    by_message_id: tuple[LetterEvent, ...] = ()  #: of which only `letter` tells whose they are
    ignored: str = ""  #: why nothing was heard, in a sentence without text of the message


def read(raw: bytes, received: datetime, paths: ReturnPaths | None) -> Heard:
    """Return what a message tells; `received` is aware, `paths` None where letters have no return paths of their own.

    Nothing that a message holds makes it raise or take long.
    """
    if len(raw) > LARGEST:
        return Heard(ignored=f"it is larger than {LARGEST // 1_000_000} MB, as no report is")
    message = opened(raw) if raw.strip() else None
    if message is None:
        return Heard(ignored="it is no message that can be read")
    asked = _Asked(message, raw, received, paths)
    if (complaint := arf.read(message)) is not None:
        return asked.complaint(complaint)
    if (report := dsn.read(message)) is not None:
        return asked.status(report)
    is_system = guess.is_of_a_mail_system(message)
    if automatic.is_automatic(message) and not is_system:
        return Heard(ignored="it is an automatic answer, such as a vacation note")
    return asked.words() if is_system else Heard(ignored="it is no bounce and no complaint")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message that is looked at."""

    message: Mail
    raw: bytes
    received: datetime
    paths: ReturnPaths | None

    def complaint(self, report: arf.FeedbackReport) -> Heard:
        if not report.is_complaint:
            return Heard(ignored="it is a feedback report of another kind than a complaint")
        kind = LetterEventKind.COMPLAINT
        return self._heard("arf", kind, report.machine, report.returned, envelope=report.envelope)

    def status(self, report: dsn.StatusReport) -> Heard:
        what = report.outcome
        return self._heard(
            "dsn",
            what.kind,
            report.machine,
            report.returned,
            envelope=report.envelope,
            status=what.status,
            detail=what.diagnostic,
        )

    def words(self) -> Heard:
        if self._delivery("") is None:
            return Heard(ignored="it names no letter of ours that can be proved")
        kind = guess.kind_of(self.raw)
        if kind is None:
            return Heard(ignored="a mail system sent it, but it tells of no failure")
        # Words tell nothing of the hour: the same letter bounces by words once.
        return self._heard("body", kind, kind.value.encode())

    def _heard(
        self,
        source: str,
        kind: LetterEventKind,
        machine: bytes,
        returned: Returned = _NOTHING,
        *,
        envelope: str = "",
        status: str = "",
        detail: str = "",
    ) -> Heard:
        delivery_id = self._delivery(f"{envelope} {returned.return_path}")
        if delivery_id is None and not returned.letter:
            return Heard(ignored="it names no letter of ours that can be proved")
        event = LetterEvent(
            source=source,
            source_event_id=f"{returned.letter or delivery_id}:{hashlib.sha256(machine).hexdigest()[:32]}",
            delivery_id=delivery_id or 0,
            kind=kind,
            at=self._at(),
            status=status,
            detail=detail,
            raw=self.raw[:_KEPT],
            letter=returned.letter,
        )
        return Heard(events=(event,)) if delivery_id is not None else Heard(by_message_id=(event,))

    def _delivery(self, told: str) -> int | None:
        """Return the delivery whose return path the message came to, or that a report tells."""
        if self.paths is None:
            return None
        for name in _DELIVERED:
            for each in values(self.message, name):
                if (found := self.paths.found_in(each)) is not None:
                    return found
        return self.paths.found_in(told)

    def _at(self) -> datetime:
        """Return when it was written, as it says; not in the future, nor longer ago than anybody may report."""
        try:
            said = parsedate_to_datetime(value(self.message, "Date"))
        except (ValueError, TypeError, IndexError, OverflowError):
            return self.received
        said = said if said.tzinfo else said.replace(tzinfo=UTC)
        return min(max(said, self.received - MOST_LATE), self.received)
