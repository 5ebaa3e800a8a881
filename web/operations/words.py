"""The operator's page in words: first whether readers got today's letters, then why not, each with what to do. Pure.

Whatever came from outside (a relay's reply, a source's error, a typed reason) passes the veil for addresses and is cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from digests.readable import clean, shorten
from digests.remedies import told
from digests.wording import counted, short_date
from domain.clock import utc
from domain.holding import COMPLAINED, MOVED, OLDER, STRANGE_NOTE, Hold
from domain.papers import FetchStatus
from domain.subscriptions import SubscriberState
from domain.veiling import veiled_text
from web.operations.values import SourceLine, Today, View

_LONGEST = 300  # characters of what others say
_LATE = timedelta(minutes=30)  # after which a source that nobody asked shows that nobody is there to ask
#: What to do with a copy: it is not for a button to say.
CHOOSE = (
    "choose on the command line: `paperround deliveries resume --skip-waiting` after a restore, "
    "`paperround deliveries resume` after a move"
)
_COPIES = (MOVED, OLDER, STRANGE_NOTE)
_REFUSALS = {
    "5.1.1": "no such mailbox",
    "5.1.2": "no such domain",
    "5.1.3": "not an address",
    "5.1.6": "the mailbox has moved",
    "5.1.10": "takes no mail at all",
    "5.2.1": "mailbox closed",
    "5.2.2": "mailbox full",
    "4.2.2": "mailbox full",
    "5.3.4": "too large",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The page's first sentence."""

    text: str
    is_well: bool  #: whether nobody has to do anything


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps letters, or papers, back."""

    title: str
    what: str
    remedy: str


def instant(at: datetime | None, now: datetime) -> str:
    """Return "07:40" of the day that it is, else "19 Nov 07:40", in UTC; "never" for None."""
    if at is None:
        return "never"
    at, today = utc(at), utc(now)
    hour = f"{at:%H:%M}"
    return hour if at.date() == today.date() else f"{short_date(at.date(), year=today.year)} {hour}"


def age(span: timedelta) -> str:
    """Return "3 days", "5 hours", "12 minutes", "less than a minute"."""
    minutes = max(span, timedelta()) // timedelta(minutes=1)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return counted(minutes // size, unit)
    return "less than a minute"


def others(text: str) -> str:
    """Return what somebody else said: one line, cut, without addresses."""
    return shorten(clean(veiled_text(text)), _LONGEST)


def refusal(status: str) -> str:
    """Return in words why a letter was refused, by its status."""
    if status in _REFUSALS:
        return _REFUSALS[status]
    if status.startswith("5.7."):
        return f"unwanted, or we may not send ({status})"
    return f"the relay said {status}" if status else "the relay said no"


def first(view: View) -> Answer:
    """Say whether readers got today's letters, and in brackets why not."""
    today = view.today
    quiet = _quiet(today)
    if not today.due:
        readers = view.look.readers.get(SubscriberState.CONFIRMED, 0)
        if not readers:
            return Answer("No letter was due: there is no confirmed reader yet.", is_well=True)
        return Answer(f"No letter was due in the last 24 hours.{quiet}", is_well=True)
    if today.got == today.due:
        whole = "The one reader" if today.due == 1 else f"All {today.due:,} readers"
        verb = "was due in the last 24 hours got the" if today.due == 1 else "were due in the last 24 hours got their"
        return Answer(f"{whole} who {verb} letter{_notes(today)}.{quiet}", is_well=True)
    got = f"{today.got:,} of {counted(today.due, 'reader')} who {'was' if today.due == 1 else 'were'} due"
    missing = "; ".join(_missing(view))
    return Answer(
        f"{got} in the last 24 hours got their letter{_notes(today)}; {missing}.{quiet}", is_well=_is_well(view)
    )


def reasons(view: View) -> tuple[Reason, ...]:
    """Return what keeps letters or papers back, the gravest first, each with what to do."""
    return tuple(_reasons(view))


def _is_well(view: View) -> bool:
    """Whether what is missing comes by itself, or not at all whatever one does."""
    today = view.today
    stuck = today.undecided or today.expired or (today.unplanned and view.look.unserved)
    return not stuck and not reasons(view)


def _quiet(today: Today) -> str:
    if not today.nothing_matched:
        return ""
    return f" For {counted(today.nothing_matched, 'reader')} nothing matched, which is no fault."


def _notes(today: Today) -> str:
    """Tell notes from letters, where some were."""
    if not today.notes:
        return ""
    return (
        ", a note that nothing matched" if today.due == 1 else f", {today.notes:,} of them a note that nothing matched"
    )


