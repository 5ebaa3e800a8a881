"""What a bounce says of a mailbox, as points; and when the points of a reader are enough (mail.md item 28).

    weigh: one report alone → count: no letter twice, one point a day → score: old points are forgotten → suppress at 4

Pure, and the same whatever the order in which reports come in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.letter_events import LetterEventKind

#: A reader of so many points is mailed no more.
SUPPRESS_AT = 4.0
#: A reader without a bounce for so long begins at zero again.
FORGOTTEN_AFTER = timedelta(days=30)
#: So does one who was sent a letter so long ago, which nobody reported on.
PROVEN_AFTER = timedelta(days=7)

_A_DAY = 1.0
_HALF = 0.5
# RFC 3463 sections 3.2 and 3.3, RFC 7505 section 4.2: no such mailbox, no such domain, moved without an address, a
# domain that takes no mail. 1.0 and 1.4 say that something is wrong with an address, also with ours.
_NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
#: What a relay may say of a mailbox before it takes a letter, and be believed.
_AT_THE_DOOR = _NO_MAILBOX | {"5.2.2", "4.2.2"}
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
# Words of filters; a status that names the mailbox itself goes before them (Mailman issue 624).
_SPAM = re.compile(r"spam|\bunsolicited\b|\bblack-?list|\bblock-?list|\bjunk e?-?mail\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scored:
    """One report that counted."""

    at: datetime  #: when it happened; aware
    points: float


def weigh(kind: LetterEventKind, status: str, detail: str = "") -> float:
    """Return what one report would add to a reader's score: 0, half, 1, or SUPPRESS_AT for a mailbox that is no more.

    `status` is an enhanced status (RFC 3463), "" where none is known: then a bounce counts as 5.0.0.
    """
    if kind is not LetterEventKind.BOUNCE or is_refusal_of_content(kind, status, detail):
        return 0.0
    if status in _NO_MAILBOX:
        return SUPPRESS_AT
    match _parts(status):
        case ("5", 1, 7 | 8) | ("5", 4, 5) | ("2", _, _):
            return 0.0  # 1.7 and 1.8 are of the sender's address, which is ours; 4.5 is a limit on how much is sent
        case ("5", 5, detail_code) if detail_code:
            return 0.0  # what two servers said to each other; 5.0 is what Outlook calls an absent mailbox
        case ("5", 2, 2) | ("5", 4, 4) | ("4", _, _):
            return _HALF
        case _:
            return 1.0


def weigh_at_the_door(status: str, detail: str = "") -> float:
    """Return what it adds that our own relay refused a letter: 0, half, or 1.

    A relay that is set up wrongly refuses everybody, mostly without a status or with one that says nothing of the
    mailbox: that harms no reader. Nor does one refusal end it, whatever it says: before it is repeated on four days,
    the same answer to all has held delivery (digests/mail/shunning.py).
    """
    return min(_A_DAY, weigh(LetterEventKind.BOUNCE, status, detail)) if status in _AT_THE_DOOR else 0.0


def is_refusal_of_content(kind: LetterEventKind, status: str, detail: str = "") -> bool:
    """Whether a bounce speaks of what was sent or of who sends, not of the mailbox: the complaint gauge counts it."""
    if kind is not LetterEventKind.BOUNCE:
        return False
    match _parts(status):
        case ("5", 7, _):
            return True
        case ("5", 1, _) | ("5", 2, 1) | ("5", 2, 2):
            return False
        case _:
            return bool(_SPAM.search(detail))


def count(weight: float, *, that_day: float, of_the_letter: float) -> float:
    """Return what a report adds, given the points of its day (UTC) and of its letter so far.

    The same letter reported on by two ways counts once, and a day brings one point at most; a mailbox that is no more
    is so at once.
    """
    if weight >= SUPPRESS_AT:
        return weight
    return max(0.0, min(weight - of_the_letter, _A_DAY - that_day))


def score(history: Iterable[Scored], unreported: Sequence[datetime], now: datetime) -> float:
    """Return a reader's points at `now`.

    `unreported` is when letters to the reader were accepted of which no bounce told.
    """
    points = 0.0
    last: datetime | None = None
    for each in sorted((one for one in history if one.points), key=lambda one: one.at):
        if last is not None and _is_forgotten(last, each.at, unreported):
            points = 0.0
        points += each.points
        last = each.at
    return 0.0 if last is None or _is_forgotten(last, now, unreported) else points


def _is_forgotten(last: datetime, at: datetime, unreported: Sequence[datetime]) -> bool:
    if at - last > FORGOTTEN_AFTER:
        return True
    return any(last < accepted <= at - PROVEN_AFTER for accepted in unreported)


def _parts(status: str) -> tuple[str, int, int] | None:
    found = _STATUS.fullmatch(status)
    return (found[1], int(found[2]), int(found[3])) if found else None
