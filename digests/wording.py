"""The words of a letter that depend on numbers, dates and names; no markup, no I/O."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

from digests.readable import clean, readable
from domain.issues import Entry, Receipt, SourceCheck
from domain.papers import FetchStatus, Paper
from domain.topics import Why

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = 3  # authors named before "and 5 more"
_LONGEST_NAME = 60
_LONGEST_LABEL = 80
_CHECKS = 30  # sources told one by one at the foot of a letter
_MOST_TOPICS = 20  # named in a letter that found nothing
_REASONS = 5  # other topics told one by one under a paper
_URL = re.compile(r"[!#-;=?-\[\]-_a-z~\x80-\U0010ffff]+")

_FAULTS = {
    FetchStatus.LAYOUT_CHANGED: "layout changed",
    FetchStatus.BLOCKED: "the site turned us away",
    FetchStatus.THROTTLED: "the site asked us to slow down",
    FetchStatus.FAILED: "no usable answer",
}


def short_date(day: date, *, year: int) -> str:
    """Return "20 Nov", or "20 Nov 2025" when it is not of the year that is being read."""
    text = f"{day.day} {MONTHS[day.month - 1][:3]}"
    return text if day.year == year else f"{text} {day.year}"


def full_date(day: date) -> str:
    """Return "20 November 2026"."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def weekday_date(day: date) -> str:
    """Return "Friday 20 November 2026"."""
    return f"{_WEEKDAYS[day.weekday()]} {full_date(day)}"


def subject_date(day: date) -> str:
    """Return "20 November"."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def long_date(day: date, *, year: int) -> str:
    """Return "3 November", or "3 November 2025" when it is not of the year that is being read."""
    return subject_date(day) if day.year == year else full_date(day)


def when(paper: Paper, *, year: int) -> str:
    """Return the day of publication, or "listed 20 Nov" where only the listing's day is known."""
    if paper.published is not None:
        return short_date(paper.published, year=year)
    return f"listed {short_date(paper.first_listed, year=year)}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 paper", "2 papers", "1,204 papers"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def authors(paper: Paper) -> str:
    """Return "A, B, C and 12 more", "5 authors" where no name is known, the organization, or ""."""
    names = [cut(readable(name), _LONGEST_NAME) for name in paper.authors[: _NAMED + 1]]
    names = [name for name in names if name]
    total = max(paper.author_count, len(paper.authors))
    if not names:
        return counted(total, "author") if total else cut(clean(paper.organization), _LONGEST_LABEL)
    if total <= _NAMED + 1 and len(names) == total:
        return ", ".join(names)
    shown = names[:_NAMED]
    return f"{', '.join(shown)} and {total - len(shown):,} more"


def source_labels(paper: Paper, labels: Mapping[str, str]) -> list[str]:
    """Return what the paper's sources are called, each once, in order of first sighting."""
    named = (cut(clean(labels.get(source, source)), _LONGEST_LABEL) for source in paper.sources)
    return list(dict.fromkeys(label for label in named if label))


def web_address(url: str) -> str:
    """Return `url` if it is a plain http or https address that may become a link, else "" (mail.md item 46)."""
    if not _URL.fullmatch(url) or clean(url) != url or len(url) > 1000:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc else ""


