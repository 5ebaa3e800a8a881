"""The third demand: "did I get today's letter, and if not, why" answered in one sentence or two.

Pure: everything that is known of a reader's mail comes in, words go out. What stands nearest to the reader answers
first: their state, then what they ask for, then the letter of the slot, then why there is none.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED, Silence
from domain.subscriptions import Cadence, Subscriber, SubscriberState, zone_of

S = DeliveryState
_LONGEST_REPLY = 300  # characters of what a relay said


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """What became of one letter to a reader."""

    delivery_id: int
    kind: LetterKind
    issue: str | None  #: the issue's public id; None for other letters than digests
    slot: str | None  #: the issue's; None for other letters than digests
    date: datetime  #: of the letter, aware UTC
    state: DeliveryState
    reply: str  #: what the relay said last
    reason: str  #: why it was skipped, rejected, expired or is uncertain
    attempts: int
    last_try: datetime | None
    not_before: datetime | None  #: when it is tried next; None where it is at its end, or waits for the operator
    heard: str = ""  #: what was heard of it after it left, such as "bounce 5.2.2 mailbox full"; "" for nothing bad


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Why an address must not be mailed."""

    reason: str  #: bounce, complaint, operator
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a reader's mail."""

    letters: tuple[LetterRecord, ...] = ()  #: newest first
    silences: tuple[Silence, ...] = ()  #: newest first
    suppressed: Suppressed | None = None
    held: str = ""  #: why this installation sends nothing; "" where nothing holds it
    relay: str = ""  #: why nothing leaves through the relay for a while; "" where it may
    planning: str = ""  #: what is wrong with planning; "" where it works


def why_no_mail(reader: Subscriber, known: Known, now: datetime) -> str:
    """Return whether a reader got the letter of the present slot, and if not, why; `now` is aware."""
    return _of_the_address(reader, known) or _of_the_reader(reader, known) or _of_the_slot(reader, known, now)


def _of_the_address(reader: Subscriber, known: Known) -> str:
    if known.suppressed is None and reader.state is not SubscriberState.SUPPRESSED:
        return ""
    way_out = f"`paperround suppressions remove {reader.email}` lets letters go there again."
    if known.suppressed is None:
        return f"No: this address must not be mailed. {way_out}"
    found = known.suppressed
    detail = f" ({_cut(found.detail)})" if found.detail else ""
    return (
        f"No: this address must not be mailed since {_at(reader, found.at)}, by reason of {found.reason}{detail}. "
        f"{way_out}"
    )


def _of_the_reader(reader: Subscriber, known: Known) -> str:
    match reader.state:
        case SubscriberState.PENDING:
            asked = next((each for each in known.letters if each.kind is LetterKind.CONFIRM), None)
            told = f" {_fate(reader, asked, known, 'The confirmation letter')[1]}" if asked else ""
            return f"No: the reader has not confirmed the address yet.{told}"
        case SubscriberState.PAUSED:
            if reader.paused_until is None:
                return "No: the reader is paused, and gets no letters for now."
            return f"No: the reader is paused until {reader.paused_until}; letters begin again by themselves."
        case SubscriberState.UNSUBSCRIBED:
            return "No: the reader has unsubscribed."
    return "" if reader.subscriptions else "No: the reader has no topics, and a letter is of topics."


def _of_the_slot(reader: Subscriber, known: Known, now: datetime) -> str:
    schedule = reader.schedule
    present, opens = schedule.slot(now), schedule.opens(now)
    due, opened = schedule.due_slot(now)
    digests = [each for each in known.letters if each.kind is LetterKind.DIGEST]
    written = {each.slot: each for each in reversed(digests)}
    if present.label in written:
        return " ".join(_fate(reader, written[present.label], known, f"the letter of {present.label}"))
    joined = reader.joined_at
    if not digests or (joined is not None and digests[0].date < joined):
        return f"Not yet: the first letter is made once a source has been read.{_planning(known)}"
    if opens > now and schedule.ready and any(each.last_slot == present.label for each in known.silences):
        due, opens = present, now  # the sources had closed their day, and nothing was new
    if opens > now:
        which = "today's letter" if schedule.every is Cadence.DAY else "this week's letter"
        before = written.get(due.label)
        past = _fate(reader, before, known, f"that of {due.label}") if before else _silence(known, due.label)
        told = f" The one before: {past[1]}" if past[1] else ""
        at = f"at {_at(reader, opens)}"
        if schedule.ready:
            at = f"once the reader's sources have closed their day, {at} at the latest"
        return f"Not yet: {which} is due {at}.{told}"
    return _of_an_empty_slot(reader, known, due.label, opened)


