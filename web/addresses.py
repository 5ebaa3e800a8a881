"""The one address of each page of the archive, below the site's root and percent-encoded; nobody else writes one."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import quote, urlencode

SEARCH = "/papers"
DAYS = "/days"
TRENDING = "/trending"


def paper_path(key: str) -> str:
    """Return the address of a paper's page."""
    return f"/papers/{quote(key, safe=':/')}"


def search_path(values: Mapping[str, str]) -> str:
    """Return the address of a search; what is empty is left out."""
    said = urlencode({name: value for name, value in values.items() if value})
    return f"{SEARCH}?{said}" if said else SEARCH


def day_path(day: date) -> str:
    """Return the address of a listing day."""
    return f"{DAYS}/{day.isoformat()}"


def month_path(day: date) -> str:
    """Return the address of the listing days of the month that a day lies in."""
    return f"{DAYS}?month={day.year:04}-{day.month:02}"


def week_path(day: date) -> str:
    """Return the address of the week that a day lies in."""
    return f"/weeks/{week_name(day)}"


def week_name(day: date) -> str:
    """Return "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"
