"""What the operator is told of what stays broken, and what to do; the words of docs/operating.md."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digests import wording
from digests.readable import clean, shorten
from domain.clock import utc
from domain.troubles import Trouble

_LONGEST_NAME = 60
_LONGEST_WHAT = 400
_SOURCE = "source:"

_TITLES = {"publish": "Planning of letters", "deliver": "Delivery of letters"}
_REMEDIES = {
    "publish": (
        "say `paperround publish` and read what it says; `paperround doctor` looks at settings, database and "
        "templates. Letters that were not planned yet are planned with the next pass that works."
    ),
    "deliver": (
        "say `paperround doctor`: it tries the relay and says what is wrong, in words. The letters wait, and "
        "`paperround deliveries list` names them; those older than mail.max_age_hours expire."
    ),
}
_OTHERWISE = "say `paperround doctor`: it looks at everything, and says what is wrong."


@dataclass(frozen=True, slots=True)
class Told:
    """One trouble, ready to be shown."""

    title: str
    since: str  #: a sentence
    what: str  #: what the last try said
    remedy: str  #: goes on after "What to do: "


def told(trouble: Trouble, now: datetime) -> Told:
    """Return a trouble in words, as it is at `now` (aware); every instant is said in UTC."""
    name = wording.cut(clean(trouble.name), _LONGEST_NAME)
    remedy = _REMEDIES.get(name, _OTHERWISE)
    title = _TITLES.get(name, name or "Something")
    if trouble.name.startswith(_SOURCE):
        source = name.removeprefix(_SOURCE)
        title = f"The source {source}"
        remedy = (
            f"say `paperround sources check {shlex.quote(source)}`: it asks now, and says what to do. Readers are told "
            "at the foot of each letter, and what was missed comes when the source can be read again."
        )
    began, last = _instant(trouble.since), _instant(trouble.last_at)
    return Told(
        title=title,
        since=f"Broken since {began}, {_length(now - trouble.since)} ago; last tried {last}.",
        what=shorten(clean(trouble.what), _LONGEST_WHAT) or "No more is known.",
        remedy=remedy,
    )


def headline(troubles: Sequence[Told]) -> str:
    """Return the middle of the subject: "The source cs.LG stays broken", or "3 things stay broken"."""
    if len(troubles) == 1:
        return f"{troubles[0].title[0].lower()}{troubles[0].title[1:]} stays broken"
    return f"{len(troubles):,} things stay broken"


def intro(troubles: Sequence[Told]) -> str:
    """Return the letter's first sentence."""
    one = len(troubles) == 1
    number = "One thing has" if one else f"{len(troubles):,} things have"
    return f"{number} not worked for a while and {'needs' if one else 'need'} somebody to look."


def _instant(instant: datetime) -> str:
    at = utc(instant)
    return f"{wording.full_date(at.date())}, {at:%H:%M} UTC"


def _length(time: timedelta) -> str:
    """Return "2 days and 3 hours", "5 hours", "less than an hour"."""
    hours = max(time, timedelta()) // timedelta(hours=1)
    days, hours = divmod(hours, 24)
    told = [wording.counted(days, "day")] if days else []
    told += [wording.counted(hours, "hour")] if hours else []
    return " and ".join(told) or "less than an hour"