def _of_an_empty_slot(reader: Subscriber, known: Known, label: str, opened: datetime) -> str:
    """Return why there is no letter of a slot that opened."""
    word, told = _silence(known, label)
    if told:
        last = known.letters[0]
        note = f" A short note said so on {_at(reader, last.date)}." if last.kind is LetterKind.QUIET else ""
        return f"{word} {told}{note}"
    if known.planning:
        return f"No: no letter is made at present.{_planning(known)}"
    return (
        f"No: nothing has made the letters of {label} since they became due at {_at(reader, opened)}. "
        "Does `paperround run` or `paperround worker` run?"
    )


def _fate(reader: Subscriber, letter: LetterRecord, known: Known, name: str) -> tuple[str, str]:
    """Return the answer's first word, and what became of a letter."""
    said = _cut(letter.reason or letter.reply if letter.state is S.SKIPPED else letter.reply or letter.reason)
    because = f": {said}" if said else ""
    tried = f" at {_at(reader, letter.last_try)}" if letter.last_try else ""
    again = f"; it is tried again at {_at(reader, letter.not_before)}" if letter.not_before else ""
    resolve = f"`paperround deliveries resolve {letter.delivery_id} --as sent` or `--as resend`"
    next_step = "it is sent once more" if letter.not_before else f"it waits for you to say {resolve}"
    lane = _waits(known) if known.held or known.relay else ""
    fates = {
        S.ACCEPTED: ("Yes:", f"{name} was taken by the relay{tried}. If it is not in the inbox, look where spam goes."),
        S.PLANNED: ("Not yet:", f"{name} is written and waits{_waits(known)}."),
        S.LEASED: ("Not yet:", f"{name} is being sent."),
        S.SENDING: ("Not yet:", f"{name} is being sent."),
        S.DEFERRED: ("Not yet:", f"{name} could not leave{tried}{because}{again}{lane}."),
        S.UNCERTAIN: ("Perhaps:", f"{name} may have left{tried}, but no answer came; {next_step}."),
        S.REJECTED: ("No:", f"{name} was refused{tried}{because}."),
        S.SKIPPED: ("No:", f"{name} was not sent{because}."),
        S.EXPIRED: ("No:", f"{name} could not leave before it was too old{because}."),
    }
    if letter.state is S.ACCEPTED and letter.heard:
        return "No:", f"{name} was taken by the relay{tried}, but then this was heard of it: {_cut(letter.heard)}."
    return fates[letter.state]


def _waits(known: Known) -> str:
    if known.held:
        return f", for nothing is sent: {known.held}; `paperround deliveries resume` lets letters leave"
    if known.relay:
        return f", for the relay is not asked for a while: {_cut(known.relay)}"
    return " for its turn; the worker, or `paperround deliver`, sends it"


def _silence(known: Known, label: str) -> tuple[str, str]:
    """Return the answer's first word and why a slot has no letter; "" where nothing was kept of it."""
    found = next((each for each in known.silences if each.last_slot == label), None)
    if found is None:
        return "", ""
    if found.reason == NOTHING_MATCHED:
        longer = f", nor has anything for {found.slots} letters in a row, since {found.first_slot}"
        return "No:", f"nothing new matched the topics for {label}{longer if found.slots > 1 else ''}."
    if found.reason == NOT_COMPOSED:
        return "No:", f"the letter of {label} could not be composed; the log says why, and it is tried again each hour."
    return "No:", f"there is no letter of {label}: {_cut(found.reason)}."


def _planning(known: Known) -> str:
    return f" Planning does not work: {_cut(known.planning)}" if known.planning else ""


def _at(reader: Subscriber, instant: datetime) -> str:
    """Return an instant as the reader's clock shows it: "2026-11-20 07:00 Europe/Berlin"."""
    return f"{instant.astimezone(zone_of(reader.schedule.zone)):%Y-%m-%d %H:%M} {reader.schedule.zone}"


def _cut(text: str) -> str:
    """Return what others said, short and without its last full stop."""
    return text[:_LONGEST_REPLY].strip().rstrip(".")