def cut(text: str, limit: int) -> str:
    """Return a name of at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def reasons(entry: Entry) -> list[str]:
    """Return why a paper is in a letter: "Why: both words, in title", then "Also under “Robustness”: word “robust”"."""
    lines = [_reason(f"Under {_quoted(entry.topic)}" if entry.topic else "Why", entry.why)]
    lines += [_reason(f"Also under {_quoted(each.topic)}", each.why) for each in entry.also[:_REASONS]]
    if more := entry.also[_REASONS:]:
        lines.append(f"Also under {counted(len(more), 'more topic')}")
    return [line for line in lines if line]


def _reason(lead: str, why: Why) -> str:
    """Return a lead and why; where there is no why, the lead alone if it names a topic."""
    line = clean(why.line)
    return f"{lead}: {line}" if line else ("" if lead == "Why" else lead)


def _quoted(topic: str) -> str:
    return f"“{cut(clean(topic), _LONGEST_LABEL) or 'Untitled topic'}”"


def intro(
    *,
    receipt: Receipt,
    first: bool,
    welcome_days: int,
    topics: int,
    shown: int,
    titles: int,
    related: int,
    liked: int = 0,
    near: bool = False,
    away: str = "",
) -> str:
    """Return the letter's first sentences; `shown` matches stand in it in full, `titles` as titles.

    `near` says that some related ones are near in meaning alone; `liked` papers are like those that the reader saved.
    `away` says that the reader paused; a first letter looks back anyway.
    """
    found = receipt.matched
    topic = "topic" if topics == 1 else "topics"
    # A new topic looks back, so what answers need not be among what is new: the two are told apart.
    news = f"{counted(receipt.new, 'new paper')} since your last letter." if receipt.new else ""
    lead = (
        f"Your first letter looks back {counted(welcome_days, 'day')}."
        if first
        else " ".join(filter(None, [away, news]))
    )
    meant = f" or {'is' if related == 1 else 'are'} near in meaning" if near else ""
    part = f"{counted(related, 'related one')} {'has' if related == 1 else 'have'} part of the words{meant}."
    like = f"{counted(liked, 'paper')} {'is' if liked == 1 else 'are'} like what you saved."
    if found:
        more = f": {_spread(found, shown, titles)}" if shown < found else ""
        most = "Up to " if receipt.at_most else ""
        told = [f"{most}{counted(found, 'paper')} {'answers' if found == 1 else 'answer'} your {topic}{more}."]
        told += [part] if related else []
    elif related:
        told = [f"No {'paper of that time' if first else 'new paper'} answers your {topic} in full; {part}"]
    elif liked:
        told = [f"No {'paper of that time' if first else 'new paper'} answers your {topic}; {like}"]
    else:
        told = [f"Nothing listed in that time answers your {topic}; the next comes when something does."]
    told += [like] if liked and (found or related) else []
    return " ".join(filter(None, [lead, *told]))


def section_count(*, total: int, shown: int, above: int, related: int) -> str:
    """Return what stands beside a topic's name: "2 of 3", "1 paper; 2 related", "2 of 4, 1 above"."""
    near = [f"{related:,} related"] if related else []
    if not total:
        return "; ".join(near)
    if above == total:
        return "; ".join([f"{counted(total, 'paper')}, above", *near])
    text = counted(total, "paper") if shown == total else f"{shown:,} of {total:,}"
    return "; ".join([f"{text}, {above:,} above" if above else text, *near])


def looked_back(*, first: bool, welcome_days: int) -> str:
    """Return the time that a digest's receipt speaks of, as the end of a sentence."""
    return f"in the last {counted(welcome_days, 'day')}" if first else "since your last letter"


def checked(receipt: Receipt, *, year: int, since: str) -> list[str]:
    """Return the receipt's sentences: every source's, then that nothing failed where that is so.

    `since` ends a sentence: "since your last letter".
    """
    if not receipt.checks:
        return [f"No source was asked {since}."]
    bad = [check for check in receipt.checks if not check.status.is_good]
    good = [check for check in receipt.checks if check.status.is_good]
    told = good[: max(_CHECKS - len(bad), 0)]
    lines = [_good(check, year=year, since=since) for check in told]
    if len(told) < len(good):
        lines.append(f"{counted(len(good) - len(told), 'more source')} read without fault.")
    lines += [_bad(check, year=year, since=since) for check in bad[:_CHECKS]]
    if len(bad) > _CHECKS:
        lines.append(f"{counted(len(bad) - _CHECKS, 'more source')} could not be read in full.")
    return lines if bad else [*lines, "Nothing failed."]


