"""The quiet note: after some days without a match a reader is told that nothing is broken, once.

    the due readers for whom nothing matched → whose silence is long enough and has no note yet → what was checked since
    their letter → render → a mailing that is queued in the transaction which settles the empty slot

A silence begins with the first slot after a letter that gets none, and ends with the next letter. The note goes in the
reader's own slot and counts as no letter: what matched in the meantime is still news.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from digests.mail.message import Identity, Letter, freeze, mailing_slots, message_id
from domain.clock import Clock
from domain.issues import Mailing, QuietNote, Receipt, Slot
from domain.silences import Quietness
from domain.subscriptions import Subscriber, zone_of
from storage.issues import LastIssue, Reader
from storage.silences import Silences
from worker.planning import ReaderLinks, is_first, links_of
from worker.receipts import Receipts

log = logging.getLogger("paperround.worker")


class NoteRenderer(Protocol):
    """Makes a letter of a quiet note."""

    def quiet(self, note: QuietNote, *, shared: bool) -> Letter:
        """Return the letter; `shared` mailboxes get no link by which one person could act for all."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """What the settings say of quiet notes."""

    after_days: int  #: days from the last letter on, in the reader's zone; 0 for no notes at all
    max_age: timedelta  #: after which an unsent note is worth nothing, as with digests


def silence_to_note(reader: Reader, slot: Slot, known: Quietness | None, after_days: int) -> str | None:
    """Return the first slot of the silence of which a reader is to be told with `slot`; None if not (yet).

    `known` is what their slots were since their newest letter. How many slots were looked at does not matter: a weekly
    reader, and one whose machine was off for a week, have waited as many days.
    """
    if not after_days or reader.last is None or known is None or known.is_noted or is_first(reader):
        return None
    last = reader.last.cutoff.astimezone(zone_of(reader.subscriber.schedule.zone)).date()
    if (slot.day - last).days < after_days:
        return None
    return known.first_slot or slot.label


class QuietNotes:
    """Writes the quiet notes of one publish."""

    def __init__(
        self,
        *,
        silences: Silences,
        receipts: Receipts,
        renderer: NoteRenderer,
        identity: Identity,
        links: ReaderLinks | None,
        manner: Manner,
        clock: Clock,
    ) -> None:
        self._silences = silences
        self._receipts = receipts
        self._renderer = renderer
        self._identity = identity
        self._links = links
        self._manner = manner
        self._clock = clock

    def of(self, readers: Sequence[tuple[Reader, Slot]]) -> Mapping[int, Mailing]:
        """Return reader → note, for those of these readers without a match who are to get one.

        A note that cannot be made is logged, and tried again with the next slot.
        """
        if not readers or not self._manner.after_days:
            return {}
        known = self._silences.quietness([reader.subscriber.id for reader, _ in readers])
        notes = {}
        for reader, slot in readers:
            subscriber = reader.subscriber
            first_slot = silence_to_note(reader, slot, known.get(subscriber.id), self._manner.after_days)
            if first_slot is None or reader.last is None:
                continue
            try:
                notes[subscriber.id] = self._mailing(self._renderer, subscriber, reader.last, slot, first_slot)
            except Exception:  # whatever is wrong with one note, the others go and the slot is settled
                log.exception("the quiet note of subscriber %s could not be composed", subscriber.public_id)
        return notes

    def _mailing(
        self, renderer: NoteRenderer, subscriber: Subscriber, last: LastIssue, slot: Slot, first_slot: str
    ) -> Mailing:
        note = QuietNote(
            slot=slot,
            since=last.cutoff.astimezone(zone_of(subscriber.schedule.zone)).date(),
            topics=tuple(each.name for each in subscriber.subscriptions),
            receipt=Receipt(
                checks=self._receipts.checks(last.created_at),
                new=self._receipts.new_papers(last.created_at),
                matched=0,
            ),
            confirmed_at=subscriber.confirmed_at,
        )
        letter = renderer.quiet(note, shared=subscriber.shared)
        created = self._clock.now()
        key = f"quiet:{subscriber.public_id}:{first_slot}"
        identifier = message_id(key, self._identity)
        return Mailing(
            message_key=key,
            subscriber_id=subscriber.public_id,
            recipient=subscriber.email,
            content=freeze(letter, self._identity, text_only=subscriber.text_only),
            slots=mailing_slots(
                recipient=subscriber.email,
                message_id=identifier,
                date=created,
                confirmed_on=subscriber.confirmed_at.date() if subscriber.confirmed_at else None,
                links=links_of(subscriber, last.public_id, self._links),
            ),
            message_id=identifier,
            date=created,
            not_before=created,
            expires_at=created + self._manner.max_age,
        )
