"""Time zones as people type them, in any case, and the list of them beside a form."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones


@cache
def zones() -> tuple[str, ...]:
    """Return the names of all time zones, those of places first."""
    return tuple(sorted(available_timezones(), key=lambda name: ("/" not in name or name.startswith("Etc/"), name)))


def zone_typed(text: str) -> str:
    """Return the zone that was meant, in the letters of its name; what names none stays as it is."""
    return _by_lower_case().get(text.lower(), text)


@cache
def _by_lower_case() -> Mapping[str, str]:
    return {name.lower(): name for name in zones()}
