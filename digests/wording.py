"""The words of a letter that depend on numbers, dates and names; no markup, no I/O."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

from digests.readable import clean, readable
from domain.issues import Receipt, SourceCheck
from domain.papers import FetchStatus, Paper

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = 3  # authors named before "and 5 more"
_LONGEST_NAME = 60
_LONGEST_LABEL = 80
_CHECKS = 30  # sources told one by one at the foot of a letter
_URL = re.compile(r"[!#-;=?-\[\]-_a-z~\x80-\U0010ffff]+")

_FAULTS = {
    FetchStatus.LAYOUT_CHANGED: "layout changed",
    FetchStatus.BLOCKED: "the site asked for a browser check or a login",
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


def intro(*, receipt: Receipt, first: bool, welcome_days: int, topics: int, shown: int, titles: int) -> str:
    """Return the letter's first sentences; `shown` papers stand in it in full, `titles` as titles."""
    found = receipt.matched
    topic = "topic" if topics == 1 else "topics"
    more = f": {_spread(found, shown, titles)}" if shown < found else ""
    if first:
        back = f"Your first letter looks back {counted(welcome_days, 'day')}."
        if not found:
            return f"{back} Nothing listed in that time answers your {topic}; the next comes when something does."
        return f"{back} {counted(found, 'paper')} {'answers' if found == 1 else 'answer'} your {topic}{more}."
    if found > receipt.new:  # a new topic looks back over what was known before
        return f"{counted(found, 'paper')} {'answers' if found == 1 else 'answer'} your {topic}{more}."
    news = f"{counted(receipt.new, 'new paper')} since your last letter."
    if more:
        return f"{news} {found:,} {'answers' if found == 1 else 'answer'} your {topic}{more}."
    if found == 1:
        return f"{news} {'It' if receipt.new == 1 else 'This one'} answers your {topic}."
    return f"{news} These {found:,} answer your {topic}."


def section_count(*, total: int, shown: int, above: int) -> str:
    """Return what stands beside a topic's name: "2 of 3", "1 paper", "2 of 4, 1 above"."""
    if above == total:
        return f"{counted(total, 'paper')}, above"
    text = counted(total, "paper") if shown == total else f"{shown:,} of {total:,}"
    return f"{text}, {above:,} above" if above else text


def checked(receipt: Receipt, *, year: int) -> list[str]:
    """Return the receipt's sentences: every source's, then whether anything failed or is late, then what matched."""
    bad = [check for check in receipt.checks if _is_bad(check)]
    good = [check for check in receipt.checks if not _is_bad(check)]
    told = good[: max(_CHECKS - len(bad), 0)]
    lines = [_good(check, year=year) for check in told]
    if len(told) < len(good):
        lines.append(f"{counted(len(good) - len(told), 'more source')} read without fault.")
    lines += [_bad(check, year=year) for check in bad[:_CHECKS]]
    if len(bad) > _CHECKS:
        lines.append(f"{counted(len(bad) - _CHECKS, 'more source')} could not be read.")
    if not receipt.checks:
        lines.append("No source was due.")
    elif not bad:
        lines.append("Nothing failed, nothing is late.")
    return lines


def matched(*, total: int, shown: int, titles: int) -> str:
    """Return the receipt's last sentence: how many matched, and where they all are."""
    if shown == total:
        return f"{total:,} matched." if total else "None matched."
    return f"{total:,} matched: {_spread(total, shown, titles)}."


def _spread(total: int, shown: int, titles: int) -> str:
    """Return "10 in full, 4 by title", with what is only counted where there is such."""
    rest = total - shown - titles
    return ", ".join([f"{shown:,} in full", f"{titles:,} by title", *([f"{rest:,} only counted"] if rest else [])])


def _is_bad(check: SourceCheck) -> bool:
    """Whether the reader is told that something of this source is missing."""
    return not check.status.is_good


def _good(check: SourceCheck, *, year: int) -> str:
    """Return "Hugging Face Daily Papers, 20 Nov: 31 listed, 30 new."."""
    name = cut(clean(check.label or check.source), _LONGEST_LABEL)
    day = f", {short_date(check.day, year=year)}" if check.day else ""
    if check.status is FetchStatus.OK_EMPTY and not check.listed:
        return f"{name}{day}: an empty day."
    if check.status is FetchStatus.NOT_MODIFIED and not check.new:
        return f"{name}{day}: nothing new."
    return f"{name}{day}: {check.listed:,} listed, {check.new:,} new."


def _bad(check: SourceCheck, *, year: int) -> str:
    """Return the same calm sentence for a source that failed, is late or was read in part."""
    name = cut(clean(check.label or check.source), _LONGEST_LABEL)
    since = f" The newest day read is {short_date(check.day, year=year)}." if check.day else ""
    if check.status is FetchStatus.STALE:
        return f"{name} is late: it still shows an older day.{since} Its papers will come when they are listed."
    if check.status is FetchStatus.PARTIAL:
        return f"{name} could be read only in part: {check.listed:,} listed, {check.new:,} new. The rest will come."
    fault = _FAULTS.get(check.status, "no usable answer")
    return f"{name} could not be read today ({fault}).{since} Its papers will come when it can."


def listed_names(names: Sequence[str]) -> str:
    """Return names joined for reading: "a; b; c"."""
    return "; ".join(cut(clean(name), _LONGEST_LABEL) for name in names)
