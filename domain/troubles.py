"""What stays broken, as the operator is told of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that does not work."""

    name: str  #: "source:NAME", "publish", "deliver"
    since: datetime  #: when it failed first without having worked since
    last_at: datetime  #: when it failed last
    what: str  #: in a sentence
    told_at: datetime | None = None  #: when the operator was written to; None: not yet
