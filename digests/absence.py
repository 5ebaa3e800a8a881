"""The words of a letter on what its reader did not see: days of absence, and papers that are only counted."""

from datetime import date

from digests.wording import long_date, subject_date


def away(since: date | None, day: date) -> str:
    """Return "You were away from 3 to 17 November."; "" for one who was not away up to another day than `day`."""
    if since is None or since >= day:
        return ""
    if (since.year, since.month) == (day.year, day.month):
        return f"You were away from {since.day} to {subject_date(day)}."
    return f"You were away from {long_date(since, year=day.year)} to {long_date(day, year=since.year)}."


def on_the_web(number: int) -> str:
    """Return "692 more are on the web", for papers that are only counted."""
    return f"{number:,} more {'is' if number == 1 else 'are'} on the web"
