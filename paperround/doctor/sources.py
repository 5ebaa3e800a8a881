"""The sources: when each was last read, from what is on record. No site is asked."""

from collections.abc import Iterator
from datetime import timedelta

from domain.errors import StorageError
from paperround.doctor.finding import Finding, ok, shown, unknown, wrong
from paperround.doctor.visit import Visit
from storage.fetches import Fetches

_LONG = timedelta(days=3)  # a weekend and a day: many listings rest on weekends
_ASK = "`paperround sources check {}` asks it now and says what to do"


def check(visit: Visit) -> Iterator[Finding]:
    """Say of each configured source when it was last read in full, and how the last answer was."""
    if not visit.sources:
        yield wrong(
            "no source is configured: no papers come in", "`paperround sources example huggingface-daily` prints one"
        )
        return
    if isinstance(visit.database, StorageError):
        yield unknown("when the sources were read: the archive could not be opened")
        return
    fetches = Fetches(visit.database)
    now = visit.clock.now()
    for name in visit.sources:
        good, last = fetches.last_good(name), fetches.latest(name)
        if last is None:
            yield unknown(f"{name} was not asked yet", "`paperround collect` does it")
        elif good is not None and now - good <= _LONG:
            last_said = "" if last.status.is_good else f"; its last answer was {last.status}"
            yield ok(f"{name} was last read on {good:%Y-%m-%d at %H:%M} UTC{last_said}")
        else:
            when = f"not read since {good:%Y-%m-%d}" if good else "never read"
            why = f": {shown(last.error)}" if last.error else ""
            yield wrong(f"{name} was {when}; its last answer was {last.status}{why}", _ASK.format(name))
