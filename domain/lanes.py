"""Lanes: how fast letters may leave, all of them together and to each keeper of mailboxes, and what shut a lane.

Records of the same shape stand beside them, each under a name of its own: what left in each minute of the last hour,
what each worker has in hand, and how the last tries ended.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: The lane that every letter takes; any other is named after a keeper (mailboxes.py).
RELAY = "relay"
#: Before the name of a keeper: the lane of its mailboxes.
TO = "to:"
#: Before a minute, counted from 1970: `tokens` letters left in it, or may have.
MINUTE = "minute:"
#: Before the name of a worker: `tokens` letters were given to it, last at `filled_at`, and may leave at any moment.
IN_HAND = "in hand:"
#: No pause of a lane is longer: one that is was begun by a clock that was ahead, and is over.
LONGEST_PAUSE = timedelta(hours=4)
#: How the last tries ended: its `reason` is a word for each, oldest first (digests/mail/shunning.py).
TRIES = "tries"


@dataclass(frozen=True, slots=True)
class Lane:
    """What is remembered of one lane; shared by all processes of the installation."""

    name: str  #: RELAY, TO and a keeper, or one of the records beside them
    tokens: float = 0.0  #: letters that may leave at `filled_at`
    filled_at: float = 0.0  #: seconds since 1970
    per_hour: float | None = None  #: how fast at present, where the keeper asked for patience; None: as settings say
    strikes: int = 0  #: how often in a row it was refused
    shut_until: datetime | None = None  #: nothing leaves before; None: it is open
    shut_since: datetime | None = None  #: when it was shut first without a letter accepted since
    reason: str = ""  #: why it is slow or shut, in a sentence
