"""What Hugging Face lists: the kinds of its pages, and the day, week or month that a page is of."""

import re
from datetime import date

#: What a list is called by what it holds: of a day, a week, a month, what is read most, or what a search found.
DAILY, WEEK, MONTH = "huggingface-daily", "huggingface-week", "huggingface-month"
TRENDING, SEARCH = "huggingface-trending", "huggingface-search"
#: What a saved page of one paper is called.
PAPER = "huggingface-paper"

_PERIOD = re.compile(r"[0-9]{4}-(?:W[0-9]{2}|[0-9]{2})(?![0-9-])")


def slot_of(kind: str, day: date) -> str:
    """Return what the site calls the day, the ISO 8601 week ("2026-W10") or the month ("2026-03") that a day is in."""
    if kind == MONTH:
        return f"{day.year:04}-{day.month:02}"
    if kind == WEEK:
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"
    return day.isoformat()


def slot_in(text: str) -> str:
    """Return the week or the month that a text begins with; "" if it begins with neither."""
    found = _PERIOD.match(text)
    return found[0] if found else ""


def clamped(kind: str, own: str, asked: date | None) -> str:
    """Return a note where the page's `own` day, week or month is not that of the day that was asked for; else "".

    A slot that has no list yet is answered with the newest one that has (sources.md 1.1).
    """
    wanted = slot_of(kind, asked) if asked else ""
    if not own or not wanted or own == wanted:
        return ""
    if own < wanted:
        return f"the page is of {own}: nothing is listed for {wanted} yet"
    return f"the page is of {own}, though {wanted} was asked for"
