"""Lanes: how fast letters may leave, all of them together and to each keeper of mailboxes, and what shut a lane."""

from dataclasses import dataclass
from datetime import datetime

#: The lane that every letter takes; any other is named after a keeper (mailboxes.py).
RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Lane:
    """What is remembered of one lane; shared by all processes of the installation."""

    name: str  #: RELAY, or "to:" and a keeper
    tokens: float = 0.0  #: letters that may leave at `filled_at`
    filled_at: float = 0.0  #: seconds since 1970
    per_hour: float | None = None  #: how fast at present, where the keeper asked for patience; None: as settings say
    strikes: int = 0  #: how often in a row it was refused
    shut_until: datetime | None = None  #: nothing leaves before; None: it is open
    shut_since: datetime | None = None  #: when it was shut first without a letter accepted since
    reason: str = ""  #: why, in a sentence