def matched(receipt: Receipt, *, shown: int, titles: int) -> str:
    """Return the receipt's sentence on what matched, and where it all is."""
    total, most = receipt.matched, "Up to " if receipt.at_most else ""
    if shown == total:
        return f"{total:,} matched." if total else "None matched."
    return f"{most}{total:,} matched: {_spread(total, shown, titles)}."


def _spread(total: int, shown: int, titles: int) -> str:
    """Return "10 in full, 4 by title", with what is only counted where there is such."""
    rest = total - shown - titles
    return ", ".join([f"{shown:,} in full", f"{titles:,} by title", *([f"{rest:,} only counted"] if rest else [])])


def _good(check: SourceCheck, *, year: int, since: str) -> str:
    """Return what a source brought, and what is worth knowing besides."""
    detour = "Its usual page could not be read; this is from another page of the site." if check.detour else ""
    unusual = f"Unusual: {clean(check.warning)}." if check.warning else ""
    return " ".join(filter(None, [_brought(check, year=year, since=since), detour, unusual]))


def _brought(check: SourceCheck, *, year: int, since: str) -> str:
    """Return "Hugging Face Daily Papers, 20 Nov: 31 listed, 30 new."; more new ones came from several days."""
    name = _name(check)
    if check.day is None:
        return f"{name}: {f'{check.new:,} new {since}' if check.new else 'nothing new'}."
    day = short_date(check.day, year=year)
    if check.new > check.listed:
        listed = f"{check.listed:,}" if check.listed else "none"
        return f"{name}, read up to {day}: {listed} listed that day, {check.new:,} new {since}."
    if check.listed:
        return f"{name}, {day}: {check.listed:,} listed, {check.new:,} new."
    return f"{name}, {day}: {'an empty day' if check.status is FetchStatus.OK_EMPTY else 'nothing new'}."


def _bad(check: SourceCheck, *, year: int, since: str) -> str:
    """Return the same calm sentences for a source that failed, is late or was read in part."""
    name, day = _name(check), short_date(check.day, year=year) if check.day else ""
    if check.status is FetchStatus.PARTIAL:
        return f"{_good(check, year=year, since=since)} Some could not be read."
    new = f"{check.new:,} new {since}" if check.new else ""
    if check.status is FetchStatus.STALE and check.detour:
        return f"{name} is late; what its site shows elsewhere was read: {new or 'nothing new'}."
    if check.status is FetchStatus.STALE:
        told = "; ".join(filter(None, [f"it still shows {day}" if day else "it shows no new day", new]))
        return f"{name} is late: {told}. Its papers will come when they are listed."
    fault = _FAULTS.get(check.status, "no usable answer")
    read = ": ".join(filter(None, [f"It was read up to {day}" if day else "", new]))
    other = "other papers" if check.new else "papers"
    sentences = [f"{name} could not be read today ({fault}).", *([f"{read}."] if read else [])]
    return " ".join([*sentences, f"Its {other} will come when it can."])


def _name(check: SourceCheck) -> str:
    """Return what readers call a source."""
    return cut(clean(check.label or check.source), _LONGEST_LABEL)


def foot(name: str, *, linked: bool, shared: bool, postal_address: str) -> list[str]:
    """Return the last sentences: who made this letter, and for whom."""
    sentences = []
    if shared:
        sentences.append("This letter goes to a shared mailbox; the operator manages its topics.")
    elif not linked:
        sentences.append(f"Made by your own {name}.")
    sentences.append("It carries no tracking." if sentences else "This letter carries no tracking.")
    return [*sentences, *([postal_address] if postal_address else [])]


def watched(topics: Sequence[str]) -> str:
    """Return the topics of a letter that found nothing, so that a slip of the pen is seen."""
    names = listed_names(topics[:_MOST_TOPICS])
    more = len(topics) - _MOST_TOPICS
    return f"{names}; and {more} more" if more > 0 else names


def listed_names(names: Sequence[str]) -> str:
    """Return names joined for reading: "a; b; c"."""
    return "; ".join(cut(clean(name), _LONGEST_LABEL) for name in names)