def _missing(view: View) -> Iterator[str]:
    today = view.today
    if today.waiting:
        yield f"{_many(today.waiting, 'waits', 'wait')} ({_wait(view)})"
    if today.unplanned:
        yield f"{_many(today.unplanned, 'has', 'have')} no letter yet ({_unplanned(view)})"
    for status, number in sorted((today.refused or {}).items(), key=lambda each: -each[1]):
        yield f"{_many(number, 'was', 'were')} refused ({refusal(status)})"
    if today.undecided:
        waits = "waits" if today.undecided == 1 else "wait"
        yield f"{_many(today.undecided, 'has', 'have')} perhaps arrived and {waits} for your word"
    if today.expired:
        yield f"{_many(today.expired, 'was', 'were')} too old when its turn came"


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _wait(view: View) -> str:
    """Say in a few words why letters wait."""
    if view.hold is not None:
        return f"held: {others(view.hold.reason)}"
    if view.look.shut:
        return f"relay shut until {instant(view.look.shut_until, view.now)} UTC: {others(view.look.shut)}"
    today, parts = view.today, []
    if today.on_the_way:
        parts.append("on the way" if today.on_the_way == today.waiting else f"{today.on_the_way:,} on the way")
    if today.put_off:
        tries = [each.next_try for each in view.look.waiting if each.state == "deferred" and each.next_try]
        when = f", next try {instant(min(tries), view.now)} UTC" if tries else ""
        parts.append(
            f"{'' if today.put_off == today.waiting else f'{today.put_off:,} '}put off by the other side{when}"
        )
    if today.unsure:
        parts.append("an answer got lost, sent once more")
    return ", ".join(parts)


def _unplanned(view: View) -> str:
    if view.hold is not None and view.hold.reason.startswith(COMPLAINED):
        return "nothing is planned: too many complaints"
    if any(each.name == "publish" for each in view.troubles):
        return "planning is broken"
    if idle(view):
        return "no worker is running"
    if view.look.unserved:
        return ", ".join(f"{others(reason)}: {number:,}" for reason, number in sorted(view.look.unserved.items()))
    if view.sources and not any(each.last_good for each in view.sources):
        return "no source was read yet"
    return "made with the next pass, within a minute"


def idle(view: View) -> bool:
    """Whether no worker seems to run: every source is long overdue, and nobody asks."""
    visits = [each.next_visit for each in view.sources]
    if not visits:
        return False
    if all(visit is None for visit in visits):  # never asked
        return view.look.last_run is None or view.now - view.look.last_run > _LATE
    return all(visit is not None and view.now - visit > _LATE for visit in visits)


def _reasons(view: View) -> Iterator[Reason]:
    hold, look = view.hold, view.look
    if hold is not None:
        waits = f"{counted(hold.waiting, 'letter')} {'waits' if hold.waiting == 1 else 'wait'}."
        yield Reason("Letters are held", f"{_sentence(others(hold.reason))} {waits}", _hold_remedy(hold.reason))
    if look.shut:
        yield Reason(
            "The relay is shut",
            f"{_sentence(others(look.shut))} One letter tries it at {instant(look.shut_until, view.now)} UTC.",
            "mend what it says ([mail] in the settings, or the relay); then press “Resume”, which tries at once.",
        )
    if idle(view):
        yield Reason(
            "No worker seems to run",
            f"Every source is overdue; the last run of anything ended {instant(look.last_run, view.now)}.",
            "start `paperround run`, or `paperround worker` beside `paperround web`.",
        )
    for each in view.troubles:
        if each.name == "deliver" and (hold is not None or look.shut):
            continue  # said above, in more words
        said = told(each, view.now)
        what = others(said.what) if each.name.startswith("source:") else _sentence(others(said.what))
        yield Reason(said.title, f"{what}{'' if what.endswith(('.', '…')) else '.'} {said.since}", said.remedy)
    if look.unserved:
        named = ", ".join(f"{others(reason)} ({number:,})" for reason, number in sorted(look.unserved.items()))
        yield Reason(
            "Some letters were not made",
            f"{_sentence(named)}",
            "the log says why; they are tried again each hour.",
        )
    if view.today.undecided:
        yield Reason(
            "Letters wait for your word",
            "The relay’s answer got lost twice: they may have arrived.",
            "look into the relay’s log, then say below what became of each.",
        )
    for source in view.sources:
        if _is_stuck(source) and not any(each.name == f"source:{source.name}" for each in view.troubles):
            yield Reason(
                f"The source {clean(source.name)}",
                _sentence(f"{source.status}: {others(source.error) or 'no more is known'}"),
                "nothing at first: it is asked again soon.",
            )


def _is_stuck(source: SourceLine) -> bool:
    return bool(source.status) and not FetchStatus(source.status).is_good


def _hold_remedy(reason: str) -> str:
    if reason.startswith(COMPLAINED):
        return "find out why first: a topic that brings too much, addresses that never asked; then press “Resume”."
    if reason.startswith(_COPIES):
        return f"{CHOOSE}."
    return "press “Resume” when letters may leave again."


def may_resume(view: View) -> bool:
    """Whether the button is enough: what a copy should do with its letters is asked on the command line."""
    return bool(view.look.shut) if view.hold is None else not is_copy(view.hold)


def is_copy(hold: Hold | None) -> bool:
    """Whether letters are held because this may be a copy of an archive that sends, too."""
    return hold is not None and hold.reason.startswith(_COPIES)


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '…')) else '.'}"


def percent(part: int, whole: int, digits: int = 0) -> str:
    """Return "75 %", or "0.12 %" with two digits."""
    return f"{100 * part / whole if whole else 0:.{digits}f} %"
