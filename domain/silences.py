"""Slots without a letter: why there is none, and since when."""

from dataclasses import dataclass
from datetime import datetime

from domain.issues import Mailing

#: The reason of a slot for which no paper was found: that is no fault, and after some days a note says so.
NOTHING_MATCHED = "nothing matched"
#: The reason of a slot whose letter broke while it was made: the log says how.
NOT_COMPOSED = "could not be composed"


@dataclass(frozen=True, slots=True)
class Unserved:
    """One due reader who gets no letter for a slot."""

    subscriber_id: int
    slot: str  #: the slot's label
    reason: str
    note: Mailing | None = None  #: the quiet note that goes instead; None for nearly every slot


@dataclass(frozen=True, slots=True)
class Silence:
    """Slots in a row without a letter, all for one reason."""

    reason: str
    first_slot: str
    last_slot: str
    slots: int
    since: datetime  #: when the first of them was found to stay empty, aware UTC
    until: datetime  #: when one of them was last looked at


@dataclass(frozen=True, slots=True)
class Quietness:
    """What is known of a reader's slots since their newest letter."""

    first_slot: str | None  #: of the slots without a letter since then; None where there was none
    is_noted: bool  #: whether a quiet note was written since then
