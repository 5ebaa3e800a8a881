"""What became of a reader's last letters, and whether today's came: known facts in, words for a page out. Pure.

A letter to a new address is none of them: whether one left says whether somebody else has that address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.answers import Known, LetterRecord
from domain.issues import LetterKind
from domain.reader_answers import fate, long_day, slot_name, why_no_letter
from domain.subscriptions import Subscriber, zone_of

MOST = 10  # letters
_NAMES = {
    LetterKind.DIGEST: "Letter of",
    LetterKind.QUIET: "Note that nothing matched",
    LetterKind.CONFIRM: "Letter that asked you to confirm",
    LetterKind.PREFERENCES: "Letter with a fresh link",
    LetterKind.GOODBYE: "Goodbye",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One letter."""

    name: str
    day: str
    fate: str
    issue: str  #: the public id of its page; "" where it has none


@dataclass(frozen=True, slots=True)
class History:
    """What the page says of letters."""

    answer: str  #: whether the letter of the present slot came, and if not, why
    lines: Sequence[Line]  #: newest first


def history(reader: Subscriber, known: Known, now: datetime) -> History:
    """Return what there is to say of a reader's letters at `now` (aware)."""
    theirs = [each for each in known.letters if each.kind is not LetterKind.ADDRESS]
    lines = [_line(reader, each) for each in theirs[:MOST]]
    return History(answer=why_no_letter(reader, known, now), lines=lines)


def _line(reader: Subscriber, letter: LetterRecord) -> Line:
    named = _NAMES.get(letter.kind, "Letter")
    return Line(
        name=f"{named} {slot_name(letter.slot)}".strip() if letter.slot else named,
        day=long_day(letter.date.astimezone(zone_of(reader.schedule.zone)).date()),
        fate=fate(letter),
        issue=letter.issue or "",
    )
