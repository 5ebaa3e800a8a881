"""The third demand, said to the reader: "did I get today's letter, and if not, why", without a command or a reply.

`domain.answers` says the same to the operator, with what relays and logs say. A reader gets our own words alone: what
others wrote is no sentence for a page, and what holds an installation is not theirs to mend.
"""

from collections.abc import Mapping
from datetime import date, datetime

from domain.answers import Known, LetterRecord
from domain.deliveries import DeliveryState
from domain.issues import LetterKind
from domain.silences import NOT_COMPOSED, NOTHING_MATCHED
from domain.subscriptions import Cadence, Schedule, Subscriber, SubscriberState, zone_of

S = DeliveryState

_STOPPED: Mapping[str, str] = {
    "bounce": "because mail to it came back",
    "complaint": "because one of them was reported as spam",
    "operator": "because whoever runs this took it off",
}
#: What became of a letter, for a list of letters.
FATES: Mapping[DeliveryState, str] = {
    S.PLANNED: "waits for its turn",
    S.LEASED: "is being sent",
    S.SENDING: "is being sent",
    S.ACCEPTED: "sent",
    S.DEFERRED: "put off, and tried again",
    S.UNCERTAIN: "may have been sent",
    S.REJECTED: "refused by your mailbox",
    S.SKIPPED: "not sent",
    S.EXPIRED: "could not leave in time",
}


def why_no_letter(reader: Subscriber, known: Known, now: datetime) -> str:
    """Return whether the letter of the present slot came, and if not, why; `now` is aware."""
    return _of_the_reader(reader, known) or _of_the_slot(reader, known, now)


def fate(letter: LetterRecord) -> str:
    """Return what became of a letter in a few words."""
    return "sent, but it came back" if letter.state is S.ACCEPTED and letter.heard else FATES[letter.state]


def long_day(day: date) -> str:
    """Return "20 November 2026"."""
    return f"{day.day} {day:%B %Y}"


def slot_name(label: str | None) -> str:
    """Return "20 November 2026" or "week 47 of 2026"; "" for none."""
    if not label:
        return ""
    year, _, week = label.partition("-W")
    return f"week {int(week)} of {year}" if week else long_day(date.fromisoformat(label))


def _of_the_reader(reader: Subscriber, known: Known) -> str:
    if known.suppressed is not None or reader.state is SubscriberState.SUPPRESSED:
        why = f" {_STOPPED.get(known.suppressed.reason, '')}".rstrip() if known.suppressed else ""
        return f"No: letters to this address have stopped{why}."
    match reader.state:
        case SubscriberState.PENDING:
            return "No: your address is not confirmed yet. Press Confirm on the page that our first letter links to."
        case SubscriberState.PAUSED:
            until = f" until {long_day(reader.paused_until)}" if reader.paused_until else ""
            return f"No: your letters are paused{until}."
        case SubscriberState.UNSUBSCRIBED:
            return "No: you are unsubscribed."
    return "" if reader.subscriptions else "No: you have no topics, and a letter is of topics."


def _of_the_slot(reader: Subscriber, known: Known, now: datetime) -> str:
    schedule = reader.schedule
    present, opens = schedule.slot(now), schedule.opens(now)
    due, _ = schedule.due_slot(now)
    digests = [each for each in known.letters if each.kind is LetterKind.DIGEST]
    written = {each.slot: each for each in reversed(digests)}
    if present.label in written:
        return _fate(schedule, written[present.label], known)
    if not digests or (reader.joined_at is not None and digests[0].date < reader.joined_at):
        return "Not yet: your first letter is made as soon as new listings have been read."
    if opens > now and schedule.ready and any(each.last_slot == present.label for each in known.silences):
        due, opens = present, now  # the sources had closed their day, and nothing was new
    if opens > now:
        which = "today’s letter" if schedule.every is Cadence.DAY else "this week’s letter"
        if schedule.ready:
            latest = f"at {_at(schedule, opens)} at the latest"
            return f"Not yet: {which} comes once your sources have closed their day, {latest}."
        return f"Not yet: {which} is due at {_at(schedule, opens)}."
    return _of_an_empty_slot(known, due.label)


def _of_an_empty_slot(known: Known, label: str) -> str:
    """Return why there is no letter of a slot that opened."""
    found = next((each for each in known.silences if each.last_slot == label), None)
    if found is not None and found.reason == NOTHING_MATCHED:
        return f"No: nothing new matched your topics for {slot_name(label)}. That is no fault."
    if found is not None and found.reason == NOT_COMPOSED:
        return "No: it could not be made, through a fault of ours. It is tried again every hour."
    if found is None and known.planning:
        return "Not yet: no letters can be made at present. Whoever runs this has been told."
    return "Not yet: the letter is late. It comes as soon as it has been made."


def _fate(schedule: Schedule, letter: LetterRecord, known: Known) -> str:
    """Return what became of the letter of the present slot."""
    tried = f" at {_at(schedule, letter.last_try)}" if letter.last_try else ""
    again = f" It is tried again at {_at(schedule, letter.not_before)}." if letter.not_before else ""
    if letter.state is S.ACCEPTED and letter.heard:
        return f"No: it left{tried}, but your mailbox sent it back."
    stuck = known.held or known.relay
    waits = "Not yet: it is written, but no letters leave at present." if stuck else "Not yet: it leaves shortly."
    said: Mapping[DeliveryState, str] = {
        S.ACCEPTED: f"Yes: it left{tried}. If it is not in your inbox, look where spam goes.",
        S.PLANNED: waits,
        S.LEASED: waits,
        S.SENDING: waits,
        S.DEFERRED: f"Not yet: it could not leave{tried}.{again}",
        S.UNCERTAIN: f"Perhaps: it may have left{tried}, but nobody answered that it arrived.",
        S.REJECTED: f"No: your mailbox refused it{tried}.",
        S.SKIPPED: "No: it was not sent.",
        S.EXPIRED: "No: it could not leave before it was too old.",
    }
    return said[letter.state]


def _at(schedule: Schedule, instant: datetime) -> str:
    """Return an instant as the reader's clock shows it: "07:00 on 20 November 2026"."""
    local = instant.astimezone(zone_of(schedule.zone))
    return f"{local:%H:%M} on {long_day(local.date())}"
