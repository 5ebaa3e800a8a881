"""The clock of this machine beside another one: letters are due, and links expire, by ours."""

from collections.abc import Iterator
from datetime import datetime

from domain.errors import StorageError
from paperround.doctor.finding import Finding, ok, unknown, wrong
from paperround.doctor.visit import Visit

_MOST = 60  # seconds


def check(visit: Visit) -> Iterator[Finding]:
    """Compare with the database server, else with the site, else with the first source's site."""
    for name, there in _clocks(visit):
        if there is not None:
            yield judged(visit.clock.now(), there, name)
            return
    if visit.is_offline:
        yield unknown("--offline, so there is no other clock to compare with")
    else:
        yield unknown("nobody could be asked for the time", "compare it with a watch: `date -u` shows it")


def judged(here: datetime, there: datetime, name: str) -> Finding:
    """Judge two readings of one moment, both aware; an answer on the way costs a second or two."""
    skew = (here - there).total_seconds()
    if abs(skew) <= _MOST:
        return ok(f"the clock agrees with that of {name}")
    return wrong(
        f"the clock is {abs(skew):,.0f} seconds {'ahead of' if skew > 0 else 'behind'} that of {name}",
        "let the machine set its clock over the network (NTP): `timedatectl set-ntp true` on most Linux machines",
    )


def _clocks(visit: Visit) -> Iterator[tuple[str, datetime | None]]:
    if not isinstance(visit.database, StorageError):
        yield "the database server", visit.database.moment()
    if visit.is_offline:
        return
    base = visit.settings.web.base_url
    if base:
        yield "the site", visit.web.ask(f"{base.rstrip('/')}/healthz").date
    for source in visit.settings.sources[:1]:
        # One HEAD of the root: no page is read, and nothing is counted against the source's pace.
        if source.url.startswith(("https://", "http://")) and not visit.settings.collect.proxy:
            root = "/".join(source.url.split("/", 3)[:3])
            yield root, visit.web.ask(root, "HEAD").date
